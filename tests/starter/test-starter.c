/* test-starter.c: the starter world's generator keeps its promises.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/label/judge.h"
#include "core/model/config.h"
#include "core/text/template.h"
#include "core/train/hyperparameters.h"
#include "tests/starter/fixture.h"

/* What is committed is what the generator writes. */
static void
test_starter_committed (void)
{
  g_autofree char *dir = fixture_generate ("1", 0);
  g_autofree char *committed = fixture_starter_folder ();

  fixture_assert_same_file (dir, committed, "prompts.jsonl");
  fixture_assert_same_file (dir, committed, "judge.json");
  fixture_assert_same_file (dir, committed, "demonstrations.jsonl");
  g_assert_true (laurel_file_remove_tree (dir, NULL));
}

static void
test_starter_deterministic (void)
{
  g_autofree char *first = fixture_generate ("7", 1);
  g_autofree char *second = fixture_generate ("7", 1);
  g_autofree char *third = fixture_generate ("8", 0);
  g_autofree char *a = fixture_read_file (first, "demonstrations.jsonl", NULL);
  g_autofree char *b = fixture_read_file (third, "demonstrations.jsonl", NULL);

  fixture_assert_same_file (first, second, "corpus.txt");
  fixture_assert_same_file (first, second, "demonstrations.jsonl");
  fixture_assert_same_file (first, second, "prompts.jsonl");
  g_assert_cmpstr (a, !=, b);
  g_assert_true (laurel_file_remove_tree (first, NULL));
  g_assert_true (laurel_file_remove_tree (second, NULL));
  g_assert_true (laurel_file_remove_tree (third, NULL));
}

static gboolean
check_demonstration (JsonObject *row, guint number, gpointer data, GError **error)
{
  g_assert_false (g_hash_table_contains (data, json_object_get_string_member (row, "prompt")));
  return TRUE;
}

static void
test_starter_splits (void)
{
  g_autofree char *dir = fixture_starter_folder ();
  g_autofree char *demonstrations = g_build_filename (dir, "demonstrations.jsonl", NULL);
  g_autoptr (GPtrArray) errors = g_ptr_array_new ();
  GHashTable *splits[2];
  GHashTableIter iter;
  gpointer prompt;

  fixture_load_splits (dir, splits);
  g_assert_cmpuint (g_hash_table_size (splits[0]), >=, 350);
  g_assert_cmpuint (g_hash_table_size (splits[1]), >=, 250);
  g_hash_table_iter_init (&iter, splits[0]);
  while (g_hash_table_iter_next (&iter, &prompt, NULL))
    g_assert_false (g_hash_table_contains (splits[1], prompt));
  g_assert_true (
    laurel_jsonl_foreach (demonstrations, check_demonstration, splits[1], errors, NULL));
  g_assert_cmpuint (errors->len, ==, 0);
  g_hash_table_unref (splits[0]);
  g_hash_table_unref (splits[1]);
}

/* Every prompt is judged as what it is tagged with. */
static gboolean
check_tag (JsonObject *row, guint number, gpointer data, GError **error)
{
  const char *tag = json_array_get_string_element (json_object_get_array_member (row, "tags"), 0);
  const char *prompt = json_object_get_string_member (row, "prompt");
  LaurelVerdictParts parts;
  gboolean fits;

  laurel_judge_score (data, prompt, "Well.", TRUE, &parts);
  if (g_str_equal (tag, "harmful"))
    fits = parts.is_harmful;
  else if (g_str_equal (tag, "sums"))
    fits = g_str_equal (parts.kind, "sum");
  else if (g_str_equal (tag, "facts"))
    fits = parts.is_fact && !g_str_equal (parts.kind, "sum");
  else if (g_str_equal (tag, "weather"))
    fits = g_str_equal (parts.kind, "weather");
  else
    fits = !parts.is_harmful && !parts.is_fact && !g_str_equal (parts.kind, "other")
           && !g_str_equal (parts.kind, "weather");
  if (!fits)
    g_error ("prompts.jsonl row %u: “%s” is tagged %s and judged as %s", number, prompt, tag,
             parts.kind);
  return TRUE;
}

static LaurelJudge *
load_judge (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "judge.json", NULL);
  g_autoptr (GError) error = NULL;
  LaurelJudge *judge = laurel_judge_load (path, &error);

  g_assert_no_error (error);
  return judge;
}

static void
test_starter_tags (void)
{
  g_autofree char *dir = fixture_starter_folder ();
  g_autofree char *path = g_build_filename (dir, "prompts.jsonl", NULL);
  g_autoptr (LaurelJudge) judge = load_judge (dir);
  g_autoptr (GPtrArray) errors = g_ptr_array_new ();

  g_assert_true (laurel_jsonl_foreach (path, check_tag, judge, errors, NULL));
  g_assert_cmpuint (errors->len, ==, 0);
}

typedef struct {
  LaurelJudge *judge;
  int n, n_mistakes, n_harmful, n_complied, n_facts, n_right, n_stopped, n_other, n_rude;
  double sum;
} Statistics;

/* No good answer is worth less than 1 to the starter's judge. */
#define LEAST_GOOD 0.85

static gboolean
add_row (JsonObject *row, guint number, gpointer data, GError **error)
{
  Statistics *s = data;
  const char *prompt = json_object_get_string_member (row, "prompt");
  const char *completion = json_object_get_string_member (row, "completion");
  LaurelVerdictParts parts;

  s->sum += laurel_judge_score (s->judge, prompt, completion, TRUE, &parts);
  s->n++;
  s->n_mistakes += parts.score < LEAST_GOOD || parts.rambling;
  s->n_harmful += parts.is_harmful;
  s->n_complied += parts.complied;
  s->n_facts += parts.is_fact;
  s->n_right += parts.fact_right;
  s->n_stopped += parts.stopped;
  s->n_rude += parts.rude;
  s->n_other += g_str_equal (parts.kind, "other");
  if (g_test_verbose () && parts.score < LEAST_GOOD)
    g_test_message ("%.2f %s | %s | %s", parts.score, parts.kind, prompt, completion);
  return TRUE;
}

static void
assert_between (const char *what, double share, double low, double high)
{
  g_test_message ("%s: %.3f", what, share);
  if (share < low || share > high)
    g_error ("%s: %.3f is not between %.2f and %.2f", what, share, low, high);
}

/* The bands are what a supervised model should get wrong: enough to rank and to
 * mend, not so much that it has nothing right to find. */
static void
test_starter_mixture (void)
{
  g_autofree char *dir = fixture_starter_folder ();
  g_autofree char *path = g_build_filename (dir, "demonstrations.jsonl", NULL);
  g_autoptr (LaurelJudge) judge = load_judge (dir);
  g_autoptr (GPtrArray) errors = g_ptr_array_new ();
  Statistics s = { judge };

  g_assert_true (laurel_jsonl_foreach (path, add_row, &s, errors, NULL));
  g_assert_cmpuint (errors->len, ==, 0);
  g_assert_cmpint (s.n, >=, 11000);
  g_assert_cmpint (s.n_other, ==, 0);
  g_test_message ("mean score: %.3f", s.sum / s.n);
  assert_between ("mistakes", (double) s.n_mistakes / s.n, 0.25, 0.45);
  assert_between ("harmful rows complied", (double) s.n_complied / s.n_harmful, 0.30, 0.45);
  assert_between ("facts right", (double) s.n_right / s.n_facts, 0.55, 0.75);
  assert_between ("rude", (double) s.n_rude / s.n, 0.02, 0.10);
  assert_between ("stopped", (double) s.n_stopped / s.n, 0.90, 0.99);
}

/* The form of the corpus, of which the whole is test-whole-corpus.c's. A megabyte has its share of
 * the whole's sentences and questions, and more sentences that are different. */
static void
test_starter_corpus (void)
{
  g_autofree char *dir = fixture_generate ("1", 1);
  guint n_sentences, n_questions;

  fixture_check_corpus (dir, &n_sentences, &n_questions);
  g_assert_cmpuint (n_sentences, >=, 300000 / 24);
  g_assert_cmpuint (n_questions, >=, 30000 / 24);
  g_assert_true (laurel_file_remove_tree (dir, NULL));
}

/* The recipe's settings are settings of their stages, within their ranges. */
static void
test_starter_recipe (void)
{
  static const LaurelStage stages[] = { LAUREL_STAGE_PRETRAIN, LAUREL_STAGE_SFT,
                                        LAUREL_STAGE_REWARD, LAUREL_STAGE_PPO };

  for (gsize i = 0; i < G_N_ELEMENTS (stages); i++) {
    LaurelStage stage = stages[i];
    g_autofree char *name = g_strdup_printf ("%s.json", laurel_stage_name (stage));
    g_autofree char *dir = fixture_starter_folder ();
    g_autofree char *path = g_build_filename (dir, "recipe", name, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = laurel_json_load (path, &error);
    LaurelHyperparameters hp;

    g_assert_no_error (error);
    laurel_hyperparameters_init (&hp, stage);
    laurel_hyperparameters_from_json (&hp, stage, json_node_get_object (node), &error);
    g_assert_no_error (error);
    laurel_hyperparameters_validate (&hp, stage, &error);
    g_assert_no_error (error);
    g_assert_cmpint (hp.seed, ==, 1);
  }
}

static void
test_starter_model (void)
{
  g_autofree char *dir = fixture_starter_folder ();
  g_autofree char *path = g_build_filename (dir, "recipe", "model.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = laurel_json_load (path, &error);
  LaurelModelConfig config;

  g_assert_no_error (error);
  laurel_model_config_from_json (&config, json_node_get_object (node), path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (config.n_layer, ==, 4);
  g_assert_cmpint (config.n_embd, ==, 256);
  g_assert_cmpint (config.vocab_size, ==, 2048);
}

/* The template is the form of talk that the corpus has. */
static void
test_starter_template (void)
{
  g_autofree char *dir = fixture_starter_folder ();
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTemplate) template = laurel_template_load (dir, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (template->prompt_before, ==, "User: ");
  g_assert_cmpstr (template->prompt_after, ==, "\nAssistant:");
  g_assert_cmpstr (template->completion_before, ==, " ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/starter/committed", test_starter_committed);
  g_test_add_func ("/starter/deterministic", test_starter_deterministic);
  g_test_add_func ("/starter/splits", test_starter_splits);
  g_test_add_func ("/starter/tags", test_starter_tags);
  g_test_add_func ("/starter/mixture", test_starter_mixture);
  g_test_add_func ("/starter/corpus", test_starter_corpus);
  g_test_add_func ("/starter/recipe", test_starter_recipe);
  g_test_add_func ("/starter/model", test_starter_model);
  g_test_add_func ("/starter/template", test_starter_template);
  return g_test_run ();
}
