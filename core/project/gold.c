/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/gold.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/label/judge.h"
#include "core/project/data.h"
#include "core/project/internal.h"
#include "core/train/train.h"

struct _LaurelGold {
  LaurelJudge *judge; /* one of the two */
  LaurelModel *model;
  char *identity;
};

static gboolean
load_judge (LaurelGold *self, const char *path, GError **error)
{
  self->judge = laurel_judge_load (path, error);
  self->identity = self->judge != NULL ? laurel_file_sha256 (path, error) : NULL;
  return self->identity != NULL;
}

static gboolean
load_model (LaurelGold *self,
            LaurelStore *store,
            const char *project_path,
            const char *name,
            GError **error)
{
  g_autofree char *folder = laurel_model_resolve (store, project_path, name, error);

  self->model = folder != NULL ? laurel_model_load (folder, error) : NULL;
  if (self->model == NULL || !laurel_require_tokenizer (self->model, name, error))
    return FALSE;
  if (self->model->config.head != LAUREL_HEAD_SCORE) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not take “%s” as the gold judge: it is a language model; choose a judge's "
                 "file or a reward model",
                 name);
    return FALSE;
  }
  self->identity = g_strdup ("");
  return TRUE;
}

LaurelGold *
laurel_gold_load (LaurelStore *store, const char *project_path, const char *name, GError **error)
{
  g_autoptr (LaurelGold) self = g_new0 (LaurelGold, 1);
  gboolean ok = g_file_test (name, G_FILE_TEST_IS_REGULAR)
                    ? load_judge (self, name, error)
                    : load_model (self, store, project_path, name, error);

  return ok ? g_steal_pointer (&self) : NULL;
}

void
laurel_gold_free (LaurelGold *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->judge, laurel_judge_free);
  g_clear_pointer (&self->model, laurel_model_free);
  g_free (self->identity);
  g_free (self);
}

const char *
laurel_gold_get_identity (const LaurelGold *self)
{
  return self->identity;
}

/* The answer in the judge's own tokens, as it may have another tokenizer than the policy. */
static gboolean
score_by_model (const LaurelModel *model,
                const char *prompt,
                const char *answer,
                gboolean stopped,
                double *out,
                GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  LaurelSequence *sequence;
  guint n_prompt;
  float score = 0;
  gboolean ok;

  if (!laurel_template_encode_prompt (model->chat_template, model->tokenizer, prompt, ids, error))
    return FALSE;
  n_prompt = ids->len;
  if (!laurel_data_encode_answer (model, answer, stopped, ids, error))
    return FALSE;
  sequence = laurel_sequence_new ((const gint32 *) (const void *) ids->data,
                                  MIN ((int) ids->len, model->config.n_positions), (int) n_prompt);
  ok = laurel_reward_score (model, &sequence, 1, &score, error);
  laurel_sequence_free (sequence);
  *out = score;
  return ok;
}

gboolean
laurel_gold_score (const LaurelGold *self,
                   const char *prompt,
                   const char *answer,
                   gboolean stopped,
                   double *out,
                   GError **error)
{
  if (self->model != NULL)
    return score_by_model (self->model, prompt, answer, stopped, out, error);
  *out = laurel_judge_score (self->judge, prompt, answer, stopped, NULL);
  return TRUE;
}
