/* trainer.c: the trainer thread, its commands and its snapshots.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/trainer.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/sync.h"
#include "core/project/watch.h"

#include <glib/gstdio.h>
#include <math.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How far below the desktop the engine's threads run (nice levels). */
#define TRAINER_NICENESS 10
/* How often a running job looks for a stop file of another process. */
#define STOP_FILE_INTERVAL (G_USEC_PER_SEC / 2)

typedef struct {
  LaurelCommandKind kind;
  gint64 run_id;
  gboolean resume;
} LaurelCommand;

struct _LaurelTrainer {
  char *project_path;
  LaurelNewsFunc func;
  gpointer user_data;
  GMainContext *context;
  GThread *thread;
  LaurelQueue *commands;

  /* The trainer thread's own. */
  GQueue waiting; /* LaurelCommand, jobs that came while one ran */
  gboolean quitting;

  /* Shared, under the lock. */
  LaurelLock lock;
  LaurelJobSnapshot *job;
  LaurelNews news;
  GSource *idle;
};

static LaurelNews
news_new (void)
{
  LaurelNews news = { 0 };

  news.runs = g_array_new (FALSE, FALSE, sizeof (gint64));
  news.errors = g_ptr_array_new_with_free_func (g_free);
  return news;
}

static void
news_clear (LaurelNews *news)
{
  g_array_unref (news->runs);
  g_ptr_array_unref (news->errors);
}

static LaurelJobSnapshot *
snapshot_copy (const LaurelJobSnapshot *self)
{
  LaurelJobSnapshot *copy = g_memdup2 (self, sizeof *self);

  copy->kind = g_strdup (self->kind);
  copy->name = g_strdup (self->name);
  copy->message = g_strdup (self->message);
  return copy;
}

void
laurel_job_snapshot_free (LaurelJobSnapshot *self)
{
  if (self == NULL)
    return;
  g_free (self->kind);
  g_free (self->name);
  g_free (self->message);
  g_free (self);
}

/* --- News: from the trainer thread to the project's ----------------------- */

static gboolean
tell_news_cb (gpointer user_data)
{
  LaurelTrainer *self = user_data;
  LaurelNews news;

  laurel_lock_acquire (&self->lock);
  news = self->news;
  self->news = news_new ();
  g_clear_pointer (&self->idle, g_source_unref);
  laurel_lock_release (&self->lock);
  self->func (&news, self->user_data);
  news_clear (&news);
  return G_SOURCE_REMOVE;
}

/* The lock is held. However much happens, one idle waits on the project's main context. */
static void
wake_project (LaurelTrainer *self)
{
  if (self->idle != NULL)
    return;
  self->idle = g_idle_source_new ();
  g_source_set_priority (self->idle, G_PRIORITY_DEFAULT_IDLE);
  g_source_set_callback (self->idle, tell_news_cb, self, NULL);
  g_source_attach (self->idle, self->context);
}

/* The lock is held. */
static void
note_run (LaurelTrainer *self, gint64 run_id)
{
  for (guint i = 0; i < self->news.runs->len; i++)
    if (g_array_index (self->news.runs, gint64, i) == run_id)
      return;
  g_array_append_val (self->news.runs, run_id);
}

static void
announce_run (LaurelTrainer *self, gint64 run_id, const char *message)
{
  laurel_lock_acquire (&self->lock);
  if (run_id != 0)
    note_run (self, run_id);
  if (message != NULL)
    g_ptr_array_add (self->news.errors, g_strdup (message));
  wake_project (self);
  laurel_lock_release (&self->lock);
}

void
laurel_job_announce (LaurelJob *job, gboolean models, gboolean tasks)
{
  LaurelTrainer *self = job->trainer;

  laurel_lock_acquire (&self->lock);
  self->news.models |= models;
  self->news.tasks |= tasks;
  note_run (self, job->run->id);
  wake_project (self);
  laurel_lock_release (&self->lock);
}

/* NULL: the trainer is idle. Takes @snapshot. */
static void
put_snapshot (LaurelTrainer *self, LaurelJobSnapshot *snapshot)
{
  LaurelJobSnapshot *old;

  laurel_lock_acquire (&self->lock);
  old = self->job;
  self->job = snapshot;
  if (snapshot != NULL)
    note_run (self, snapshot->run_id);
  wake_project (self);
  laurel_lock_release (&self->lock);
  laurel_job_snapshot_free (old);
}

static LaurelJobSnapshot *
first_snapshot (const LaurelRun *run)
{
  LaurelJobSnapshot *snapshot = g_new0 (LaurelJobSnapshot, 1);

  snapshot->run_id = run->id;
  snapshot->kind = g_strdup (run->kind);
  snapshot->name = g_strdup (run->name);
  snapshot->status = LAUREL_RUN_RUNNING;
  snapshot->step = run->step;
  snapshot->n_steps = run->n_steps;
  snapshot->seconds_left = -1.0;
  snapshot->reward = snapshot->kl = snapshot->loss = NAN;
  snapshot->message = g_strdup ("");
  return snapshot;
}

/* The slot holds immutable snapshots: a change is a new one in its place. */
static LaurelJobSnapshot *
next_snapshot (LaurelTrainer *self)
{
  return snapshot_copy (self->job); /* only this thread writes the slot */
}

/* --- The monitor: what a stage reports, on the trainer thread -------------- */

static void
keep_error (LaurelJob *job, GError *error)
{
  if (job->error == NULL)
    job->error = error;
  else
    g_error_free (error);
}

void
laurel_job_fail (LaurelJob *job, GError *error)
{
  keep_error (job, error);
}

void
laurel_job_halt (LaurelJob *job, gboolean stop, const char *why)
{
  g_free (job->halt);
  job->halt = g_strdup (why);
  job->pause_wanted = !stop;
}

void
laurel_job_show_alarms (LaurelJob *job, int n_alarms)
{
  LaurelJobSnapshot *snapshot = next_snapshot (job->trainer);

  snapshot->n_alarms = n_alarms;
  put_snapshot (job->trainer, snapshot);
}

static void
close_transaction (LaurelJob *job)
{
  GError *error = NULL;

  if (!job->in_transaction)
    return;
  job->in_transaction = FALSE;
  if (!laurel_store_commit (job->store, &error))
    keep_error (job, error);
}

static gboolean
open_transaction (LaurelJob *job)
{
  GError *error = NULL;

  if (job->error != NULL)
    return FALSE;
  if (!job->in_transaction && !laurel_store_begin (job->store, &error)) {
    keep_error (job, error);
    return FALSE;
  }
  job->in_transaction = TRUE;
  return TRUE;
}

static void
on_metric (gpointer user_data, int step, const char *key, double value)
{
  LaurelJob *job = user_data;
  LaurelJobSnapshot *snapshot;
  GError *error = NULL;

  close_transaction (job);
  if (job->error == NULL
      && !laurel_store_add_metric (job->store, job->run->id, step, key, value, &error))
    keep_error (job, error);
  if (job->watch != NULL)
    laurel_watch_metric (job->watch, step, key, value);
  key = laurel_metric_skip_seed (key);
  if (!g_str_equal (key, "loss") && !g_str_equal (key, "objective/scores")
      && !g_str_equal (key, "objective/kl"))
    return;
  snapshot = next_snapshot (job->trainer);
  if (g_str_equal (key, "loss"))
    snapshot->loss = value;
  else if (g_str_equal (key, "objective/kl"))
    snapshot->kl = value;
  else
    snapshot->reward = value;
  put_snapshot (job->trainer, snapshot);
}

/* A running mean over about ten steps, so that one slow step does not frighten anybody. */
static double
measure_step (LaurelJob *job, int n_new)
{
  gint64 now = g_get_monotonic_time ();
  double seconds = (double) (now - job->step_time) / G_USEC_PER_SEC / MAX (n_new, 1);

  job->step_time = now;
  if (n_new <= 0)
    return job->step_seconds;
  job->step_seconds = job->step_seconds < 0 ? seconds : 0.9 * job->step_seconds + 0.1 * seconds;
  return job->step_seconds;
}

static void
on_progress (gpointer user_data, int step, int n_steps)
{
  LaurelJob *job = user_data;
  LaurelJobSnapshot *snapshot = next_snapshot (job->trainer);
  double seconds = measure_step (job, step - snapshot->step);
  GError *error = NULL;

  close_transaction (job);
  if (job->error == NULL
      && !laurel_store_set_run_step (job->store, job->run->id, step, n_steps, &error))
    keep_error (job, error);
  job->n_steps = n_steps;
  snapshot->step = step;
  snapshot->n_steps = n_steps;
  snapshot->seconds_left = seconds < 0 ? -1.0 : seconds * MAX (n_steps - step, 0);
  put_snapshot (job->trainer, snapshot);
}

/* A step's rollouts come one after the other with no computing between them: one transaction, which
 * whatever is reported next closes, so that a labeler's own write never waits for a step. */
static void
on_rollout (gpointer user_data, const LaurelRollout *rollout)
{
  LaurelJob *job = user_data;
  GError *error = NULL;

  if (open_transaction (job)
      && !laurel_store_add_rollout (job->store, job->run->id, rollout, &error))
    keep_error (job, error);
}

static void
on_log (gpointer user_data, const char *line)
{
  LaurelJob *job = user_data;
  LaurelJobSnapshot *snapshot = next_snapshot (job->trainer);
  GError *error = NULL;

  close_transaction (job);
  if (job->error == NULL && !laurel_store_add_log (job->store, job->run->id, line, &error))
    keep_error (job, error);
  g_free (snapshot->message);
  snapshot->message = g_strdup (line);
  put_snapshot (job->trainer, snapshot);
}

static gboolean
on_sync (gpointer user_data, GError **error)
{
  LaurelJob *job = user_data;

  close_transaction (job);
  return laurel_store_sync (job->store, error);
}

static void
set_status (LaurelJob *job, LaurelRunStatus status, const char *message)
{
  LaurelJobSnapshot *snapshot = next_snapshot (job->trainer);
  GError *error = NULL;

  if (!laurel_store_set_run_status (job->store, job->run->id, status, message, &error))
    keep_error (job, error);
  snapshot->status = status;
  snapshot->halted = status == LAUREL_RUN_PAUSED && message[0] != '\0';
  put_snapshot (job->trainer, snapshot);
}

/* Another process asks a run to stop by a file in its folder (laurelctl run cancel). */
static gboolean
find_stop_file (LaurelJob *job)
{
  gint64 now = g_get_monotonic_time ();
  g_autofree char *path = NULL;

  if (now < job->next_look)
    return FALSE;
  job->next_look = now + STOP_FILE_INTERVAL;
  path = g_build_filename (job->folder, "stop", NULL);
  return g_unlink (path) == 0;
}

/* TRUE when the command is answered, so the job's own verdict stands. */
static LaurelVerdict
obey (LaurelJob *job, LaurelCommand *command, gboolean *paused)
{
  LaurelTrainer *self = job->trainer;
  LaurelCommandKind kind = command->kind;
  gboolean is_mine = command->run_id == 0 || command->run_id == job->run->id;

  if (kind == LAUREL_COMMAND_RUN) {
    g_queue_push_tail (&self->waiting, command);
    return LAUREL_GO_ON;
  }
  g_free (command);
  if (!is_mine)
    return LAUREL_GO_ON;
  switch (kind) {
  case LAUREL_COMMAND_PAUSE: *paused = TRUE; return LAUREL_GO_ON;
  case LAUREL_COMMAND_RESUME: *paused = FALSE; return LAUREL_GO_ON;
  case LAUREL_COMMAND_QUIT: self->quitting = TRUE; return LAUREL_STOP;
  case LAUREL_COMMAND_STOP:
  default: return LAUREL_STOP;
  }
}

/* Paused: waits for commands without using the processor, but still sees a stop file. */
static LaurelCommand *
wait_command (LaurelJob *job, gboolean *out_stop)
{
  LaurelCommand *command;

  *out_stop = FALSE;
  while ((command = laurel_queue_try_pop (job->trainer->commands)) == NULL) {
    if (find_stop_file (job)) {
      *out_stop = TRUE;
      return NULL;
    }
    g_usleep (20000);
  }
  return command;
}

static LaurelVerdict
pause_job (LaurelJob *job, LaurelVerdict verdict)
{
  gboolean paused = TRUE;
  gboolean stop = FALSE;

  set_status (job, LAUREL_RUN_PAUSED, job->halt != NULL ? job->halt : "");
  g_clear_pointer (&job->halt, g_free);
  while (paused && verdict != LAUREL_STOP) {
    LaurelCommand *command = wait_command (job, &stop);
    LaurelVerdict answer = stop ? LAUREL_STOP : obey (job, command, &paused);

    if (answer != LAUREL_GO_ON)
      verdict = answer;
  }
  set_status (job, LAUREL_RUN_RUNNING, "");
  job->step_time = g_get_monotonic_time ();
  return verdict;
}

static LaurelVerdict
on_poll (gpointer user_data)
{
  LaurelJob *job = user_data;
  LaurelVerdict verdict = LAUREL_GO_ON;
  gboolean paused = job->pause_wanted;
  LaurelCommand *command;

  job->pause_wanted = FALSE;
  close_transaction (job);
  while (verdict != LAUREL_STOP
         && (command = laurel_queue_try_pop (job->trainer->commands)) != NULL) {
    LaurelVerdict answer = obey (job, command, &paused);

    if (answer != LAUREL_GO_ON)
      verdict = answer;
  }
  if (paused && verdict != LAUREL_STOP)
    verdict = pause_job (job, verdict);
  if (verdict != LAUREL_STOP && find_stop_file (job))
    verdict = LAUREL_STOP;
  return job->error != NULL ? LAUREL_STOP : verdict;
}

/* --- One job --------------------------------------------------------------- */

static JsonObject *
parse_member (const char *json, const char *what, GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_parse (json, what, error);

  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not start the run: its %s is no JSON object; start a new run", what);
    return NULL;
  }
  return json_object_ref (json_node_get_object (node));
}

static gboolean
perform (LaurelJob *job, GError **error)
{
  gboolean ok;

  job->config = parse_member (job->run->config, "configuration", error);
  if (job->config == NULL)
    return FALSE;
  job->snapshot = parse_member (job->run->snapshot, "data snapshot", error);
  if (job->snapshot == NULL || !laurel_file_make_directory (job->folder, error))
    return FALSE;
  if (g_str_equal (job->run->kind, "sample"))
    ok = laurel_job_sample (job, error);
  else
    ok = laurel_job_train (job, error);
  close_transaction (job);
  if (job->error != NULL) {
    g_clear_error (error);
    g_propagate_error (error, g_steal_pointer (&job->error));
    return FALSE;
  }
  return ok;
}

static void
end_job (LaurelJob *job, gboolean ok, const GError *error)
{
  gboolean cancelled = !ok && g_error_matches (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  LaurelTrainer *self = job->trainer;

  if (ok)
    set_status (job, LAUREL_RUN_DONE, "");
  else if (cancelled && self->quitting)
    set_status (job, LAUREL_RUN_INTERRUPTED, "Laurel was closed while it ran");
  else if (cancelled)
    set_status (job, LAUREL_RUN_STOPPED, job->halt != NULL ? job->halt : "stopped by the user");
  else
    set_status (job, LAUREL_RUN_FAILED, error->message);
  if (job->error != NULL)
    announce_run (self, job->run->id, job->error->message);
  else if (!ok && !cancelled)
    announce_run (self, job->run->id, error->message);
}

static void
job_clear (LaurelJob *job)
{
  g_clear_pointer (&job->config, json_object_unref);
  g_clear_pointer (&job->snapshot, json_object_unref);
  g_clear_pointer (&job->run, laurel_run_free);
  g_clear_pointer (&job->folder, g_free);
  g_clear_pointer (&job->halt, g_free);
  g_clear_error (&job->error);
}

static void
run_job (LaurelTrainer *self, LaurelStore *store, const LaurelCommand *command)
{
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, command->run_id);
  LaurelJob job = {
    .trainer = self, .store = store, .project_path = self->project_path, .step_seconds = -1.0
  };
  g_autoptr (GError) error = NULL;
  gboolean ok;

  job.run = laurel_store_get_run (store, command->run_id, &error);
  if (job.run == NULL) {
    announce_run (self, command->run_id, error->message);
    return;
  }
  job.resume = command->resume;
  job.folder = g_build_filename (self->project_path, "runs", id, NULL);
  job.monitor = (LaurelMonitor){ .user_data = &job,
                                 .metric = on_metric,
                                 .progress = on_progress,
                                 .rollout = on_rollout,
                                 .log = on_log,
                                 .poll = on_poll,
                                 .sync = on_sync,
                                 .checkpoint_dir = job.folder,
                                 .resume = command->resume };
  put_snapshot (self, first_snapshot (job.run));
  set_status (&job, LAUREL_RUN_RUNNING, "");
  find_stop_file (&job); /* one that is left of an earlier attempt */
  job.next_look = 0;
  job.step_time = g_get_monotonic_time ();
  ok = perform (&job, &error);
  end_job (&job, ok, error);
  put_snapshot (self, NULL);
  announce_run (self, job.run->id, NULL);
  job_clear (&job);
}

/* --- The thread ------------------------------------------------------------ */

static void
refuse_waiting (LaurelTrainer *self, LaurelStore *store)
{
  LaurelCommand *command;

  while ((command = g_queue_pop_head (&self->waiting)) != NULL) {
    if (store != NULL)
      (void) laurel_store_set_run_status (store, command->run_id, LAUREL_RUN_STOPPED,
                                          "Laurel was closed before it began", NULL);
    g_free (command);
  }
}

static LaurelCommand *
next_command (LaurelTrainer *self)
{
  LaurelCommand *command = g_queue_pop_head (&self->waiting);

  return command != NULL ? command : laurel_queue_pop (self->commands);
}

static gpointer
trainer_main (gpointer user_data)
{
  LaurelTrainer *self = user_data;
  g_autofree char *path = g_build_filename (self->project_path, "project.sqlite", NULL);
  g_autoptr (LaurelStore) store = NULL;
  g_autoptr (GError) error = NULL;

  /* Before the first parallel region: the team that this thread makes inherits its priority. */
  (void) setpriority (PRIO_PROCESS, (id_t) syscall (SYS_gettid), TRAINER_NICENESS);
  store = laurel_store_open (path, &error);
  if (store == NULL)
    announce_run (self, 0, error->message);
  while (!self->quitting) {
    LaurelCommand *command = next_command (self);

    if (command->kind == LAUREL_COMMAND_QUIT)
      self->quitting = TRUE;
    else if (command->kind == LAUREL_COMMAND_RUN && store != NULL)
      run_job (self, store, command);
    g_free (command);
  }
  refuse_waiting (self, store);
  return NULL;
}

LaurelTrainer *
laurel_trainer_new (const char *project_path, LaurelNewsFunc func, gpointer user_data)
{
  LaurelTrainer *self = g_new0 (LaurelTrainer, 1);

  self->project_path = g_strdup (project_path);
  self->func = func;
  self->user_data = user_data;
  self->context = g_main_context_ref_thread_default ();
  self->commands = laurel_queue_new (g_free);
  self->news = news_new ();
  g_queue_init (&self->waiting);
  laurel_lock_init (&self->lock);
  return self;
}

void
laurel_trainer_free (LaurelTrainer *self)
{
  if (self == NULL)
    return;
  if (self->thread != NULL) {
    laurel_trainer_send (self, LAUREL_COMMAND_QUIT, 0, FALSE);
    g_thread_join (self->thread);
  }
  laurel_lock_acquire (&self->lock);
  if (self->idle != NULL) {
    g_source_destroy (self->idle);
    g_clear_pointer (&self->idle, g_source_unref);
  }
  laurel_lock_release (&self->lock);
  laurel_job_snapshot_free (self->job);
  news_clear (&self->news);
  laurel_queue_free (self->commands);
  laurel_lock_clear (&self->lock);
  g_main_context_unref (self->context);
  g_free (self->project_path);
  g_free (self);
}

void
laurel_trainer_send (LaurelTrainer *self, LaurelCommandKind kind, gint64 run_id, gboolean resume)
{
  LaurelCommand *command;

  if (self->thread == NULL && kind != LAUREL_COMMAND_RUN)
    return;
  command = g_new0 (LaurelCommand, 1);
  command->kind = kind;
  command->run_id = run_id;
  command->resume = resume;
  laurel_queue_push (self->commands, command);
  if (self->thread == NULL)
    self->thread = g_thread_new ("laurel-trainer", trainer_main, self);
}

LaurelJobSnapshot *
laurel_trainer_get_job (LaurelTrainer *self)
{
  LaurelJobSnapshot *copy;

  laurel_lock_acquire (&self->lock);
  copy = self->job != NULL ? snapshot_copy (self->job) : NULL;
  laurel_lock_release (&self->lock);
  return copy;
}
