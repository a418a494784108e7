/* cursor.c: one x for many charts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/cursor.h"

#include <math.h>

struct _LaurelChartCursor {
  GObject parent_instance;

  double x;
};

G_DEFINE_FINAL_TYPE (LaurelChartCursor, laurel_chart_cursor, G_TYPE_OBJECT)

enum {
  PROP_0,
  PROP_X,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

static void
laurel_chart_cursor_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LaurelChartCursor *self = LAUREL_CHART_CURSOR (object);

  if (id == PROP_X)
    g_value_set_double (value, self->x);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
laurel_chart_cursor_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LaurelChartCursor *self = LAUREL_CHART_CURSOR (object);

  if (id == PROP_X)
    laurel_chart_cursor_set_x (self, g_value_get_double (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
laurel_chart_cursor_class_init (LaurelChartCursorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = laurel_chart_cursor_get_property;
  object_class->set_property = laurel_chart_cursor_set_property;
  properties[PROP_X] = g_param_spec_double ("x", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0,
                                            G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY
                                              | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
laurel_chart_cursor_init (LaurelChartCursor *self)
{
  self->x = NAN;
}

LaurelChartCursor *
laurel_chart_cursor_new (void)
{
  return g_object_new (LAUREL_TYPE_CHART_CURSOR, NULL);
}

double
laurel_chart_cursor_get_x (LaurelChartCursor *self)
{
  g_return_val_if_fail (LAUREL_IS_CHART_CURSOR (self), NAN);
  return self->x;
}

void
laurel_chart_cursor_set_x (LaurelChartCursor *self, double x)
{
  g_return_if_fail (LAUREL_IS_CHART_CURSOR (self));

  if (self->x == x || (isnan (self->x) && isnan (x)))
    return;
  self->x = x;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_X]);
}
