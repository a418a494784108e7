/* characters.h: what kind of character a code point is, by Unicode 16.0.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  LAUREL_CHARACTER_OTHER,
  LAUREL_CHARACTER_LETTER, /* General_Category L* */
  LAUREL_CHARACTER_NUMBER, /* General_Category N* */
  LAUREL_CHARACTER_SPACE,  /* White_Space */
} LaurelCharacterClass;

/* One LaurelCharacterClass a code point, 0x110000 of them. */
const guint8 *laurel_character_classes (void);

/* The character at @at in valid UTF-8, and how many bytes it has. */
static inline gunichar
laurel_read_character (const char *at, gsize *out_length)
{
  const guint8 *bytes = (const guint8 *) at;

  if (bytes[0] < 0x80) {
    *out_length = 1;
    return bytes[0];
  }
  if (bytes[0] < 0xe0) {
    *out_length = 2;
    return (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu);
  }
  if (bytes[0] < 0xf0) {
    *out_length = 3;
    return (bytes[0] & 0x0fu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
  }
  *out_length = 4;
  return (bytes[0] & 0x07u) << 18 | (bytes[1] & 0x3fu) << 12 | (bytes[2] & 0x3fu) << 6 | (bytes[3] & 0x3fu);
}

G_END_DECLS
