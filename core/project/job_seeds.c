/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/job_seeds.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/project/internal.h"
#include "core/train/comparison.h"
#include "core/train/state.h"

#include <glib/gstdio.h>
#include <math.h>

/* Written last: where it is, the seed is done. */
#define RESULT_NAME "result.json"
#define MODEL_NAME "model"

/* One seed: its folder, what its monitor passes on and what it remembers. */
typedef struct {
  LaurelJob *job;
  char *folder;
  LaurelHyperparameters hp;
  int number;   /* from 1 */
  int n_seeds;
  int first_step; /* steps of the seeds before it */
  int n_steps;
  double accuracy; /* the last eval/accuracy; NaN: none */
  double loss;
} Seed;

static void
seed_init (Seed *self, LaurelJob *job, const LaurelHyperparameters *hp, int number, int first_step)
{
  g_autofree char *name = g_strdup_printf (LAUREL_METRIC_SEED_PREFIX "%d", number);

  *self = (Seed) { .job = job, .hp = *hp, .number = number, .first_step = first_step };
  self->folder = g_build_filename (job->folder, name, NULL);
  self->n_seeds = hp->num_seeds;
  self->accuracy = self->loss = NAN;
  self->hp.split_seed = laurel_comparison_split_seed (hp);
  self->hp.seed = hp->seed + number - 1;
  self->hp.num_seeds = 1;
}

static void
seed_clear (Seed *self)
{
  g_clear_pointer (&self->folder, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Seed, seed_clear)

/* --- What a seed reports ------------------------------------------------------------- */

static void
metric_cb (gpointer user_data, int step, const char *key, double value)
{
  Seed *self = user_data;
  const LaurelMonitor *monitor = &self->job->monitor;
  g_autofree char *own = g_strdup_printf (LAUREL_METRIC_SEED_PREFIX "%d/%s", self->number, key);

  monitor->metric (monitor->user_data, self->first_step + step, own, value);
}

static void
progress_cb (gpointer user_data, int step, int n_steps)
{
  Seed *self = user_data;
  const LaurelMonitor *monitor = &self->job->monitor;

  self->n_steps = n_steps;
  monitor->progress (monitor->user_data, self->first_step + step,
                     self->first_step + n_steps * (self->n_seeds - self->number + 1));
}

static void
log_cb (gpointer user_data, const char *line)
{
  Seed *self = user_data;
  g_autofree char *own = g_strdup_printf ("Seed %d: %s", self->number, line);

  self->job->monitor.log (self->job->monitor.user_data, own);
}

static LaurelVerdict
poll_cb (gpointer user_data)
{
  Seed *self = user_data;

  return self->job->monitor.poll (self->job->monitor.user_data);
}

static gboolean
sync_cb (gpointer user_data, GError **error)
{
  Seed *self = user_data;

  return self->job->monitor.sync (self->job->monitor.user_data, error);
}

/* The last value of @key, which may be from before a resume; NaN: there is none. */
static gboolean
find_metric (const Seed *self, const char *key, double *out, GError **error)
{
  LaurelJob *job = self->job;
  g_autofree char *own = g_strdup_printf (LAUREL_METRIC_SEED_PREFIX "%d/%s", self->number, key);
  g_autoptr (GPtrArray)
      metrics = laurel_store_list_metrics (job->store, job->run->id, own, -1, error);

  if (metrics == NULL)
    return FALSE;
  *out = NAN;
  if (metrics->len > 0)
    *out = ((const LaurelMetric *) g_ptr_array_index (metrics, metrics->len - 1))->value;
  return TRUE;
}

/* --- What a seed leaves behind --------------------------------------------------------- */

static char *
seed_path (const Seed *self, const char *name)
{
  return g_build_filename (self->folder, name, NULL);
}

static gboolean
write_result (const Seed *self, GError **error)
{
  g_autofree char *path = seed_path (self, RESULT_NAME);
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_alloc ();
  g_autofree char *text = NULL;

  json_object_set_int_member (object, "seed", self->hp.seed);
  json_object_set_int_member (object, "steps", self->n_steps);
  json_object_set_double_member (object, "accuracy", self->accuracy);
  json_object_set_double_member (object, "loss", self->loss);
  json_node_init_object (node, object);
  text = laurel_json_to_string (node, TRUE);
  return laurel_file_write (path, text, strlen (text), error);
}

/* FALSE without an error: the seed is not done. */
static gboolean
read_result (Seed *self, GError **error)
{
  g_autofree char *path = seed_path (self, RESULT_NAME);
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object;
  gint64 n_steps = 0;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return FALSE;
  node = laurel_json_load (path, error);
  if (node == NULL)
    return FALSE;
  object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  if (object == NULL || !json_object_has_member (object, "accuracy")
      || !json_object_has_member (object, "loss")) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not go on with seed %d: “%s” does not say how accurate its model is; "
                 "start a new run",
                 self->number, path);
    return FALSE;
  }
  if (!laurel_json_get_int (object, path, "steps", 1, G_MAXINT, &n_steps, error)
      || !laurel_json_get_double (object, path, "accuracy", &self->accuracy, error)
      || !laurel_json_get_double (object, path, "loss", &self->loss, error))
    return FALSE;
  self->n_steps = (int) n_steps;
  return TRUE;
}

static gboolean
save_seed (const Seed *self, const LaurelModel *model, GError **error)
{
  g_autofree char *folder = seed_path (self, MODEL_NAME);
  g_autofree char *checkpoint = seed_path (self, LAUREL_CHECKPOINT_NAME);

  if (!laurel_model_save (model, folder, LAUREL_DTYPE_F32, error)
      || !laurel_store_sync (self->job->store, error) || !write_result (self, error))
    return FALSE;
  (void) g_unlink (checkpoint); /* three times the size of the model */
  return TRUE;
}

/* --- Training ------------------------------------------------------------------------- */

static gboolean
measure_seed (Seed *self, GError **error)
{
  const LaurelMonitor *monitor = &self->job->monitor;
  int last_step = self->first_step + self->n_steps;

  if (!find_metric (self, "eval/accuracy", &self->accuracy, error)
      || !find_metric (self, "eval/loss", &self->loss, error))
    return FALSE;
  if (!isnan (self->accuracy) && !isnan (self->loss)) {
    monitor->metric (monitor->user_data, last_step, "seeds/accuracy", self->accuracy);
    monitor->metric (monitor->user_data, last_step, "seeds/loss", self->loss);
    return TRUE;
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not compare the seeds: seed %d has no accuracy on held-out prompts; "
               "raise eval_split or rank more prompts",
               self->number);
  return FALSE;
}

static gboolean
train_seed (Seed *self, const LaurelModel *base, const LaurelTrainData *data, GError **error)
{
  LaurelJob *job = self->job;
  LaurelMonitor monitor = { .user_data = self,
                            .metric = metric_cb,
                            .progress = progress_cb,
                            .log = log_cb,
                            .poll = poll_cb,
                            .sync = sync_cb,
                            .checkpoint_dir = self->folder };
  g_autoptr (LaurelModel) model = NULL;
  int step = 0;

  if (job->resume
      && !laurel_job_go_back (job, self->folder, self->first_step, &step, error))
    return FALSE;
  monitor.resume = step > 0;
  self->n_steps = step; /* where it was the last one already */
  model = laurel_model_with_head (base, LAUREL_HEAD_SCORE, (guint64) self->hp.seed, error);
  return model != NULL
         && laurel_train_reward (model, data->comparisons, base, data->prompts, &self->hp, &monitor,
                                 error)
         && measure_seed (self, error) && save_seed (self, model, error);
}
static gboolean
has_held_out (const LaurelTrainData *data, const LaurelHyperparameters *hp, GError **error)
{
  for (guint i = 0; i < data->comparisons->len; i++) {
    const LaurelComparison *comparison = g_ptr_array_index (data->comparisons, i);

    if (laurel_comparison_is_held_out (hp, comparison->prompt_id))
      return TRUE;
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not train %d seeds: of %u rankings none is of a held-out prompt to compare "
               "the models on; raise eval_split or rank more prompts",
               hp->num_seeds, data->comparisons->len);
  return FALSE;
}

static gboolean
is_better (const Seed *self, const Seed *other)
{
  if (self->accuracy != other->accuracy)
    return self->accuracy > other->accuracy;
  return self->loss < other->loss;
}

static void
report_seeds (LaurelJob *job, const Seed *seeds, int n, int best)
{
  const LaurelMonitor *monitor = &job->monitor;
  int last_step = seeds[n - 1].first_step + seeds[n - 1].n_steps;
  g_autoptr (GString) line = g_string_new (NULL);
  double mean = 0, squares = 0;

  for (int k = 0; k < n; k++) {
    mean += seeds[k].accuracy / n;
    g_string_append_printf (line, "%s%.3f", k > 0 ? ", " : "", seeds[k].accuracy);
  }
  for (int k = 0; k < n; k++)
    squares += (seeds[k].accuracy - mean) * (seeds[k].accuracy - mean);
  g_string_append_printf (line, "; mean %.3f, deviation %.3f. Kept seed %d of %d.", mean,
                          sqrt (squares / (n - 1)), best + 1, n);
  g_string_prepend (line, "Held-out accuracy by seed: ");
  monitor->metric (monitor->user_data, last_step, "seeds/kept", best + 1);
  monitor->log (monitor->user_data, line->str);
}

static gboolean
run_seed (Seed *self, const LaurelModel *base, const LaurelTrainData *data, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (self->job->resume && read_result (self, &local))
    return TRUE;
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return train_seed (self, base, data, error);
}

LaurelModel *
laurel_job_train_seeds (LaurelJob *job,
                        const LaurelModel *base,
                        const LaurelTrainData *data,
                        const LaurelHyperparameters *hp,
                        GError **error)
{
  g_autofree Seed *seeds = g_new0 (Seed, hp->num_seeds);
  g_autofree char *folder = NULL;
  int first_step = 0, best = 0;
  gboolean ok = has_held_out (data, hp, error);

  for (int k = 0; k < hp->num_seeds && ok; k++) {
    seed_init (&seeds[k], job, hp, k + 1, first_step);
    ok = run_seed (&seeds[k], base, data, error);
    first_step += seeds[k].n_steps;
    if (is_better (&seeds[k], &seeds[best]))
      best = k;
  }
  if (ok) {
    report_seeds (job, seeds, hp->num_seeds, best);
    folder = seed_path (&seeds[best], MODEL_NAME);
  }
  for (int k = 0; k < hp->num_seeds; k++)
    seed_clear (&seeds[k]);
  return ok ? laurel_model_load (folder, error) : NULL;
}

void
laurel_job_remove_seeds (const char *folder, int n_seeds)
{
  for (int k = 1; k <= n_seeds; k++) {
    g_autofree char *name = g_strdup_printf (LAUREL_METRIC_SEED_PREFIX "%d", k);
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      (void) laurel_file_remove_tree (path, NULL);
  }
}
