/* sample.c: laurelctl sample …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/model/generate.h"
#include "core/project/data.h"

#include <stdio.h>
#include <string.h>

static gboolean
read_request (LaurelCtl *self, LaurelSampleRequest *request, GError **error)
{
  gint64 n_prompts = 0, n_completions = 4, top_k = 0, max_tokens = 64, seed = 0;

  request->model = laurel_ctl_require (self, "model", error);
  request->prompt = laurel_ctl_get (self, "prompt");
  request->temperature = 1.0;
  request->top_p = 1.0;
  if (request->model == NULL
      || !laurel_ctl_get_int (self, "prompts", 0, G_MAXINT, &n_prompts, error)
      || !laurel_ctl_get_int (self, "completions", 1, 1000, &n_completions, error)
      || !laurel_ctl_get_double (self, "temperature", 0, 100, &request->temperature, error)
      || !laurel_ctl_get_int (self, "top-k", 0, G_MAXINT, &top_k, error)
      || !laurel_ctl_get_double (self, "top-p", 0, 1, &request->top_p, error)
      || !laurel_ctl_get_double (self, "min-p", 0, 1, &request->min_p, error)
      || !laurel_ctl_get_int (self, "max-tokens", 1, G_MAXINT, &max_tokens, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &seed, error))
    return FALSE;
  request->n_prompts = (int) n_prompts;
  request->n_completions = (int) n_completions;
  request->top_k = (int) top_k;
  request->max_tokens = (int) max_tokens;
  request->seed = (guint64) seed;
  if (request->prompt == NULL || request->prompt[0] != '\0')
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not sample: the prompt is empty; write something for the model to answer");
  return FALSE;
}

/* (element-type LaurelPrompt): the one given, or the first of the project's training prompts. */
static GPtrArray *
list_prompts (LaurelCtl *self, const LaurelSampleRequest *request, GError **error)
{
  g_autoptr (GPtrArray) prompts = NULL;

  if (request->prompt != NULL) {
    LaurelPrompt *prompt = g_new0 (LaurelPrompt, 1);

    prompt->text = g_strdup (request->prompt);
    prompts = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_prompt_free);
    g_ptr_array_add (prompts, prompt);
    return g_steal_pointer (&prompts);
  }
  if (!laurel_ctl_open_project (self, error))
    return NULL;
  prompts = laurel_store_list_prompts (laurel_project_get_store (self->project), "train", NULL,
                                       request->n_prompts > 0 ? request->n_prompts : -1, 0, error);
  if (prompts != NULL && prompts->len == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not sample: the project has no training prompts; import some, or give one "
                 "with --prompt");
    return NULL;
  }
  return g_steal_pointer (&prompts);
}

static void
print_sample (LaurelCtl *self,
              const LaurelModel *model,
              const LaurelPrompt *prompt,
              const LaurelSample *sample,
              JsonBuilder *builder)
{
  g_autofree char *text = laurel_template_decode_completion (
      model->chat_template, model->tokenizer, sample->tokens, (gsize) sample->n_tokens);
  const char *finish = sample->finish == LAUREL_FINISH_STOP ? "stop" : "length";

  if (!self->json) {
    if (sample->index == 0)
      printf ("%s\n", prompt->text);
    printf ("  %d. %s%s\n", sample->index + 1, text,
            sample->finish == LAUREL_FINISH_STOP ? "" : " …");
    return;
  }
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "prompt", prompt->text);
  laurel_json_add_string (builder, "completion", text);
  laurel_json_add_string (builder, "finish", finish);
  json_builder_set_member_name (builder, "tokens");
  json_builder_begin_array (builder);
  for (int i = 0; i < sample->n_tokens; i++)
    json_builder_add_int_value (builder, sample->tokens[i]);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "logprobs");
  json_builder_begin_array (builder);
  for (int i = 0; i < sample->n_tokens; i++)
    json_builder_add_double_value (builder, sample->logprobs[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "sampling", (double) n_done / MAX (n_all, 1), -1.0);
  return TRUE;
}

static GPtrArray *
generate (LaurelCtl *self,
          const LaurelModel *model,
          GPtrArray *prompts,
          const LaurelSampleRequest *request,
          GError **error)
{
  const LaurelSamplingOptions options = { .temperature = request->temperature,
                                          .top_k = request->top_k,
                                          .top_p = request->top_p,
                                          .min_p = request->min_p,
                                          .max_tokens = request->max_tokens,
                                          .seed = request->seed };
  g_autofree LaurelPromptTokens *tokens = g_new0 (LaurelPromptTokens, prompts->len);
  g_autoptr (GPtrArray) arrays = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  GPtrArray *samples;

  if (!laurel_require_tokenizer (model, request->model, error)
      || !laurel_sampling_options_validate (&options, error))
    return NULL;
  for (guint i = 0; i < prompts->len; i++) {
    const LaurelPrompt *prompt = g_ptr_array_index (prompts, i);
    GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));

    g_ptr_array_add (arrays, ids);
    if (!laurel_template_encode_prompt (model->chat_template, model->tokenizer, prompt->text, ids,
                                        error))
      return NULL;
    tokens[i].tokens = (const gint32 *) (const void *) ids->data;
    tokens[i].n_tokens = (int) ids->len;
    tokens[i].stream = (guint64) prompt->id;
    if ((int) ids->len >= model->config.n_positions) {
      g_set_error (
          error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
          "Could not sample: a prompt has %u tokens and the model's context is %d; shorten it",
          ids->len, model->config.n_positions);
      return NULL;
    }
  }
  samples = laurel_generate (model, tokens, (int) prompts->len, request->n_completions, &options,
                             progress_cb, self, error);
  laurel_ctl_hide_progress (self);
  return samples;
}

static gboolean
print_samples (LaurelCtl *self, const LaurelSampleRequest *request, GError **error)
{
  g_autoptr (LaurelModel) model = laurel_ctl_load_model (self, request->model, error);
  g_autoptr (GPtrArray) prompts = model != NULL ? list_prompts (self, request, error) : NULL;
  g_autoptr (GPtrArray) samples =
      prompts != NULL ? generate (self, model, prompts, request, error) : NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (samples == NULL)
    return FALSE;
  json_builder_begin_array (builder);
  for (guint i = 0; i < samples->len; i++) {
    const LaurelSample *sample = g_ptr_array_index (samples, i);

    print_sample (self, model, g_ptr_array_index (prompts, sample->prompt), sample, builder);
  }
  json_builder_end_array (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  return TRUE;
}

static gboolean
run_run (LaurelCtl *self, GError **error)
{
  LaurelSampleRequest request = { 0 };
  gint64 run_id;

  if (!read_request (self, &request, error))
    return FALSE;
  if (!laurel_ctl_has (self, "task"))
    return print_samples (self, &request, error);
  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  run_id = laurel_project_start_sampling (self->project, &request, error);
  return run_id != 0 && laurel_ctl_follow_run (self, run_id, error);
}

static const LaurelCtlOption run_options[] = {
  { "model", "M", "A model's name or a Hugging Face directory", FALSE },
  { "prompts", "N", "For so many of the project's training prompts (0: all)", FALSE },
  { "prompt", "TEXT", "For this prompt instead", FALSE },
  { "completions", "K", "Completions a prompt (4)", FALSE },
  { "temperature", "T", "0 takes the likeliest token (1)", FALSE },
  { "top-k", "N", "Only the N likeliest tokens (0: all)", FALSE },
  { "top-p", "P", "Only the likeliest tokens that make up P (1)", FALSE },
  { "min-p", "P", "Only tokens at least P times as likely as the likeliest (0)", FALSE },
  { "max-tokens", "N", "The longest completion (64)", FALSE },
  { "seed", "N", "The same seed gives the same completions (0)", FALSE },
  { "task", NULL, "Store them as tasks to rank", FALSE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "run", "", 0, 0, run_options, "Sample completions of prompts", run_run }, { NULL }
};

const LaurelCtlNoun laurel_ctl_sample = { "sample",
                                          "Sampling: completions of prompts, to read or to rank",
                                          verbs };
