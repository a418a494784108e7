/* data_exchange.c: the import preview is the import itself, taken back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/data_exchange.h"

#include "core/label/exchange.h"

#include <glib/gi18n.h>

#define MAX_REASONS 200

typedef struct {
  LaurelPage *page; /* a reference */
  char *what;
  char *path;
  void (*done) (LaurelPage *page);
} Exchange;

static void
exchange_free (Exchange *self)
{
  g_object_unref (self->page);
  g_free (self->what);
  g_free (self->path);
  g_free (self);
}

static LaurelStore *
get_store (Exchange *self)
{
  LaurelProject *project = laurel_page_get_project (self->page);

  return project != NULL ? laurel_project_get_store (project) : NULL;
}

static GtkWindow *
get_window (LaurelPage *page)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (page));

  return GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL;
}

static LaurelImportResult *
import (Exchange *self, GError **error)
{
  if (g_str_equal (self->what, "demonstrations"))
    return laurel_import_demonstrations (get_store (self), self->path, error);
  if (g_str_equal (self->what, "rankings"))
    return laurel_project_import_rankings (laurel_page_get_project (self->page), self->path, error);
  return laurel_import_prompts (get_store (self), self->path, error);
}

static LaurelImportResult *
preview (Exchange *self, GError **error)
{
  LaurelImportResult *result;

  if (!laurel_store_begin (get_store (self), error))
    return NULL;
  result = import (self, error);
  laurel_store_rollback (get_store (self));
  return result;
}

static void
show_failure (LaurelPage *page, const char *title, const char *message)
{
  GtkWidget *dialog = adw_message_dialog_new (get_window (page), title, message);

  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _("_Close"));
  gtk_window_present (GTK_WINDOW (dialog));
}

static GtkWidget *
make_reasons (const LaurelImportResult *result)
{
  GtkWidget *scrolled = gtk_scrolled_window_new ();
  GtkWidget *label = gtk_label_new (NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < MIN (result->row_errors->len, MAX_REASONS); i++) {
    const LaurelRowError *refused = result->row_errors->pdata[i];

    g_string_append_printf (text, i > 0 ? "\n" : "");
    g_string_append_printf (text, _("Line %u: %s"), refused->row, refused->reason);
  }
  gtk_label_set_label (GTK_LABEL (label), text->str);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), label);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scrolled), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scrolled), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scrolled), 240);
  return scrolled;
}

static void
preview_response_cb (AdwMessageDialog *dialog, const char *response, Exchange *self)
{
  g_autoptr (LaurelImportResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (g_str_equal (response, "import") && get_store (self) != NULL) {
    result = import (self, &error);
    if (result == NULL)
      show_failure (self->page, _("Nothing Was Imported"), error->message);
    else {
      text = laurel_import_result_describe (result);
      laurel_page_show_toast (GTK_WIDGET (self->page), text);
      self->done (self->page);
    }
  }
  exchange_free (self);
}

static void
show_preview (Exchange *self, const LaurelImportResult *result)
{
  g_autofree char *text = laurel_import_result_describe (result);
  g_autofree char *base = g_path_get_basename (self->path);
  g_autofree char *title = g_strdup_printf (_("Import “%s”?"), base);
  GtkWidget *dialog = adw_message_dialog_new (get_window (self->page), title, NULL);

  adw_message_dialog_format_body (ADW_MESSAGE_DIALOG (dialog), _("It would give: %s."), text);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel",
                                    _("_Cancel"), "import", _("_Import"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "import",
                                              ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_response_enabled (ADW_MESSAGE_DIALOG (dialog), "import",
                                           result->n_imported > 0);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "import");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  if (result->row_errors->len > 0)
    adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), make_reasons (result));
  g_signal_connect (dialog, "response", G_CALLBACK (preview_response_cb), self);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
import_file_cb (GtkNativeDialog *dialog, int response, Exchange *self)
{
  g_autoptr (LaurelImportResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (response == GTK_RESPONSE_ACCEPT && get_store (self) != NULL) {
    g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));

    self->path = g_file_get_path (file);
    result = preview (self, &error);
    if (result != NULL)
      show_preview (g_steal_pointer (&self), result);
    else
      show_failure (self->page, _("Nothing Can Be Imported"), error->message);
  }
  if (self != NULL)
    exchange_free (self);
  g_object_unref (dialog);
}

static Exchange *
exchange_new (LaurelPage *page, const char *what)
{
  Exchange *self = g_new0 (Exchange, 1);

  self->page = g_object_ref (page);
  self->what = g_strdup (what);
  return self;
}

void
laurel_data_import (LaurelPage *page, const char *what, void (*done) (LaurelPage *page))
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      _("Import"), get_window (page), GTK_FILE_CHOOSER_ACTION_OPEN, _("_Preview"), NULL);
  Exchange *self = exchange_new (page, what);

  self->done = done;
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect (dialog, "response", G_CALLBACK (import_file_cb), self);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
export_file_cb (GtkNativeDialog *dialog, int response, Exchange *self)
{
  if (response == GTK_RESPONSE_ACCEPT && get_store (self) != NULL) {
    g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
    g_autofree char *path = g_file_get_path (file);
    g_autofree char *text = NULL;
    g_autoptr (GError) error = NULL;
    LaurelExportFormat format = LAUREL_EXPORT_LAUREL;
    LaurelLabelers labelers = LAUREL_LABELERS_ALL;
    int n;

    if (g_str_equal (self->what, "prompts"))
      n = laurel_export_prompts (get_store (self), path, &error);
    else if (laurel_export_format_from_string (
                 gtk_file_chooser_get_choice (GTK_FILE_CHOOSER (dialog), "format"), &format,
                 &error)
             && laurel_labelers_from_string (
                 gtk_file_chooser_get_choice (GTK_FILE_CHOOSER (dialog), "labelers"), &labelers,
                 &error))
      n = laurel_export_rankings (get_store (self), path, format, labelers, &error);
    else
      n = -1;
    if (n < 0)
      show_failure (self->page, _("Nothing Was Exported"), error->message);
    else {
      text = g_strdup_printf (ngettext ("%d row exported", "%d rows exported", n), n);
      laurel_page_show_toast (GTK_WIDGET (self->page), text);
    }
  }
  exchange_free (self);
  g_object_unref (dialog);
}

void
laurel_data_export (LaurelPage *page, const char *what)
{
  const char *formats[] = { "laurel", "trl", "hh-rlhf", NULL };
  const char *labels[] = { _("Rankings, as Laurel reads them"),
                           _("TRL pairs (prompt, chosen, rejected)"),
                           _("HH-RLHF dialogues (chosen, rejected)"), NULL };
  const char *groups[] = { "all", "people", "simulated", NULL };
  const char *group_labels[] = { _("All labelers"), _("People"), _("Simulated"), NULL };
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      _("Export"), get_window (page), GTK_FILE_CHOOSER_ACTION_SAVE, _("_Export"), NULL);
  g_autofree char *name = g_strconcat (what, ".jsonl", NULL);

  if (!g_str_equal (what, "prompts")) {
    gtk_file_chooser_add_choice (GTK_FILE_CHOOSER (dialog), "format",
                                 _("Format"), formats, labels);
    gtk_file_chooser_set_choice (GTK_FILE_CHOOSER (dialog), "format", formats[0]);
    gtk_file_chooser_add_choice (GTK_FILE_CHOOSER (dialog), "labelers", _("Rankings by"), groups,
                                 group_labels);
    gtk_file_chooser_set_choice (GTK_FILE_CHOOSER (dialog), "labelers", groups[0]);
  }
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), name);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect (dialog, "response", G_CALLBACK (export_file_cb), exchange_new (page, what));
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}
