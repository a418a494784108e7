/* characters.c: the classes of all characters in one table.
 *
 * A megabyte, of which a text touches the few pages of its scripts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/characters.h"

#include "core/text/unicode_ranges.h"

#include <string.h>

#define N_CHARACTERS 0x110000

/* GLib's own g_unichar_isspace() leaves out some of White_Space. */
static const LaurelUnicodeRange space_ranges[] = {
  { 0x09, 0x0d },
  { 0x20, 0x20 },
  { 0x85, 0x85 },
  { 0xa0, 0xa0 },
  { 0x1680, 0x1680 },
  { 0x2000, 0x200a },
  { 0x2028, 0x2029 },
  { 0x202f, 0x202f },
  { 0x205f, 0x205f },
  { 0x3000, 0x3000 },
};

static void
mark_ranges (guint8 *classes, const LaurelUnicodeRange *ranges, gsize n, LaurelCharacterClass class)
{
  for (gsize i = 0; i < n; i++)
    memset (classes + ranges[i].first, (int) class, ranges[i].last - ranges[i].first + 1);
}

const guint8 *
laurel_character_classes (void)
{
  static guint8 classes[N_CHARACTERS];
  static gsize ready;

  if (g_once_init_enter (&ready)) {
    mark_ranges (classes, laurel_letter_ranges, G_N_ELEMENTS (laurel_letter_ranges),
                 LAUREL_CHARACTER_LETTER);
    mark_ranges (classes, laurel_number_ranges, G_N_ELEMENTS (laurel_number_ranges),
                 LAUREL_CHARACTER_NUMBER);
    mark_ranges (classes, space_ranges, G_N_ELEMENTS (space_ranges), LAUREL_CHARACTER_SPACE);
    g_once_init_leave (&ready, 1);
  }
  return classes;
}
