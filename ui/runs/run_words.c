/* run_words.c: labels, icons and sentences about runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/runs/run_words.h"

#include "ui/charts/scale.h"

#include <glib/gi18n.h>

const char *
laurel_run_kind_label (const char *kind)
{
  static const char *const labels[][2] = {
    { "pretrain", N_ ("Pretraining") },
    { "sft", N_ ("SFT") },
    { "reward", N_ ("Reward model") },
    { "ppo", N_ ("PPO") },
    { "dpo", N_ ("DPO") },
    { "rloo", N_ ("RLOO") },
    { "sample", N_ ("Sampling") },
  };

  for (guint i = 0; i < G_N_ELEMENTS (labels); i++)
    if (g_str_equal (kind, labels[i][0]))
      return _ (labels[i][1]);
  return kind;
}

gboolean
laurel_run_kind_has_rollouts (const char *kind)
{
  return g_str_equal (kind, "ppo") || g_str_equal (kind, "rloo");
}

const char *
laurel_run_status_label (LaurelRunStatus status)
{
  switch (status) {
  case LAUREL_RUN_QUEUED: return _("Waiting");
  case LAUREL_RUN_RUNNING: return _("Running");
  case LAUREL_RUN_PAUSED: return _("Paused");
  case LAUREL_RUN_DONE: return _("Done");
  case LAUREL_RUN_STOPPED: return _("Stopped");
  case LAUREL_RUN_INTERRUPTED: return _("Interrupted");
  case LAUREL_RUN_FAILED: return _("Failed");
  }
  return "";
}

const char *
laurel_run_status_icon (LaurelRunStatus status)
{
  switch (status) {
  case LAUREL_RUN_QUEUED: return "content-loading-symbolic";
  case LAUREL_RUN_RUNNING: return "media-playback-start-symbolic";
  case LAUREL_RUN_PAUSED: return "media-playback-pause-symbolic";
  case LAUREL_RUN_DONE: return "emblem-ok-symbolic";
  case LAUREL_RUN_STOPPED: return "media-playback-stop-symbolic";
  case LAUREL_RUN_INTERRUPTED: return "dialog-warning-symbolic";
  case LAUREL_RUN_FAILED: return "dialog-error-symbolic";
  }
  return "";
}

const char *
laurel_run_status_css_class (LaurelRunStatus status)
{
  switch (status) {
  case LAUREL_RUN_RUNNING: return "accent";
  case LAUREL_RUN_DONE: return "success";
  case LAUREL_RUN_INTERRUPTED: return "warning";
  case LAUREL_RUN_FAILED: return "error";
  case LAUREL_RUN_QUEUED:
  case LAUREL_RUN_PAUSED:
  case LAUREL_RUN_STOPPED: return "dim-label";
  }
  return "dim-label";
}

gboolean
laurel_run_can_resume (const LaurelRun *run)
{
  return run->status == LAUREL_RUN_STOPPED || run->status == LAUREL_RUN_INTERRUPTED ||
         run->status == LAUREL_RUN_FAILED;
}

char *
laurel_run_describe (const LaurelRun *run)
{
  GString *out = g_string_new (laurel_run_kind_label (run->kind));

  g_string_append_printf (out, " · %s", laurel_run_status_label (run->status));
  if (run->n_steps > 0 && run->status != LAUREL_RUN_QUEUED) {
    g_string_append (out, " · ");
    g_string_append_printf (out, _("step %d of %d"), run->step, run->n_steps);
  }
  if (run->started > 0 && run->finished > run->started) {
    g_autofree char *duration =
        laurel_format_seconds ((double) (run->finished - run->started) / 1e6);

    g_string_append_printf (out, " · %s", duration);
  }
  return g_string_free (out, FALSE);
}

/* How far back: 0 today, 1 this year, 2 before. */
static int
find_age (GDateTime *local)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();

  if (g_date_time_get_year (now) != g_date_time_get_year (local))
    return 2;
  return g_date_time_get_day_of_year (now) != g_date_time_get_day_of_year (local);
}

static char *
format_time (gint64 time, const char *const *formats)
{
  g_autoptr (GDateTime) moment = NULL;
  g_autoptr (GDateTime) local = NULL;

  if (time <= 0)
    return g_strdup ("–");
  moment = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);
  local = g_date_time_to_local (moment);
  return g_date_time_format (local, _(formats[find_age (local)]));
}

char *
laurel_format_time (gint64 time)
{
  /* Translators: a time of today; a date with its time. */
  static const char *const formats[] = { N_("Today, %H:%M"), N_("%-d %b %Y, %H:%M"),
                                         N_("%-d %b %Y, %H:%M") };

  return format_time (time, formats);
}

char *
laurel_format_time_briefly (gint64 time)
{
  /* Translators: a time of today; a day of this year; a day of another year. */
  static const char *const formats[] = { N_("%H:%M"), N_("%-d %b"), N_("%-d %b %Y") };

  return format_time (time, formats);
}
