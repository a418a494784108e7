/* data_text.c: pretraining data: token files, text that becomes one, or id arrays as they are.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/corpus/reader.h"
#include "core/corpus/token_format.h"
#include "core/train/monitor.h"

#include <string.h>

/* A sequence of one token has nothing to predict. */
#define MIN_SEQUENCE 2

/* Text that is encoded at once, on all cores. */
#define BATCH_BYTES ((gsize) 8 << 20)

static gboolean
is_id_file (const char *path)
{
  return g_str_has_suffix (path, ".json");
}

/* --- Id arrays ------------------------------------------------------------------ */

static gboolean
read_ids (const char *path,
          guint number,
          JsonNode *node,
          const LaurelModel *model,
          int max_length,
          GArray *ids,
          GError **error)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  guint n = array != NULL ? json_array_get_length (array) : 0;

  if (n < MIN_SEQUENCE || n > (guint) max_length) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use “%s”: array %u %s; each array must hold %d to %d token ids", path,
                 number,
                 array == NULL      ? "is no array"
                 : n < MIN_SEQUENCE ? "is too short"
                                    : "is too long",
                 MIN_SEQUENCE, max_length);
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    JsonNode *item = json_array_get_element (array, i);
    gint64 id = JSON_NODE_HOLDS_VALUE (item) && json_node_get_value_type (item) == G_TYPE_INT64
                    ? json_node_get_int (item)
                    : -1;
    gint32 token = (gint32) id;

    if (id < 0 || id >= model->config.vocab_size) {
      g_set_error (
          error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
          "Could not use “%s”: item %u of array %u is no token of this model; ids go from 0 to %d",
          path, i + 1, number, model->config.vocab_size - 1);
      return FALSE;
    }
    g_array_append_val (ids, token);
  }
  return TRUE;
}

static JsonNode *
load_id_arrays (const char *path, GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_load (path, error);

  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_ARRAY (node) || json_array_get_length (json_node_get_array (node)) == 0) {
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
        "Could not use “%s”: it is no array of arrays of token ids; write one array a sequence",
        path);
    return NULL;
  }
  return g_steal_pointer (&node);
}

/* Each array is one sequence, used as it is; none is held out. */
static gboolean
load_ids (const char *path,
          const LaurelModel *model,
          int max_length,
          LaurelTrainData *out,
          GError **error)
{
  g_autoptr (JsonNode) node = load_id_arrays (path, error);
  JsonArray *arrays = node != NULL ? json_node_get_array (node) : NULL;

  if (node == NULL)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (arrays); i++) {
    g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

    if (!read_ids (path, i + 1, json_array_get_element (arrays, i), model, max_length, ids, error))
      return FALSE;
    g_ptr_array_add (out->sequences,
                     laurel_sequence_new ((gint32 *) (void *) ids->data, (int) ids->len, 0));
  }
  return TRUE;
}

/* --- Text ------------------------------------------------------------------------ */

static const LaurelReaderOptions reader_options = { .format = LAUREL_FORMAT_AUTO,
                                                    .rule = LAUREL_DOCUMENT_BLANK_LINE,
                                                    .encoding = LAUREL_ENCODING_UTF_8 };

static gboolean
refuse_document (const char *path, const LaurelRawDocument *raw, const char *why, GError **error)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not use “%s”: %s %" G_GUINT64_FORMAT " %s", path,
               raw->jsonl ? "row" : "document", raw->number, why);
  return FALSE;
}

/* The member “text” of a row; NULL and an error when there is none. */
static char *
read_row_text (const char *path, const LaurelRawDocument *raw, const char *line, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) node = laurel_json_parse (line, "row", &local);
  const char *text = NULL;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node)
      || !laurel_json_get_string (json_node_get_object (node), "row", "text", &text, NULL)
      || text == NULL) {
    refuse_document (path, raw, "is no JSON object with a “text”; correct it", error);
    return NULL;
  }
  return g_strdup (text);
}

/* The document as text without the line ends after it, which may leave nothing. */
static char *
get_text (const char *path, const LaurelRawDocument *raw, GError **error)
{
  g_autofree char *text = g_strndup ((const char *) raw->bytes, raw->n);
  const char *end;
  gsize n;

  if (raw->too_long) {
    refuse_document (path, raw, "is longer than 16 MiB; part it by empty lines", error);
    return NULL;
  }
  if (!g_utf8_validate ((const char *) raw->bytes, (gssize) raw->n, &end)) {
    g_autofree char *why = g_strdup_printf (
        "is not UTF-8 text at its byte %" G_GSIZE_FORMAT
        "; convert the file to UTF-8, or let “laurelctl corpus prepare” do it",
        (gsize) (end - (const char *) raw->bytes));

    refuse_document (path, raw, why, error);
    return NULL;
  }
  if (raw->jsonl)
    return read_row_text (path, raw, text, error);
  for (n = raw->n; n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'); n--)
    text[n - 1] = '\0';
  return g_steal_pointer (&text);
}

typedef struct {
  const LaurelTokenizer *tokenizer;
  LaurelTokenWriter *writer;
  GPtrArray *texts;
  GArray *lengths; /* (element-type gsize) */
  gsize n_bytes;
} TextBatch;

static void
text_batch_clear (TextBatch *self)
{
  g_clear_pointer (&self->writer, laurel_token_writer_free);
  g_clear_pointer (&self->texts, g_ptr_array_unref);
  g_clear_pointer (&self->lengths, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TextBatch, text_batch_clear)

static gboolean
write_batch (TextBatch *self, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree gsize *ends = g_new (gsize, self->texts->len + 1);
  gsize start = 0;

  if (!laurel_tokenizer_encode_texts (self->tokenizer, (const char *const *) self->texts->pdata,
                                      (const gsize *) (void *) self->lengths->data,
                                      self->texts->len, ids, ends, error))
    return FALSE;
  for (guint i = 0; i < self->texts->len; i++) {
    if (ends[i] > start
        && !laurel_token_writer_add (self->writer, &g_array_index (ids, gint32, start),
                                     ends[i] - start, error))
      return FALSE;
    start = ends[i];
  }
  g_ptr_array_set_size (self->texts, 0);
  g_array_set_size (self->lengths, 0);
  self->n_bytes = 0;
  return TRUE;
}

static void
add_text (TextBatch *self, char *text)
{
  gsize length = strlen (text);

  g_ptr_array_add (self->texts, text);
  g_array_append_val (self->lengths, length);
  self->n_bytes += length;
}

static gboolean
write_documents (TextBatch *self, const char *path, const LaurelMonitor *monitor, GError **error)
{
  const char *const paths[] = { path, NULL };
  g_autoptr (LaurelReader) reader = laurel_reader_new (paths, &reader_options, NULL);
  g_autoptr (GError) local = NULL;

  for (;;) {
    g_autoptr (LaurelRawDocument) raw = laurel_reader_next (reader, &local);
    char *text;

    if (raw == NULL)
      break;
    text = get_text (path, raw, error);
    if (text == NULL)
      return FALSE;
    add_text (self, text);
    if (self->n_bytes >= BATCH_BYTES
        && (!laurel_monitor_go_on (monitor, NULL, error) || !write_batch (self, error)))
      return FALSE;
  }
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return write_batch (self, error);
}

/* The token file of the text @path, in @folder: made at a run's start, found again when it is
 * resumed. Its name has what the text's bytes are, so it is never another's. */
static char *
encode_text (const char *path,
             const char *sha256,
             const LaurelTokenizer *tokenizer,
             const char *folder,
             const LaurelMonitor *monitor,
             GError **error)
{
  g_autofree char *name = g_strconcat (sha256, LAUREL_DATA_TOKENS_SUFFIX, NULL);
  g_autofree char *output = g_build_filename (folder, name, NULL);
  g_auto (TextBatch) batch = { .tokenizer = tokenizer };

  if (g_file_test (output, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&output);
  batch.texts = g_ptr_array_new_with_free_func (g_free);
  batch.lengths = g_array_new (FALSE, FALSE, sizeof (gsize));
  batch.writer = laurel_token_writer_open (output, laurel_tokenizer_get_hash (tokenizer),
                                           laurel_tokenizer_get_vocab_size (tokenizer),
                                           laurel_tokenizer_get_end_of_text (tokenizer), error);
  if (batch.writer == NULL || !write_documents (&batch, path, monitor, error)
      || !laurel_token_writer_commit (batch.writer, error))
    return NULL;
  return g_steal_pointer (&output);
}

/* --- Token files ------------------------------------------------------------------- */

gboolean
laurel_data_is_token_file (const char *path)
{
  g_autoptr (GMappedFile) map = g_mapped_file_new (path, FALSE, NULL);

  return map != NULL && g_mapped_file_get_length (map) >= strlen (LAUREL_TOKEN_FILE_MAGIC)
         && memcmp (g_mapped_file_get_contents (map), LAUREL_TOKEN_FILE_MAGIC,
                    strlen (LAUREL_TOKEN_FILE_MAGIC))
                == 0;
}

char *
laurel_data_identify_token_file (const char *path, GError **error)
{
  g_autoptr (LaurelTokenFile) file = laurel_token_file_open (path, NULL, error);

  return file != NULL ? g_strdup_printf ("%016" G_GINT64_MODIFIER "x",
                                         laurel_token_file_get_checksum (file))
                      : NULL;
}

static gboolean
add_token_file (const char *path,
                const LaurelModel *model,
                const LaurelHyperparameters *hp,
                LaurelTrainData *out,
                GError **error)
{
  const char *hash = laurel_tokenizer_get_hash (model->tokenizer);
  g_autoptr (LaurelTokenFile) file = laurel_token_file_open (path, hash, error);
  int limit = laurel_data_max_length (model, hp);
  LaurelPacked *train, *eval;

  if (file == NULL)
    return FALSE;
  if (limit < MIN_SEQUENCE || laurel_token_file_get_vocab_size (file) > model->config.vocab_size) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not use “%s”: its vocabulary is %d and the model's is %d, sequences are of "
                 "%d tokens; choose another model or a larger max_length",
                 path, laurel_token_file_get_vocab_size (file), model->config.vocab_size, limit);
    return FALSE;
  }
  train = laurel_packed_new (file, hp, FALSE, out->n_rows, limit);
  eval = laurel_packed_new (file, hp, TRUE, out->n_rows, limit);
  out->n_rows += laurel_token_file_get_n_documents (file);
  out->n_tokens += laurel_token_file_get_n_tokens (file);
  out->n_held_out += laurel_packed_count_documents (eval);
  laurel_rows_add_packed (out->rows, train);
  laurel_rows_add_packed (out->eval_rows, eval);
  return TRUE;
}

gboolean
laurel_data_load_pretrain (const char *path,
                           const char *sha256,
                           const LaurelModel *model,
                           const LaurelHyperparameters *hp,
                           const char *folder,
                           const LaurelMonitor *monitor,
                           LaurelTrainData *out,
                           GError **error)
{
  g_autofree char *tokens = NULL;

  if (is_id_file (path))
    return load_ids (path, model, laurel_data_max_length (model, hp), out, error);
  if (!laurel_require_tokenizer (model, NULL, error))
    return FALSE;
  if (sha256 == NULL)
    return add_token_file (path, model, hp, out, error);
  tokens = encode_text (path, sha256, model->tokenizer, folder, monitor, error);
  return tokens != NULL && add_token_file (tokens, model, hp, out, error);
}

gboolean
laurel_data_check_pretrain (const char *path, GError **error)
{
  const char *const paths[] = { path, NULL };
  g_autoptr (LaurelReader) reader = laurel_reader_new (paths, &reader_options, NULL);
  g_autoptr (LaurelRawDocument) raw = NULL;
  g_autoptr (GError) local = NULL;

  if (is_id_file (path)) {
    g_autoptr (JsonNode) node = load_id_arrays (path, error);

    return node != NULL;
  }
  raw = laurel_reader_next (reader, &local);
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (raw != NULL) {
    g_autofree char *text = get_text (path, raw, error);

    return text != NULL;
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not use “%s”: there is no text in it; give a file with text", path);
  return FALSE;
}
