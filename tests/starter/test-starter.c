/* test-starter.c: the starter world's generator keeps its promises.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/label/judge.h"
#include "core/model/config.h"
#include "core/text/template.h"
#include "core/train/hyperparameters.h"

#include <string.h>

/* Runs the generator into a new folder. */
static char *
generate (const char *seed, gboolean corpus)
{
  char *dir = g_dir_make_tmp ("laurel-starter-XXXXXX", NULL);
  const char *argv[] = {
    LAUREL_STARTER_GENERATE, dir, "--seed", seed, corpus ? NULL : "--no-corpus", NULL,
  };
  g_autoptr (GError) error = NULL;
  int status = -1;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                &status, &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, NULL));
  return dir;
}

static char *
read_file (const char *dir, const char *name, gsize *out_length)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = laurel_file_read_text (path, out_length, &error);

  g_assert_no_error (error);
  return text;
}

static char *
starter_folder (void)
{
  return g_test_build_filename (G_TEST_DIST, "..", "data", "starter", NULL);
}

static void
assert_same_file (const char *dir, const char *other, const char *name)
{
  gsize n, m;
  g_autofree char *a = read_file (dir, name, &n);
  g_autofree char *b = read_file (other, name, &m);

  if (n != m || memcmp (a, b, n) != 0)
    g_error ("%s differs; generate data/starter again and commit what changed", name);
}

/* What is committed is what the generator writes. */
static void
test_starter_committed (void)
{
  g_autofree char *dir = generate ("1", FALSE);
  g_autofree char *committed = starter_folder ();

  assert_same_file (dir, committed, "prompts.jsonl");
  assert_same_file (dir, committed, "judge.json");
  assert_same_file (dir, committed, "demonstrations.jsonl");
  g_assert_true (laurel_file_remove_tree (dir, NULL));
}

static void
test_starter_deterministic (void)
{
  g_autofree char *first = generate ("7", TRUE);
  g_autofree char *second = generate ("7", TRUE);
  g_autofree char *third = generate ("8", FALSE);
  g_autofree char *a = read_file (first, "demonstrations.jsonl", NULL);
  g_autofree char *b = read_file (third, "demonstrations.jsonl", NULL);

  assert_same_file (first, second, "corpus.txt");
  assert_same_file (first, second, "demonstrations.jsonl");
  assert_same_file (first, second, "prompts.jsonl");
  g_assert_cmpstr (a, !=, b);
  g_assert_true (laurel_file_remove_tree (first, NULL));
  g_assert_true (laurel_file_remove_tree (second, NULL));
  g_assert_true (laurel_file_remove_tree (third, NULL));
}

static gboolean
collect_split (JsonObject *row, guint number, gpointer data, GError **error)
{
  GHashTable **splits = data;
  const char *split = json_object_get_string_member (row, "split");
  char *prompt = g_strdup (json_object_get_string_member (row, "prompt"));

  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (row, "tags")), ==, 1);
  if (!g_str_equal (split, "train"))
    g_assert_cmpstr (split, ==, "heldout");
  g_assert_true (g_hash_table_add (splits[g_str_equal (split, "heldout")], prompt));
  return TRUE;
}

/* @splits: training and held-out prompts. */
static void
load_splits (const char *dir, GHashTable **splits)
{
  g_autofree char *path = g_build_filename (dir, "prompts.jsonl", NULL);
  g_autoptr (GPtrArray) errors = g_ptr_array_new ();

  splits[0] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  splits[1] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_assert_true (laurel_jsonl_foreach (path, collect_split, splits, errors, NULL));
  g_assert_cmpuint (errors->len, ==, 0);
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
  g_autofree char *dir = starter_folder ();
  g_autofree char *demonstrations = g_build_filename (dir, "demonstrations.jsonl", NULL);
  g_autoptr (GPtrArray) errors = g_ptr_array_new ();
  GHashTable *splits[2];
  GHashTableIter iter;
  gpointer prompt;

  load_splits (dir, splits);
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
  g_autofree char *dir = starter_folder ();
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
  g_autofree char *dir = starter_folder ();
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

/* Adds the sentences of @line to @sentences. */
static void
add_sentences (GHashTable *sentences, const char *line)
{
  const char *begin = line;

  begin += g_str_has_prefix (begin, "User: ") ? strlen ("User: ") : 0;
  begin += g_str_has_prefix (begin, "Assistant: ") ? strlen ("Assistant: ") : 0;
  for (const char *p = begin; *p != '\0'; p++) {
    if (strchr (".!?", *p) != NULL && (p[1] == ' ' || p[1] == '\0')) {
      g_hash_table_add (sentences, g_strndup (begin, (gsize) (p - begin) + 1));
      begin = p[1] == ' ' ? p + 2 : p + 1;
    }
  }
}

/* The corpus: documents between blank lines, many different sentences, none of the
 * held-out questions, and the form in which a model will be asked. */
static void
test_starter_corpus (void)
{
  g_autofree char *dir = generate ("1", TRUE);
  g_autofree char *text = read_file (dir, "corpus.txt", NULL);
  g_autoptr (GHashTable) sentences = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *committed = starter_folder ();
  GHashTable *splits[2];
  guint n_questions = 0;

  load_splits (committed, splits);
  for (char **line = lines; *line != NULL; line++) {
    g_assert_null (strchr (*line, '{'));
    if (g_str_has_prefix (*line, "User: ")) {
      n_questions++;
      g_assert_false (g_hash_table_contains (splits[1], *line + strlen ("User: ")));
    }
    add_sentences (sentences, *line);
  }
  g_test_message ("%u sentences, %u questions", g_hash_table_size (sentences), n_questions);
  g_assert_cmpuint (g_hash_table_size (sentences), >=, 300000);
  g_assert_cmpuint (n_questions, >=, 30000);
  g_assert_null (strstr (text, "\n\n\n"));
  g_hash_table_unref (splits[0]);
  g_hash_table_unref (splits[1]);
  g_assert_true (laurel_file_remove_tree (dir, NULL));
}

/* The recipe's settings are settings of their stages, within their ranges. */
static void
test_starter_recipe (void)
{
  for (int stage = 0; stage < LAUREL_N_STAGES; stage++) {
    g_autofree char *name = g_strdup_printf ("%s.json", laurel_stage_name (stage));
    g_autofree char *dir = starter_folder ();
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
  g_autofree char *dir = starter_folder ();
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
  g_autofree char *dir = starter_folder ();
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
