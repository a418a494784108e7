/* unicode_normalize.c: decompose, order the marks, compose.
 *
 * Only stretches of other than ASCII are worked on, each with the one ASCII
 * character before it, which may take a mark. Nothing composes with an ASCII
 * character that follows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/unicode_normalize.h"

#include "core/text/characters.h"

#include <string.h>

/* Runs of marks up to here are ordered by insertion. */
#define SHORT_RUN 32

typedef struct {
  gunichar character;
  int class; /* Canonical_Combining_Class, 0 … 254 */
} Item;

static void
decompose (const char *text, gsize length, gboolean compatible, GArray *items)
{
  gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];

  for (gsize at = 0, n; at < length; at += n) {
    gunichar c = laurel_read_character (text + at, &n);
    gsize n_parts = g_unichar_fully_decompose (c, compatible, parts, G_N_ELEMENTS (parts));

    for (gsize i = 0; i < n_parts; i++) {
      Item item = { parts[i], g_unichar_combining_class (parts[i]) };

      g_array_append_val (items, item);
    }
  }
}

static void
order_short (Item *run, gsize n)
{
  for (gsize i = 1; i < n; i++) {
    Item item = run[i];
    gsize at = i;

    for (; at > 0 && run[at - 1].class > item.class; at--)
      run[at] = run[at - 1];
    run[at] = item;
  }
}

/* A stable counting sort. */
static void
order_long (Item *run, gsize n)
{
  g_autofree Item *copy = g_memdup2 (run, n * sizeof *run);
  gsize starts[257] = { 0 };

  for (gsize i = 0; i < n; i++)
    starts[run[i].class + 1]++;
  for (gsize class = 0; class < 256; class ++)
    starts[class + 1] += starts[class];
  for (gsize i = 0; i < n; i++)
    run[starts[copy[i].class]++] = copy[i];
}

static void
order_marks (GArray *items)
{
  Item *all = (Item *) (void *) items->data;

  for (gsize i = 0; i < items->len;) {
    gsize n = 0;

    while (i + n < items->len && all[i + n].class != 0)
      n++;
    if (n > SHORT_RUN)
      order_long (all + i, n);
    else if (n > 1)
      order_short (all + i, n);
    i += MAX (n, 1);
  }
}

static void
compose (GArray *items)
{
  Item *all = (Item *) (void *) items->data;
  gsize n = 0, starter = 0;
  gboolean has_starter = FALSE;
  int last = -1; /* the class of what stands between; −1: nothing */

  for (gsize i = 0; i < items->len; i++) {
    Item item = all[i];
    gunichar composed;

    if (has_starter && last < item.class
        && g_unichar_compose (all[starter].character, item.character, &composed)) {
      all[starter].character = composed;
      continue;
    }
    last = item.class;
    if (item.class == 0) {
      starter = n;
      has_starter = TRUE;
      last = -1;
    }
    all[n++] = item;
  }
  g_array_set_size (items, (guint) n);
}

static void
append_stretch (GString *out, const char *text, gsize length, LaurelNormalForm form, GArray *items)
{
  g_array_set_size (items, 0);
  decompose (text, length, form >= LAUREL_FORM_NFKD, items);
  order_marks (items);
  if ((form & 1) != 0)
    compose (items);
  for (guint i = 0; i < items->len; i++)
    g_string_append_unichar (out, g_array_index (items, Item, i).character);
}

static gsize
find_other (const char *text, gsize at, gsize length)
{
  while (at < length && (guint8) text[at] < 0x80)
    at++;
  return at;
}

void
laurel_unicode_normalize (GString *text, LaurelNormalForm form)
{
  gsize at = 0, other = find_other (text->str, 0, text->len);
  g_autoptr (GString) out = NULL;
  g_autoptr (GArray) items = NULL;

  if (other == text->len)
    return;
  out = g_string_sized_new (text->len);
  items = g_array_new (FALSE, FALSE, sizeof (Item));
  while (other < text->len) {
    gsize begin = other > at ? other - 1 : other, end = other;

    while (end < text->len && (guint8) text->str[end] >= 0x80)
      end++;
    g_string_append_len (out, text->str + at, (gssize) (begin - at));
    append_stretch (out, text->str + begin, end - begin, form, items);
    at = end;
    other = find_other (text->str, at, text->len);
  }
  g_string_append_len (out, text->str + at, (gssize) (text->len - at));
  g_string_truncate (text, 0);
  g_string_append_len (text, out->str, (gssize) out->len);
}
