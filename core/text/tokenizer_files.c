/* tokenizer_files.c: tokenizers from the files of Hugging Face: which there are, and the older
 * forms.
 *
 * tokenizer.json before all others; else GPT-2's vocab.json with merges.txt, or
 * BERT's vocab.txt.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_files.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <string.h>

#define ADDED_FILE "added_tokens.json"

static void
mark_special (LaurelVocabRow *row)
{
  row->added = TRUE;
  row->flags = LAUREL_ADDED_SPECIAL;
}

/* merges.txt has no end mark; a token that nothing makes shows that it was cut. */
static gboolean
check_reached (const LaurelTokenizer *self, const char *path, GError **error)
{
  for (guint32 id = 0; id < self->flags->len; id++) {
    gsize length;

    laurel_string_table_get (self->tokens, id, &length);
    if (length > 1 && (self->flags->data[id] & (LAUREL_TOKEN_SPECIAL | LAUREL_TOKEN_MERGED)) == 0) {
      g_autofree char *label = laurel_tokenizer_label (self, (int) id);

      return laurel_tokenizer_refuse (
          error, path,
          "no merge makes token “%s” (id %u), so the file may have been "
          "cut short; use the whole file",
          label, id);
    }
  }
  return TRUE;
}

static LaurelTokenizer *
load_vocab_and_merges (const char *vocab_path, const char *merges_path, gboolean prefix_space,
                       GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_load (vocab_path, error);
  g_autofree char *merges = node != NULL ? laurel_file_read_text (merges_path, NULL, error) : NULL;
  g_autoptr (LaurelTokenizer) self = laurel_tokenizer_new (LAUREL_TOKENIZER_BPE);
  g_autoptr (JsonArray) none = json_array_new ();
  g_autoptr (GArray) rows = NULL;

  if (merges == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    laurel_tokenizer_refuse (error, vocab_path,
                             "it is not a JSON object of tokens and ids; use GPT-2's form");
    return NULL;
  }
  rows = laurel_vocab_collect (json_node_get_object (node), none, vocab_path, error);
  if (rows == NULL)
    return NULL;
  for (guint id = 0; id < rows->len; id++)
    if (g_strcmp0 (g_array_index (rows, LaurelVocabRow, id).form, LAUREL_END_OF_TEXT) == 0)
      mark_special (&g_array_index (rows, LaurelVocabRow, id));
  self->add_prefix_space = prefix_space;
  if (!laurel_vocab_add_rows (self, rows, vocab_path, error)
      || !laurel_vocab_add_merge_lines (self, merges, merges_path, error)
      || !check_reached (self, merges_path, error)
      || !laurel_tokenizer_seal (self, vocab_path, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* What transformers' BertTokenizer looks for in tokenizer_config.json. */
static LaurelNormalizer *
read_bert_config (const char *path, GError **error)
{
  static const struct {
    const char *from;
    const char *to;
  } names[] = {
    { "do_lower_case", "lowercase" },
    { "strip_accents", "strip_accents" },
    { "tokenize_chinese_chars", "handle_chinese_chars" },
  };
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonNode) made = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  json_node_take_object (made, object);
  json_object_set_string_member (object, "type", "BertNormalizer");
  if (g_file_test (path, G_FILE_TEST_EXISTS)) {
    node = laurel_json_load (path, error);
    if (node == NULL)
      return NULL;
  }
  for (gsize i = 0; node != NULL && i < G_N_ELEMENTS (names); i++) {
    JsonNode *value = json_object_get_member (json_node_get_object (node), names[i].from);

    if (value != NULL)
      json_object_set_member (object, names[i].to, json_node_copy (value));
  }
  return laurel_normalizer_parse (made, path, error);
}

static gboolean
is_bert_special (const char *form)
{
  static const char *const names[] = { "[PAD]",  LAUREL_UNKNOWN_TOKEN, "[CLS]", "[SEP]",
                                       "[MASK]", LAUREL_END_OF_TEXT,   NULL };

  return g_strv_contains (names, form);
}

/* One token a line; its id is the line's number from 0. */
static LaurelTokenizer *
load_words (const char *path, const char *config_path, GError **error)
{
  g_autofree char *text = laurel_file_read_text (path, NULL, error);
  g_autoptr (LaurelTokenizer) self = laurel_tokenizer_new (LAUREL_TOKENIZER_WORDPIECE);
  gint64 unknown;

  if (text == NULL)
    return NULL;
  for (char *line = text; *line != '\0';) {
    gsize length = strcspn (line, "\n"), n = length;
    gboolean last = line[length] == '\0';
    int id = laurel_tokenizer_get_vocab_size (self);

    n -= n > 0 && line[n - 1] == '\r';
    line[n] = '\0';
    if (n == 0 || !laurel_tokenizer_add_token (self, line, n, is_bert_special (line))) {
      laurel_tokenizer_refuse (error, path, "line %d %s; correct it", id + 1,
                               n == 0 ? "is empty" : "repeats an earlier token");
      return NULL;
    }
    line += length + !last;
  }
  unknown =
      laurel_string_table_find (self->tokens, LAUREL_UNKNOWN_TOKEN, strlen (LAUREL_UNKNOWN_TOKEN));
  if (unknown < 0) {
    laurel_tokenizer_refuse (error, path, "it has no token " LAUREL_UNKNOWN_TOKEN "; add it");
    return NULL;
  }
  self->wordpiece->unknown = (gint32) unknown;
  self->normalizer = read_bert_config (config_path, error);
  if (self->normalizer == NULL || !laurel_tokenizer_seal (self, path, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* transformers lets this file override tokenizer.json. @out_prefix_space: −1 when it says nothing.
 */
static gboolean
read_config (const char *path, int *out_prefix_space, GError **error)
{
  g_autoptr (JsonNode) node = NULL;
  gboolean bos = FALSE, prefix_space = -1;

  *out_prefix_space = -1;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  node = laurel_json_load (path, error);
  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return laurel_tokenizer_refuse (error, path, "it is not a JSON object; correct it");
  if (!laurel_json_get_boolean (json_node_get_object (node), path, "add_bos_token", &bos, error)
      || !laurel_json_get_boolean (json_node_get_object (node), path, "add_prefix_space",
                                   &prefix_space, error))
    return FALSE;
  if (bos)
    return laurel_tokenizer_refuse (
        error, path, "it has add_bos_token, which is not supported; set it to false");
  *out_prefix_space = prefix_space;
  return TRUE;
}

static LaurelTokenizer *
load_json (const char *path, const char *config_path, int prefix_space, GError **error)
{
  g_autoptr (LaurelTokenizer) self = laurel_tokenizer_load_json (path, error);

  if (self != NULL && self->wordpiece == NULL && prefix_space >= 0
      && prefix_space != self->add_prefix_space) {
    laurel_tokenizer_refuse (error, config_path,
                             "its add_prefix_space is %s and that of tokenizer.json is not; make "
                             "them agree",
                             prefix_space ? "true" : "false");
    return NULL;
  }
  return g_steal_pointer (&self);
}

LaurelTokenizer *
laurel_tokenizer_load (const char *dir, GError **error)
{
  g_autofree char *tokenizer_path = g_build_filename (dir, LAUREL_TOKENIZER_FILE, NULL);
  g_autofree char *vocab_path = g_build_filename (dir, LAUREL_VOCAB_FILE, NULL);
  g_autofree char *merges_path = g_build_filename (dir, LAUREL_MERGES_FILE, NULL);
  g_autofree char *words_path = g_build_filename (dir, LAUREL_WORDS_FILE, NULL);
  g_autofree char *added_path = g_build_filename (dir, ADDED_FILE, NULL);
  g_autofree char *config_path = g_build_filename (dir, LAUREL_TOKENIZER_CONFIG_FILE, NULL);
  int prefix_space;

  if (!read_config (config_path, &prefix_space, error))
    return NULL;
  if (g_file_test (tokenizer_path, G_FILE_TEST_EXISTS))
    return load_json (tokenizer_path, config_path, prefix_space, error);
  if (!g_file_test (vocab_path, G_FILE_TEST_EXISTS)
      && !g_file_test (words_path, G_FILE_TEST_EXISTS)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not read a tokenizer from “%s”: it holds neither tokenizer.json nor "
                 "vocab.json with merges.txt, nor vocab.txt; choose a folder that does",
                 dir);
    return NULL;
  }
  if (g_file_test (added_path, G_FILE_TEST_EXISTS)) {
    laurel_tokenizer_refuse (error, added_path,
                             "added tokens are read from tokenizer.json only; save the tokenizer "
                             "in that form");
    return NULL;
  }
  if (!g_file_test (vocab_path, G_FILE_TEST_EXISTS))
    return load_words (words_path, config_path, error);
  return load_vocab_and_merges (vocab_path, merges_path, prefix_space == 1, error);
}
