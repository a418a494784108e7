/* inspect_page.c: chooses run, step and rollout; the panel shows it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/inspect/inspect_page.h"

#include "core/base/file.h"
#include "core/base/json.h"
#include "ui/charts/scale.h"
#include "ui/inspect/rollout_item.h"
#include "ui/inspect/rollout_panel.h"
#include "ui/inspect/rollout_view.h"
#include "ui/resources.h"
#include "ui/runs/run_words.h"

#include <glib/gi18n.h>

#define REFRESH_MS 250

struct _LaurelInspectPage {
  LaurelPage parent_instance;

  GtkStack *states;
  GtkDropDown *run_chooser;
  GtkSpinButton *step;
  GtkLabel *steps;
  GtkDropDown *sort;
  GtkListView *list;
  LaurelRolloutPanel *panel;

  GSignalGroup *signals;
  GPtrArray *runs; /* (element-type LaurelRun): those with rollouts, newest first */
  GListStore *rollouts;
  GtkSingleSelection *selection;
  gint64 run_id;
  int last_step;
  gboolean is_filling;
  guint refresh_source;
};

G_DEFINE_FINAL_TYPE (LaurelInspectPage, laurel_inspect_page, LAUREL_TYPE_PAGE)

enum {
  PROP_0,
  PROP_RUN_ID,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

static LaurelStore *
get_store (LaurelInspectPage *self)
{
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));

  return project != NULL ? laurel_project_get_store (project) : NULL;
}

static const LaurelRun *
find_run (LaurelInspectPage *self, guint *out_index)
{
  for (guint i = 0; i < self->runs->len; i++) {
    const LaurelRun *run = self->runs->pdata[i];

    if (run->id == self->run_id) {
      if (out_index != NULL)
        *out_index = i;
      return run;
    }
  }
  return NULL;
}

/* --- Rollouts ------------------------------------------------------------ */

static void
selection_cb (LaurelInspectPage *self)
{
  LaurelRolloutItem *item = gtk_single_selection_get_selected_item (self->selection);
  const LaurelRun *run = find_run (self, NULL);

  if (self->is_filling)
    return;
  laurel_rollout_panel_set_rollout (self->panel, laurel_page_get_project (LAUREL_PAGE (self)),
                                    run != NULL ? run->model : NULL,
                                    item != NULL && run != NULL ? laurel_rollout_item_get (item)
                                      : NULL);
}

static void
sort_cb (LaurelInspectPage *self)
{
  self->is_filling = TRUE;
  g_list_store_sort (self->rollouts, laurel_rollout_item_compare,
                     GINT_TO_POINTER (gtk_drop_down_get_selected (self->sort)));
  gtk_single_selection_set_selected (self->selection, 0);
  self->is_filling = FALSE;
  /* The list would go along with the row that was first before sorting. */
  if (g_list_model_get_n_items (G_LIST_MODEL (self->rollouts)) > 0)
    gtk_widget_activate_action (GTK_WIDGET (self->list), "list.scroll-to-item", "u", 0);
  selection_cb (self);
}

static void
load_step (LaurelInspectPage *self)
{
  int step = gtk_spin_button_get_value_as_int (self->step);
  g_autoptr (GPtrArray) rollouts = NULL;

  self->is_filling = TRUE;
  laurel_rollout_panel_set_rollout (self->panel, NULL, NULL, NULL);
  g_list_store_remove_all (self->rollouts);
  if (get_store (self) != NULL && step > 0)
    rollouts = laurel_store_list_rollouts (get_store (self), self->run_id, step, -1, 0, NULL);
  for (guint i = 0; rollouts != NULL && i < rollouts->len; i++) {
    g_autoptr (LaurelRolloutItem) item =
      laurel_rollout_item_new (g_steal_pointer (&rollouts->pdata[i]));

    g_list_store_append (self->rollouts, item);
  }
  self->is_filling = FALSE;
  sort_cb (self);
}

/* --- Runs and steps ------------------------------------------------------ */

static void
show_run (LaurelInspectPage *self)
{
  int last = self->run_id != 0 ? laurel_store_last_rollout_step (get_store (self), self->run_id,
                                                                 NULL) : 0;
  int step = gtk_spin_button_get_value_as_int (self->step);
  /* Translators: follows the number of a step. */
  g_autofree char *text = g_strdup_printf (_("of %d"), MAX (last, 0));

  self->last_step = last;
  gtk_label_set_label (self->steps, text);
  gtk_spin_button_set_range (self->step, MIN (1, last), MAX (last, 0));
  if (step != last)
    gtk_spin_button_set_value (self->step, last); /* loads */
  else
    load_step (self);
}

static void
set_run_id (LaurelInspectPage *self, gint64 run_id)
{
  if (self->run_id == run_id)
    return;
  self->run_id = run_id;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUN_ID]);
}

static void
run_chosen_cb (LaurelInspectPage *self)
{
  guint index = gtk_drop_down_get_selected (self->run_chooser);

  if (self->is_filling || index >= self->runs->len)
    return;
  set_run_id (self, ((const LaurelRun *) self->runs->pdata[index])->id);
  show_run (self);
}

static void
find_runs (LaurelInspectPage *self)
{
  g_autoptr (GPtrArray) all = laurel_store_list_runs (get_store (self), NULL);

  g_ptr_array_set_size (self->runs, 0);
  for (guint i = 0; all != NULL && i < all->len; i++) {
    LaurelRun *run = all->pdata[i];

    if (laurel_run_kind_has_rollouts (run->kind)
        && laurel_store_last_rollout_step (get_store (self), run->id, NULL) > 0)
      g_ptr_array_add (self->runs, g_steal_pointer (&all->pdata[i]));
  }
}

static void
load_runs (LaurelInspectPage *self)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  guint index = 0;

  g_ptr_array_set_size (self->runs, 0);
  if (get_store (self) != NULL)
    find_runs (self);
  for (guint i = 0; i < self->runs->len; i++)
    gtk_string_list_append (names, ((const LaurelRun *) self->runs->pdata[i])->name);
  if (find_run (self, &index) == NULL)
    set_run_id (self, self->runs->len > 0 ? ((const LaurelRun *) self->runs->pdata[0])->id : 0);
  self->is_filling = TRUE;
  gtk_drop_down_set_model (self->run_chooser, G_LIST_MODEL (names));
  gtk_drop_down_set_selected (self->run_chooser, index);
  self->is_filling = FALSE;
  gtk_stack_set_visible_child_name (self->states, self->runs->len > 0 ? "rollouts" : "empty");
}

/* Follows a live run only while its newest step is shown: what somebody reads is not taken away. */
static gboolean
refresh_cb (gpointer user_data)
{
  LaurelInspectPage *self = user_data;
  gint64 shown = self->run_id;
  gboolean follows = gtk_spin_button_get_value_as_int (self->step) == self->last_step;
  int last;

  self->refresh_source = 0;
  load_runs (self);
  if (self->run_id == 0)
    return G_SOURCE_REMOVE;
  last = laurel_store_last_rollout_step (get_store (self), self->run_id, NULL);
  if (shown != self->run_id)
    show_run (self);
  else if (last != self->last_step) {
    g_autofree char *text = g_strdup_printf (_("of %d"), last);

    gtk_label_set_label (self->steps, text);
    gtk_spin_button_set_range (self->step, MIN (1, last), last);
    self->last_step = last;
    if (follows && !gtk_widget_get_mapped (GTK_WIDGET (self)))
      gtk_spin_button_set_value (self->step, last);
  }
  return G_SOURCE_REMOVE;
}

static void
queue_refresh (LaurelInspectPage *self)
{
  if (self->refresh_source == 0)
    self->refresh_source = g_timeout_add (REFRESH_MS, refresh_cb, self);
}

static void
laurel_inspect_page_project_changed (LaurelPage *page)
{
  LaurelInspectPage *self = LAUREL_INSPECT_PAGE (page);

  g_signal_group_set_target (self->signals, laurel_page_get_project (page));
  g_clear_handle_id (&self->refresh_source, g_source_remove);
  set_run_id (self, 0);
  load_runs (self);
  show_run (self);
}

/* --- Export -------------------------------------------------------------- */

static gboolean
export_rollouts (LaurelInspectPage *self, const char *path, GError **error)
{
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));
  const LaurelRun *run = find_run (self, NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->rollouts)); i++) {
    g_autoptr (LaurelRolloutItem) item = g_list_model_get_item (G_LIST_MODEL (self->rollouts), i);
    const LaurelRollout *rollout = laurel_rollout_item_get (item);
    g_auto (GStrv) labels = laurel_label_tokens (project, run->model,
                                                 rollout->n_tokens > 0 ? &rollout->records[0].token
                                                   : NULL,
                                                 sizeof (LaurelTokenRecord), rollout->n_tokens);
    g_autoptr (JsonNode) node = laurel_rollout_to_json (rollout, (const char *const *) labels);
    g_autofree char *line = laurel_json_to_string (node, FALSE);

    g_string_append_printf (text, "%s\n", line);
  }
  return laurel_file_write (path, text->str, text->len, error);
}

static void
export_response_cb (GtkNativeDialog *dialog, int response, LaurelInspectPage *self)
{
  g_autoptr (GError) error = NULL;

  if (response == GTK_RESPONSE_ACCEPT && find_run (self, NULL) != NULL) {
    g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
    g_autofree char *path = g_file_get_path (file);
    g_autofree char *message = NULL;

    if (export_rollouts (self, path, &error))
      message = g_strdup_printf (_("Saved as %s"), path);
    laurel_page_show_toast (GTK_WIDGET (self), message != NULL ? message : error->message);
  }
  g_object_unref (dialog);
}

static void
export_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelInspectPage *self = LAUREL_INSPECT_PAGE (widget);
  const LaurelRun *run = find_run (self, NULL);
  GtkFileChooserNative *dialog;
  g_autofree char *file = NULL;

  if (run == NULL)
    return;
  file = g_strdup_printf ("%s-step-%d.jsonl", run->name,
                          gtk_spin_button_get_value_as_int (self->step));
  dialog = gtk_file_chooser_native_new (_("Export Rollouts"),
                                        GTK_WINDOW (gtk_widget_get_root (widget)),
                                        GTK_FILE_CHOOSER_ACTION_SAVE, _("_Export"), NULL);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), file);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (export_response_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
select_token_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  laurel_rollout_panel_select_token (LAUREL_INSPECT_PAGE (widget)->panel,
                                     g_variant_get_int32 (parameter));
}

/* --- Class --------------------------------------------------------------- */

static char *
format_score (GtkListItem *item, LaurelRolloutItem *rollout)
{
  return rollout != NULL ? laurel_format_value (laurel_rollout_item_get (rollout)->score) : NULL;
}

static char *
format_prompt (GtkListItem *item, LaurelRolloutItem *rollout)
{
  return rollout != NULL ? g_strdelimit (g_strdup (laurel_rollout_item_get (rollout)->prompt),
                                         "\n\r\t", ' ') : NULL;
}

static char *
format_completion (GtkListItem *item, LaurelRolloutItem *rollout)
{
  return rollout != NULL
         ? g_strdelimit (g_strstrip (g_strdup (laurel_rollout_item_get (rollout)->completion)),
                         "\n\r\t", ' ')
                         : NULL;
}

static void
laurel_inspect_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_RUN_ID)
    g_value_set_int64 (value, LAUREL_INSPECT_PAGE (object)->run_id);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
laurel_inspect_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LaurelInspectPage *self = LAUREL_INSPECT_PAGE (object);

  if (id != PROP_RUN_ID) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    return;
  }
  set_run_id (self, g_value_get_int64 (value));
  load_runs (self);
  show_run (self);
}

static void
laurel_inspect_page_dispose (GObject *object)
{
  LaurelInspectPage *self = LAUREL_INSPECT_PAGE (object);

  g_clear_handle_id (&self->refresh_source, g_source_remove);
  g_clear_object (&self->signals);
  self->is_filling = TRUE;
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_INSPECT_PAGE);
  g_clear_object (&self->selection);
  g_clear_object (&self->rollouts);
  g_clear_pointer (&self->runs, g_ptr_array_unref);
  G_OBJECT_CLASS (laurel_inspect_page_parent_class)->dispose (object);
}

static void
laurel_inspect_page_class_init (LaurelInspectPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = laurel_inspect_page_get_property;
  object_class->set_property = laurel_inspect_page_set_property;
  object_class->dispose = laurel_inspect_page_dispose;
  LAUREL_PAGE_CLASS (klass)->project_changed = laurel_inspect_page_project_changed;
  properties[PROP_RUN_ID] = g_param_spec_int64 ("run-id", NULL, NULL, 0, G_MAXINT64, 0,
                                                G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY
                                                  | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  g_type_ensure (LAUREL_TYPE_ROLLOUT_PANEL);
  g_type_ensure (LAUREL_TYPE_ROLLOUT_ITEM);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/inspect_page.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelInspectPage, states);
  gtk_widget_class_bind_template_child (widget_class, LaurelInspectPage, run_chooser);
  gtk_widget_class_bind_template_child (widget_class, LaurelInspectPage, step);
  gtk_widget_class_bind_template_child (widget_class, LaurelInspectPage, steps);
  gtk_widget_class_bind_template_child (widget_class, LaurelInspectPage, sort);
  gtk_widget_class_bind_template_child (widget_class, LaurelInspectPage, list);
  gtk_widget_class_bind_template_child (widget_class, LaurelInspectPage, panel);
  gtk_widget_class_bind_template_callback (widget_class, run_chosen_cb);
  gtk_widget_class_bind_template_callback (widget_class, load_step);
  gtk_widget_class_bind_template_callback (widget_class, sort_cb);
  gtk_widget_class_bind_template_callback (widget_class, format_score);
  gtk_widget_class_bind_template_callback (widget_class, format_prompt);
  gtk_widget_class_bind_template_callback (widget_class, format_completion);
  gtk_widget_class_install_action (widget_class, "inspect.export", NULL, export_action);
  gtk_widget_class_install_action (widget_class, "inspect.select-token", "i", select_token_action);
}

static void
laurel_inspect_page_init (LaurelInspectPage *self)
{
  self->runs = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_run_free);
  self->rollouts = g_list_store_new (LAUREL_TYPE_ROLLOUT_ITEM);
  self->selection = gtk_single_selection_new (g_object_ref (G_LIST_MODEL (self->rollouts)));
  self->is_filling = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  self->is_filling = FALSE;
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (self->selection));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (selection_cb),
                           self, G_CONNECT_SWAPPED);
  self->signals = g_signal_group_new (LAUREL_TYPE_PROJECT);
  g_signal_group_connect_swapped (self->signals, "run-changed", G_CALLBACK (queue_refresh), self);
}
