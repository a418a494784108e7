/* evaluate.c: laurelctl evaluate …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/evaluate.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/model/head.h"
#include "core/model/transformer.h"
#include "core/project/data.h"
#include "core/project/report.h"

#include <math.h>
#include <stdio.h>

static LaurelModel *
load_model (LaurelCtl *self, const char *option, LaurelHead head, GError **error)
{
  const char *name = laurel_ctl_require (self, option, error);
  LaurelModel *model = name != NULL ? laurel_ctl_load_model (self, name, error) : NULL;

  if (model == NULL || model->config.head == head)
    return model;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not use “%s”: it is a %s; choose a %s", name,
               head == LAUREL_HEAD_LM ? "reward model" : "language model",
               head == LAUREL_HEAD_LM ? "language model" : "reward model");
  laurel_model_free (model);
  return NULL;
}

static gboolean
run_logprobs (LaurelCtl *self, GError **error)
{
  g_autoptr (LaurelModel) model = load_model (self, "model", LAUREL_HEAD_LM, error);
  g_autoptr (GPtrArray) sequences =
      model != NULL ? laurel_ctl_read_id_arrays (laurel_ctl_argument (self, 0), model, error)
                    : NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (sequences == NULL)
    return FALSE;
  json_builder_begin_array (builder);
  for (guint i = 0; i < sequences->len; i++) {
    const LaurelSequence *sequence = g_ptr_array_index (sequences, i);
    g_autofree float *logprobs = g_new (float, sequence->n_tokens);

    if (sequence->n_tokens > 1 && !laurel_evaluate_logprobs (model, sequence, logprobs, error))
      return FALSE;
    json_builder_begin_array (builder);
    for (int j = 0; j + 1 < sequence->n_tokens; j++)
      json_builder_add_double_value (builder, logprobs[j]);
    json_builder_end_array (builder);
  }
  json_builder_end_array (builder);
  laurel_ctl_print_builder (builder);
  return TRUE;
}

/* Rows of prompts and completions when the file is JSONL, else text, a token file or id arrays. */
static gboolean
run_loss (LaurelCtl *self, GError **error)
{
  const char *path = laurel_ctl_argument (self, 0);
  LaurelStage stage = g_str_has_suffix (path, ".jsonl") ? LAUREL_STAGE_SFT : LAUREL_STAGE_PRETRAIN;
  g_autoptr (LaurelModel) model = load_model (self, "model", LAUREL_HEAD_LM, error);
  char *files[] = { (char *) path, NULL };
  g_autoptr (JsonNode) snapshot =
      model != NULL ? laurel_data_snapshot (NULL, stage, files, LAUREL_LABELERS_ALL, error) : NULL;
  g_auto (LaurelTrainData) data = { 0 };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *folder = NULL;
  LaurelHyperparameters hp;
  gint64 n_tokens;
  double loss;
  gboolean ok;

  if (snapshot == NULL)
    return FALSE;
  laurel_hyperparameters_init (&hp, stage);
  hp.eval_split = 0;
  folder = g_dir_make_tmp ("laurel-XXXXXX", error);
  ok = folder != NULL
       && laurel_data_load (NULL, stage, json_node_get_object (snapshot), model, &hp, folder, NULL,
                            &data, error)
       && laurel_evaluate_loss (model, data.rows, &loss, &n_tokens, error);
  if (folder != NULL)
    (void) laurel_file_remove_tree (folder, NULL);
  if (!ok)
    return FALSE;
  json_builder_begin_object (builder);
  laurel_json_add_double (builder, "loss", loss);
  laurel_json_add_double (builder, "perplexity", exp (loss));
  laurel_json_add_int (builder, "tokens", n_tokens);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    printf ("loss %.6f nats a token, perplexity %.3f, over %" G_GINT64_FORMAT " tokens\n", loss,
            exp (loss), n_tokens);
  return TRUE;
}

/* --- Scores ------------------------------------------------------------------------- */

/* The score read at each token of the last answer; the last one is the score. */
static gboolean
score_row (const LaurelModel *model,
           const LaurelDataRow *row,
           LaurelActivations *acts,
           GArray *ids,
           GArray *scores,
           guint *out_n_prompt,
           GError **error)
{
  gint32 offsets[2] = { 0, 0 };
  LaurelBatch batch = { NULL, offsets, 1 };
  g_autoptr (GArray) learned = g_array_new (FALSE, FALSE, sizeof (guint8));
  g_autofree gint32 *positions = NULL;
  LaurelRowVerdict verdict;
  const float *hidden;
  int n;

  if (!laurel_require_tokenizer (model, NULL, error))
    return FALSE;
  g_array_set_size (ids, 0);
  if (!laurel_data_encode_sft (model->chat_template, model->tokenizer, row,
                               model->config.n_positions, ids, learned, &verdict, error))
    return FALSE;
  if (verdict != LAUREL_ROW_GOOD) {
    g_autofree char *why =
        laurel_row_verdict_describe (verdict, row, (int) ids->len, model->config.n_positions);

    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not score row %u: %s; correct it", row->number, why);
    return FALSE;
  }
  *out_n_prompt = ids->len;
  while (*out_n_prompt > 0 && g_array_index (learned, guint8, *out_n_prompt - 1))
    (*out_n_prompt)--;
  n = (int) (ids->len - *out_n_prompt);
  positions = g_new (gint32, n);
  for (int i = 0; i < n; i++)
    positions[i] = (gint32) *out_n_prompt + i;
  offsets[1] = (gint32) ids->len;
  batch.tokens = (const gint32 *) (const void *) ids->data;
  hidden = laurel_transformer_forward (model, &batch, acts);
  g_array_set_size (scores, (guint) n);
  laurel_score_head_forward (model, hidden, positions, n, (float *) (void *) scores->data);
  return TRUE;
}

static void
print_scores (LaurelCtl *self,
              const LaurelDataRow *row,
              const GArray *ids,
              guint n_prompt,
              const GArray *scores,
              JsonBuilder *builder)
{
  double score = g_array_index (scores, float, scores->len - 1);
  const LaurelMessage *last =
      &g_array_index (row->messages, LaurelMessage, row->messages->len - 1);

  if (!self->json) {
    printf ("%9.4f  %s → %s\n", score, last[-1].text, last->text);
    return;
  }
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "prompt", last[-1].text);
  laurel_json_add_string (builder, "completion", last->text);
  laurel_json_add_double (builder, "score", score);
  json_builder_set_member_name (builder, "tokens");
  json_builder_begin_array (builder);
  for (guint i = n_prompt; i < ids->len; i++)
    json_builder_add_int_value (builder, g_array_index (ids, gint32, i));
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "scores");
  json_builder_begin_array (builder);
  for (guint i = 0; i < scores->len; i++)
    json_builder_add_double_value (builder, g_array_index (scores, float, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static gboolean
run_score (LaurelCtl *self, GError **error)
{
  g_autoptr (LaurelModel) model = load_model (self, "model", LAUREL_HEAD_SCORE, error);
  g_autoptr (GPtrArray) rows =
      model != NULL ? laurel_data_read_rows (LAUREL_STAGE_SFT, laurel_ctl_argument (self, 0), error)
                    : NULL;
  g_autoptr (LaurelActivations) acts =
      rows != NULL
          ? laurel_activations_new (&model->config, model->config.n_positions, FALSE, error)
          : NULL;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) scores = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (acts == NULL)
    return FALSE;
  json_builder_begin_array (builder);
  for (guint i = 0; i < rows->len; i++) {
    guint n_prompt;

    if (!score_row (model, g_ptr_array_index (rows, i), acts, ids, scores, &n_prompt, error))
      return FALSE;
    print_scores (self, g_ptr_array_index (rows, i), ids, n_prompt, scores, builder);
  }
  json_builder_end_array (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  return TRUE;
}

/* --- By judge ------------------------------------------------------------------------- */

typedef struct {
  LaurelJudge *judge;
  LaurelModel *model;
  LaurelModel *reference; /* NULL: none */
  GPtrArray *prompts;
  LaurelEvaluationRequest request;
} Evaluating;

static void
evaluating_clear (Evaluating *self)
{
  g_clear_pointer (&self->judge, laurel_judge_free);
  g_clear_pointer (&self->model, laurel_model_free);
  g_clear_pointer (&self->reference, laurel_model_free);
  g_clear_pointer (&self->prompts, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Evaluating, evaluating_clear)

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "sampling", (double) n_done / MAX (n_all, 1), -1.0);
  return TRUE;
}

static gboolean
read_evaluating (LaurelCtl *self, Evaluating *out, GError **error)
{
  const char *judge = laurel_ctl_require (self, "judge", error);
  const char *split = laurel_ctl_get (self, "prompts");
  gint64 count = 0, seed = 0, max_tokens = 64;
  double temperature = 1.0;

  if (judge == NULL || !laurel_ctl_get_int (self, "count", 1, G_MAXINT, &count, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &seed, error)
      || !laurel_ctl_get_int (self, "max-tokens", 1, G_MAXINT, &max_tokens, error)
      || !laurel_ctl_get_double (self, "temperature", 0, 100, &temperature, error))
    return FALSE;
  out->judge = laurel_judge_load (judge, error);
  if (out->judge == NULL || !laurel_ctl_open_project (self, error))
    return FALSE;
  out->model = load_model (self, "model", LAUREL_HEAD_LM, error);
  if (out->model == NULL)
    return FALSE;
  if (laurel_ctl_has (self, "reference")) {
    out->reference = load_model (self, "reference", LAUREL_HEAD_LM, error);
    if (out->reference == NULL)
      return FALSE;
  }
  out->prompts = laurel_store_list_prompts (laurel_project_get_store (self->project),
                                            split != NULL ? split : "heldout", NULL, -1, 0, error);
  if (out->prompts == NULL)
    return FALSE;
  out->request = (LaurelEvaluationRequest){ .model = out->model,
                                            .reference = out->reference,
                                            .judge = out->judge,
                                            .prompts = out->prompts,
                                            .n_completions = (int) count,
                                            .options = LAUREL_SAMPLING_DEFAULTS,
                                            .progress = progress_cb,
                                            .user_data = self };
  out->request.options.temperature = temperature;
  out->request.options.max_tokens = (int) max_tokens;
  out->request.options.seed = (guint64) seed;
  return TRUE;
}

void
laurel_ctl_print_evaluations (const char *const *names, const LaurelEvaluation *evaluations, int n)
{
  int n_rows;
  const LaurelEvaluationRow *rows = laurel_evaluation_rows (&n_rows);
  LaurelCtlTable *table =
      n == 1 ? laurel_ctl_table_new ("MEASURE, 95 % INTERVAL", names[0], NULL)
             : laurel_ctl_table_new ("MEASURE, 95 % INTERVAL", names[0], names[1], NULL);

  for (int i = 0; i < n_rows; i++) {
    g_autoptr (GString) line = g_string_new (rows[i].title);

    for (int j = 0; j < n; j++) {
      g_autofree char *cell = laurel_interval_format (
          G_STRUCT_MEMBER_P (&evaluations[j], rows[i].offset), rows[i].share);

      g_string_append_printf (line, "\t%s", cell);
    }
    laurel_ctl_table_add (table, "%s", line->str);
  }
  laurel_ctl_table_print (table);
}

static gboolean
run_judge (LaurelCtl *self, GError **error)
{
  g_auto (Evaluating) evaluating = { 0 };
  g_autoptr (GPtrArray) judged = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const char *names[1];
  LaurelEvaluation evaluation;

  if (!read_evaluating (self, &evaluating, error))
    return FALSE;
  judged = laurel_evaluate_sample (&evaluating.request, error);
  laurel_ctl_hide_progress (self);
  if (judged == NULL)
    return FALSE;
  laurel_evaluate_summarise (judged, &evaluation);
  names[0] = laurel_ctl_get (self, "model");
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "model", names[0]);
  laurel_json_add_int (builder, "completions", judged->len);
  laurel_json_add_evaluation (builder, &evaluation);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    laurel_ctl_print_evaluations (names, &evaluation, 1);
  return TRUE;
}

static const LaurelCtlOption model_options[] = {
  { "model", "M", "A model's name or a Hugging Face directory", FALSE }, { NULL }
};

static const LaurelCtlOption judge_options[] = {
  { "model", "M", "A model's name or a Hugging Face directory", FALSE },
  { "judge", "FILE", "A rule judge", FALSE },
  { "prompts", "SPLIT", "“heldout” or “train” (heldout)", FALSE },
  { "count", "N", "Completions in all (one a prompt)", FALSE },
  { "temperature", "T", "Of the sampling (1)", FALSE },
  { "max-tokens", "N", "The longest completion (64)", FALSE },
  { "seed", "N", "Of the sampling (0)", FALSE },
  { "reference", "M", "Measure the KL to this model", FALSE },
  { NULL }
};

static const LaurelCtlOption reward_options[] = {
  { "model", "M", "A reward model's name or directory", FALSE },
  { "all", NULL, "Rankings of prompts that it was trained on as well", FALSE },
  { "labelers", "WHOSE", "Rankings by people, simulated ones or all but its own (all)", FALSE },
  { "seed", "N", "Of the intervals (0)", FALSE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "logprobs", "FILE", 1, 1, model_options,
    "Per-token log-probabilities of a JSON array of id arrays", run_logprobs },
  { "loss", "FILE", 1, 1, model_options, "Mean loss on text, id arrays (.json) or rows (.jsonl)",
    run_loss },
  { "score", "FILE", 1, 1, model_options, "A reward model's scores of prompt and completion rows",
    run_score },
  { "reward", "", 0, 0, reward_options,
    "A reward model against the project's rankings of prompts that it was not trained on",
    laurel_ctl_evaluate_reward },
  { "judge", "", 0, 0, judge_options, "What a rule judge says of a model's answers", run_judge },
  { "winrate", "", 0, 0, laurel_ctl_winrate_options,
    "How often a model beats another, by a judge or by rankings", laurel_ctl_run_winrate,
    laurel_ctl_help_winrate },
  { "ratings", "", 0, 0, laurel_ctl_ratings_options,
    "One rating for each of many models (Bradley–Terry)", laurel_ctl_run_ratings,
    laurel_ctl_help_ratings },
  { "bon", "", 0, 0, laurel_ctl_bon_options, "What best of n is worth, for every n",
    laurel_ctl_run_bon, laurel_ctl_help_bon },
  { "compare", "", 0, 0, laurel_ctl_compare_options, "Several policies beside each other",
    laurel_ctl_run_compare, laurel_ctl_help_compare },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_evaluate = { "evaluate",
                                            "Evaluation: losses, scores, judges, win rates",
                                            verbs };
