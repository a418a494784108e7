/* models_page.c: the lineage as an indented list; import, export, remove.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/models/models_page.h"

#include "ui/models/model_row.h"
#include "ui/models/reward_dialog.h"
#include "ui/resources.h"
#include "ui/runs/run_details.h"

#include <glib/gi18n.h>

struct _LaurelModelsPage {
  LaurelPage parent_instance;

  GtkStack *states;
  GtkListBox *list;
  GSignalGroup *signals;
};

G_DEFINE_FINAL_TYPE (LaurelModelsPage, laurel_models_page, LAUREL_TYPE_PAGE)

static gboolean
is_known (GPtrArray *models, const char *name)
{
  for (guint i = 0; name != NULL && i < models->len; i++)
    if (g_str_equal (((const LaurelModelRecord *) models->pdata[i])->name, name))
      return TRUE;
  return FALSE;
}

/* What the next step takes when nothing else is said: of reward models and policies. */
static gboolean
is_newest (GPtrArray *models, const LaurelModelRecord *model)
{
  if (!g_str_equal (model->kind, "reward") && !g_str_equal (model->kind, "policy"))
    return FALSE;
  for (guint i = 0; i < models->len; i++) {
    const LaurelModelRecord *other = models->pdata[i];

    if (g_str_equal (other->kind, model->kind) && other->created > model->created)
      return FALSE;
  }
  return TRUE;
}

/* Adds the children of @parent, each followed by its own. A model whose parent is gone stands at
 * the root. */
static void
add_children (LaurelModelsPage *self, GPtrArray *models, const char *parent, int depth)
{
  for (guint i = 0; i < models->len; i++) {
    const LaurelModelRecord *model = models->pdata[i];
    const char *own = is_known (models, model->parent) ? model->parent : NULL;

    if (g_strcmp0 (own, parent) != 0 || depth > (int) models->len)
      continue;
    gtk_list_box_append (
        self->list,
        laurel_model_row_new (laurel_page_get_project (LAUREL_PAGE (self)), model, depth,
                              is_newest (models, model)));
    add_children (self, models, model->name, depth + 1);
  }
}

static void
reload (LaurelModelsPage *self)
{
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));
  g_autoptr (GPtrArray) models = NULL;

  laurel_list_box_clear (self->list);
  if (project == NULL)
    return;
  models = laurel_store_list_models (laurel_project_get_store (project), NULL);
  if (models != NULL)
    add_children (self, models, NULL, 0);
  gtk_stack_set_visible_child_name (self->states,
                                    models != NULL && models->len > 0 ? "models" : "empty");
}

static void
laurel_models_page_project_changed (LaurelPage *page)
{
  LaurelModelsPage *self = LAUREL_MODELS_PAGE (page);

  g_signal_group_set_target (self->signals, laurel_page_get_project (page));
  reload (self);
}

static GtkWindow *
get_window (LaurelModelsPage *self)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  return GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL;
}

static void
show_failure (LaurelModelsPage *self, const char *title, const char *message)
{
  GtkWidget *dialog = adw_message_dialog_new (get_window (self), title, message);

  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _("_Close"));
  gtk_window_present (GTK_WINDOW (dialog));
}

/* --- Import -------------------------------------------------------------- */

static void
imported_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  LaurelProject *project = LAUREL_PROJECT (source);
  g_autoptr (LaurelModelsPage) self = LAUREL_MODELS_PAGE (user_data);
  g_autoptr (GError) error = NULL;
  gboolean ok = laurel_project_import_model_finish (project, result, &error);

  if (laurel_page_get_project (LAUREL_PAGE (self)) != project)
    return; /* the window shows another project by now */
  if (ok)
    laurel_page_show_toast (GTK_WIDGET (self), _("Model imported"));
  else
    show_failure (self, _("Nothing Was Imported"), error->message);
  reload (self);
}

static void
import_named_cb (AdwMessageDialog *dialog, const char *response, LaurelModelsPage *self)
{
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));
  GtkEditable *entry = GTK_EDITABLE (adw_message_dialog_get_extra_child (dialog));

  if (!g_str_equal (response, "import") || project == NULL)
    return;
  laurel_page_show_toast (GTK_WIDGET (self), _("Importing the model…"));
  laurel_project_import_model_async (project, gtk_editable_get_text (entry),
                                     g_object_get_data (G_OBJECT (dialog), "folder"), imported_cb,
                                     g_object_ref (self));
}

static void
ask_name (LaurelModelsPage *self, const char *folder)
{
  GtkWidget *dialog = adw_message_dialog_new (get_window (self), _("Name the Model"), folder);
  GtkWidget *entry = gtk_entry_new ();
  g_autofree char *base = g_path_get_basename (folder);

  gtk_editable_set_text (GTK_EDITABLE (entry), base);
  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("Name of the model"), -1);
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), entry);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel",
                                    _("_Cancel"), "import", _("_Import"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "import",
                                              ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "import");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "folder", g_strdup (folder), g_free);
  g_signal_connect_object (dialog, "response", G_CALLBACK (import_named_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
import_folder_cb (GtkNativeDialog *dialog, int response, LaurelModelsPage *self)
{
  if (response == GTK_RESPONSE_ACCEPT) {
    g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
    g_autofree char *path = g_file_get_path (file);

    ask_name (self, path);
  }
  g_object_unref (dialog);
}

static void
choose_folder (LaurelModelsPage *self,
               const char *title,
               const char *accept,
               GCallback callback,
               const char *model)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      title, get_window (self), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, accept, NULL);

  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_object_set_data_full (G_OBJECT (dialog), "model", g_strdup (model), g_free);
  g_signal_connect_object (dialog, "response", callback, self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
import_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  choose_folder (LAUREL_MODELS_PAGE (widget), _("Import a Hugging Face Directory"), _("_Choose"),
                 G_CALLBACK (import_folder_cb), NULL);
}

/* --- Export and removal -------------------------------------------------- */

static void
export_folder_cb (GtkNativeDialog *dialog, int response, LaurelModelsPage *self)
{
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));
  const char *model = g_object_get_data (G_OBJECT (dialog), "model");
  g_autoptr (GError) error = NULL;

  if (response == GTK_RESPONSE_ACCEPT && project != NULL) {
    g_autoptr (GFile) parent = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
    g_autoptr (GFile) folder = g_file_get_child (parent, model);
    g_autofree char *path = g_file_get_path (folder);
    g_autofree char *message = g_strdup_printf (_("Exported to %s"), path);

    if (laurel_project_export_model (project, model, path, NULL, &error))
      laurel_page_show_toast (GTK_WIDGET (self), message);
    else
      show_failure (self, _("Nothing Was Exported"), error->message);
  }
  g_object_unref (dialog);
}

static void
export_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  choose_folder (LAUREL_MODELS_PAGE (widget), _("Export Into a Folder"), _("_Export"),
                 G_CALLBACK (export_folder_cb), g_variant_get_string (parameter, NULL));
}

static void
remove_response_cb (AdwMessageDialog *dialog, const char *response, LaurelModelsPage *self)
{
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));
  g_autoptr (GError) error = NULL;

  if (!g_str_equal (response, "remove") || project == NULL)
    return;
  if (!laurel_project_remove_model (project, g_object_get_data (G_OBJECT (dialog), "model"),
                                    &error))
    show_failure (self, _("The Model Stays"), error->message);
  reload (self);
}

static void
remove_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelModelsPage *self = LAUREL_MODELS_PAGE (widget);
  const char *model = g_variant_get_string (parameter, NULL);
  g_autofree char *title = g_strdup_printf (_("Remove “%s”?"), model);
  GtkWidget *dialog =
      adw_message_dialog_new (get_window (self), title,
                              _("Its weights are deleted from the disk. This cannot be undone."));

  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel",
                                    _("_Cancel"), "remove", _("_Remove"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "remove",
                                              ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "model", g_strdup (model), g_free);
  g_signal_connect_object (dialog, "response", G_CALLBACK (remove_response_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

/* --- Evaluation ---------------------------------------------------------- */

static void
evaluate_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelModelsPage *self = LAUREL_MODELS_PAGE (widget);
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));

  if (project != NULL)
    laurel_reward_dialog_present (get_window (self), project,
                                  g_variant_get_string (parameter, NULL));
}

/* --- Class --------------------------------------------------------------- */

static void
laurel_models_page_dispose (GObject *object)
{
  LaurelModelsPage *self = LAUREL_MODELS_PAGE (object);

  g_clear_object (&self->signals);
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_MODELS_PAGE);
  G_OBJECT_CLASS (laurel_models_page_parent_class)->dispose (object);
}

static void
laurel_models_page_class_init (LaurelModelsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_models_page_dispose;
  LAUREL_PAGE_CLASS (klass)->project_changed = laurel_models_page_project_changed;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/models_page.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelModelsPage, states);
  gtk_widget_class_bind_template_child (widget_class, LaurelModelsPage, list);
  gtk_widget_class_install_action (widget_class, "models.evaluate", "s", evaluate_action);
  gtk_widget_class_install_action (widget_class, "models.import", NULL, import_action);
  gtk_widget_class_install_action (widget_class, "models.export", "s", export_action);
  gtk_widget_class_install_action (widget_class, "models.remove", "s", remove_action);
}

static void
laurel_models_page_init (LaurelModelsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->signals = g_signal_group_new (LAUREL_TYPE_PROJECT);
  g_signal_group_connect_swapped (self->signals, "models-changed", G_CALLBACK (reload), self);
}
