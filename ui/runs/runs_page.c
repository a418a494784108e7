/* runs_page.c: the list of runs, and the views of the one that is selected.
 *
 * A change of a run arrives as “run-changed”; at most ten times a second the
 * page reads what is new and draws once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/runs/runs_page.h"

#include "core/project/run_alarms.h"
#include "ui/accessible.h"
#include "ui/resources.h"
#include "ui/runs/run_alarms.h"
#include "ui/runs/run_charts.h"
#include "ui/runs/run_details.h"
#include "ui/runs/run_row.h"
#include "ui/runs/run_samples.h"
#include "ui/runs/run_words.h"

#include <glib/gi18n.h>

#define REFRESH_MS 100

struct _LaurelRunsPage {
  LaurelPage parent_instance;

  GtkStack *states;
  AdwLeaflet *leaflet;
  GtkListBox *list;
  GtkButton *back_button;
  GtkLabel *title;
  GtkLabel *subtitle;
  GtkLabel *message;
  GtkButton *resume_button;
  GtkButton *inspect_button;
  GtkStack *tabs;
  LaurelRunCharts *charts;
  LaurelRunSamples *samples;
  GtkListBox *settings_list;
  GtkListBox *data_list;
  GtkListBox *products_list;
  GtkTextView *log_view;
  GtkStackPage *alarms_page;
  GtkListBox *alarms_list;
  GtkWidget *alarm_bar;
  GtkLabel *alarm_label;
  GtkWidget *keep_best_button;

  GSignalGroup *signals;
  gint64 run_id;
  LaurelRun *run;
  GPtrArray *datas; /* (element-type LaurelRunData): the selected run, then the overlays */
  guint refresh_source;
};

G_DEFINE_FINAL_TYPE (LaurelRunsPage, laurel_runs_page, LAUREL_TYPE_PAGE)

enum {
  PROP_0,
  PROP_RUN_ID,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

static LaurelStore *
get_store (LaurelRunsPage *self)
{
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));

  return project != NULL ? laurel_project_get_store (project) : NULL;
}

static LaurelRunRow *
get_row (LaurelRunsPage *self, int index)
{
  GtkListBoxRow *row = gtk_list_box_get_row_at_index (self->list, index);

  return row != NULL ? LAUREL_RUN_ROW (row) : NULL;
}

static void
show_error (LaurelRunsPage *self, const GError *error)
{
  gtk_label_set_label (self->message, error->message);
  gtk_widget_set_visible (GTK_WIDGET (self->message), TRUE);
}

/* --- The selected run ---------------------------------------------------- */

static void
show_log (LaurelRunsPage *self)
{
  g_autoptr (GPtrArray) lines = laurel_store_list_log (get_store (self), self->run_id, NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; lines != NULL && i < lines->len; i++)
    g_string_append_printf (text, "%s\n", (const char *) lines->pdata[i]);
  if (text->len == 0)
    g_string_append (text, _("Nothing was logged yet."));
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->log_view), text->str, -1);
}

/* --- Alarms ---------------------------------------------------------------- */

static const LaurelAlarms *
get_alarms (LaurelRunsPage *self)
{
  return self->datas->len > 0 ? laurel_run_data_get_alarms (self->datas->pdata[0]) : NULL;
}

/* The best weights are offered once the newest evaluation is not the best. */
static gboolean
has_better_weights (LaurelRunsPage *self, const LaurelAlarms *alarms)
{
  const LaurelLight *light = laurel_alarms_get (alarms, LAUREL_ALARM_OVEROPTIMISATION);
  int best = laurel_project_get_best_step (laurel_page_get_project (LAUREL_PAGE (self)),
                                           self->run_id);

  return best >= 0 && best < light->step;
}

/* One line above the charts, and only when there is something to say. */
static void
show_alarm_bar (LaurelRunsPage *self)
{
  const LaurelAlarms *alarms = get_alarms (self);
  g_autofree char *text = laurel_run_summarize_alarms (alarms);
  gboolean is_online = self->run != NULL && laurel_run_kind_has_rollouts (self->run->kind);
  gboolean has_better = is_online && alarms != NULL && has_better_weights (self, alarms);

  gtk_stack_page_set_visible (self->alarms_page, is_online);
  gtk_label_set_label (self->alarm_label,
                       text != NULL ? text : _("Earlier weights were better by the gold judge"));
  gtk_widget_set_visible (self->alarm_bar, is_online && (text != NULL || has_better));
  gtk_widget_set_visible (self->keep_best_button, has_better);
}

static void
keep_best_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelRunsPage *self = LAUREL_RUNS_PAGE (widget);
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));
  g_autoptr (GError) error = NULL;
  g_autofree char *model = laurel_project_keep_best (project, self->run_id, NULL, &error);
  g_autofree char *text = NULL;

  if (model == NULL) {
    show_error (self, error);
    return;
  }
  text = g_strdup_printf (_("The best weights are the model “%s”"), model);
  laurel_page_show_toast (widget, text);
}

/* Only the tab that is seen is filled. */
static void
show_tab (LaurelRunsPage *self)
{
  const char *tab = gtk_stack_get_visible_child_name (self->tabs);
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));

  if (self->run == NULL || project == NULL)
    return;
  if (g_str_equal (tab, "samples"))
    laurel_run_samples_set_run (self->samples, project, self->run);
  else if (g_str_equal (tab, "alarms"))
    laurel_run_show_alarms (self->alarms_list, get_alarms (self));
  else if (g_str_equal (tab, "log"))
    show_log (self);
  else if (g_str_equal (tab, "products"))
    laurel_run_show_products (self->products_list, project, self->run);
  else if (g_str_equal (tab, "configuration")) {
    laurel_run_show_settings (self->settings_list, self->run);
    laurel_run_show_data (self->data_list, self->run);
  }
}

static void
show_header (LaurelRunsPage *self)
{
  g_autofree char *description = laurel_run_describe (self->run);

  gtk_label_set_label (self->title, self->run->name);
  gtk_label_set_label (self->subtitle, description);
  gtk_label_set_label (self->message, self->run->message != NULL ? self->run->message : "");
  gtk_widget_set_visible (GTK_WIDGET (self->message),
                          self->run->status == LAUREL_RUN_FAILED
                            && gtk_label_get_label (self->message)[0] != '\0');
  gtk_widget_set_visible (GTK_WIDGET (self->resume_button), laurel_run_can_resume (self->run));
  gtk_widget_set_visible (GTK_WIDGET (self->inspect_button),
                          laurel_run_kind_has_rollouts (self->run->kind));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "runs.resume",
                                 laurel_run_can_resume (self->run));
}

static void
add_data (LaurelRunsPage *self, gint64 run_id)
{
  g_autoptr (LaurelRun) run = laurel_store_get_run (get_store (self), run_id, NULL);

  if (run != NULL)
    g_ptr_array_add (self->datas, laurel_run_data_new (run, self->datas->len));
}

/* Takes the selected run and the checked ones into the charts. */
static void
rebuild_charts (LaurelRunsPage *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  LaurelRunRow *row;

  laurel_run_charts_set_runs (self->charts, NULL, none);
  g_ptr_array_set_size (self->datas, 0);
  if (self->run == NULL)
    return;
  add_data (self, self->run_id);
  for (int i = 0; (row = get_row (self, i)) != NULL; i++)
    if (laurel_run_row_get_overlay (row) && laurel_run_row_get_run_id (row) != self->run_id)
      add_data (self, laurel_run_row_get_run_id (row));
  for (guint i = 0; i < self->datas->len; i++)
    if (!laurel_run_data_update (self->datas->pdata[i], get_store (self), &error)) {
      show_error (self, error);
      return;
    }
  laurel_run_charts_set_runs (self->charts, self->run->kind, self->datas);
}

static void
select_run (LaurelRunsPage *self, gint64 run_id)
{
  if (run_id != self->run_id) {
    self->run_id = run_id;
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUN_ID]);
  }
  g_clear_pointer (&self->run, laurel_run_free);
  if (run_id != 0 && get_store (self) != NULL)
    self->run = laurel_store_get_run (get_store (self), run_id, NULL);
  rebuild_charts (self);
  if (self->run == NULL)
    return;
  show_header (self);
  show_alarm_bar (self);
  show_tab (self);
}

/* --- The list ------------------------------------------------------------ */

static LaurelRunRow *
find_row (LaurelRunsPage *self, gint64 run_id)
{
  LaurelRunRow *row;

  for (int i = 0; (row = get_row (self, i)) != NULL; i++)
    if (laurel_run_row_get_run_id (row) == run_id)
      return row;
  return NULL;
}

static void
overlay_cb (LaurelRunsPage *self)
{
  rebuild_charts (self);
}

/* Runs are never removed, so rows are only updated, or added at the top. */
static void
update_rows (LaurelRunsPage *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) runs = laurel_store_list_runs (get_store (self), &error);

  if (runs == NULL) {
    show_error (self, error);
    return;
  }
  for (guint i = 0; i < runs->len; i++) {
    const LaurelRun *run = runs->pdata[i];
    LaurelRunRow *row = find_row (self, run->id);

    if (row != NULL) {
      laurel_run_row_update (row, run);
      continue;
    }
    row = LAUREL_RUN_ROW (laurel_run_row_new (run));
    g_signal_connect_object (row, "notify::overlay", G_CALLBACK (overlay_cb), self,
                             G_CONNECT_SWAPPED);
    gtk_list_box_insert (self->list, GTK_WIDGET (row), (int) i);
  }
  gtk_stack_set_visible_child_name (self->states, runs->len > 0 ? "runs" : "empty");
}

static void
ensure_selection (LaurelRunsPage *self)
{
  LaurelRunRow *row = self->run_id != 0 ? find_row (self, self->run_id) : NULL;

  if (row == NULL)
    row = get_row (self, 0);
  if (row != NULL)
    gtk_list_box_select_row (self->list, GTK_LIST_BOX_ROW (row));
}

static void
row_selected_cb (LaurelRunsPage *self, LaurelRunRow *row)
{
  if (row != NULL)
    select_run (self, laurel_run_row_get_run_id (row));
}

static void
row_activated_cb (LaurelRunsPage *self)
{
  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_FORWARD);
}

static void
back_cb (LaurelRunsPage *self)
{
  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_BACK);
}

/* --- Life ---------------------------------------------------------------- */

static gboolean
refresh_cb (gpointer user_data)
{
  LaurelRunsPage *self = user_data;
  LaurelRun *run;

  self->refresh_source = 0;
  if (get_store (self) == NULL)
    return G_SOURCE_REMOVE;
  update_rows (self);
  ensure_selection (self);
  run = self->run_id != 0 ? laurel_store_get_run (get_store (self), self->run_id, NULL) : NULL;
  if (run == NULL)
    return G_SOURCE_REMOVE;
  g_clear_pointer (&self->run, laurel_run_free);
  self->run = run;
  show_header (self);
  for (guint i = 0; i < self->datas->len; i++)
    laurel_run_data_update (self->datas->pdata[i], get_store (self), NULL);
  laurel_run_charts_refresh (self->charts);
  show_alarm_bar (self);
  if (!g_str_equal (gtk_stack_get_visible_child_name (self->tabs), "configuration"))
    show_tab (self);
  return G_SOURCE_REMOVE;
}

static void
queue_refresh (LaurelRunsPage *self)
{
  if (self->refresh_source == 0)
    self->refresh_source = g_timeout_add (REFRESH_MS, refresh_cb, self);
}

static void
laurel_runs_page_project_changed (LaurelPage *page)
{
  LaurelRunsPage *self = LAUREL_RUNS_PAGE (page);
  LaurelProject *project = laurel_page_get_project (page);

  g_signal_group_set_target (self->signals, project);
  g_clear_handle_id (&self->refresh_source, g_source_remove);
  laurel_run_samples_set_run (self->samples, NULL, NULL);
  laurel_list_box_clear (self->list);
  select_run (self, 0);
  if (project == NULL)
    return;
  update_rows (self);
  ensure_selection (self);
}

static void
resume_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelRunsPage *self = LAUREL_RUNS_PAGE (widget);
  g_autoptr (GError) error = NULL;

  if (laurel_project_resume_run (laurel_page_get_project (LAUREL_PAGE (self)), self->run_id,
                                 &error) == 0)
    show_error (self, error);
}

static void
inspect_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  gtk_widget_activate_action (widget, "win.inspect-run", "x", LAUREL_RUNS_PAGE (widget)->run_id);
}

static void
show_tab_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelRunsPage *self = LAUREL_RUNS_PAGE (widget);
  const char *tab = g_variant_get_string (parameter, NULL);

  if (gtk_stack_get_child_by_name (self->tabs, tab) != NULL)
    gtk_stack_set_visible_child_name (self->tabs, tab);
}

static void
overlay_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelRunRow *row = find_row (LAUREL_RUNS_PAGE (widget), g_variant_get_int64 (parameter));

  if (row != NULL)
    g_object_set (row, "overlay", !laurel_run_row_get_overlay (row), NULL);
}

static void
reference_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  laurel_run_charts_toggle_reference (LAUREL_RUNS_PAGE (widget)->charts);
}

static void
go_to_step_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelRunsPage *self = LAUREL_RUNS_PAGE (widget);

  gtk_stack_set_visible_child_name (self->tabs, "samples");
  laurel_run_samples_set_step (self->samples, g_variant_get_int32 (parameter));
}

static void
picked_cb (LaurelRunsPage *self, int step)
{
  if (self->run == NULL || !laurel_run_kind_has_rollouts (self->run->kind))
    return;
  gtk_stack_set_visible_child_name (self->tabs, "samples");
  laurel_run_samples_set_step (self->samples, step);
}

static void
laurel_runs_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_RUN_ID)
    g_value_set_int64 (value, LAUREL_RUNS_PAGE (object)->run_id);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
laurel_runs_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LaurelRunsPage *self = LAUREL_RUNS_PAGE (object);

  if (id != PROP_RUN_ID) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    return;
  }
  self->run_id = g_value_get_int64 (value);
  if (get_store (self) == NULL)
    return;
  update_rows (self);
  ensure_selection (self);
  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_FORWARD);
}

static void
laurel_runs_page_dispose (GObject *object)
{
  LaurelRunsPage *self = LAUREL_RUNS_PAGE (object);

  g_clear_handle_id (&self->refresh_source, g_source_remove);
  g_clear_object (&self->signals);
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_RUNS_PAGE);
  g_clear_pointer (&self->run, laurel_run_free);
  g_clear_pointer (&self->datas, g_ptr_array_unref);
  G_OBJECT_CLASS (laurel_runs_page_parent_class)->dispose (object);
}

static void
bind_template (GtkWidgetClass *widget_class)
{
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/runs_page.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, states);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, leaflet);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, list);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, back_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, title);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, subtitle);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, message);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, resume_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, inspect_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, tabs);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, charts);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, samples);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, settings_list);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, data_list);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, products_list);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, log_view);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, alarms_page);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, alarms_list);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, alarm_bar);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, alarm_label);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunsPage, keep_best_button);
  gtk_widget_class_bind_template_callback (widget_class, row_selected_cb);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
  gtk_widget_class_bind_template_callback (widget_class, back_cb);
  gtk_widget_class_bind_template_callback (widget_class, show_tab);
  gtk_widget_class_bind_template_callback (widget_class, picked_cb);
}

static void
laurel_runs_page_class_init (LaurelRunsPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = laurel_runs_page_get_property;
  object_class->set_property = laurel_runs_page_set_property;
  object_class->dispose = laurel_runs_page_dispose;
  LAUREL_PAGE_CLASS (klass)->project_changed = laurel_runs_page_project_changed;
  properties[PROP_RUN_ID] = g_param_spec_int64 ("run-id", NULL, NULL, 0, G_MAXINT64, 0,
                                                G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY
                                                  | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  g_type_ensure (LAUREL_TYPE_RUN_CHARTS);
  g_type_ensure (LAUREL_TYPE_RUN_SAMPLES);
  bind_template (widget_class);
  gtk_widget_class_install_action (widget_class, "runs.resume", NULL, resume_action);
  gtk_widget_class_install_action (widget_class, "runs.inspect", NULL, inspect_action);
  gtk_widget_class_install_action (widget_class, "runs.show-tab", "s", show_tab_action);
  gtk_widget_class_install_action (widget_class, "runs.keep-best", NULL, keep_best_action);
  gtk_widget_class_install_action (widget_class, "runs.reference", NULL, reference_action);
  gtk_widget_class_install_action (widget_class, "runs.go-to-step", "i", go_to_step_action);
  gtk_widget_class_install_action (widget_class, "runs.overlay", "x", overlay_action);
}

static void
laurel_runs_page_init (LaurelRunsPage *self)
{
  self->datas = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_run_data_free);
  gtk_widget_init_template (GTK_WIDGET (self));
  laurel_accessible_make_one_stop (GTK_WIDGET (self->list));
  self->signals = g_signal_group_new (LAUREL_TYPE_PROJECT);
  g_signal_group_connect_swapped (self->signals, "run-changed", G_CALLBACK (queue_refresh), self);
  g_signal_group_connect_swapped (self->signals, "job-changed", G_CALLBACK (queue_refresh), self);
}
