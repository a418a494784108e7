/* test-dpo.c: DPO on a tiny world, and step by step against PyTorch's figures.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/train/dpo_walk.h"

#include <math.h>
#include <string.h>

static void
dpo_settings (LaurelHyperparameters *hp)
{
  laurel_hyperparameters_init (hp, LAUREL_STAGE_DPO);
  hp->learning_rate = 5e-4;
  hp->warmup_steps = 0;
  hp->max_steps = 60;
  hp->save_steps = 0;
  hp->eval_split = 0.2;
}

/* --- The rule of the tiny world -------------------------------------------------------- */

static void
test_learns_the_rule (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (200, 2);
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  dpo_settings (&hp);
  g_assert_true (laurel_train_dpo (policy, comparisons, &hp, &recorder->monitor, &error));
  g_assert_no_error (error);
  /* Before its first step the policy is the reference, to the bit. */
  g_assert_cmpfloat (recorder_first (recorder, "rewards/margins"), ==, 0);
  g_assert_cmpfloat (recorder_first (recorder, "rewards/chosen"), ==, 0);
  g_assert_cmpfloat (recorder_first (recorder, "rewards/accuracies"), ==, 0.5);
  g_assert_cmpfloat_with_epsilon (recorder_first (recorder, "loss"), log (2), 1e-12);
  g_assert_cmpint (recorder_count (recorder, "rewards/margins"), ==, 60);
  g_assert_cmpint (recorder_count (recorder, "eval/loss"), ==, 6);
  g_assert_cmpfloat (recorder_last (recorder, "eval/rewards/accuracies"), >, 0.95);
  g_assert_cmpfloat (recorder_last (recorder, "eval/rewards/margins"), >, 0.2);
  g_assert_cmpfloat (recorder_last (recorder, "eval/loss"), <, 0.6);
  g_assert_cmpfloat (recorder_last (recorder, "logps/chosen"), >,
                     recorder_last (recorder, "logps/rejected"));
}

/* However the rows are cut into micro-batches, the gradient is the whole batch's. */
static void
test_micro_batches (void)
{
  g_autoptr (LaurelModel) reference = fixture_sft_model ();
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (6, 4);
  g_autoptr (GPtrArray) rows =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_dpo_row_free);
  const int rooms[] = { 400, 60 };
  gsize n = policy->layout->n_floats;
  float *gradients[2];
  LaurelHyperparameters hp;
  LaurelDpoSums sums[2];
  double error = 0, size = 0;

  dpo_settings (&hp);
  for (gsize i = 0; i < n; i++)
    policy->weights[i] *= 1.05f;
  for (guint i = 0; i < comparisons->len; i++)
    g_ptr_array_add (rows, laurel_dpo_row_new (g_ptr_array_index (comparisons, i), 40));
  for (int m = 0; m < 2; m++) {
    g_autoptr (LaurelMicroBatch) micro = laurel_micro_batch_new (rooms[m]);
    LaurelPass before = { 0 }, pass = { 0 };

    gradients[m] = g_new0 (float, n);
    g_assert_true (laurel_pass_init (&before, reference, rooms[m], FALSE, NULL));
    g_assert_true (laurel_pass_init (&pass, policy, rooms[m], TRUE, NULL));
    g_assert_true (laurel_dpo_refer (&before, micro, rows, NULL, NULL));
    g_assert_true (laurel_dpo_walk (&pass, micro, rows, NULL, (int) rows->len, &hp, gradients[m],
                                    NULL, NULL, &sums[m], NULL));
    laurel_pass_clear (&before);
    laurel_pass_clear (&pass);
  }
  g_assert_cmpfloat (sums[0].loss, ==, sums[1].loss); /* a sequence's numbers are its own */
  for (gsize i = 0; i < n; i++) {
    error += pow (gradients[0][i] - gradients[1][i], 2);
    size += pow (gradients[0][i], 2);
  }
  /* Sums of some hundred floats in another order. */
  g_assert_cmpfloat (sqrt (error / size), <, 1e-5);
  g_assert_cmpfloat (size, >, 0);
  g_free (gradients[0]);
  g_free (gradients[1]);
}

static void
assert_refused (LaurelModel *model,
                GPtrArray *comparisons,
                const LaurelHyperparameters *hp,
                const char *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (laurel_train_dpo (model, comparisons, hp, NULL, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, part));
}

static void
test_refusals (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (LaurelModel) reward = fixture_reward_model ();
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (3, 2);
  LaurelHyperparameters hp;

  dpo_settings (&hp);
  assert_refused (reward, comparisons, &hp, "a reward model");
  hp.max_length = ((LaurelComparison *) comparisons->pdata[1])->completions[0]->n_prompt;
  assert_refused (policy, comparisons, &hp, "max_length");
  hp.max_length = 0;
  hp.loss_type = LAUREL_DPO_IPO;
  hp.label_smoothing = 0.1;
  assert_refused (policy, comparisons, &hp, "label_smoothing");
  hp.label_smoothing = 0;
  for (guint i = 0; i < comparisons->len; i++)
    for (int k = 0; k < 3; k++)
      ((LaurelComparison *) comparisons->pdata[i])->ranks[k] = 1;
  assert_refused (policy, comparisons, &hp, "none is left");
}

/* --- PyTorch's figures (tests/vectors/gpt2_dpo.py) --------------------------------------- */

static LaurelSequence *
read_completion (JsonArray *prompt, JsonArray *completion)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  JsonArray *parts[] = { prompt, completion };

  for (int p = 0; p < 2; p++)
    for (guint i = 0; i < json_array_get_length (parts[p]); i++) {
      gint32 id = (gint32) json_array_get_int_element (parts[p], i);

      g_array_append_val (ids, id);
    }
  return laurel_sequence_new ((gint32 *) (gpointer) ids->data, (int) ids->len,
                              (int) json_array_get_length (prompt));
}

static GPtrArray *
read_rankings (JsonArray *rankings)
{
  GPtrArray *comparisons = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_comparison_free);

  for (guint i = 0; i < json_array_get_length (rankings); i++) {
    JsonObject *ranking = json_array_get_object_element (rankings, i);
    JsonArray *completions = json_object_get_array_member (ranking, "completions");
    LaurelComparison *comparison = g_new0 (LaurelComparison, 1);

    comparison->n = (int) json_array_get_length (completions);
    comparison->prompt_id = i + 1;
    comparison->completions = g_new0 (LaurelSequence *, comparison->n);
    comparison->ranks = g_new0 (int, comparison->n);
    for (int k = 0; k < comparison->n; k++) {
      comparison->completions[k] =
          read_completion (json_object_get_array_member (ranking, "prompt"),
                           json_array_get_array_element (completions, (guint) k));
      comparison->ranks[k] = (int) json_array_get_int_element (
          json_object_get_array_member (ranking, "ranks"), (guint) k);
    }
    g_ptr_array_add (comparisons, comparison);
  }
  return comparisons;
}

static void
read_settings (JsonObject *adamw, JsonObject *kind, LaurelHyperparameters *hp)
{
  g_autoptr (GError) error = NULL;

  laurel_hyperparameters_init (hp, LAUREL_STAGE_DPO);
  hp->lr_scheduler_type = LAUREL_SCHEDULE_CONSTANT;
  hp->warmup_steps = 0;
  hp->max_grad_norm = 0;
  hp->eval_split = 0;
  hp->save_steps = 0;
  hp->shuffle = FALSE;
  hp->learning_rate = json_object_get_double_member (adamw, "learning_rate");
  hp->adam_beta1 = json_object_get_double_member (adamw, "beta1");
  hp->adam_beta2 = json_object_get_double_member (adamw, "beta2");
  hp->adam_epsilon = json_object_get_double_member (adamw, "epsilon");
  hp->weight_decay = json_object_get_double_member (adamw, "weight_decay");
  hp->max_steps = (int) json_object_get_int_member (adamw, "n_steps");
  laurel_hyperparameters_from_json (hp, LAUREL_STAGE_DPO, kind, &error);
  g_assert_no_error (error);
}

static void
assert_curves (const Recorder *recorder, JsonObject *curves)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *node;

  json_object_iter_init (&iter, curves);
  while (json_object_iter_next (&iter, &key, &node)) {
    JsonArray *expected = json_node_get_array (node);
    GArray *series = g_hash_table_lookup (recorder->series, key);
    double worst = 0;

    g_assert_nonnull (series);
    g_assert_cmpuint (series->len, ==, json_array_get_length (expected));
    for (guint i = 0; i < series->len; i++) {
      double mine = g_array_index (series, double, i);
      double theirs = json_array_get_double_element (expected, i);

      worst = MAX (worst, fabs (mine - theirs) / (1 + fabs (theirs)));
    }
    g_test_message ("%s: %.2g off at most", key, worst);
    /* PyTorch computed in float64. Rounding alone leaves up to 2e-6 over 20 steps; five times that
     * still notices decay on a norm, or a pair counted twice. */
    g_assert_cmpfloat (worst, <, 1e-5);
  }
}

static void
test_figures (gconstpointer name)
{
  g_autofree char *folder = g_test_build_filename (G_TEST_DIST, "vectors", "gpt2-tiny", NULL);
  g_autofree char *path = g_build_filename (folder, "dpo.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelModel) model = laurel_model_load (folder, &error);
  g_autoptr (JsonNode) root = laurel_json_load (path, &error);
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  g_autoptr (GPtrArray) comparisons = NULL;
  JsonObject *figures, *kind;
  LaurelHyperparameters hp;

  g_assert_no_error (error);
  figures = json_node_get_object (root);
  kind = json_object_get_object_member (figures, name);
  comparisons = read_rankings (json_object_get_array_member (figures, "rankings"));
  read_settings (json_object_get_object_member (figures, "adamw"),
                 json_object_get_object_member (kind, "settings"), &hp);
  hp.batch_size = (int) comparisons->len;
  g_assert_true (laurel_train_dpo (model, comparisons, &hp, &recorder->monitor, &error));
  g_assert_no_error (error);
  assert_curves (recorder, json_object_get_object_member (kind, "curves"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/dpo/learns-the-rule", test_learns_the_rule);
  g_test_add_func ("/train/dpo/micro-batches", test_micro_batches);
  g_test_add_func ("/train/dpo/refusals", test_refusals);
  g_test_add_data_func ("/train/dpo/figures/sigmoid", "sigmoid", test_figures);
  g_test_add_data_func ("/train/dpo/figures/smoothed", "smoothed", test_figures);
  g_test_add_data_func ("/train/dpo/figures/ipo", "ipo", test_figures);
  return g_test_run ();
}
