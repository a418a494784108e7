/* audit_chart.c: pairs of metrics of the same step, in the order of the KL.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/runs/audit_chart.h"

#include <glib/gi18n.h>
#include <math.h>

#define KL_KEY "objective/exact_kl"
#define ESTIMATE_KEY "objective/kl" /* where the vocabulary is too large for the exact one */
#define SCORE_KEY "objective/scores"
#define BOUND_KEY "objective/audit_bound"

/* The line's colour, which no overlay of a few runs has. */
#define BOUND_COLOUR 6

static LaurelSeries *
get_kl (LaurelRunData *data)
{
  LaurelSeries *exact = laurel_run_data_get_series (data, KL_KEY, FALSE);

  return exact != NULL ? exact : laurel_run_data_get_series (data, ESTIMATE_KEY, FALSE);
}

gboolean
laurel_audit_chart_can_show (LaurelRunData *data)
{
  return laurel_run_data_get_series (data, BOUND_KEY, FALSE) != NULL && get_kl (data) != NULL;
}

const char *
laurel_audit_chart_explain (void)
{
  return _("Each dot is an iteration: its mean score over its exact KL to the reference. No policy "
           "can be above the line, which is computed from samples of the reference (Donsker and "
           "Varadhan) and lifted by three standard errors; a dot above it means that score or KL "
           "are measured wrong.");
}

static int
compare_x (gconstpointer a, gconstpointer b)
{
  double x = ((const LaurelPoint *) a)->x, y = ((const LaurelPoint *) b)->x;

  return (x > y) - (x < y);
}

/* @key over the KL of the same step. */
static LaurelSeries *
make_series (LaurelRunData *data, const char *key, const char *name, guint colour)
{
  LaurelSeries *ys = laurel_run_data_get_series (data, key, FALSE);
  LaurelSeries *xs = get_kl (data);
  LaurelSeries *out = laurel_series_new (name, colour);

  for (guint i = 0; ys != NULL && xs != NULL && i < ys->points->len; i++) {
    const LaurelPoint *y = &g_array_index (ys->points, LaurelPoint, i);
    const LaurelPoint *x = laurel_series_find (xs, y->x);
    LaurelPoint point = { x != NULL ? x->y : NAN, y->y };

    if (x != NULL && x->x == y->x && isfinite (point.x) && isfinite (point.y))
      g_array_append_val (out->points, point);
  }
  g_array_sort (out->points, compare_x);
  return out;
}

void
laurel_audit_chart_update (LaurelChartWidget *widget, GPtrArray *datas)
{
  LaurelChartCanvas *canvas = laurel_chart_widget_get_canvas (widget);
  LaurelChart *chart = laurel_chart_canvas_get_chart (canvas);
  g_autoptr (GPtrArray) series =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_series_unref);

  for (guint i = 0; i < datas->len; i++) {
    LaurelSeries *scores = laurel_run_data_get_series (datas->pdata[i], SCORE_KEY, FALSE);
    LaurelSeries *dots;

    if (scores == NULL || !laurel_audit_chart_can_show (datas->pdata[i]))
      continue;
    if (series->len == 0)
      g_ptr_array_add (series, make_series (datas->pdata[i], BOUND_KEY, _("audit line"),
                                            BOUND_COLOUR));
    dots = make_series (datas->pdata[i], SCORE_KEY, scores->name, scores->colour);
    dots->is_dots = TRUE;
    g_ptr_array_add (series, dots);
  }
  chart->smoothing = 0;
  chart->log_y = FALSE;
  chart->x_kind = LAUREL_SCALE_LINEAR;
  chart->reference = NAN;
  chart->legend = TRUE;
  laurel_chart_widget_set_x_name (widget, _("KL in nats"));
  laurel_chart_canvas_set_series (canvas, series);
}
