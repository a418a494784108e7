/* rater.c: rules score text, reward models the tokens that were sampled.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/rater.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/label/simulate.h"
#include "core/project/data.h"
#include "core/project/internal.h"
#include "core/train/train.h"

void
laurel_rater_free (LaurelRater *self)
{
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self->folder);
  g_free (self->sha256);
  g_clear_pointer (&self->judge, laurel_judge_free);
  g_clear_pointer (&self->reward, laurel_model_free);
  g_clear_pointer (&self->fits, g_hash_table_unref);
  g_free (self);
}

static gboolean
load_reward (LaurelRater *self, const char *project_path, const char *judge, GError **error)
{
  self->kind = LAUREL_LABELER_REWARD_MODEL;
  self->name = g_path_get_basename (judge);
  self->folder = laurel_model_resolve (self->store, project_path, judge, error);
  self->reward = self->folder != NULL ? laurel_model_load (self->folder, error) : NULL;
  if (self->reward == NULL || !laurel_require_tokenizer (self->reward, judge, error))
    return FALSE;
  if (self->reward->config.head == LAUREL_HEAD_SCORE)
    return TRUE;
  g_set_error (
      error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
      "Could not rank with “%s”: it is a language model; choose a reward model or a rule file",
      judge);
  return FALSE;
}

LaurelRater *
laurel_rater_load (LaurelStore *store, const char *project_path, const char *judge, GError **error)
{
  g_autoptr (LaurelRater) self = g_new0 (LaurelRater, 1);

  self->store = store;
  self->fits = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!g_file_test (judge, G_FILE_TEST_IS_REGULAR))
    return load_reward (self, project_path, judge, error) ? g_steal_pointer (&self) : NULL;
  self->kind = LAUREL_LABELER_RULES;
  self->name = g_path_get_basename (judge);
  self->judge = laurel_judge_load (judge, error);
  self->sha256 = self->judge != NULL ? laurel_file_sha256 (judge, error) : NULL;
  return self->sha256 != NULL ? g_steal_pointer (&self) : NULL;
}

/* --- Its name among the labelers ----------------------------------------------------- */

/* The first ranking under a name fixes what it stands for: @self's file or weights, whatever else
 * may be called so. @out_known is what it stands for now. */
static gboolean
know (LaurelRater *self, gint64 labeler_id, char **out_known, GError **error)
{
  g_autofree char *key = g_strdup_printf ("labeler-%" G_GINT64_FORMAT "-sha256", labeler_id);
  g_autoptr (GError) local = NULL;

  *out_known = laurel_store_get_fact (self->store, key, &local);
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (*out_known != NULL)
    return TRUE;
  *out_known = g_strdup (self->sha256);
  return laurel_store_set_fact (self->store, key, self->sha256, error);
}

static gint64
refuse_name (const LaurelRater *self, const char *known, GError **error)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               self->kind == LAUREL_LABELER_RULES
                   ? "Could not rank as “%s”: rankings under this name are by other rules (SHA-256 "
                     "%.8s…); rename the file"
                   : "Could not rank as “%s”: rankings under this name are by a model with other "
                     "weights (SHA-256 %.8s…); import this one under another name",
               self->name, known);
  return 0;
}

gint64
laurel_rater_ensure_labeler (LaurelRater *self, GError **error)
{
  gboolean is_renamed = FALSE;

  if (self->sha256 == NULL)
    self->sha256 = laurel_model_hash_folder (self->folder, error);
  if (self->sha256 == NULL)
    return 0;
  for (;;) {
    gint64 id = laurel_store_ensure_labeler (self->store, self->name, self->kind, error);
    g_autofree char *known = NULL;
    char *name;

    if (id == 0 || !know (self, id, &known, error))
      return 0;
    if (g_str_equal (known, self->sha256))
      return id;
    if (self->kind != LAUREL_LABELER_RULES || is_renamed)
      return refuse_name (self, known, error);
    /* Rules are edited, and their file keeps its name: these are another labeler. */
    name = g_strdup_printf ("%s (%.8s)", self->name, self->sha256);
    g_free (self->name);
    self->name = name;
    is_renamed = TRUE;
  }
}

/* --- Scores ------------------------------------------------------------------------------ */

/* What is longer than the model's context is cut, as it is in training. */
static gboolean
add_sequences (LaurelRater *self, const LaurelTask *task, GPtrArray *sequences, GError **error)
{
  const LaurelModel *model = self->reward;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  guint n_prompt, n;

  if (!laurel_template_encode_prompt (model->chat_template, model->tokenizer, task->prompt, ids,
                                      error))
    return FALSE;
  n_prompt = ids->len;
  for (guint i = 0; i < task->completions->len; i++) {
    const LaurelCompletion *completion = g_ptr_array_index (task->completions, i);

    g_array_set_size (ids, n_prompt);
    if (!laurel_data_get_completion_ids (self->store, model, completion, self->fits, ids, error))
      return FALSE;
    n = MIN (ids->len, (guint) model->config.n_positions);
    if (n <= n_prompt) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not rank task %" G_GINT64_FORMAT
                   ": nothing of completion %" G_GINT64_FORMAT
                   " fits into the %d tokens that “%s” reads; choose another reward model",
                   task->id, completion->id, model->config.n_positions, self->name);
      return FALSE;
    }
    g_ptr_array_add (sequences, laurel_sequence_new ((const gint32 *) (const void *) ids->data,
                                                     (int) n, (int) n_prompt));
  }
  return TRUE;
}

static gboolean
score_by_model (LaurelRater *self, GPtrArray *tasks, double *scores, GError **error)
{
  g_autoptr (GPtrArray) sequences =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);
  g_autofree float *values = NULL;

  for (guint i = 0; i < tasks->len; i++)
    if (!add_sequences (self, g_ptr_array_index (tasks, i), sequences, error))
      return FALSE;
  values = g_new (float, sequences->len + 1);
  if (!laurel_reward_score (self->reward, (LaurelSequence *const *) sequences->pdata,
                            (int) sequences->len, values, error))
    return FALSE;
  for (guint i = 0; i < sequences->len; i++)
    scores[i] = (double) values[i];
  return TRUE;
}

gboolean
laurel_rater_score_tasks (GPtrArray *tasks, double *scores, gpointer rater, GError **error)
{
  LaurelRater *self = rater;

  if (self->reward != NULL)
    return score_by_model (self, tasks, scores, error);
  for (guint i = 0; i < tasks->len; i++) {
    const LaurelTask *task = g_ptr_array_index (tasks, i);

    for (guint k = 0; k < task->completions->len; k++) {
      const LaurelCompletion *completion = g_ptr_array_index (task->completions, k);

      *scores++ = laurel_judge_score (self->judge, task->prompt, completion->text,
                                      completion->finish == LAUREL_FINISH_STOP, NULL);
    }
  }
  return TRUE;
}
