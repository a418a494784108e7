/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/monitor.h"

#include "core/base/error.h"

void
laurel_monitor_metric (const LaurelMonitor *self, int step, const char *key, double value)
{
  if (self != NULL && self->metric != NULL)
    self->metric (self->user_data, step, key, value);
}

void
laurel_monitor_progress (const LaurelMonitor *self, int step, int n_steps)
{
  if (self != NULL && self->progress != NULL)
    self->progress (self->user_data, step, n_steps);
}

void
laurel_monitor_log (const LaurelMonitor *self, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list arguments;

  if (self == NULL || self->log == NULL)
    return;
  va_start (arguments, format);
  line = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->log (self->user_data, line);
}

gboolean
laurel_monitor_sync (const LaurelMonitor *self, GError **error)
{
  return self == NULL || self->sync == NULL || self->sync (self->user_data, error);
}

static gboolean
heed (LaurelVerdict verdict, gboolean *checkpoint, GError **error)
{
  switch (verdict) {
  case LAUREL_GO_ON:
    return TRUE;
  case LAUREL_CHECKPOINT:
    if (checkpoint != NULL)
      *checkpoint = TRUE;
    return TRUE;
  case LAUREL_STOP:
    break;
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED,
               "Could not finish the run: it was stopped; resume it to go on from its last step");
  return FALSE;
}

gboolean
laurel_monitor_go_on (const LaurelMonitor *self, gboolean *checkpoint, GError **error)
{
  if (self == NULL || self->poll == NULL)
    return TRUE;
  return heed (self->poll (self->user_data), checkpoint, error);
}

gboolean
laurel_monitor_evaluate (const LaurelMonitor *self,
                         int step,
                         const LaurelModel *policy,
                         const LaurelModel *reference,
                         gboolean *checkpoint,
                         GError **error)
{
  if (self == NULL || self->evaluate == NULL)
    return TRUE;
  return heed (self->evaluate (self->user_data, step, policy, reference), checkpoint, error);
}
