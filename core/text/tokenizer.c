/* tokenizer.c: the tokenizer itself, made by training or from files.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_private.h"

#include "core/base/error.h"

#include <string.h>

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

static void
clear_added (gpointer data)
{
  LaurelAddedToken *token = data;

  g_free (token->content);
}

LaurelTokenizer *
laurel_tokenizer_new (LaurelTokenizerModel model)
{
  LaurelTokenizer *self = g_new0 (LaurelTokenizer, 1);

  g_atomic_ref_count_init (&self->n_references);
  self->model = model;
  self->tokens = laurel_string_table_new ();
  self->flags = g_byte_array_new ();
  self->added = g_array_new (FALSE, FALSE, sizeof (LaurelAddedToken));
  g_array_set_clear_func (self->added, clear_added);
  self->merges = g_array_new (FALSE, FALSE, sizeof (LaurelMerge));
  self->n_merge_slots = 1024;
  self->merge_slots = g_new0 (LaurelMergeSlot, self->n_merge_slots);
  self->end_of_text = -1;
  if (model == LAUREL_TOKENIZER_WORDPIECE)
    self->wordpiece = laurel_wordpiece_new ();
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
  laurel_normalizer_free (self->normalizer);
  laurel_added_finder_free (self->added_raw);
  laurel_added_finder_free (self->added_normalized);
  g_array_unref (self->added);
  g_free (self->post_processor);
  laurel_wordpiece_free (self->wordpiece);
  g_clear_pointer (&self->texts, g_byte_array_unref);
  g_clear_pointer (&self->text_ends, g_array_unref);
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
  guint8 flags = 0;
  guint32 id = laurel_string_table_add (self->tokens, bytes, length);

  if (id != self->flags->len)
    return FALSE;
  g_byte_array_append (self->flags, &flags, 1);
  if (special)
    laurel_tokenizer_mark_added (self, (gint32) id, LAUREL_ADDED_SPECIAL);
  return TRUE;
}

void
laurel_tokenizer_mark_added (LaurelTokenizer *self, gint32 id, guint flags)
{
  LaurelAddedToken token = { .id = id, .flags = flags };

  token.content = g_strdup (laurel_string_table_get (self->tokens, (guint32) id, NULL));
  g_array_append_val (self->added, token);
  self->flags->data[id] |=
      (flags & LAUREL_ADDED_SPECIAL) != 0 ? LAUREL_TOKEN_SPECIAL : LAUREL_TOKEN_ADDED;
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

/* Everything but the byte-level vocabulary of GPT-2's kind that models have had
 * from the beginning, whose hashes must stay. */
static void
hash_extras (const LaurelTokenizer *self, GChecksum *checksum)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (self->wordpiece != NULL)
    g_string_append_printf (text, "WordPiece %s %d %" G_GINT64_FORMAT ";", self->wordpiece->prefix,
                            self->wordpiece->unknown, self->wordpiece->max_characters);
  if (self->normalizer != NULL) {
    g_autoptr (JsonNode) node = laurel_normalizer_to_json (self->normalizer);
    g_autofree char *json = json_to_string (node, FALSE);

    g_string_append_printf (text, "normalizer %s;", json);
  }
  if (self->add_prefix_space)
    g_string_append (text, "add_prefix_space;");
  if (self->no_regex)
    g_string_append (text, "no regex;");
  for (guint i = 0; i < self->added->len; i++) {
    const LaurelAddedToken *token = &g_array_index (self->added, LaurelAddedToken, i);

    if ((token->flags & LAUREL_ADDED_SPECIAL) == 0)
      g_string_append_printf (text, "added %d %u;", token->id, token->flags);
  }
  g_checksum_update (checksum, (const guchar *) text->str, (gssize) text->len);
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
  hash_extras (self, checksum);
  return g_strdup (g_checksum_get_string (checksum));
}

/* After an added token a text starts anew: what is put before its start may stand there too, and a
 * part of a text does not know what ended before it. */
static void
find_added (LaurelTokenizer *self)
{
  gboolean has_added;

  self->added_raw = laurel_added_finder_new (self->added, FALSE, self->normalizer);
  self->added_normalized = laurel_added_finder_new (self->added, TRUE, self->normalizer);
  has_added = self->added_raw != NULL || self->added_normalized != NULL;
  self->has_seams =
      !self->no_regex && !(self->add_prefix_space && has_added)
      && (self->normalizer == NULL || laurel_normalizer_has_seams (self->normalizer, has_added))
      && (self->added_raw == NULL || laurel_added_finder_has_seams (self->added_raw))
      && (self->added_normalized == NULL || laurel_added_finder_has_seams (self->added_normalized));
}

static gboolean
seal_bpe (LaurelTokenizer *self, const char *name, GError **error)
{
  if (!find_bytes (self, name, error) || !check_special_tokens (self, name, error))
    return FALSE;
  mark_whole_tokens (self);
  return TRUE;
}

static void
seal_wordpiece (LaurelTokenizer *self)
{
  self->texts = g_byte_array_new ();
  self->text_ends = g_array_new (FALSE, FALSE, sizeof (gsize));
  for (guint id = 0; id < self->flags->len; id++) {
    g_autoptr (GString) text = g_string_new (NULL);
    gsize length, end;
    const char *form = laurel_string_table_get (self->tokens, id, &length);

    if ((self->flags->data[id] & LAUREL_TOKEN_SPECIAL) == 0) {
      laurel_wordpiece_add (self->wordpiece, form, length, (gint32) id);
      laurel_wordpiece_append_text (self->wordpiece, form, length, FALSE, text);
    }
    g_byte_array_append (self->texts, (const guint8 *) text->str, (guint) text->len + 1);
    end = self->texts->len;
    g_array_append_val (self->text_ends, end);
  }
}

gboolean
laurel_tokenizer_seal (LaurelTokenizer *self, const char *name, GError **error)
{
  gint64 end_of_text =
      laurel_string_table_find (self->tokens, LAUREL_END_OF_TEXT, strlen (LAUREL_END_OF_TEXT));

  if (self->wordpiece != NULL)
    seal_wordpiece (self);
  else if (!seal_bpe (self, name, error))
    return FALSE;
  if (end_of_text >= 0 && (self->flags->data[end_of_text] & LAUREL_TOKEN_SPECIAL) != 0)
    self->end_of_text = (gint32) end_of_text;
  find_added (self);
  self->hash = hash_tokenizer (self);
  return TRUE;
}

LaurelTokenizerModel
laurel_tokenizer_get_model (const LaurelTokenizer *self)
{
  return self->model;
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
