/* data_text.c: pretraining data: documents packed into sequences, or id arrays as they are.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <string.h>

/* A sequence of one token has nothing to predict. */
#define MIN_SEQUENCE 2

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

typedef struct {
  GPtrArray *sequences;
  GArray *open; /* ids of the sequence that is being filled */
  int max_length;
} Packer;

static void
flush_packer (Packer *packer)
{
  if (packer->open->len >= MIN_SEQUENCE)
    g_ptr_array_add (packer->sequences, laurel_sequence_new ((gint32 *) (void *) packer->open->data,
                                                             (int) packer->open->len, 0));
  g_array_set_size (packer->open, 0);
}

/* Documents stay whole where they fit; one that is longer than a sequence is cut into as few as it
 * needs. */
static void
pack_document (Packer *packer, const GArray *ids)
{
  guint at = 0;

  if (packer->open->len + ids->len > (guint) packer->max_length)
    flush_packer (packer);
  while (ids->len - at > (guint) packer->max_length) {
    g_array_append_vals (packer->open, &g_array_index (ids, gint32, at),
                         (guint) packer->max_length);
    at += (guint) packer->max_length;
    flush_packer (packer);
  }
  g_array_append_vals (packer->open, &g_array_index (ids, gint32, at), ids->len - at);
}

/* The next document from *@at on, ended by a blank line; FALSE when there is none. */
static gboolean
next_document (const char **at, const char **out_start, gsize *out_length)
{
  const char *start = *at, *end;

  while (*start == '\n' || *start == '\r')
    start++;
  if (*start == '\0')
    return FALSE;
  for (end = start; *end != '\0'; end++) {
    const char *next;

    if (*end != '\n')
      continue;
    for (next = end + 1; *next == ' ' || *next == '\t' || *next == '\r'; next++)
      continue;
    if (*next == '\n' || *next == '\0')
      break;
  }
  *out_start = start;
  *out_length = (gsize) (end - start);
  *at = end;
  return TRUE;
}

static gboolean
load_text (const char *path,
           const LaurelModel *model,
           const LaurelHyperparameters *hp,
           LaurelTrainData *out,
           GError **error)
{
  g_autofree char *text = laurel_require_tokenizer (model, NULL, error)
                              ? laurel_file_read_text (path, NULL, error)
                              : NULL;
  g_autoptr (GArray) open_train = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) open_eval = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  int max_length = laurel_data_max_length (model, hp);
  Packer train = { out->sequences, open_train, max_length };
  Packer eval = { out->eval_sequences, open_eval, max_length };
  gint32 end_of_text =
      model->tokenizer != NULL ? laurel_tokenizer_get_end_of_text (model->tokenizer) : -1;
  const char *at = text, *start;
  gsize length;

  if (text == NULL)
    return FALSE;
  for (guint64 i = 0; next_document (&at, &start, &length); i++) {
    g_array_set_size (ids, 0);
    if (!laurel_tokenizer_encode (model->tokenizer, start, (gssize) length, ids, error))
      return FALSE;
    if (end_of_text >= 0)
      g_array_append_val (ids, end_of_text);
    pack_document (laurel_data_is_held_out (hp, i) ? &eval : &train, ids);
  }
  flush_packer (&train);
  flush_packer (&eval);
  return TRUE;
}

gboolean
laurel_data_load_pretrain (const char *path,
                           const LaurelModel *model,
                           const LaurelHyperparameters *hp,
                           LaurelTrainData *out,
                           GError **error)
{
  if (is_id_file (path))
    return load_ids (path, model, laurel_data_max_length (model, hp), out, error);
  return load_text (path, model, hp, out, error);
}

gboolean
laurel_data_check_pretrain (const char *path, GError **error)
{
  g_autofree char *text = NULL;

  if (is_id_file (path)) {
    g_autoptr (JsonNode) node = load_id_arrays (path, error);

    return node != NULL;
  }
  text = laurel_file_read_text (path, NULL, error);
  if (text == NULL)
    return FALSE;
  if (*g_strstrip (text) != '\0')
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not use “%s”: there is no text in it; give a file with text", path);
  return FALSE;
}
