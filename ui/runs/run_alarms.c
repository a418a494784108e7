/* run_alarms.c: rows for lights.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/runs/run_alarms.h"

#include "core/project/reward_report.h"
#include "ui/charts/scale.h"
#include "ui/runs/run_details.h"

#include <adwaita.h>
#include <glib/gi18n.h>

typedef struct {
  const char *word;
  const char *css_class;
} StateWords;

static const StateWords state_words[] = {
  [LAUREL_LIGHT_UNKNOWN] = { N_ ("–"), "unknown" },
  [LAUREL_LIGHT_GOOD] = { N_ ("fine"), "good" },
  [LAUREL_LIGHT_WARNING] = { N_ ("watch"), "warning" },
  [LAUREL_LIGHT_ALARM] = { N_ ("alarm"), "alarm" },
};

static char *
format_value (const LaurelLight *light, LaurelAlarmId id)
{
  if (id == LAUREL_ALARM_STOPPING)
    /* Translators: how far a percentage has risen or fallen. */
    return laurel_with_minus_signs (
        g_strdup_printf (_("%+.0f points since the start"), 100 * light->value));
  if (id == LAUREL_ALARM_VARIETY)
    return laurel_with_minus_signs (
        g_strdup_printf (_("%+.0f %% since the start"), 100 * light->value));
  return laurel_format_value (light->value);
}

static char *
describe_alarm (const LaurelLight *light, LaurelAlarmId id)
{
  const LaurelAlarmInfo *info = laurel_alarm_info (id);
  g_autofree char *value = format_value (light, id);

  if (id == LAUREL_ALARM_OVEROPTIMISATION) /* the number would be that of evaluations */
    return g_strdup_printf (_("Gold down and proxy up in three evaluations, the third at step %d"),
                            light->since);
  /* Translators: a number, what it is (“above 0.3”), and the step at which it began. */
  return g_strdup_printf (_("%s, %s since step %d"), value, _(info->limit), light->since);
}

static const char *
describe_unknown (LaurelAlarmId id)
{
  if (id == LAUREL_ALARM_KL)
    return _("Needs a target KL");
  if (id == LAUREL_ALARM_OVEROPTIMISATION)
    return _("Needs a gold judge and held-out prompts");
  return _("Known after the first iterations");
}

static char *
describe_good (const LaurelLight *light, LaurelAlarmId id)
{
  const LaurelAlarmInfo *info = laurel_alarm_info (id);
  g_autofree char *value = format_value (light, id);

  if (id == LAUREL_ALARM_OVEROPTIMISATION && light->n_lit == 0)
    return g_strdup (_("No sign of it at the last evaluation"));
  if (id == LAUREL_ALARM_OVEROPTIMISATION)
    return g_strdup_printf (_("No sign of it at the last evaluation; there was at step %d"),
                            light->first_lit);
  if (light->n_lit > 0)
    return g_strdup_printf (ngettext ("%s; it was %s at %d step, first at step %d",
                                      "%s; it was %s at %d steps, first at step %d", light->n_lit),
                            value, _(info->limit), light->n_lit, light->first_lit);
  /* Translators: a number, and when it would be an alarm: “above 0.3”. */
  return g_strdup_printf (_("%s; an alarm is %s"), value, _(info->limit));
}

static char *
describe (const LaurelLight *light, LaurelAlarmId id)
{
  const LaurelAlarmInfo *info = laurel_alarm_info (id);
  g_autofree char *what = NULL;

  switch (light->state) {
  case LAUREL_LIGHT_ALARM:
    what = describe_alarm (light, id);
    return g_strdup_printf ("%s. %s %s", what, _(info->meaning), _(info->remedy));
  case LAUREL_LIGHT_WARNING:
    return g_strdup_printf (ngettext ("The last evaluation has gold down and proxy up; three in a "
                                      "row are an alarm",
                                      "The last %d evaluations have gold down and proxy up; three "
                                      "in a row are an alarm",
                                      (int) light->value),
                            (int) light->value);
  case LAUREL_LIGHT_GOOD: return describe_good (light, id);
  case LAUREL_LIGHT_UNKNOWN: break;
  }
  return g_strdup (describe_unknown (id));
}

static GtkWidget *
make_dot (const StateWords *words)
{
  GtkWidget *dot = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);

  gtk_widget_add_css_class (dot, "light");
  gtk_widget_add_css_class (dot, words->css_class);
  gtk_widget_set_valign (dot, GTK_ALIGN_CENTER);
  return dot;
}

static GtkWidget *
make_button (int step)
{
  g_autofree char *text = g_strdup_printf (_("Go to Step %d"), step);
  GtkWidget *button = gtk_button_new_with_label (text);

  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "runs.go-to-step");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "i", step);
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  return button;
}

static GtkWidget *
make_row (const LaurelAlarms *alarms, LaurelAlarmId id)
{
  const LaurelAlarmInfo *info = laurel_alarm_info (id);
  const LaurelLight *light = laurel_alarms_get (alarms, id);
  const StateWords *words = &state_words[light->state];
  g_autofree char *what = describe (light, id);
  g_autofree char *tip =
      g_strdup_printf ("%s\n%s %s", info->key, _(info->meaning), _(info->remedy));
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *word = gtk_label_new (_(words->word));

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _(info->title));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), what);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  gtk_widget_set_tooltip_text (row, tip);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), make_dot (words));
  if (light->n_lit > 0)
    adw_action_row_add_suffix (ADW_ACTION_ROW (row), make_button (light->first_lit));
  gtk_widget_add_css_class (word, "dim-label");
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), word);
  return row;
}

void
laurel_run_show_alarms (GtkListBox *list, const LaurelAlarms *alarms)
{
  laurel_list_box_clear (list);
  for (int id = 0; alarms != NULL && id < LAUREL_N_ALARMS; id++)
    gtk_list_box_append (list, make_row (alarms, id));
}

/* There is one line for it: of several lights the names alone, whose rows say the rest. */
char *
laurel_run_summarize_alarms (const LaurelAlarms *alarms)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *what = NULL;
  int n = 0;

  for (int id = 0; alarms != NULL && id < LAUREL_N_ALARMS; id++) {
    const LaurelLight *light = laurel_alarms_get (alarms, id);

    if (light->state != LAUREL_LIGHT_ALARM)
      continue;
    if (n++ == 0)
      what = describe_alarm (light, id);
    g_string_append_printf (names, "%s%s", n > 1 ? ", " : "", _(laurel_alarm_info (id)->title));
  }
  if (n == 0)
    return NULL;
  if (n == 1)
    return g_strdup_printf ("%s: %s", names->str, what);
  /* Translators: a number, and the names of as many alarms. */
  return g_strdup_printf (ngettext ("%d alarm: %s", "%d alarms: %s", (gulong) n), n, names->str);
}
