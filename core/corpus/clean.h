/* clean.h: repairing decoded text: mojibake, control characters, line ends.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What was found, in characters. */
typedef struct {
  guint64 n_chars;       /* of the text as it came in */
  guint64 n_controls;    /* removed: control characters, U+FEFF, soft hyphens, noncharacters */
  guint64 n_replacement; /* U+FFFD, left as they are */
  guint64 n_mojibake;    /* characters that were made of two to four wrong ones */
} LaurelCleaning;

/* Mends UTF-8 that was read as Windows-1252 or Latin-1 and written as UTF-8 again, up to three
 * times over, and returns how many characters that made. Typographic signs (“â€™”) are mended
 * wherever they stand; other pairs (“Ã©”) only where nine in ten characters outside ASCII belong
 * to such sequences, since “É»” may well be meant. */
guint64 laurel_mend_mojibake (GString *text);

/* Mends mojibake, makes every line end “\n”, takes out what is no text, spaces at the ends of
 * lines, and empty lines at both ends and beyond one between paragraphs. @text is UTF-8. */
void laurel_clean (GString *text, LaurelCleaning *cleaning);

G_END_DECLS
