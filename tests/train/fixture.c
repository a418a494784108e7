/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/base/file.h"

#include <math.h>
#include <string.h>

static const char *const things[] = { "a cat",   "the sun", "rain", "bread",
                                      "a stone", "the sea", "milk", "a tree" };
static const char *const qualities[] = { "warm", "wet", "old", "good", "far", "green" };
static const char *const answers[] = { " yes",          " yes it is", " no",
                                       " no it is not", " maybe",     " maybe not" };

static void
metric_cb (gpointer user_data, int step, const char *key, double value)
{
  Recorder *self = user_data;
  GArray *series = g_hash_table_lookup (self->series, key);

  g_assert_true (isfinite (value));
  g_assert_nonnull (laurel_metric_find (key)); /* every metric that is logged is described */
  if (series == NULL) {
    series = g_array_new (FALSE, FALSE, sizeof (double));
    g_hash_table_insert (self->series, g_strdup (key), series);
  }
  g_array_append_val (series, value);
}

static void
progress_cb (gpointer user_data, int step, int n_steps)
{
  Recorder *self = user_data;

  if (self->polls_at_first_step == 0)
    self->polls_at_first_step = self->n_polls;
  self->last_step = step;
  self->n_steps = n_steps;
}

/* Σ reward = score − β ΣKL, for every rollout of every test. */
static void
rollout_cb (gpointer user_data, const LaurelRollout *rollout)
{
  Recorder *self = user_data;
  double size = 1 + fabs (rollout->score);

  self->n_rollouts++;
  g_assert_cmpint (rollout->n_tokens, >, 0);
  g_assert_true (g_utf8_validate (rollout->completion, -1, NULL));
  for (int t = 0; t < rollout->n_tokens; t++) {
    const LaurelTokenRecord *r = &rollout->records[t];

    size += fabs (r->reward);
    g_assert_cmpfloat (r->kl, ==, r->logprob - r->ref_logprob);
    g_assert_cmpfloat (r->ratio, >, 0);
    g_assert_cmpfloat (r->entropy, >=, 0);
    if (!isnan (r->exact_kl))                    /* which it is where the vocabulary is too large */
      g_assert_cmpfloat (r->exact_kl, >, -1e-5); /* rounding of a sum over the vocabulary */
  }
  /* 1e-6 of what was summed: each reward is rounded to a float once. */
  g_assert_cmpfloat_with_epsilon (
      laurel_rollout_sum_reward (rollout),
      rollout->score - rollout->kl_coef * laurel_rollout_sum_kl (rollout), 1e-6 * size);
}

static LaurelVerdict
poll_cb (gpointer user_data)
{
  Recorder *self = user_data;

  self->n_polls++;
  if (self->n_polls == self->stop_at)
    return LAUREL_STOP;
  return self->n_polls == self->checkpoint_at ? LAUREL_CHECKPOINT : LAUREL_GO_ON;
}

Recorder *
recorder_new (const char *checkpoint_dir, gboolean resume)
{
  Recorder *self = g_new0 (Recorder, 1);

  self->series = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) g_array_unref);
  self->monitor = (LaurelMonitor){
    .user_data = self,
    .metric = metric_cb,
    .progress = progress_cb,
    .rollout = rollout_cb,
    .poll = poll_cb,
    .checkpoint_dir = checkpoint_dir,
    .resume = resume,
  };
  return self;
}

void
recorder_free (Recorder *self)
{
  g_hash_table_unref (self->series);
  g_free (self);
}

int
recorder_count (const Recorder *self, const char *key)
{
  GArray *series = g_hash_table_lookup (self->series, key);

  return series != NULL ? (int) series->len : 0;
}

double
recorder_first (const Recorder *self, const char *key)
{
  g_assert_cmpint (recorder_count (self, key), >, 0);
  return g_array_index ((GArray *) g_hash_table_lookup (self->series, key), double, 0);
}

double
recorder_last (const Recorder *self, const char *key)
{
  g_assert_cmpint (recorder_count (self, key), >, 0);
  return g_array_index ((GArray *) g_hash_table_lookup (self->series, key), double,
                        recorder_count (self, key) - 1);
}

static char *
make_question (guint32 number)
{
  return g_strdup_printf ("is %s %s?", things[number % G_N_ELEMENTS (things)],
                          qualities[number / G_N_ELEMENTS (things) % G_N_ELEMENTS (qualities)]);
}

LaurelTokenizer *
fixture_tokenizer (void)
{
  static LaurelTokenizer *tokenizer;
  g_autoptr (GString) text = NULL;
  g_autoptr (GError) error = NULL;
  const char *texts[1];
  gsize lengths[1];

  if (tokenizer != NULL)
    return tokenizer;
  text = g_string_new (NULL);
  for (guint32 i = 0; i < 96; i++) {
    g_autofree char *question = make_question (i);

    g_string_append_printf (text, "%s%s\n", question, answers[i % G_N_ELEMENTS (answers)]);
  }
  texts[0] = text->str;
  lengths[0] = text->len;
  tokenizer = laurel_tokenizer_train_bpe (texts, lengths, 1, 300, NULL, NULL, &error);
  g_assert_no_error (error);
  return tokenizer;
}

LaurelModel *
fixture_model (guint64 seed)
{
  LaurelTemplate template = { (char *) "", (char *) "", (char *) "" };
  LaurelModelConfig config = {
    .vocab_size = laurel_tokenizer_get_vocab_size (fixture_tokenizer ()),
    .n_positions = 40, .n_embd = 32, .n_layer = 2, .n_head = 4, .n_inner = 128,
    .layer_norm_epsilon = 1e-5, .initializer_range = 0.05, .tie_word_embeddings = TRUE,
    .bos_token_id = -1, .eos_token_id = laurel_tokenizer_get_end_of_text (fixture_tokenizer ()),
    .head = LAUREL_HEAD_LM, .reward_gain = 1,
  };
  g_autoptr (GError) error = NULL;
  LaurelModel *model = laurel_model_new (&config, fixture_tokenizer (), &template, seed, &error);

  g_assert_no_error (error);
  return model;
}

static LaurelSequence *
make_sequence (guint32 question, const char *answer)
{
  g_autofree char *text = make_question (question);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gint32 end = laurel_tokenizer_get_end_of_text (fixture_tokenizer ());
  guint n_prompt;

  g_assert_true (laurel_tokenizer_encode (fixture_tokenizer (), text, -1, ids, NULL));
  n_prompt = ids->len;
  g_assert_true (laurel_tokenizer_encode (fixture_tokenizer (), answer, -1, ids, NULL));
  g_array_append_val (ids, end);
  return laurel_sequence_new ((gint32 *) ids->data, (int) ids->len, (int) n_prompt);
}

GPtrArray *
fixture_sequences (int n, guint64 seed)
{
  GPtrArray *sequences = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);
  LaurelRng rng;

  laurel_rng_init (&rng, seed, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < n; i++) {
    guint32 question = laurel_rng_below (&rng, 48);

    g_ptr_array_add (
        sequences,
        make_sequence (question, answers[laurel_rng_below (&rng, G_N_ELEMENTS (answers))]));
  }
  return sequences;
}

LaurelRows *
fixture_rows (GPtrArray *sequences)
{
  LaurelRows *rows = laurel_rows_new ();

  laurel_rows_add_sequences (rows, sequences);
  return rows;
}

gboolean
fixture_train_sft (LaurelModel *model,
                   GPtrArray *sequences,
                   const LaurelHyperparameters *hp,
                   const LaurelMonitor *monitor,
                   GError **error)
{
  g_autoptr (LaurelRows) rows = fixture_rows (sequences);

  return laurel_train_sft (model, rows, NULL, hp, monitor, error);
}

/* The rule: yes before maybe before no; within each, equal. */
static int
rank_of (guint32 answer)
{
  return answer < 2 ? 1 : answer < 4 ? 3 : 2;
}

GPtrArray *
fixture_comparisons (int n, guint64 seed)
{
  GPtrArray *comparisons = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_comparison_free);
  LaurelRng rng;

  laurel_rng_init (&rng, seed, LAUREL_RNG_TEST, 1, 0);
  for (int i = 0; i < n; i++) {
    LaurelComparison *comparison = g_new0 (LaurelComparison, 1);
    guint32 question = laurel_rng_below (&rng, 48);

    comparison->n = 3;
    comparison->prompt_id = i;
    comparison->completions = g_new0 (LaurelSequence *, 3);
    comparison->ranks = g_new0 (int, 3);
    for (int k = 0; k < 3; k++) {
      guint32 answer = laurel_rng_below (&rng, G_N_ELEMENTS (answers));

      comparison->completions[k] = make_sequence (question, answers[answer]);
      comparison->ranks[k] = rank_of (answer);
    }
    g_ptr_array_add (comparisons, comparison);
  }
  return comparisons;
}

GPtrArray *
fixture_prompts (int n)
{
  GPtrArray *prompts = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_train_prompt_free);

  for (int i = 0; i < n; i++) {
    LaurelTrainPrompt *prompt = g_new0 (LaurelTrainPrompt, 1);
    LaurelSequence *sequence = make_sequence ((guint32) i, "");

    prompt->text = make_question ((guint32) i);
    prompt->n_tokens = sequence->n_prompt;
    prompt->tokens = g_steal_pointer (&sequence->tokens);
    laurel_sequence_free (sequence);
    g_ptr_array_add (prompts, prompt);
  }
  return prompts;
}

void
fixture_sft_settings (LaurelHyperparameters *hp)
{
  laurel_hyperparameters_init (hp, LAUREL_STAGE_SFT);
  hp->learning_rate = 5e-3;
  hp->warmup_steps = 5;
  hp->max_steps = 120;
  hp->save_steps = 0;
}

void
fixture_reward_settings (LaurelHyperparameters *hp)
{
  laurel_hyperparameters_init (hp, LAUREL_STAGE_REWARD);
  hp->learning_rate = 2e-3;
  hp->warmup_steps = 0;
  hp->max_steps = 60;
  hp->save_steps = 0;
  hp->eval_split = 0.2;
  hp->response_length = 12;
}

void
fixture_ppo_settings (LaurelHyperparameters *hp)
{
  laurel_hyperparameters_init (hp, LAUREL_STAGE_PPO);
  hp->learning_rate = 1e-3;
  hp->value_learning_rate = 1e-3;
  hp->batch_size = 32;
  hp->response_length = 12;
  hp->max_steps = 15;
  hp->save_steps = 0;
}

LaurelModel *
fixture_sft_model (void)
{
  static LaurelModel *trained;
  g_autoptr (GPtrArray) sequences = NULL;
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  if (trained == NULL) {
    sequences = fixture_sequences (400, 1);
    trained = fixture_model (1);
    fixture_sft_settings (&hp);
    fixture_train_sft (trained, sequences, &hp, NULL, &error);
    g_assert_no_error (error);
  }
  return laurel_model_copy (trained, NULL);
}

LaurelModel *
fixture_reward_model (void)
{
  static LaurelModel *trained;
  g_autoptr (LaurelModel) sft = NULL;
  g_autoptr (GPtrArray) comparisons = NULL;
  g_autoptr (GPtrArray) prompts = NULL;
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  if (trained == NULL) {
    sft = fixture_sft_model ();
    comparisons = fixture_comparisons (200, 2);
    prompts = fixture_prompts (48);
    trained = laurel_model_with_head (sft, LAUREL_HEAD_SCORE, 5, NULL);
    fixture_reward_settings (&hp);
    laurel_train_reward (trained, comparisons, sft, prompts, &hp, NULL, &error);
    g_assert_no_error (error);
  }
  return laurel_model_copy (trained, NULL);
}

char *
fixture_make_dir (void)
{
  g_autoptr (GError) error = NULL;
  char *dir = g_dir_make_tmp ("laurel-train-XXXXXX", &error);

  g_assert_no_error (error);
  return dir;
}

void
fixture_remove_dir (char *dir)
{
  g_assert_true (laurel_file_remove_tree (dir, NULL));
  g_free (dir);
}

void
assert_same_weights (const LaurelModel *a, const LaurelModel *b)
{
  g_assert_cmpuint (a->layout->n_floats, ==, b->layout->n_floats);
  g_assert_cmpmem (a->weights, a->layout->n_floats * sizeof (float), b->weights,
                   b->layout->n_floats * sizeof (float));
}
