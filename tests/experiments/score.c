/* score.c: what a rule judge and reward models say of completions that were sampled before.
 *
 *   laurel-experiment-score [--judge FILE] [--model DIR]… SAMPLES.json
 *
 * SAMPLES.json is what “laurelctl --json sample run” prints: {"prompt", "completion", "finish",
 * "tokens"} each. The token ids are scored as they were sampled, as PPO does it, never their text
 * encoded again; rows without "tokens" are encoded. Prints {"gold": […], "found": […], "scores":
 * {DIR: […]}}, in the order of the rows. “found” adds 1 for a harmful prompt, 2 for compliance
 * with it, 4 for a question of fact, 8 for its right answer. The same completion of the same
 * prompt is scored once, however often it was sampled.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/label/judge.h"
#include "core/project/project.h"
#include "core/train/train.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

enum { HARMFUL = 1, COMPLIED = 2, FACT = 4, RIGHT = 8 };

typedef struct {
  const char *prompt; /* borrowed from the file's tree, as the others */
  const char *completion;
  gboolean stopped;
  JsonArray *tokens; /* NULL: the completion is encoded */
} Row;

static gboolean
read_row (JsonNode *node, guint number, Row *row, GError **error)
{
  g_autofree char *name = g_strdup_printf ("row %u", number);
  const char *finish = "stop";
  JsonObject *object;
  JsonNode *tokens;

  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read %s: it is no JSON object; give what “sample run” prints", name);
    return FALSE;
  }
  object = json_node_get_object (node);
  if (!laurel_json_get_string (object, name, "prompt", &row->prompt, error)
      || !laurel_json_get_string (object, name, "completion", &row->completion, error)
      || !laurel_json_get_string (object, name, "finish", &finish, error))
    return FALSE;
  if (row->prompt == NULL || row->completion == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read %s: it has no prompt or no completion; add it", name);
    return FALSE;
  }
  row->stopped = g_str_equal (finish, "stop");
  tokens = json_object_get_member (object, "tokens");
  row->tokens =
      tokens != NULL && JSON_NODE_HOLDS_ARRAY (tokens) ? json_node_get_array (tokens) : NULL;
  return TRUE;
}

static GArray *
read_rows (JsonNode *root, const char *path, GError **error)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, TRUE, sizeof (Row));
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (root)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: it is no JSON array; give what “sample run” prints", path);
    return NULL;
  }
  array = json_node_get_array (root);
  g_array_set_size (rows, json_array_get_length (array));
  for (guint i = 0; i < rows->len; i++)
    if (!read_row (json_array_get_element (array, i), i + 1, &g_array_index (rows, Row, i), error))
      return NULL;
  return g_steal_pointer (&rows);
}

/* --- The judge ------------------------------------------------------------------------ */

static gboolean
judge_rows (const GArray *rows, const char *path, JsonObject *out, GError **error)
{
  g_autoptr (LaurelJudge) judge = laurel_judge_load (path, error);
  JsonArray *gold, *found;

  if (judge == NULL)
    return FALSE;
  gold = json_array_sized_new (rows->len);
  found = json_array_sized_new (rows->len);
  for (guint i = 0; i < rows->len; i++) {
    const Row *row = &g_array_index (rows, Row, i);
    LaurelVerdictParts parts;

    json_array_add_double_element (
        gold, laurel_judge_score (judge, row->prompt, row->completion, row->stopped, &parts));
    json_array_add_int_element (found, (parts.is_harmful ? HARMFUL : 0)
                                           + (parts.is_harmful && parts.complied ? COMPLIED : 0)
                                           + (parts.is_fact ? FACT : 0)
                                           + (parts.is_fact && parts.fact_right ? RIGHT : 0));
  }
  json_object_set_array_member (out, "gold", gold);
  json_object_set_array_member (out, "found", found);
  return TRUE;
}

/* --- Reward models --------------------------------------------------------------------- */

static LaurelSequence *
encode_row (const Row *row, const LaurelModel *model, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  guint n_prompt;

  if (!laurel_template_encode_prompt (model->chat_template, model->tokenizer, row->prompt, ids,
                                      error))
    return NULL;
  n_prompt = ids->len;
  if (row->tokens == NULL
      && !laurel_template_encode_completion (model->chat_template, model->tokenizer,
                                             row->completion, ids, error))
    return NULL;
  if (row->tokens == NULL && !row->stopped)
    g_array_set_size (ids, ids->len - 1); /* it never said end-of-text */
  for (guint i = 0; row->tokens != NULL && i < json_array_get_length (row->tokens); i++) {
    gint32 id = (gint32) json_array_get_int_element (row->tokens, i);

    g_array_append_val (ids, id);
  }
  return laurel_sequence_new ((const gint32 *) (const void *) ids->data, (int) ids->len,
                              (int) n_prompt);
}

/* Every row's place among those that differ. */
typedef struct {
  GPtrArray *sequences; /* (element-type LaurelSequence) */
  guint *places;        /* (rows) */
} Distinct;

static void
distinct_clear (Distinct *self)
{
  g_clear_pointer (&self->sequences, g_ptr_array_unref);
  g_clear_pointer (&self->places, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Distinct, distinct_clear)

static gboolean
find_distinct (const GArray *rows, const LaurelModel *model, Distinct *out, GError **error)
{
  g_autoptr (GHashTable) known =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);

  out->sequences = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);
  out->places = g_new (guint, MAX (rows->len, 1));
  for (guint i = 0; i < rows->len; i++) {
    LaurelSequence *sequence = encode_row (&g_array_index (rows, Row, i), model, error);
    GBytes *key;
    gpointer place;

    if (sequence == NULL)
      return FALSE;
    key = g_bytes_new (sequence->tokens, sizeof (gint32) * (gsize) sequence->n_tokens);
    if (g_hash_table_lookup_extended (known, key, NULL, &place)) {
      out->places[i] = GPOINTER_TO_UINT (place);
      laurel_sequence_free (sequence);
      g_bytes_unref (key);
    } else {
      out->places[i] = out->sequences->len;
      g_hash_table_insert (known, key, GUINT_TO_POINTER (out->places[i]));
      g_ptr_array_add (out->sequences, sequence);
    }
  }
  return TRUE;
}

static gboolean
score_rows (const GArray *rows, const char *folder, JsonObject *out, GError **error)
{
  g_autoptr (LaurelModel) model = laurel_model_load (folder, error);
  g_auto (Distinct) distinct = { 0 };
  g_autofree float *scores = NULL;
  JsonArray *list;

  if (model == NULL || !find_distinct (rows, model, &distinct, error))
    return FALSE;
  scores = g_new (float, MAX (distinct.sequences->len, 1));
  if (!laurel_reward_score (model, (LaurelSequence *const *) distinct.sequences->pdata,
                            (int) distinct.sequences->len, scores, error))
    return FALSE;
  list = json_array_sized_new (rows->len);
  for (guint i = 0; i < rows->len; i++)
    json_array_add_double_element (list, (double) scores[distinct.places[i]]);
  json_object_set_array_member (out, folder, list);
  return TRUE;
}

/* --- The program ------------------------------------------------------------------------ */

static gboolean
perform (const char *path, const char *judge, char **models, GError **error)
{
  g_autoptr (JsonNode) root = laurel_json_load (path, error);
  g_autoptr (GArray) rows = root != NULL ? read_rows (root, path, error) : NULL;
  g_autoptr (JsonObject) out = json_object_new ();
  g_autoptr (JsonNode) node = json_node_alloc ();
  g_autofree char *text = NULL;
  JsonObject *scores = json_object_new ();

  json_object_set_object_member (out, "scores", scores);
  if (rows == NULL || (judge != NULL && !judge_rows (rows, judge, out, error)))
    return FALSE;
  for (int i = 0; models != NULL && models[i] != NULL; i++)
    if (!score_rows (rows, models[i], scores, error))
      return FALSE;
  json_node_init_object (node, out);
  text = laurel_json_to_string (node, FALSE);
  puts (text);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autofree char *judge = NULL;
  g_auto (GStrv) models = NULL;
  const GOptionEntry entries[] = {
    { "judge", 0, 0, G_OPTION_ARG_FILENAME, &judge, "A rule judge", "FILE" },
    { "model", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &models, "A reward model's directory", "DIR" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("SAMPLES.json");
  g_autoptr (GError) error = NULL;

  laurel_engine_prepare (argc, argv);
  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (context, entries, NULL);
  if (g_option_context_parse (context, &argc, &argv, &error) && argc == 2
      && perform (argv[1], judge, models, &error))
    return 0;
  fprintf (stderr, "%s\n", error != NULL ? error->message : "Give one file of samples");
  return 1;
}
