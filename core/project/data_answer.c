/* data_answer.c: an answer in the tokens of a model that may not have written it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

gboolean
laurel_data_encode_answer (const LaurelModel *model,
                           const char *text,
                           gboolean stopped,
                           GArray *ids,
                           GError **error)
{
  guint start = ids->len;

  if (!laurel_template_encode_completion (model->chat_template, model->tokenizer, text, ids, error))
    return FALSE;
  if (!stopped && ids->len > start + 1)
    g_array_set_size (ids, ids->len - 1); /* it never said end-of-text */
  return TRUE;
}

gboolean
laurel_data_get_completion_ids (LaurelStore *store,
                                const LaurelModel *model,
                                const LaurelCompletion *completion,
                                GHashTable *fits,
                                GArray *ids,
                                GError **error)
{
  const char *name = completion->model != NULL ? completion->model : "";
  gpointer known = g_hash_table_lookup (fits, name);

  if (known == NULL) {
    g_autoptr (LaurelModelRecord) record = laurel_store_get_model (store, name, NULL);
    gboolean same =
        record != NULL
        && g_strcmp0 (record->tokenizer_hash, laurel_tokenizer_get_hash (model->tokenizer)) == 0;

    known = GINT_TO_POINTER (same ? 1 : 2);
    g_hash_table_insert (fits, g_strdup (name), known);
  }
  if (GPOINTER_TO_INT (known) == 1 && completion->n_tokens > 0) {
    g_array_append_vals (ids, completion->tokens, (guint) completion->n_tokens);
    return TRUE;
  }
  return laurel_data_encode_answer (model, completion->text,
                                    completion->finish == LAUREL_FINISH_STOP, ids, error);
}
