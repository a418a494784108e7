/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/project/fixture.h"

#include "core/base/file.h"
#include "core/label/exchange.h"
#include "core/text/template.h"
#include "core/text/tokenizer.h"

#include <math.h>
#include <string.h>

#define N_ROWS 48

static const char *const things[] = { "snow", "grass", "blood", "coal", "milk", "the sky" };
static const char *const colours[] = { "white", "green", "red", "black", "white", "blue" };

static const char config_text[] =
    "{\"architectures\": [\"GPT2LMHeadModel\"], \"model_type\": \"gpt2\", \"vocab_size\": 300,"
    " \"n_positions\": 64, \"n_embd\": 16, \"n_layer\": 2, \"n_head\": 2,"
    " \"activation_function\": \"gelu_new\", \"layer_norm_epsilon\": 1e-05,"
    " \"initializer_range\": 0.02, \"tie_word_embeddings\": true}";

char *
fixture_path (Fixture *self, const char *name)
{
  return g_build_filename (self->folder, name, NULL);
}

void
fixture_write (const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_file_write (path, text, strlen (text), &error));
  g_assert_no_error (error);
}

static void
write_data (Fixture *self)
{
  g_autoptr (GString) corpus = g_string_new (NULL);
  g_autoptr (GString) rows = g_string_new (NULL);
  g_autoptr (GString) prompts = g_string_new (NULL);

  for (int i = 0; i < N_ROWS; i++) {
    const char *thing = things[i % G_N_ELEMENTS (things)];
    const char *colour = colours[i % G_N_ELEMENTS (colours)];

    g_string_append_printf (corpus, "The colour of %s is %s, said number %d.\n\n", thing, colour,
                            i);
    g_string_append_printf (rows,
                            "{\"prompt\": \"%d: colour of %s?\", \"completion\": \"It is %s.\"}\n",
                            i, thing, colour);
    g_string_append_printf (prompts, "{\"prompt\": \"%d: colour of %s?\", \"split\": \"%s\"}\n", i,
                            thing, i % 4 == 3 ? "heldout" : "train");
  }
  fixture_write (self->corpus, corpus->str);
  fixture_write (self->rows, rows->str);
  fixture_write (self->prompts, prompts->str);
}

static void
write_tokenizer (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = laurel_file_read_text (self->corpus, NULL, &error);
  const char *const texts[] = { text };
  const gsize lengths[] = { strlen (text) };
  g_autoptr (LaurelTokenizer) tokenizer =
      laurel_tokenizer_train_bpe (texts, lengths, 1, 300, NULL, NULL, &error);
  g_autofree char *template_path = g_build_filename (self->tokenizer, "chat_template.json", NULL);

  g_assert_no_error (error);
  g_assert_true (laurel_file_make_directory (self->tokenizer, &error));
  g_assert_true (laurel_tokenizer_save (tokenizer, self->tokenizer, &error));
  fixture_write (template_path, "{\"prefix\": \"\", \"prompt\": \"Q: {prompt}\\nA:\","
                                " \"completion\": \" {completion}\"}");
}

void
fixture_set_up (Fixture *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("laurel-test-XXXXXX", &error);
  g_assert_no_error (error);
  self->tokenizer = fixture_path (self, "tokenizer");
  self->config = fixture_path (self, "config.json");
  self->corpus = fixture_path (self, "corpus.txt");
  self->rows = fixture_path (self, "rows.jsonl");
  self->prompts = fixture_path (self, "prompts.jsonl");
  fixture_write (self->config, config_text);
  write_data (self);
  write_tokenizer (self);
}

void
fixture_tear_down (Fixture *self, gconstpointer unused)
{
  g_assert_true (laurel_file_remove_tree (self->folder, NULL));
  g_free (self->folder);
  g_free (self->tokenizer);
  g_free (self->config);
  g_free (self->corpus);
  g_free (self->rows);
  g_free (self->prompts);
}

LaurelProject *
fixture_make_project (Fixture *self, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = fixture_path (self, name);
  LaurelProject *project = laurel_project_create (path, NULL, &error);
  g_autoptr (LaurelImportResult) prompts = NULL;

  g_assert_no_error (error);
  g_assert_true (
      laurel_project_create_model (project, "blank", self->config, self->tokenizer, 1, &error));
  prompts = laurel_import_prompts (laurel_project_get_store (project), self->prompts, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (prompts->n_imported, ==, N_ROWS);
  return project;
}

LaurelTrainRequest
fixture_request (LaurelStage stage, const char *model, const char *output)
{
  LaurelTrainRequest request = { .stage = stage, .model = model, .output = output };
  LaurelHyperparameters *hp = &request.hyperparameters;

  laurel_hyperparameters_init (hp, stage);
  hp->batch_size = 8;
  hp->warmup_steps = 0;
  hp->save_steps = 2;
  hp->max_steps = 6;
  if (laurel_stage_is_online (stage)) {
    hp->max_steps = 2;
    hp->response_length = 8;
    hp->num_ppo_epochs = 2;
    hp->num_mini_batches = 2;
  }
  return request;
}

gint64
fixture_start (LaurelProject *project, const LaurelTrainRequest *request)
{
  g_autoptr (GError) error = NULL;
  gint64 id = laurel_project_start_training (project, request, &error);

  g_assert_no_error (error);
  g_assert_cmpint (id, >, 0);
  return id;
}

gint64
fixture_train (LaurelProject *project, const LaurelTrainRequest *request)
{
  g_autoptr (GError) error = NULL;
  gint64 id = fixture_start (project, request);

  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_no_error (error);
  return id;
}

void
fixture_wait_for_step (LaurelProject *project, int step)
{
  for (;;) {
    g_autoptr (LaurelJobSnapshot) job = laurel_project_get_job (project);

    if (job != NULL && job->step >= step)
      return;
    g_main_context_iteration (NULL, TRUE);
  }
}

double
fixture_metric (LaurelProject *project, gint64 run_id, const char *key, int step)
{
  g_autoptr (GPtrArray) metrics = laurel_store_list_metrics (laurel_project_get_store (project),
                                                             run_id, key, step - 1, NULL);
  const LaurelMetric *metric = metrics->len > 0 ? g_ptr_array_index (metrics, 0) : NULL;

  return metric != NULL && metric->step == step ? metric->value : NAN;
}

void
fixture_assert_same_weights (LaurelProject *project, const char *a, const char *b)
{
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (LaurelModelRecord) x = laurel_store_get_model (store, a, NULL);
  g_autoptr (LaurelModelRecord) y = laurel_store_get_model (store, b, NULL);

  g_assert_cmpstr (x->sha256, ==, y->sha256);
}
