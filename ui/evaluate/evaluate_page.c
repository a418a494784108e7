/* evaluate_page.c: what all evaluations of the dialog share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/evaluate/evaluate_page.h"

#include "core/base/file.h"
#include "core/base/json.h"

#include <glib/gi18n.h>
#include <string.h>

/* Above the results, as above the page's first group. */
#define MARGIN 18

typedef struct {
  LaurelProject *project;
  GtkWidget *results; /* borrowed: in the page; what to scroll to */
  guint tick; /* waits until they have their size; 0: does not */
  char *csv, *json; /* NULL: no results yet */
  char *asked;      /* who judges what, as the last task was made */
} LaurelEvaluatePagePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (LaurelEvaluatePage, laurel_evaluate_page, ADW_TYPE_BIN)

enum {
  CHANGED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static LaurelEvaluatePagePrivate *
get_private (gpointer self)
{
  return laurel_evaluate_page_get_instance_private (LAUREL_EVALUATE_PAGE (self));
}

void
laurel_evaluate_page_fill (LaurelEvaluatePage *self, LaurelProject *project)
{
  g_return_if_fail (LAUREL_IS_EVALUATE_PAGE (self));

  g_set_object (&get_private (self)->project, project);
  LAUREL_EVALUATE_PAGE_GET_CLASS (self)->fill (self, project);
}

LaurelProject *
laurel_evaluate_page_get_project (LaurelEvaluatePage *self)
{
  g_return_val_if_fail (LAUREL_IS_EVALUATE_PAGE (self), NULL);

  return get_private (self)->project;
}

gboolean
laurel_evaluate_page_is_ready (LaurelEvaluatePage *self)
{
  g_return_val_if_fail (LAUREL_IS_EVALUATE_PAGE (self), FALSE);

  return get_private (self)->project != NULL
         && LAUREL_EVALUATE_PAGE_GET_CLASS (self)->is_ready (self);
}

void
laurel_evaluate_page_make_task (LaurelEvaluatePage *self, LaurelBackgroundTask *out)
{
  g_return_if_fail (LAUREL_IS_EVALUATE_PAGE (self));

  *out = (LaurelBackgroundTask){ 0 };
  LAUREL_EVALUATE_PAGE_GET_CLASS (self)->make_task (self, out);
}

void
laurel_evaluate_page_show (LaurelEvaluatePage *self, gpointer result)
{
  g_return_if_fail (LAUREL_IS_EVALUATE_PAGE (self));

  LAUREL_EVALUATE_PAGE_GET_CLASS (self)->show (self, result);
}

void
laurel_evaluate_page_take_asked (LaurelEvaluatePage *self, char *asked)
{
  LaurelEvaluatePagePrivate *private = get_private (self);

  g_free (private->asked);
  private->asked = asked;
}

const char *
laurel_evaluate_page_get_asked (LaurelEvaluatePage *self)
{
  return get_private (self)->asked;
}

void
laurel_evaluate_page_changed (LaurelEvaluatePage *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

/* --- Results --------------------------------------------------------------------------- */

/* Before a frame is laid out, so what has a height got it in the last one. */
static gboolean
tick_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer unused)
{
  LaurelEvaluatePagePrivate *private = get_private (widget);
  GtkScrolledWindow *scrolled = GTK_SCROLLED_WINDOW (adw_bin_get_child (ADW_BIN (widget)));
  GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment (scrolled);
  double x, y;

  if (gtk_widget_get_height (private->results) == 0
      || !gtk_widget_translate_coordinates (private->results, GTK_WIDGET (scrolled), 0, 0, &x, &y))
    return G_SOURCE_CONTINUE;
  gtk_adjustment_set_value (adjustment, gtk_adjustment_get_value (adjustment) + y - MARGIN);
  private->tick = 0;
  return G_SOURCE_REMOVE;
}

void
laurel_evaluate_page_reveal (LaurelEvaluatePage *self, GtkWidget *results, char *csv, char *json)
{
  LaurelEvaluatePagePrivate *private = get_private (self);

  g_free (private->csv);
  g_free (private->json);
  private->csv = csv;
  private->json = json;
  private->results = results;
  gtk_widget_set_visible (results, TRUE);
  if (private->tick == 0)
    private->tick = gtk_widget_add_tick_callback (GTK_WIDGET (self), tick_cb, NULL, NULL);
}

static void
show_failure (LaurelEvaluatePage *self, const char *message)
{
  GtkWidget *dialog = adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
                                              _("Nothing Was Exported"), message);

  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _("_Close"));
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
file_chosen_cb (GtkNativeDialog *dialog, int response, LaurelEvaluatePage *self)
{
  LaurelEvaluatePagePrivate *private = get_private (self);
  g_autoptr (GFile) file = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  if (response == GTK_RESPONSE_ACCEPT) {
    const char *text;

    file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
    path = g_file_get_path (file);
    text = path != NULL && g_str_has_suffix (path, ".json") ? private->json : private->csv;
    if (path == NULL)
      show_failure (self, _("Could not write there: it is no folder of this computer; choose one "
                            "that is"));
    else if (!laurel_file_write (path, text, strlen (text), &error))
      show_failure (self, error->message);
  }
  g_object_unref (dialog);
}

static void
add_filter (GtkFileChooserNative *dialog, const char *name, const char *suffix)
{
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();

  gtk_file_filter_set_name (filter, name);
  gtk_file_filter_add_suffix (filter, suffix);
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), filter);
}

static void
export_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelEvaluatePage *self = LAUREL_EVALUATE_PAGE (widget);
  GtkFileChooserNative *dialog;

  if (get_private (self)->csv == NULL)
    return;
  dialog = gtk_file_chooser_native_new (_("Export Results"),
                                        GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
                                        GTK_FILE_CHOOSER_ACTION_SAVE, _("_Export"), NULL);
  add_filter (dialog, _("CSV tables"), "csv");
  add_filter (dialog, _("JSON"), "json");
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), _("evaluation.csv"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (file_chosen_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

char *
laurel_evaluate_page_print (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);

  return laurel_json_to_string (root, TRUE);
}

void
laurel_evaluate_page_empty (GtkBox *box)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (box))) != NULL)
    gtk_box_remove (box, child);
}

/* --- Class ------------------------------------------------------------------------------- */

static void
laurel_evaluate_page_dispose (GObject *object)
{
  LaurelEvaluatePagePrivate *private = get_private (object);

  if (private->tick != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (object), private->tick);
  private->tick = 0;
  g_clear_object (&private->project);
  G_OBJECT_CLASS (laurel_evaluate_page_parent_class)->dispose (object);
}

static void
laurel_evaluate_page_finalize (GObject *object)
{
  g_free (get_private (object)->csv);
  g_free (get_private (object)->json);
  g_free (get_private (object)->asked);
  G_OBJECT_CLASS (laurel_evaluate_page_parent_class)->finalize (object);
}

static void
laurel_evaluate_page_class_init (LaurelEvaluatePageClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = laurel_evaluate_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = laurel_evaluate_page_finalize;
  gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), "page.export", NULL, export_action);
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
laurel_evaluate_page_init (LaurelEvaluatePage *self)
{
}
