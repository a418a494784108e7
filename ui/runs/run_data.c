/* run_data.c: the cache behind the charts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/runs/run_data.h"

#include "core/base/file.h"
#include "core/project/run_alarms.h"
#include "core/train/hyperparameters.h"

#include <glib/gi18n.h>
#include <string.h>

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
  LaurelAlarms *alarms;
};

static void
line_free (gpointer data)
{
  Line *line = data;

  laurel_series_unref (line->by_step);
  laurel_series_unref (line->by_time);
  g_free (line);
}

static LaurelRunData *
data_new (const char *name, guint colour)
{
  LaurelRunData *self = g_new0 (LaurelRunData, 1);

  self->name = g_strdup (name);
  self->colour = colour;
  self->last_step = -1;
  self->lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, line_free);
  self->keys = g_ptr_array_new ();
  return self;
}

LaurelRunData *
laurel_run_data_new (const LaurelRun *run, guint colour)
{
  LaurelRunData *self = data_new (run->name, colour);

  self->id = run->id;
  self->alarms = laurel_run_new_alarms (run, NULL);
  return self;
}

void
laurel_run_data_free (LaurelRunData *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->keys);
  g_hash_table_unref (self->lines);
  laurel_alarms_free (self->alarms);
  g_free (self->name);
  g_free (self);
}

/* One of several seeds of a run has a colour and a name of its own. */
static Line *
line_new (LaurelRunData *self, const char *key)
{
  Line *line = g_new0 (Line, 1);
  g_autofree char *name = g_strdup (self->name);
  guint colour = self->colour;

  if (laurel_metric_skip_seed (key) != key) {
    guint seed =
        (guint) g_ascii_strtoull (key + strlen (LAUREL_METRIC_SEED_PREFIX), NULL, 10);

    g_free (name);
    name = g_strdup_printf (_("%s, seed %u"), self->name, seed);
    colour += seed - 1;
  }
  line->by_step = laurel_series_new (name, colour);
  line->by_time = laurel_series_new (name, colour);
  return line;
}

static Line *
ensure_line (LaurelRunData *self, const char *key)
{
  Line *line = g_hash_table_lookup (self->lines, key);
  char *own_key;

  if (line != NULL)
    return line;
  own_key = g_strdup (key);
  line = line_new (self, key);
  g_hash_table_insert (self->lines, own_key, line);
  g_ptr_array_add (self->keys, own_key);
  return line;
}

static void
add_metric (LaurelRunData *self, const LaurelMetric *metric)
{
  Line *line = ensure_line (self, metric->key);
  GArray *steps = line->by_step->points;

  if (self->alarms != NULL)
    (void) laurel_alarms_feed (self->alarms, metric->step, metric->key, metric->value);
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
forget (LaurelRunData *self, const LaurelRun *run)
{
  laurel_alarms_free (self->alarms);
  self->alarms = laurel_run_new_alarms (run, NULL);
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
    forget (self, run);
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

const LaurelAlarms *
laurel_run_data_get_alarms (LaurelRunData *self)
{
  return self->alarms;
}

/* --- From a file ---------------------------------------------------------- */

/* “step,key,value”; TRUE for the heading too, whose step is no number. */
static gboolean
read_line (LaurelRunData *self, const char *line)
{
  g_auto (GStrv) parts = g_strsplit (line, ",", 3);
  char *end;
  gint64 step;

  if (line[0] == '\0' || g_str_equal (line, "step,key,value"))
    return TRUE;
  if (g_strv_length (parts) != 3)
    return FALSE;
  step = g_ascii_strtoll (parts[0], &end, 10);
  if (end == parts[0] || *end != '\0')
    return FALSE;
  laurel_series_append (ensure_line (self, parts[1])->by_step, (double) step,
                        g_ascii_strtod (parts[2], NULL));
  return TRUE;
}

LaurelRunData *
laurel_run_data_load (const char *path, const char *name, guint colour, GError **error)
{
  g_autofree char *text = laurel_file_read_text (path, NULL, error);
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", -1) : NULL;
  g_autoptr (LaurelRunData) self = NULL;

  if (lines == NULL)
    return NULL;
  self = data_new (name, colour);
  for (guint i = 0; lines[i] != NULL; i++)
    if (!read_line (self, lines[i])) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "Could not read “%s”: line %u is no “step,key,value”; take the file from "
                   "“laurelctl run metrics --csv”",
                   path, i + 1);
      return NULL;
    }
  return g_steal_pointer (&self);
}
