/* common.c: the project, models and runs, as every command group needs them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/train/train.h"

#include <glib-unix.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t is_interrupted;

static gboolean
is_project (const char *path)
{
  g_autofree char *database = g_build_filename (path, "project.sqlite", NULL);

  return g_file_test (database, G_FILE_TEST_EXISTS);
}

gboolean
laurel_ctl_open_project (LaurelCtl *self, GError **error)
{
  const char *path = laurel_ctl_get (self, "project");

  if (self->project != NULL)
    return TRUE;
  if (path == NULL && !is_project (".")) {
    g_set_error (error, LAUREL_CTL_USAGE, 0,
                 "Could not open a project: none is named and the current folder is none; name one "
                 "with --project");
    return FALSE;
  }
  self->project = laurel_project_open (path != NULL ? path : ".", error);
  return self->project != NULL;
}

char *
laurel_ctl_find_model (LaurelCtl *self, const char *name, GError **error)
{
  g_autofree char *config = g_build_filename (name, "config.json", NULL);

  /* A path works without a project, and is what it says even when the project has a model of that
   * name. */
  if (strchr (name, '/') != NULL
      || (laurel_ctl_get (self, "project") == NULL && !is_project (".")
          && g_file_test (config, G_FILE_TEST_EXISTS)))
    return g_strdup (name);
  if (!laurel_ctl_open_project (self, error))
    return NULL;
  return laurel_project_resolve_model (self->project, name, error);
}

LaurelModel *
laurel_ctl_load_model (LaurelCtl *self, const char *name, GError **error)
{
  g_autofree char *folder = laurel_ctl_find_model (self, name, error);

  return folder != NULL ? laurel_model_load (folder, error) : NULL;
}

/* --- Following a run ------------------------------------------------------------- */

typedef struct {
  LaurelCtl *ctl;
  const char *what;
  gint64 run_id;
  gboolean prints_log;
  guint n_printed; /* lines of the run's log */
} Following;

/* What the run had to say since the last time. */
static void
print_log (Following *self)
{
  LaurelStore *store = laurel_project_get_store (self->ctl->project);
  g_autoptr (GPtrArray) log =
      self->prints_log ? laurel_store_list_log (store, self->run_id, NULL) : NULL;

  if (log == NULL || self->n_printed >= log->len)
    return;
  laurel_ctl_hide_progress (self->ctl);
  for (; self->n_printed < log->len; self->n_printed++)
    printf ("%s\n", (const char *) g_ptr_array_index (log, self->n_printed));
  fflush (stdout);
}

static void
job_changed_cb (LaurelProject *project, gpointer user_data)
{
  Following *following = user_data;
  g_autoptr (LaurelJobSnapshot) job = laurel_project_get_job (project);

  if (job != NULL && job->message[0] != '\0')
    print_log (following);
  if (job != NULL && job->n_steps > 0)
    laurel_ctl_show_progress (following->ctl, following->what, (double) job->step / job->n_steps,
                              job->seconds_left);
}

static gboolean
interrupt_cb (gpointer user_data)
{
  LaurelCtl *ctl = user_data;

  laurel_ctl_hide_progress (ctl);
  if (!ctl->quiet)
    fputs ("laurelctl: stopping at the next step, with a checkpoint\n", stderr);
  laurel_project_stop_job (ctl->project);
  return G_SOURCE_CONTINUE;
}

static gboolean
wait_run (Following *following, GError **error)
{
  LaurelCtl *self = following->ctl;
  gulong handler =
      g_signal_connect (self->project, "job-changed", G_CALLBACK (job_changed_cb), following);
  guint interrupt = g_unix_signal_add (SIGINT, interrupt_cb, self);
  guint terminate = g_unix_signal_add (SIGTERM, interrupt_cb, self);
  gboolean ok = laurel_project_wait (self->project, following->run_id, error);

  g_source_remove (interrupt);
  g_source_remove (terminate);
  g_signal_handler_disconnect (self->project, handler);
  laurel_ctl_hide_progress (self);
  print_log (following);
  return ok;
}

gboolean
laurel_ctl_wait_run (LaurelCtl *self, gint64 run_id, const char *what, GError **error)
{
  Following following = { self, what, run_id, FALSE, 0 };

  return wait_run (&following, error);
}

static void
print_run_id (LaurelCtl *self, gint64 run_id)
{
  if (self->json)
    printf ("{\"run\":%" G_GINT64_FORMAT "}\n", run_id);
  else
    printf ("run %" G_GINT64_FORMAT "\n", run_id);
  fflush (stdout);
}

static double
last_metric (LaurelStore *store, gint64 run_id, const char *key)
{
  g_autoptr (GPtrArray) metrics = laurel_store_list_metrics (store, run_id, key, -1, NULL);

  if (metrics == NULL || metrics->len == 0)
    return NAN;
  return ((LaurelMetric *) g_ptr_array_index (metrics, metrics->len - 1))->value;
}

/* The newest value of each metric: what the run came to. */
static void
print_outcome (LaurelCtl *self, const LaurelRun *run)
{
  LaurelStore *store = laurel_project_get_store (self->project);
  g_auto (GStrv) keys = laurel_store_list_metric_keys (store, run->id, NULL);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!self->json) {
    gboolean made = run->status == LAUREL_RUN_DONE && run->output != NULL && run->output[0] != '\0';

    printf ("%s: %d steps%s%s\n", laurel_run_status_to_string (run->status), run->step,
            made ? ", model " : "", made ? run->output : "");
    for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
      printf ("  %-28s %.6g\n", keys[i], last_metric (store, run->id, keys[i]));
    return;
  }
  json_builder_begin_object (builder);
  laurel_json_add_int (builder, "run", run->id);
  laurel_json_add_string (builder, "status", laurel_run_status_to_string (run->status));
  laurel_json_add_int (builder, "steps", run->step);
  laurel_json_add_string (builder, "output", run->output);
  json_builder_set_member_name (builder, "metrics");
  json_builder_begin_object (builder);
  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    laurel_json_add_double (builder, keys[i], last_metric (store, run->id, keys[i]));
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  laurel_ctl_print_builder (builder);
}

gboolean
laurel_ctl_follow_run (LaurelCtl *self, gint64 run_id, GError **error)
{
  LaurelStore *store = laurel_project_get_store (self->project);
  g_autoptr (LaurelRun) run = laurel_store_get_run (store, run_id, error);
  g_autoptr (GPtrArray) log = run != NULL ? laurel_store_list_log (store, run_id, error) : NULL;
  Following following = { self, "", run_id, !self->json && !self->quiet, 0 };
  g_autofree char *what = NULL;
  gboolean ok;

  if (log == NULL)
    return FALSE;
  what = g_strdup (run->kind);
  following.what = what;
  following.n_printed = run->step > 0 ? log->len : 0; /* a resumed run says nothing twice */
  print_run_id (self, run_id);
  ok = wait_run (&following, error);
  laurel_run_free (g_steal_pointer (&run));
  run = laurel_store_get_run (store, run_id, NULL);
  if (run != NULL)
    print_outcome (self, run);
  return ok;
}

/* --- Small things ------------------------------------------------------------------- */

gboolean
laurel_ctl_get_labelers (LaurelCtl *self, LaurelLabelers *labelers, GError **error)
{
  const char *text = laurel_ctl_get (self, "labelers");

  return text == NULL || laurel_labelers_from_string (text, labelers, error);
}

static void
note_interrupt (int number)
{
  is_interrupted = 1;
}

void
laurel_ctl_catch_interrupts (void)
{
  struct sigaction action = { .sa_handler = note_interrupt, .sa_flags = (int) SA_RESETHAND };

  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
}

gboolean
laurel_ctl_go_on (void)
{
  return !is_interrupted;
}

/* --- Id arrays ---------------------------------------------------------------------- */

static LaurelSequence *
read_sequence (
    JsonNode *node, guint number, const char *path, const LaurelModel *model, GError **error)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  guint n = array != NULL ? json_array_get_length (array) : 0;
  g_autofree gint32 *tokens = NULL;

  if (n < 1 || n > (guint) model->config.n_positions) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use “%s”: item %u is no array of 1 to %d token ids; correct it", path,
                 number, model->config.n_positions);
    return NULL;
  }
  tokens = g_new (gint32, n);
  for (guint i = 0; i < n; i++) {
    JsonNode *item = json_array_get_element (array, i);
    gint64 id = JSON_NODE_HOLDS_VALUE (item) && json_node_get_value_type (item) == G_TYPE_INT64
                    ? json_node_get_int (item)
                    : -1;

    if (id < 0 || id >= model->config.vocab_size) {
      g_set_error (
          error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
          "Could not use “%s”: item %u of array %u is no token of this model; ids go from 0 to %d",
          path, i + 1, number, model->config.vocab_size - 1);
      return NULL;
    }
    tokens[i] = (gint32) id;
  }
  return laurel_sequence_new (tokens, (int) n, 0);
}

GPtrArray *
laurel_ctl_read_id_arrays (const char *path, const LaurelModel *model, GError **error)
{
  g_autofree char *text = laurel_ctl_read_input (path, NULL, error);
  g_autoptr (JsonNode) node = text != NULL ? laurel_json_parse (text, path, error) : NULL;
  g_autoptr (GPtrArray) sequences = NULL;
  JsonArray *arrays;

  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_ARRAY (node)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use “%s”: it is no JSON array of arrays of token ids; write one array "
                 "a sequence",
                 path);
    return NULL;
  }
  arrays = json_node_get_array (node);
  sequences = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);
  for (guint i = 0; i < json_array_get_length (arrays); i++) {
    LaurelSequence *sequence =
        read_sequence (json_array_get_element (arrays, i), i + 1, path, model, error);

    if (sequence == NULL)
      return NULL;
    g_ptr_array_add (sequences, sequence);
  }
  return g_steal_pointer (&sequences);
}
