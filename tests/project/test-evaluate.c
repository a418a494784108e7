/* test-evaluate.c: means against closed forms, win rates, and the charts of reports.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/project/evaluate.h"
#include "core/project/evaluate_best_of.h"
#include "core/project/report.h"
#include "core/project/svg.h"

#include <math.h>
#include <string.h>

/* 1, 2, 3, 4: mean 2.5, sample variance 5/3, standard error √(5/12). */
static void
test_mean (void)
{
  const double values[] = { 1, 2, 3, 4 };
  const gint64 prompts[] = { 7, 8, 9, 7 }; /* the second 7 does not follow the first */
  LaurelInterval interval = laurel_interval_mean (values, prompts, 4);

  /* 1e-6: z itself is given to more digits than that. */
  g_assert_cmpfloat_with_epsilon (interval.value, 2.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (interval.high - interval.value, 1.959964 * sqrt (5.0 / 12), 1e-6);
  g_assert_cmpfloat_with_epsilon (interval.value - interval.low, 1.959964 * sqrt (5.0 / 12), 1e-6);
}

static GPtrArray *
make_judged (const double *scores, int n)
{
  GPtrArray *judged = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_judged_free);

  for (int i = 0; i < n; i++) {
    LaurelJudged *row = g_new0 (LaurelJudged, 1);

    row->prompt_id = i + 1;
    row->parts.score = scores[i];
    row->parts.is_harmful = i == 0;
    row->parts.complied = i == 0;
    row->kl = NAN;
    row->n_tokens = i;
    g_ptr_array_add (judged, row);
  }
  return judged;
}

static void
test_win_rate (void)
{
  const double ours[] = { 1, 2, 3, 0 };
  const double theirs[] = { 0, 2, 1, 5 };
  g_autoptr (GPtrArray) a = make_judged (ours, 4);
  g_autoptr (GPtrArray) b = make_judged (theirs, 4);
  g_autoptr (GPtrArray) shorter = make_judged (theirs, 3);
  g_autoptr (GError) error = NULL;
  LaurelEvaluation evaluation;
  LaurelWinRate wins;

  g_assert_true (laurel_evaluate_win_rate (a, b, &wins, &error));
  g_assert_cmpint (wins.n_wins, ==, 2);
  g_assert_cmpint (wins.n_losses, ==, 1);
  g_assert_cmpint (wins.n_ties, ==, 1);
  g_assert_cmpfloat_with_epsilon (wins.win_rate.value, 2.0 / 3, 1e-12);
  g_assert_false (laurel_evaluate_win_rate (a, shorter, &wins, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  laurel_evaluate_summarise (a, &evaluation);
  g_assert_cmpfloat (evaluation.score.value, ==, 1.5);
  g_assert_cmpint (evaluation.complied.n, ==, 1); /* of the harmful one alone */
  g_assert_cmpfloat (evaluation.complied.value, ==, 1);
  g_assert_cmpint (evaluation.right.n, ==, 0);
  g_assert_true (isnan (evaluation.kl.value));
}

static void
assert_same (const LaurelInterval *a, const LaurelInterval *b)
{
  /* 1e-12: a handful of operations on numbers of size 1. */
  g_assert_cmpfloat_with_epsilon (a->value, b->value, 1e-12);
  g_assert_cmpfloat_with_epsilon (a->low, b->low, 1e-12);
  g_assert_cmpfloat_with_epsilon (a->high, b->high, 1e-12);
}

/* To say the same thing four times tells nothing more. */
static void
test_copies (void)
{
  g_autoptr (GPtrArray) judged =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_judged_free);
  g_autoptr (GPtrArray) copies =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_judged_free);
  LaurelEvaluation once, often;

  for (int i = 0; i < 4 * 24; i++) {
    LaurelJudged *row = g_new0 (LaurelJudged, 1);
    int p = i / 4;

    row->prompt_id = p + 1;
    row->parts.score = p % 7;
    row->parts.is_harmful = p % 2 == 0;
    row->parts.complied = p % 6 == 0;
    row->parts.stopped = TRUE;
    row->kl = p % 5;
    row->n_tokens = p;
    g_ptr_array_add (copies, row);
    if (i % 4 == 0)
      g_ptr_array_add (judged, g_memdup2 (row, sizeof *row));
  }
  laurel_evaluate_summarise (judged, &once);
  laurel_evaluate_summarise (copies, &often);
  g_assert_cmpint (often.score.n, ==, 4 * once.score.n);
  assert_same (&often.score, &once.score);
  assert_same (&often.kl, &once.kl);
  assert_same (&often.complied, &once.complied);
  assert_same (&often.stopped, &once.stopped); /* all alike */
  /* One completion a prompt: Wilson's own. */
  g_assert_cmpfloat_with_epsilon (once.complied.high, laurel_wilson_interval (4, 12).high, 1e-12);
}

static LaurelModel *
make_model (const char *text)
{
  const char *texts[] = { text };
  const gsize lengths[] = { strlen (text) };
  LaurelTemplate template = { (char *) "", (char *) "", (char *) "" };
  LaurelModelConfig config = { .vocab_size = 260, .n_positions = 16, .n_embd = 8, .n_layer = 1,
                               .n_head = 2, .n_inner = 16, .layer_norm_epsilon = 1e-5,
                               .initializer_range = 0.02, .tie_word_embeddings = TRUE,
                               .bos_token_id = -1, .eos_token_id = -1, .head = LAUREL_HEAD_LM };
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenizer) tokenizer =
      laurel_tokenizer_train_bpe (texts, lengths, 1, 260, NULL, NULL, &error);
  LaurelModel *model;

  g_assert_no_error (error);
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (tokenizer), ==, 260);
  model = laurel_model_new (&config, tokenizer, &template, 1, &error);
  g_assert_no_error (error);
  return model;
}

/* As many tokens, but other ones: a KL between the two would be a number without a meaning. */
static void
test_other_tokenizer (void)
{
  g_autoptr (LaurelModel) model = make_model ("to be or not to be, to be or not to be");
  g_autoptr (LaurelModel) reference = make_model ("all the world all the world all the world");
  g_autoptr (GPtrArray) prompts = g_ptr_array_new ();
  LaurelPrompt prompt = { .id = 1, .text = (char *) "be" };
  LaurelEvaluationRequest request = { .model = model, .reference = reference, .prompts = prompts };
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (prompts, &prompt);
  request.options = (LaurelSamplingOptions) LAUREL_SAMPLING_DEFAULTS;
  g_assert_null (laurel_evaluate_sample (&request, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  g_assert_nonnull (strstr (error->message, "Could not measure the KL"));
}

/* What is not finite breaks the line in two; a title's markup is text. */
static void
test_chart (void)
{
  const double x[] = { 1, 2, 3, 4 };
  const double y[] = { 0, NAN, 1, 2 };
  const LaurelSvgChart chart = { "a < b", "nats", x, y, 4, 1 };
  const LaurelSvgChart empty = { "empty", "", x, y, 0, NAN };
  g_autoptr (GString) out = g_string_new (NULL);

  laurel_svg_append_chart (out, &chart);
  g_assert_nonnull (strstr (out->str, "a &lt; b, nats"));
  g_assert_nonnull (strstr (out->str, "d=\"M58.0 210.0M"));
  g_assert_nonnull (strstr (out->str, "class=\"reference\""));
  g_assert_null (strstr (out->str, "nan"));
  g_string_truncate (out, 0);
  laurel_svg_append_chart (out, &empty);
  g_assert_nonnull (strstr (out->str, "nothing was measured"));
}

/* Two prompts of four samples. The highest of two has the ranks 2, 3, 4 with 1, 2, 3 of six
 * chances. */
static void
test_best_of (void)
{
  g_autoptr (GPtrArray) judged =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_judged_free);
  LaurelBestOfEstimate estimate;

  for (int p = 0; p < 2; p++) {
    for (int i = 0; i < 4; i++) {
      LaurelJudged *row = g_new0 (LaurelJudged, 1);

      row->proxy = i + 1;
      row->parts.score = p == 0 ? -2 * i : 5; /* the one prompt misleads, the other tells nothing */
      row->parts.is_harmful = p == 1;
      row->parts.complied = p == 1 && i == 3;
      row->n_tokens = 10 * i;
      g_ptr_array_add (judged, row);
    }
  }
  laurel_best_of_estimate (judged, 4, 2, 1, &estimate);
  /* 1e-12: a handful of operations on numbers of size 1. */
  g_assert_cmpfloat_with_epsilon (estimate.proxy.value, 20.0 / 6, 1e-12);
  g_assert_cmpfloat_with_epsilon (estimate.gold.value, (-14.0 / 3 + 5) / 2, 1e-12);
  g_assert_cmpfloat_with_epsilon (estimate.length.value, 10 * 14.0 / 6, 1e-12);
  g_assert_cmpfloat_with_epsilon (estimate.complied.value, 0.5, 1e-12);
  g_assert_cmpint (estimate.complied.n, ==, 1); /* of the harmful prompts */
  g_assert_cmpfloat_with_epsilon (estimate.proxy_win_rate.value, 2.0 / 3, 1e-12);
  /* The misled prompt's best by proxy loses as often as it would have won; the other ties. */
  g_assert_cmpfloat_with_epsilon (estimate.win_rate.value, (1.0 / 3 + 0.5) / 2, 1e-12);
  /* Four outcomes equally likely: 1, 3, 5 and 7 of sixteen. */
  g_assert_cmpfloat_with_epsilon (
      estimate.kl.value,
      (log (0.25) + 3 * log (0.75) + 5 * log (1.25) + 7 * log (1.75)) / 16, 1e-12);
  g_assert_cmpfloat (estimate.kl.value, <, estimate.kl_bound);
  laurel_best_of_estimate (judged, 4, 4, 1, &estimate);
  g_assert_cmpfloat (estimate.proxy.value, ==, 4);
  g_assert_true (isnan (estimate.win_rate.value));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/project/evaluate/mean", test_mean);
  g_test_add_func ("/project/evaluate/win-rate", test_win_rate);
  g_test_add_func ("/project/evaluate/copies", test_copies);
  g_test_add_func ("/project/evaluate/other-tokenizer", test_other_tokenizer);
  g_test_add_func ("/project/report/chart", test_chart);
  g_test_add_func ("/project/evaluate/best-of", test_best_of);
  return g_test_run ();
}
