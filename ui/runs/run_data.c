/* run_data.c: the cache behind the charts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/runs/run_data.h"

typedef struct {
  LaurelSeries *by_step;
  LaurelSeries *by_time;
} Line;

struct _LaurelRunData {
  gint64 id;
  char *name;
  guint colour;
  int last_step;
  gint64 first_time; /* of a metric, 0: none yet */
  GHashTable *lines; /* key → Line */
  GPtrArray *keys;   /* in order; owned by @lines */
};

static void
line_free (gpointer data)
{
  Line *line = data;

  laurel_series_unref (line->by_step);
  laurel_series_unref (line->by_time);
  g_free (line);
}

LaurelRunData *
laurel_run_data_new (const LaurelRun *run, guint colour)
{
  LaurelRunData *self = g_new0 (LaurelRunData, 1);

  self->id = run->id;
  self->name = g_strdup (run->name);
  self->colour = colour;
  self->last_step = -1;
  self->lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, line_free);
  self->keys = g_ptr_array_new ();
  return self;
}

void
laurel_run_data_free (LaurelRunData *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->keys);
  g_hash_table_unref (self->lines);
  g_free (self->name);
  g_free (self);
}

static Line *
ensure_line (LaurelRunData *self, const char *key)
{
  Line *line = g_hash_table_lookup (self->lines, key);
  char *own_key;

  if (line != NULL)
    return line;
  own_key = g_strdup (key);
  line = g_new0 (Line, 1);
  line->by_step = laurel_series_new (self->name, self->colour);
  line->by_time = laurel_series_new (self->name, self->colour);
  g_hash_table_insert (self->lines, own_key, line);
  g_ptr_array_add (self->keys, own_key);
  return line;
}

static void
add_metric (LaurelRunData *self, const LaurelMetric *metric)
{
  Line *line = ensure_line (self, metric->key);
  GArray *steps = line->by_step->points;

  if (self->first_time == 0)
    self->first_time = metric->time;
  /* The last step is read twice, as more of its metrics may have come since. */
  if (steps->len > 0 && g_array_index (steps, LaurelPoint, steps->len - 1).x >= metric->step)
    return;
  laurel_series_append (line->by_step, metric->step, metric->value);
  laurel_series_append (line->by_time, (double) (metric->time - self->first_time) / 1e6,
                        metric->value);
}

static void
forget (LaurelRunData *self)
{
  g_ptr_array_set_size (self->keys, 0);
  g_hash_table_remove_all (self->lines);
  self->last_step = -1;
  self->first_time = 0;
}

gboolean
laurel_run_data_update (LaurelRunData *self, LaurelStore *store, GError **error)
{
  g_autoptr (LaurelRun) run = laurel_store_get_run (store, self->id, error);
  g_autoptr (GPtrArray) metrics = NULL;

  if (run == NULL)
    return FALSE;
  if (run->step < self->last_step)
    forget (self);
  metrics = laurel_store_list_metrics (store, self->id, NULL, MAX (self->last_step - 1, -1), error);
  if (metrics == NULL)
    return FALSE;
  for (guint i = 0; i < metrics->len; i++)
    add_metric (self, metrics->pdata[i]);
  self->last_step = MAX (self->last_step, run->step);
  return TRUE;
}

LaurelSeries *
laurel_run_data_get_series (LaurelRunData *self, const char *key, gboolean by_time)
{
  Line *line = g_hash_table_lookup (self->lines, key);

  if (line == NULL)
    return NULL;
  return by_time ? line->by_time : line->by_step;
}

GPtrArray *
laurel_run_data_list_keys (LaurelRunData *self)
{
  return g_ptr_array_ref (self->keys);
}
