/* records.c: freeing the rows, and the names of a run's states.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/records.h"

#include "core/base/error.h"

static const char *const run_statuses[] = {
  [LAUREL_RUN_QUEUED] = "queued",   [LAUREL_RUN_RUNNING] = "running",
  [LAUREL_RUN_PAUSED] = "paused",   [LAUREL_RUN_DONE] = "done",
  [LAUREL_RUN_STOPPED] = "stopped", [LAUREL_RUN_INTERRUPTED] = "interrupted",
  [LAUREL_RUN_FAILED] = "failed",
};

const char *
laurel_run_status_to_string (LaurelRunStatus status)
{
  g_return_val_if_fail ((guint) status < G_N_ELEMENTS (run_statuses), "failed");

  return run_statuses[status];
}

gboolean
laurel_run_status_from_string (const char *text, LaurelRunStatus *out_status)
{
  for (guint i = 0; i < G_N_ELEMENTS (run_statuses); i++)
    if (g_strcmp0 (text, run_statuses[i]) == 0) {
      *out_status = (LaurelRunStatus) i;
      return TRUE;
    }
  return FALSE;
}

static const char *const labelers[] = {
  [LAUREL_LABELERS_ALL] = "all",
  [LAUREL_LABELERS_PEOPLE] = "people",
  [LAUREL_LABELERS_SIMULATED] = "simulated",
};

gboolean
laurel_labelers_from_string (const char *text, LaurelLabelers *out_labelers, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (labelers); i++)
    if (g_strcmp0 (text, labelers[i]) == 0) {
      *out_labelers = (LaurelLabelers) i;
      return TRUE;
    }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not choose the labelers “%s”: there is no such group; use people, simulated "
               "or all",
               text);
  return FALSE;
}

const char *
laurel_labelers_to_string (LaurelLabelers group)
{
  g_return_val_if_fail ((guint) group < G_N_ELEMENTS (labelers), "all");

  return labelers[group];
}

void
laurel_labeler_free (LaurelLabeler *self)
{
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self);
}

void
laurel_prompt_free (LaurelPrompt *self)
{
  if (self == NULL)
    return;
  g_free (self->text);
  g_free (self->split);
  g_free (self->tags);
  g_free (self);
}

void
laurel_completion_free (LaurelCompletion *self)
{
  if (self == NULL)
    return;
  g_free (self->model);
  g_free (self->tokens);
  g_free (self->logprobs);
  g_free (self->plain_logprobs);
  g_free (self->text);
  g_free (self->stop);
  g_free (self->logit_bias);
  g_free (self);
}

void
laurel_task_free (LaurelTask *self)
{
  if (self == NULL)
    return;
  g_free (self->prompt);
  g_free (self->sampler);
  g_clear_pointer (&self->completions, g_ptr_array_unref);
  g_free (self);
}

void
laurel_task_outline_free (LaurelTaskOutline *self)
{
  if (self == NULL)
    return;
  g_free (self->sampler);
  g_free (self);
}

const LaurelCompletion *
laurel_task_find_completion (const LaurelTask *self, gint64 id)
{
  for (guint i = 0; i < self->completions->len; i++) {
    const LaurelCompletion *completion = g_ptr_array_index (self->completions, i);

    if (completion->id == id)
      return completion;
  }
  return NULL;
}

void
laurel_ranking_free (LaurelRanking *self)
{
  if (self == NULL)
    return;
  g_free (self->labeler);
  g_free (self->ranks);
  g_free (self->skip_reason);
  g_free (self->comment);
  g_free (self);
}

void
laurel_draft_free (LaurelDraft *self)
{
  if (self == NULL)
    return;
  g_free (self->json);
  g_free (self);
}

void
laurel_model_record_free (LaurelModelRecord *self)
{
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self->kind);
  g_free (self->parent);
  g_free (self->path);
  g_free (self->sha256);
  g_free (self->tokenizer_hash);
  g_free (self);
}

void
laurel_run_free (LaurelRun *self)
{
  if (self == NULL)
    return;
  g_free (self->kind);
  g_free (self->name);
  g_free (self->model);
  g_free (self->output);
  g_free (self->config);
  g_free (self->snapshot);
  g_free (self->message);
  g_free (self);
}

void
laurel_metric_free (LaurelMetric *self)
{
  if (self == NULL)
    return;
  g_free (self->key);
  g_free (self);
}

void
laurel_demonstration_free (LaurelDemonstration *self)
{
  if (self == NULL)
    return;
  g_free (self->prompt);
  g_free (self->completion);
  g_free (self);
}
