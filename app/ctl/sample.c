/* sample.c: laurelctl sample …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/model/rounding.h"
#include "core/project/best_of.h"
#include "core/project/data.h"

#include <stdio.h>
#include <string.h>

/* What a repeated option was given; NULL: nothing. */
static char **
read_texts (LaurelCtl *self, const char *option)
{
  GPtrArray *values = laurel_ctl_get_all (self, option);
  char **texts = values != NULL ? g_new0 (char *, values->len + 1) : NULL;

  for (guint i = 0; texts != NULL && i < values->len; i++)
    texts[i] = laurel_sample_unescape (g_ptr_array_index (values, i));
  return texts;
}

static gboolean
check_stream (LaurelCtl *self, GError **error)
{
  const char *other = self->json ? "json" : laurel_ctl_has (self, "task") ? "task" : NULL;

  if (!laurel_ctl_has (self, "stream") || other == NULL)
    return TRUE;
  g_set_error (error, LAUREL_CTL_USAGE, 0,
               "Could not stream: “--stream” prints text while it is written, and “--%s” does not; "
               "leave one out",
               other);
  return FALSE;
}

static gboolean
check_shared (LaurelCtl *self, GError **error)
{
  if (!laurel_ctl_has (self, "shared") || laurel_ctl_has (self, "task"))
    return TRUE;
  g_set_error (error, LAUREL_CTL_USAGE, 0,
               "Could not share tasks: “--shared” is for tasks that are ranked; give --task too");
  return FALSE;
}

static gboolean
check_mix (LaurelCtl *self, GError **error)
{
  const char *what = laurel_ctl_has (self, "mix") ? "mix" : "mix-completions";

  if (!laurel_ctl_has (self, what)
      || (laurel_ctl_has (self, "task") && laurel_ctl_has (self, "mix")))
    return TRUE;
  g_set_error (error, LAUREL_CTL_USAGE, 0,
               "Could not mix completions: “--%s” is for tasks of two models; give --mix and "
               "--task too",
               what);
  return FALSE;
}

/* What the model's generation_config.json says, and Laurel's own defaults where it says nothing. */
static gboolean
read_defaults (LaurelCtl *self, LaurelSampleRequest *request, GError **error)
{
  g_autofree char *folder = laurel_ctl_find_model (self, request->model, error);
  LaurelGenerationConfig defaults;

  if (folder == NULL || !laurel_generation_config_load (&defaults, folder, error))
    return FALSE;
  request->temperature = defaults.temperature;
  request->top_k = defaults.top_k;
  request->top_p = defaults.top_p;
  request->min_p = defaults.min_p;
  request->repetition_penalty = defaults.repetition_penalty;
  request->max_tokens = defaults.max_new_tokens > 0 ? defaults.max_new_tokens : 64;
  return TRUE;
}

static gboolean
read_int (LaurelCtl *self, const char *option, int min, int *value, GError **error)
{
  gint64 wide = *value;

  if (!laurel_ctl_get_int (self, option, min, G_MAXINT, &wide, error))
    return FALSE;
  *value = (int) wide;
  return TRUE;
}

static gboolean
read_settings (LaurelCtl *self, LaurelSampleRequest *request, GError **error)
{
  gint64 n_completions = request->n_completions, seed = 0;

  request->best_of = 1;
  if (!read_int (self, "prompts", 0, &request->n_prompts, error)
      || !read_int (self, "best-of", 1, &request->best_of, error)
      || !laurel_ctl_get_int (self, "completions", 1, 1000, &n_completions, error)
      || !laurel_ctl_get_double (self, "temperature", 0, 100, &request->temperature, error)
      || !read_int (self, "top-k", 0, &request->top_k, error)
      || !laurel_ctl_get_double (self, "top-p", 0, 1, &request->top_p, error)
      || !laurel_ctl_get_double (self, "min-p", 0, 1, &request->min_p, error)
      || !laurel_ctl_get_double (self, "repetition-penalty", 0.01, 100,
                                 &request->repetition_penalty, error)
      || !read_int (self, "max-tokens", 1, &request->max_tokens, error)
      || !read_int (self, "batch-size", 0, &request->max_rows, error)
      || !read_int (self, "mix-completions", 1, &request->n_mix, error)
      || !laurel_ctl_get_double (self, "shared", 0, 1, &request->shared, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &seed, error))
    return FALSE;
  request->n_completions = (int) n_completions;
  request->seed = (guint64) seed;
  return TRUE;
}

static gboolean
read_weights (LaurelCtl *self, LaurelSampleRequest *request, GError **error)
{
  const char *name = laurel_ctl_get (self, "weights");
  LaurelDtype dtype = LAUREL_DTYPE_F32;

  if (name != NULL && !laurel_dtype_from_string (name, &dtype, error))
    return FALSE;
  if (dtype == LAUREL_DTYPE_F16) {
    g_set_error (error, LAUREL_CTL_USAGE, 0,
                 "Could not sample with weights of f16: decoding knows f32 and bf16; use one of "
                 "them");
    return FALSE;
  }
  request->bf16_weights = dtype == LAUREL_DTYPE_BF16;
  return TRUE;
}

static gboolean
check_best_of (LaurelCtl *self, const LaurelSampleRequest *request, GError **error)
{
  const char *problem = request->best_of > 1 && request->reward_model == NULL
                            ? "no reward model says which is best; name one with --reward-model"
                        : request->best_of == 1 && request->reward_model != NULL
                            ? "a reward model chooses among several samples; give --best-of N too"
                        : request->best_of > 1 && laurel_ctl_has (self, "stream")
                            ? "“--stream” prints what may not be kept; leave it out"
                            : NULL;

  if (problem != NULL)
    g_set_error (error, LAUREL_CTL_USAGE, 0, "Could not choose among samples: %s", problem);
  return problem == NULL;
}

static gboolean
read_request (LaurelCtl *self, LaurelSampleRequest *request, GError **error)
{
  LaurelSampleRequest checked = { 0 };

  request->model = laurel_ctl_require (self, "model", error);
  request->prompt = laurel_ctl_get (self, "prompt");
  request->reward_model = laurel_ctl_get (self, "reward-model");
  request->mix = laurel_ctl_get (self, "mix");
  request->n_completions = 4;
  if (request->model == NULL || !check_stream (self, error) || !check_mix (self, error)
      || !check_shared (self, error) || !read_weights (self, request, error)
      || !read_settings (self, &checked, error) /* wrong usage before a missing model */
      || !read_defaults (self, request, error) || !read_settings (self, request, error)
      || !check_best_of (self, request, error))
    return FALSE;
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
add_floats (JsonBuilder *builder, const char *member, const float *values, int n)
{
  json_builder_set_member_name (builder, member);
  json_builder_begin_array (builder);
  for (int i = 0; i < n; i++)
    json_builder_add_double_value (builder, (double) values[i]);
  json_builder_end_array (builder);
}

static void
print_sample (LaurelCtl *self,
              const LaurelModel *model,
              const LaurelPrompt *prompt,
              const LaurelSample *sample,
              const LaurelSampleRequest *request,
              JsonBuilder *builder)
{
  g_autofree char *text = laurel_sample_dup_text (sample, model);
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
  if (sample->stop >= 0)
    laurel_json_add_string (builder, "stop", request->stop[sample->stop]);
  json_builder_set_member_name (builder, "tokens");
  json_builder_begin_array (builder);
  for (int i = 0; i < sample->n_tokens; i++)
    json_builder_add_int_value (builder, sample->tokens[i]);
  json_builder_end_array (builder);
  add_floats (builder, "logprobs", sample->logprobs, sample->n_tokens);
  add_floats (builder, "plain_logprobs", sample->plain_logprobs, sample->n_tokens);
  json_builder_end_object (builder);
}

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "sampling", (double) n_done / MAX (n_all, 1), -1.0);
  return TRUE;
}

/* --- Streaming -------------------------------------------------------------------- */

/* Completions are written side by side; the first that is not finished is printed as it grows, and
 * the others wait for their turn. */
typedef struct {
  GPtrArray *prompts; /* (element-type LaurelPrompt) */
  int n_completions;
  GPtrArray *waiting; /* (element-type GString): of each completion, what is not printed yet */
  GArray *ends;       /* (element-type utf8): NULL until it is finished, then what ends it */
  guint head;         /* the one that is being printed */
  gboolean is_open;   /* its number stands there already */
} Printer;

static void
print_head (Printer *self)
{
  while (self->head < self->waiting->len) {
    const char *end = g_array_index (self->ends, const char *, self->head);
    GString *text = g_ptr_array_index (self->waiting, self->head);
    int index = (int) self->head % self->n_completions;
    const LaurelPrompt *prompt =
        g_ptr_array_index (self->prompts, self->head / (guint) self->n_completions);

    if (!self->is_open && index == 0)
      printf ("%s\n", prompt->text);
    if (!self->is_open)
      printf ("  %d. ", index + 1);
    self->is_open = TRUE;
    fputs (text->str, stdout);
    g_string_truncate (text, 0);
    if (end == NULL)
      break;
    puts (end);
    self->is_open = FALSE;
    self->head++;
  }
  fflush (stdout);
}

static gboolean
token_cb (const LaurelSampledToken *token, gpointer user_data)
{
  Printer *self = user_data;
  guint at = (guint) (token->prompt * self->n_completions + token->index);

  g_string_append (g_ptr_array_index (self->waiting, at), token->text);
  if (token->finished != NULL)
    g_array_index (self->ends, const char *, at) =
        token->finished->finish == LAUREL_FINISH_STOP ? "" : " …";
  if (at == self->head)
    print_head (self);
  return TRUE;
}

static void
free_string (gpointer string)
{
  g_string_free (string, TRUE);
}

static GPtrArray *
generate_and_print (const LaurelModel *model,
                    GPtrArray *prompts,
                    const LaurelPromptTokens *tokens,
                    int n_completions,
                    const LaurelSamplingOptions *options,
                    GError **error)
{
  g_autoptr (GPtrArray) waiting = g_ptr_array_new_with_free_func (free_string);
  g_autoptr (GArray) ends = g_array_new (FALSE, TRUE, sizeof (char *));
  Printer printer = { prompts, n_completions, waiting, ends, 0, FALSE };
  GPtrArray *samples;

  g_array_set_size (ends, prompts->len * (guint) n_completions);
  for (guint i = 0; i < ends->len; i++)
    g_ptr_array_add (waiting, g_string_new (NULL));
  samples = laurel_generate_stream (model, tokens, (int) prompts->len, n_completions, options, NULL,
                                    token_cb, &printer, error);
  if (printer.is_open) /* an error came between */
    putchar ('\n');
  return samples;
}

/* --- Sampling ----------------------------------------------------------------------- */

/* What rounding the weights to bfloat16 did to the probabilities of what was sampled. */
static gboolean
print_rounding_cost (const LaurelModel *model,
                     const LaurelPromptTokens *tokens,
                     GPtrArray *samples,
                     double temperature,
                     GError **error)
{
  LaurelRoundingCost cost;
  g_autofree char *text = NULL;

  if (!laurel_rounding_measure (model, tokens, samples, temperature, &cost, error))
    return FALSE;
  text = laurel_rounding_describe (&cost);
  fprintf (stderr, "%s\n", text);
  return TRUE;
}

static GPtrArray *
generate_best (LaurelCtl *self,
               const LaurelModel *model,
               const LaurelPromptTokens *tokens,
               int n_prompts,
               const LaurelSampleRequest *request,
               const LaurelSamplingOptions *options,
               GError **error)
{
  g_autoptr (LaurelModel) reward = laurel_ctl_load_model (self, request->reward_model, error);
  const LaurelBestOf best_of = { reward, request->best_of, LAUREL_BEST_OF_MISSING_EOS_PENALTY };

  return reward != NULL ? laurel_best_of_generate (&best_of, model, tokens, n_prompts,
                                                   request->n_completions, options, progress_cb,
                                                   self, NULL, error)
                        : NULL;
}

static GPtrArray *
generate (LaurelCtl *self,
          const LaurelModel *model,
          GPtrArray *prompts,
          const LaurelSampleRequest *request,
          GError **error)
{
  LaurelSamplingOptions options = laurel_sample_request_get_options (request);
  g_autoptr (GArray) biases = NULL;
  g_autofree LaurelPromptTokens *tokens = g_new0 (LaurelPromptTokens, prompts->len);
  g_autoptr (GPtrArray) arrays = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  g_autoptr (GPtrArray) samples = NULL;

  if (!laurel_require_tokenizer (model, request->model, error)
      || !laurel_sampling_options_validate (&options, error))
    return NULL;
  biases = laurel_logit_bias_parse (request->logit_bias, model->tokenizer,
                                    model->config.vocab_size, error);
  if (biases == NULL)
    return NULL;
  options.biases = (const LaurelLogitBias *) (const void *) biases->data;
  options.n_biases = (int) biases->len;
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
  if (laurel_ctl_has (self, "stream")) {
    samples = generate_and_print (model, prompts, tokens, request->n_completions, &options, error);
  } else {
    samples =
        request->best_of > 1
            ? generate_best (self, model, tokens, (int) prompts->len, request, &options, error)
            : laurel_generate (model, tokens, (int) prompts->len, request->n_completions, &options,
                               progress_cb, self, error);
    laurel_ctl_hide_progress (self);
  }
  if (samples != NULL && request->bf16_weights && !self->quiet
      && !print_rounding_cost (model, tokens, samples, options.temperature, error))
    return NULL;
  return g_steal_pointer (&samples);
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
  if (laurel_ctl_has (self, "stream"))
    return TRUE;
  json_builder_begin_array (builder);
  for (guint i = 0; i < samples->len; i++) {
    const LaurelSample *sample = g_ptr_array_index (samples, i);

    print_sample (self, model, g_ptr_array_index (prompts, sample->prompt), sample, request,
                  builder);
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
  g_auto (GStrv) stop = NULL, logit_bias = NULL;
  gint64 run_id;

  if (!read_request (self, &request, error))
    return FALSE;
  stop = read_texts (self, "stop");
  logit_bias = read_texts (self, "logit-bias");
  request.stop = (const char *const *) stop;
  request.logit_bias = (const char *const *) logit_bias;
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
  { "best-of", "N", "Each is the best of N samples by a reward model (1)", FALSE },
  { "reward-model", "M", "The reward model that chooses, with --best-of", FALSE },
  { "temperature", "T", "0 takes the likeliest token (1)", FALSE },
  { "top-k", "N", "Only the N likeliest tokens (0: all)", FALSE },
  { "top-p", "P", "Only the likeliest tokens that make up P (1)", FALSE },
  { "min-p", "P", "Only tokens at least P times as likely as the likeliest (0)", FALSE },
  { "repetition-penalty", "R", "Over 1: less of what prompt and completion have already (1)",
    FALSE },
  { "logit-bias", "TOKEN=V", "Adds V to a token's logit, -inf bans it; an id or a text", TRUE },
  { "stop", "TEXT", "Ends a completion before this text; \\n is a line's end", TRUE },
  { "max-tokens", "N", "The longest completion (64)", FALSE },
  { "seed", "N", "The same seed gives the same completions (0)", FALSE },
  { "batch-size", "N", "Completions written side by side (0: as memory allows)", FALSE },
  { "weights", "f32|bf16", "bf16: faster, and says what it costs in log-probability (f32)", FALSE },
  { "stream", NULL, "Print text while it is written", FALSE },
  { "task", NULL, "Store them as tasks to rank", FALSE },
  { "mix", "M", "With --task: some completions of each are this model's; nobody who ranks sees it",
    FALSE },
  { "mix-completions", "N", "How many of them; the others are --model's (half)", FALSE },
  { "shared", "SHARE", "With --task: this share is for two labelers each (0)", FALSE },
  { NULL }
};

static void
help_run (GString *text)
{
  g_string_append (
      text,
      "\nWhat is not given here is as the model's generation_config.json has it; the values in "
      "brackets stand\nwhere that says nothing.\n\n"
      "The order is Hugging Face's: logit bias, repetition penalty (Keskar et al. 2019), "
      "temperature,\ntop-k, top-p, min-p. A completion is the same for the same seed whatever is "
      "sampled beside it.\n\n"
      "--logit-bias takes a text as it stands in a completion, mostly with a space before it: "
      "“ yes=2”,\n“ sorry=-inf”. A text of several tokens weighs on its last, where the others "
      "stand before it.\nFigures are a token's id unless they are in double quotes.\n\n"
      "--stop finds its text wherever tokens part, and the name of a special token. The completion "
      "ends\nbefore it, with the finish “stop”; the tokens are all that were sampled, the text's "
      "included.\n\n"
      "--best-of N writes N completions for each one that is kept; the others are neither shown "
      "nor stored.\nOne that does not end by itself scores 1 lower, as in PPO.\n\n"
      "With --json, “logprobs” are as drawn, after all of this, and “plain_logprobs” those of the "
      "softmax\nat the temperature alone, which PPO compares.\n");
}

static gboolean
run_export (LaurelCtl *self, GError **error)
{
  const char *path = laurel_ctl_argument (self, 0);
  int n;

  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  n = laurel_export_completions (laurel_project_get_store (self->project), path, error);
  if (n < 0)
    return FALSE;
  laurel_ctl_report_export (self, path, n);
  return TRUE;
}

static const LaurelCtlVerb verbs[] = {
  { "run", "", 0, 0, run_options, "Sample completions of prompts", run_run, help_run },
  { "export", "FILE", 1, 1, NULL,
    "Write the tasks' completions with tokens and log-probabilities as JSONL", run_export },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_sample = { "sample",
                                          "Sampling: completions of prompts, to read or to rank",
                                          verbs };
