/* tokenizer.c: the tokenizer itself, made by training or from files.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_private.h"

#include "core/base/error.h"

#include <string.h>

#define REPLACEMENT "\357\277\275" /* U+FFFD */

/* Bytes that print as themselves in Latin-1; the others are written as the
 * characters from U+0100 on, in their order. */
static gboolean
is_printable_byte (int byte)
{
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac)
         || (byte >= 0xae && byte <= 0xff);
}

guint8
laurel_byte_at_place (int place)
{
  int seen = 0;

  for (int printable = 1; printable >= 0; printable--)
    for (int byte = 0; byte < 256; byte++)
      if (is_printable_byte (byte) == printable && seen++ == place)
        return (guint8) byte;
  return 0;
}

gunichar
laurel_byte_to_character (guint8 byte)
{
  gunichar character = 0x100;

  if (is_printable_byte (byte))
    return byte;
  for (int other = 0; other < byte; other++)
    character += !is_printable_byte (other);
  return character;
}

int
laurel_byte_from_character (gunichar character)
{
  if (character < 0x100)
    return is_printable_byte ((int) character) ? (int) character : -1;
  for (int byte = 0; byte < 256; byte++)
    if (!is_printable_byte (byte) && character-- == 0x100)
      return byte;
  return -1;
}

LaurelTokenizer *
laurel_tokenizer_new (void)
{
  LaurelTokenizer *self = g_new0 (LaurelTokenizer, 1);

  g_atomic_ref_count_init (&self->n_references);
  self->tokens = laurel_string_table_new ();
  self->flags = g_byte_array_new ();
  self->merges = g_array_new (FALSE, FALSE, sizeof (LaurelMerge));
  self->n_merge_slots = 1024;
  self->merge_slots = g_new0 (LaurelMergeSlot, self->n_merge_slots);
  self->end_of_text = -1;
  return self;
}

LaurelTokenizer *
laurel_tokenizer_ref (LaurelTokenizer *self)
{
  g_atomic_ref_count_inc (&self->n_references);
  return self;
}

void
laurel_tokenizer_unref (LaurelTokenizer *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->n_references))
    return;
  laurel_string_table_free (self->tokens);
  g_byte_array_unref (self->flags);
  g_array_unref (self->merges);
  g_free (self->merge_slots);
  laurel_word_table_free (self->words);
  g_free (self->hash);
  g_free (self);
}

gboolean
laurel_tokenizer_add_token (LaurelTokenizer *self, const char *bytes, gsize length,
                            gboolean special)
{
  guint8 flags = special ? LAUREL_TOKEN_SPECIAL : 0;

  if (laurel_string_table_add (self->tokens, bytes, length) != self->flags->len)
    return FALSE;
  g_byte_array_append (self->flags, &flags, 1);
  return TRUE;
}

static void
grow_merge_slots (LaurelTokenizer *self)
{
  self->n_merge_slots *= 2;
  g_free (self->merge_slots);
  self->merge_slots = g_new0 (LaurelMergeSlot, self->n_merge_slots);
  for (guint rank = 0; rank < self->merges->len; rank++) {
    const LaurelMerge *merge = &g_array_index (self->merges, LaurelMerge, rank);
    gsize slot = laurel_tokenizer_find_merge_slot (self, merge->left, merge->right);

    self->merge_slots[slot] = (LaurelMergeSlot){ merge->left, merge->right, rank + 1 };
  }
}

gboolean
laurel_tokenizer_add_merge (LaurelTokenizer *self, LaurelMerge merge)
{
  gsize slot = laurel_tokenizer_find_merge_slot (self, merge.left, merge.right);

  if (self->merge_slots[slot].place != 0)
    return FALSE;
  g_array_append_val (self->merges, merge);
  self->merge_slots[slot] = (LaurelMergeSlot){ merge.left, merge.right, self->merges->len };
  self->flags->data[merge.result] |= LAUREL_TOKEN_MERGED;
  if ((gsize) self->merges->len * 2 > self->n_merge_slots)
    grow_merge_slots (self);
  return TRUE;
}

static gboolean
find_bytes (LaurelTokenizer *self, const char *name, GError **error)
{
  for (int byte = 0; byte < 256; byte++) {
    char c = (char) byte;
    gint64 id = laurel_string_table_find (self->tokens, &c, 1);

    if (id < 0 || (self->flags->data[id] & LAUREL_TOKEN_SPECIAL) != 0) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not use the tokenizer “%s”: byte 0x%02X has no token, so not every text "
                   "could be encoded; use a byte-level vocabulary",
                   name, byte);
      return FALSE;
    }
    self->byte_ids[byte] = (gint32) id;
  }
  return TRUE;
}

static gboolean
check_special_tokens (const LaurelTokenizer *self, const char *name, GError **error)
{
  for (guint id = 0; id < self->flags->len; id++) {
    guint8 both = LAUREL_TOKEN_SPECIAL | LAUREL_TOKEN_MERGED;

    if ((self->flags->data[id] & both) == both) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not use the tokenizer “%s”: special token “%s” is made by a merge, so "
                   "plain text could become it; remove the merge",
                   name, laurel_string_table_get (self->tokens, id, NULL));
      return FALSE;
    }
  }
  return TRUE;
}

/* Most words of a text are one token. Which tokens come out of their own bytes
 * is known once and for all, so those words need no merging. */
static void
mark_whole_tokens (LaurelTokenizer *self)
{
  g_autoptr (LaurelBpeScratch) scratch = laurel_bpe_scratch_new ();
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  self->words = laurel_word_table_new (self->flags->len);
  for (guint id = 0; id < self->flags->len; id++) {
    gsize length;
    const char *bytes = laurel_string_table_get (self->tokens, id, &length);

    if ((self->flags->data[id] & LAUREL_TOKEN_SPECIAL) != 0 || length > G_MAXINT32)
      continue;
    g_array_set_size (ids, 0);
    laurel_bpe_merge_piece (self, scratch, bytes, length, ids);
    if (ids->len == 1 && g_array_index (ids, gint32, 0) == (gint32) id) {
      self->flags->data[id] |= LAUREL_TOKEN_WHOLE;
      if (length <= LAUREL_WORD_KEY_MAX)
        laurel_word_table_add (self->words, laurel_word_key (bytes, length, length), (gint32) id);
    }
    self->longest_token = MAX (self->longest_token, length);
  }
}

static void
hash_number (GChecksum *checksum, guint32 number)
{
  guint32 bytes = GUINT32_TO_LE (number);

  g_checksum_update (checksum, (const guchar *) &bytes, sizeof bytes);
}

static char *
hash_tokenizer (const LaurelTokenizer *self)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  hash_number (checksum, self->flags->len);
  for (guint id = 0; id < self->flags->len; id++) {
    gsize length;
    const char *bytes = laurel_string_table_get (self->tokens, id, &length);

    hash_number (checksum, self->flags->data[id] & LAUREL_TOKEN_SPECIAL);
    hash_number (checksum, (guint32) length);
    g_checksum_update (checksum, (const guchar *) bytes, (gssize) length);
  }
  hash_number (checksum, self->merges->len);
  for (guint rank = 0; rank < self->merges->len; rank++) {
    hash_number (checksum, (guint32) g_array_index (self->merges, LaurelMerge, rank).left);
    hash_number (checksum, (guint32) g_array_index (self->merges, LaurelMerge, rank).right);
  }
  return g_strdup (g_checksum_get_string (checksum));
}

gboolean
laurel_tokenizer_seal (LaurelTokenizer *self, const char *name, GError **error)
{
  gint64 end_of_text =
      laurel_string_table_find (self->tokens, LAUREL_END_OF_TEXT, strlen (LAUREL_END_OF_TEXT));

  if (!find_bytes (self, name, error) || !check_special_tokens (self, name, error))
    return FALSE;
  if (end_of_text >= 0 && (self->flags->data[end_of_text] & LAUREL_TOKEN_SPECIAL) != 0)
    self->end_of_text = (gint32) end_of_text;
  mark_whole_tokens (self);
  self->hash = hash_tokenizer (self);
  return TRUE;
}

int
laurel_tokenizer_get_vocab_size (const LaurelTokenizer *self)
{
  return (int) self->flags->len;
}

int
laurel_tokenizer_get_end_of_text (const LaurelTokenizer *self)
{
  return self->end_of_text;
}

const char *
laurel_tokenizer_get_hash (const LaurelTokenizer *self)
{
  return self->hash;
}

/* How many bytes at @at, where valid UTF-8 stops, one U+FFFD stands for: the
 * longest start of a character that is there, as Unicode recommends. */
static gsize
broken_length (const guint8 *at, gsize left)
{
  gsize wanted = at[0] < 0xc2 || at[0] > 0xf4 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
  guint8 low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
  guint8 high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
  gsize n = 1;

  while (n < wanted && n < left && at[n] >= low && at[n] <= high) {
    low = 0x80;
    high = 0xbf;
    n++;
  }
  return n;
}

static char *
make_valid (const GString *bytes)
{
  GString *text = g_string_sized_new (bytes->len);
  const char *at = bytes->str;
  gsize left = bytes->len;

  while (left > 0) {
    const char *bad;
    gsize n;

    if (g_utf8_validate (at, (gssize) left, &bad)) {
      g_string_append_len (text, at, (gssize) left);
      break;
    }
    n = (gsize) (bad - at);
    g_string_append_len (text, at, (gssize) n);
    g_string_append (text, REPLACEMENT);
    n += broken_length ((const guint8 *) bad, left - n);
    at += n;
    left -= n;
  }
  return g_string_free (text, FALSE);
}

static gboolean
is_token (const LaurelTokenizer *self, gint32 id)
{
  return id >= 0 && (guint) id < self->flags->len;
}

static gboolean
is_special (const LaurelTokenizer *self, gint32 id)
{
  return (self->flags->data[id] & LAUREL_TOKEN_SPECIAL) != 0;
}

char *
laurel_tokenizer_decode (const LaurelTokenizer *self, const gint32 *ids, gsize n,
                         gboolean with_special)
{
  g_autoptr (GString) bytes = g_string_new (NULL);

  for (gsize i = 0; i < n; i++) {
    gsize length;
    const char *token;

    if (!is_token (self, ids[i])) {
      g_string_append (bytes, REPLACEMENT);
      continue;
    }
    token = laurel_string_table_get (self->tokens, (guint32) ids[i], &length);
    if (with_special || !is_special (self, ids[i]))
      g_string_append_len (bytes, token, (gssize) length);
  }
  return make_valid (bytes);
}

const char *
laurel_tokenizer_get_bytes (const LaurelTokenizer *self, int id, gsize *out_length)
{
  if (is_token (self, id) && !is_special (self, id))
    return laurel_string_table_get (self->tokens, (guint32) id, out_length);
  if (out_length != NULL)
    *out_length = 0;
  return "";
}

static void
append_label (GString *label, gunichar c)
{
  if (c == '\n')
    g_string_append (label, "\\n");
  else if (c == '\t')
    g_string_append (label, "\\t");
  else if (c == '\r')
    g_string_append (label, "\\r");
  else if (c == '\\')
    g_string_append (label, "\\\\");
  else if (g_unichar_isprint (c))
    g_string_append_unichar (label, c);
  else
    g_string_append_printf (label, "\\u{%X}", c);
}

char *
laurel_tokenizer_label (const LaurelTokenizer *self, int id)
{
  GString *label;
  const char *at;
  gsize left;

  if (!is_token (self, id))
    return g_strdup_printf ("#%d", id);
  at = laurel_string_table_get (self->tokens, (guint32) id, &left);
  label = g_string_sized_new (left);
  while (left > 0) {
    gunichar c = g_utf8_get_char_validated (at, (gssize) left);
    gsize n = 1;

    if (c < 0x110000) {
      append_label (label, c);
      n = (gsize) g_unichar_to_utf8 (c, NULL);
    } else {
      g_string_append_printf (label, "\\x%02X", (guint8) *at);
    }
    at += n;
    left -= n;
  }
  return g_string_free (label, FALSE);
}
