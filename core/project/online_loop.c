/* online_loop.c: the online loop going on by itself, on the project's thread.
 *
 * Everything here is a look at the database when the main loop is idle, and at most the row of a
 * run: the work is done by the trainer thread when it is free. Where several windows have the
 * project open, whoever is first to change the fact that says how far things are does the step.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/internal.h"
#include "core/project/online.h"

static void
fail (LaurelProject *self, const GError *error)
{
  g_signal_emit_by_name (self, "error", error->message);
}

/* FALSE without error: another process was first. */
static gboolean
claim (LaurelStore *store, const char *key, const char *old, const char *new, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *now = NULL;
  gboolean is_ours;

  if (!laurel_store_begin (store, error))
    return FALSE;
  now = laurel_store_get_fact (store, key, &local);
  is_ours = local == NULL && g_strcmp0 (now, old) == 0
            && laurel_store_set_fact (store, key, new, &local);
  if (local == NULL)
    return laurel_store_commit (store, error) && is_ours;
  laurel_store_rollback (store);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
is_live (LaurelProject *self, const char *kind)
{
  return laurel_store_find_live_run (self->store, kind, NULL) != 0;
}

/* --- The three steps -------------------------------------------------------------- */

static gboolean
retrain_if_due (LaurelProject *self, const LaurelOnlineSettings *settings, GError **error)
{
  g_autofree char *counted = NULL;
  g_autofree char *now = NULL;
  g_autoptr (GError) local = NULL;
  int n_new;

  if (is_live (self, "reward"))
    return TRUE;
  counted = laurel_store_get_fact (self->store, LAUREL_ONLINE_RANKING, NULL);
  n_new = laurel_online_count_new (self->store, error);
  if (n_new < 0 || n_new < settings->every)
    return n_new >= 0;
  now = g_strdup_printf ("%" G_GINT64_FORMAT, laurel_store_last_ranking (self->store, NULL));
  if (claim (self->store, LAUREL_ONLINE_RANKING, counted, now, &local))
    laurel_project_start_retraining (self, settings, -1, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* Not twice at the same number of tasks: that there are no more of them means that it failed. */
static gboolean
sample_if_low (LaurelProject *self, const LaurelOnlineSettings *settings, GError **error)
{
  g_autofree char *before = NULL;
  g_autofree char *now = NULL;
  g_autoptr (GError) local = NULL;
  gint64 n_open, n_tasks;

  if (settings->low == 0 || is_live (self, "sample"))
    return TRUE;
  n_open = laurel_store_count_tasks (self->store, TRUE, error);
  if (n_open < 0 || n_open >= settings->low)
    return n_open >= 0;
  n_tasks = laurel_store_count_tasks (self->store, FALSE, error);
  if (n_tasks < 0)
    return FALSE;
  before = laurel_store_get_fact (self->store, LAUREL_ONLINE_SAMPLED, NULL);
  now = g_strdup_printf ("%" G_GINT64_FORMAT, n_tasks);
  if (g_strcmp0 (before, now) == 0)
    return TRUE;
  if (claim (self->store, LAUREL_ONLINE_SAMPLED, before, now, &local))
    laurel_project_start_mixing (self, settings, settings->n_tasks, (guint64) n_tasks, -1, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* After each reward model of the loop's own making. */
static gboolean
tune_if_due (LaurelProject *self, const LaurelOnlineSettings *settings, GError **error)
{
  g_autoptr (GPtrArray) gains = NULL;
  g_autoptr (GError) local = NULL;
  g_autofree char *tuned = NULL;
  const LaurelRewardGain *newest;

  if (!settings->tune || is_live (self, "reward") || is_live (self, "ppo"))
    return TRUE;
  gains = laurel_online_list_gains (self->store, error);
  if (gains == NULL || gains->len == 0)
    return gains != NULL;
  newest = gains->pdata[gains->len - 1];
  tuned = laurel_store_get_fact (self->store, LAUREL_ONLINE_TUNED, NULL);
  if (g_strcmp0 (tuned, newest->model) == 0)
    return TRUE;
  if (claim (self->store, LAUREL_ONLINE_TUNED, tuned, newest->model, &local))
    laurel_project_start_tuning (self, settings, -1, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
consider_cb (gpointer user_data)
{
  g_autoptr (LaurelProject) self = g_object_ref (user_data);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (GError) error = NULL;

  self->loop_source = 0;
  if (!laurel_online_settings_load (self->store, &settings, &error)
      || (settings.enabled
          && (!retrain_if_due (self, &settings, &error) || !sample_if_low (self, &settings, &error)
              || !tune_if_due (self, &settings, &error))))
    fail (self, error);
  return G_SOURCE_REMOVE;
}

void
laurel_project_note_ranking (LaurelProject *self)
{
  if (self->is_looping && self->store != NULL && self->loop_source == 0)
    self->loop_source = g_idle_add_full (G_PRIORITY_LOW, consider_cb, self, NULL);
}

/* --- What the last window left undone ------------------------------------------------ */

/* Interrupted, or closed before it began; what somebody stopped stays stopped. */
static gboolean
is_undone (const LaurelRun *run)
{
  return run->status == LAUREL_RUN_INTERRUPTED
         || (run->status == LAUREL_RUN_STOPPED && run->started == 0);
}

static gboolean
resume_newest (LaurelProject *self, GPtrArray *runs, const char *kind, GError **error)
{
  for (guint i = 0; i < runs->len; i++) {
    const LaurelRun *run = runs->pdata[i];

    if (!g_str_equal (run->kind, kind))
      continue;
    return laurel_run_get_round (run) == 0 || !is_undone (run)
           || laurel_project_resume_run (self, run->id, error) != 0;
  }
  return TRUE;
}

static gboolean
resume_cb (gpointer user_data)
{
  static const char *const kinds[] = { "reward", "sample", "ppo" };
  g_autoptr (LaurelProject) self = g_object_ref (user_data);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (GPtrArray) runs = NULL;
  g_autoptr (GError) error = NULL;
  gboolean ok;

  self->loop_source = 0;
  ok = laurel_online_settings_load (self->store, &settings, &error);
  if (ok && settings.enabled) {
    runs = laurel_store_list_runs (self->store, &error);
    ok = runs != NULL;
    for (gsize i = 0; ok && i < G_N_ELEMENTS (kinds); i++)
      ok = resume_newest (self, runs, kinds[i], &error);
  }
  if (!ok)
    fail (self, error);
  laurel_project_note_ranking (self);
  return G_SOURCE_REMOVE;
}

void
laurel_project_start_loop (LaurelProject *self)
{
  if (self->is_looping)
    return;
  self->is_looping = TRUE;
  g_signal_connect (self, "tasks-changed", G_CALLBACK (laurel_project_note_ranking), NULL);
  g_signal_connect (self, "models-changed", G_CALLBACK (laurel_project_note_ranking), NULL);
  self->loop_source = g_idle_add_full (G_PRIORITY_LOW, resume_cb, self, NULL);
}
