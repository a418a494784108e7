/* labelers_view.c: a table of labelers, agreement in three lines, and a table of each two.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/labelers_view.h"

#include "core/base/statistics.h"
#include "core/label/agreement.h"
#include "core/project/background.h"
#include "ui/accessible.h"
#include "ui/data/agreement_words.h"
#include "ui/data/data_source.h"
#include "ui/resources.h"

#include <glib/gi18n.h>

#define REFRESH_MS 500

struct _LaurelLabelersView {
  GtkWidget parent_instance;

  GtkWidget *content;
  AdwBin *labelers_place;
  GtkSpinner *spinner;
  GtkListBox *groups;
  GtkLabel *waiting;
  GtkLabel *remark;
  AdwPreferencesGroup *pairs;
  AdwBin *pairs_place;

  LaurelProject *project;
  GSignalGroup *signals;
  GListStore *labelers; /* (element-type LaurelTextRow) */
  GCancellable *cancellable; /* of what is computed now; NULL: nothing is */
  const char *hint;          /* what to do for more; NULL: nothing */
  gboolean is_old;           /* something has been ranked since the last computation began */
  guint refresh_source;
};

G_DEFINE_FINAL_TYPE (LaurelLabelersView, laurel_labelers_view, GTK_TYPE_WIDGET)

/* --- Labelers -------------------------------------------------------------------------- */

static const LaurelDataSource *
find_source (void)
{
  guint n;
  const LaurelDataSource *sources = laurel_data_sources (&n);

  while (!g_str_equal (sources->name, "labelers"))
    sources++;
  return sources;
}

static void
show_labelers (LaurelLabelersView *self)
{
  g_autoptr (GPtrArray) rows = find_source ()->fetch (laurel_project_get_store (self->project),
                                                      NULL, LAUREL_LABELERS_ALL, G_MAXINT, 0);

  g_list_store_splice (self->labelers, 0, g_list_model_get_n_items (G_LIST_MODEL (self->labelers)),
                       rows->pdata, rows->len);
}

static void
make_labelers (LaurelLabelersView *self)
{
  const LaurelDataSource *source = find_source ();
  LaurelTableColumn columns[LAUREL_MAX_DATA_COLUMNS + 1] = { 0 };

  for (guint i = 0; source->columns[i].title != NULL; i++)
    columns[i] =
        (LaurelTableColumn){ _ (source->columns[i].title), source->columns[i].kind, NULL };
  self->labelers = g_list_store_new (LAUREL_TYPE_TEXT_ROW);
  adw_bin_set_child (
      self->labelers_place,
      laurel_table_new (_ (source->title), columns, G_LIST_MODEL (self->labelers)));
}

/* --- Agreement, on a thread ------------------------------------------------------------ */

/* The view may be shown another project meanwhile. */
typedef struct {
  LaurelLabelersView *view;
  GCancellable *cancellable;
} Computation;

static gpointer
compute (LaurelBackground *background,
         LaurelStore *store,
         const char *project_path,
         gpointer data,
         GError **error)
{
  const LaurelAgreementRequest request = { .n_resamples = LAUREL_BOOTSTRAP_RESAMPLES,
                                           .progress = laurel_background_step,
                                           .user_data = background };

  return laurel_label_list_agreement (store, &request, error);
}

static void
update (LaurelLabelersView *self)
{
  gboolean is_computing = self->cancellable != NULL;
  gboolean has_figures = gtk_list_box_get_row_at_index (self->groups, 0) != NULL;
  const char *remark = has_figures && self->is_old && !is_computing
                           ? _("More has been ranked since these figures were computed.")
                           : self->hint;

  gtk_spinner_set_spinning (self->spinner, is_computing);
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), is_computing);
  gtk_label_set_label (self->remark, remark != NULL ? remark : "");
  gtk_widget_set_visible (GTK_WIDGET (self->remark), remark != NULL);
}

static void
show_agreement (LaurelLabelersView *self, GPtrArray *list)
{
  g_autofree char *described = laurel_agreement_describe_table (list);
  GtkWidget *table = laurel_agreement_make_table (list);

  self->hint = laurel_agreement_find_hint (list);
  laurel_agreement_show_groups (self->groups, list);
  adw_preferences_group_set_description (self->pairs, described);
  adw_bin_set_child (self->pairs_place, table);
  gtk_widget_set_visible (GTK_WIDGET (self->pairs), table != NULL);
  laurel_accessible_mend (GTK_WIDGET (self));
}

/* Takes what was shown away. */
static void
clear (LaurelLabelersView *self)
{
  self->hint = NULL;
  self->is_old = TRUE;
  laurel_agreement_show_groups (self->groups, NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->pairs), FALSE);
}

static void
computed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Computation *computation = user_data;
  g_autoptr (LaurelLabelersView) self = computation->view;
  g_autoptr (GCancellable) cancellable = computation->cancellable;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = laurel_background_finish (result, &error);

  if (g_cancellable_is_cancelled (cancellable))
    return;
  g_clear_object (&self->cancellable);
  if (list != NULL) {
    show_agreement (self, list);
  } else {
    gtk_label_set_label (self->waiting, error->message);
    clear (self);
  }
  update (self);
}

static void
start (LaurelLabelersView *self)
{
  const LaurelBackgroundTask task = { .work = compute,
                                      .free_result = (GDestroyNotify) g_ptr_array_unref };
  Computation *computation;

  if (self->cancellable != NULL || self->project == NULL)
    return;
  self->is_old = FALSE;
  self->cancellable = g_cancellable_new ();
  computation = g_new (Computation, 1);
  computation->view = g_object_ref (self);
  computation->cancellable = g_object_ref (self->cancellable);
  gtk_label_set_label (self->waiting, _("Computing…"));
  update (self);
  laurel_background_start (self->project, &task, self->cancellable, computed_cb, computation);
}

static void
stop (LaurelLabelersView *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

/* Stays enabled meanwhile: the button would lose the focus. */
static void
compute_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  start (LAUREL_LABELERS_VIEW (widget));
}

/* --- When ------------------------------------------------------------------------------ */

static void
open_view (LaurelLabelersView *self)
{
  if (self->project == NULL)
    return;
  show_labelers (self);
  if (self->is_old)
    start (self);
  else
    update (self);
}

static gboolean
refresh_cb (gpointer user_data)
{
  LaurelLabelersView *self = user_data;

  self->refresh_source = 0;
  show_labelers (self);
  update (self);
  return G_SOURCE_REMOVE;
}

/* People rank every few seconds: agreement is computed again when somebody asks, or comes back. */
static void
tasks_changed_cb (LaurelLabelersView *self)
{
  self->is_old = TRUE;
  if (self->refresh_source == 0 && gtk_widget_get_mapped (GTK_WIDGET (self)))
    self->refresh_source = g_timeout_add (REFRESH_MS, refresh_cb, self);
}

void
laurel_labelers_view_set_project (LaurelLabelersView *self, LaurelProject *project)
{
  g_return_if_fail (LAUREL_IS_LABELERS_VIEW (self));

  if (self->project == project)
    return;
  stop (self);
  g_clear_handle_id (&self->refresh_source, g_source_remove);
  g_set_object (&self->project, project);
  g_signal_group_set_target (self->signals, project);
  clear (self);
  update (self);
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    open_view (self);
}

/* --- Class ----------------------------------------------------------------------------- */

static void
laurel_labelers_view_map (GtkWidget *widget)
{
  open_view (LAUREL_LABELERS_VIEW (widget));
  GTK_WIDGET_CLASS (laurel_labelers_view_parent_class)->map (widget);
}

static void
laurel_labelers_view_dispose (GObject *object)
{
  LaurelLabelersView *self = LAUREL_LABELERS_VIEW (object);

  stop (self);
  g_clear_handle_id (&self->refresh_source, g_source_remove);
  g_clear_object (&self->signals);
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_LABELERS_VIEW);
  g_clear_object (&self->labelers);
  g_clear_object (&self->project);
  G_OBJECT_CLASS (laurel_labelers_view_parent_class)->dispose (object);
}

static void
laurel_labelers_view_class_init (LaurelLabelersViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_labelers_view_dispose;
  widget_class->map = laurel_labelers_view_map;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/labelers_view.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelersView, content);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelersView, labelers_place);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelersView, spinner);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelersView, groups);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelersView, waiting);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelersView, remark);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelersView, pairs);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelersView, pairs_place);
  gtk_widget_class_install_action (widget_class, "labelers.compute", NULL, compute_action);
}

static void
laurel_labelers_view_init (LaurelLabelersView *self)
{
  self->signals = g_signal_group_new (LAUREL_TYPE_PROJECT);
  g_signal_group_connect_swapped (self->signals, "tasks-changed", G_CALLBACK (tasks_changed_cb),
                                  self);
  gtk_widget_init_template (GTK_WIDGET (self));
  make_labelers (self);
  laurel_accessible_mend (GTK_WIDGET (self));
  update (self);
}
