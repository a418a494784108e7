/* sample_dialog.c: which model writes completions, how many, and how freely.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/launch/launch_dialog.h"

#include "ui/accessible.h"
#include "ui/launch/model_choice.h"
#include "ui/resources.h"

#include <glib/gi18n.h>

#define LAUREL_TYPE_SAMPLE_DIALOG (laurel_sample_dialog_get_type ())
G_DECLARE_FINAL_TYPE (LaurelSampleDialog, laurel_sample_dialog, LAUREL, SAMPLE_DIALOG, AdwWindow)

struct _LaurelSampleDialog {
  AdwWindow parent_instance;

  AdwComboRow *model;
  GtkSpinButton *n_prompts;
  GtkSpinButton *n_completions;
  GtkSpinButton *shared;
  GtkSpinButton *max_tokens;
  GtkSpinButton *temperature;
  GtkSpinButton *top_k;
  GtkSpinButton *top_p;
  GtkSpinButton *min_p;
  GtkSpinButton *repetition_penalty;
  GtkEditable *stop;
  GtkSpinButton *seed;
  GtkRevealer *error_revealer;
  GtkLabel *error_label;
  GtkLabel *summary;

  LaurelProject *project;
  gint64 n_available; /* training prompts */
};

G_DEFINE_FINAL_TYPE (LaurelSampleDialog, laurel_sample_dialog, ADW_TYPE_WINDOW)

static void
show_error (LaurelSampleDialog *self, const char *message)
{
  gtk_label_set_label (self->error_label, message);
  gtk_revealer_set_reveal_child (self->error_revealer, TRUE);
}

static void
update (LaurelSampleDialog *self)
{
  gint64 wanted = gtk_spin_button_get_value_as_int (self->n_prompts);
  gint64 n = wanted == 0 ? self->n_available : MIN (wanted, self->n_available);
  int k = gtk_spin_button_get_value_as_int (self->n_completions);
  gboolean has_model = laurel_model_choice_get (self->model) != NULL;
  g_autofree char *text = NULL;

  gtk_revealer_set_reveal_child (self->error_revealer, FALSE);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "launch.start", has_model && n > 0);
  if (!has_model)
    text = g_strdup (_("No model to sample from: import one on the Models page"));
  else if (n == 0)
    text = g_strdup (_("No training prompts: import some on the Data page"));
  else
    text = g_strdup_printf (ngettext ("%d completion in %d ranking task",
                                      "%d completions in %d ranking tasks", (gulong) (n * k)),
                            (int) (n * k), (int) n);
  gtk_label_set_label (self->summary, text);
}

static void
start_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelSampleDialog *self = LAUREL_SAMPLE_DIALOG (widget);
  g_autofree char *stop = laurel_sample_unescape (gtk_editable_get_text (self->stop));
  const char *const stops[] = { stop[0] != '\0' ? stop : NULL, NULL };
  LaurelSampleRequest request = { .model = laurel_model_choice_get (self->model),
                                  .n_prompts = gtk_spin_button_get_value_as_int (self->n_prompts),
                                  .n_completions =
                                      gtk_spin_button_get_value_as_int (self->n_completions),
                                  .shared = gtk_spin_button_get_value (self->shared) / 100,
                                  .temperature = gtk_spin_button_get_value (self->temperature),
                                  .top_k = gtk_spin_button_get_value_as_int (self->top_k),
                                  .top_p = gtk_spin_button_get_value (self->top_p),
                                  .min_p = gtk_spin_button_get_value (self->min_p),
                                  .repetition_penalty =
                                      gtk_spin_button_get_value (self->repetition_penalty),
                                  .stop = stops,
                                  .max_tokens = gtk_spin_button_get_value_as_int (self->max_tokens),
                                  .seed = (guint64) gtk_spin_button_get_value (self->seed) };
  g_autoptr (GError) error = NULL;

  if (laurel_project_start_sampling (self->project, &request, &error) == 0)
    show_error (self, error->message);
  else
    gtk_window_close (GTK_WINDOW (self));
}

static void
laurel_sample_dialog_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_SAMPLE_DIALOG);
  g_clear_object (&LAUREL_SAMPLE_DIALOG (object)->project);
  G_OBJECT_CLASS (laurel_sample_dialog_parent_class)->dispose (object);
}

static void
laurel_sample_dialog_class_init (LaurelSampleDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_sample_dialog_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/launch_sample.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, model);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, n_prompts);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, n_completions);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, shared);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, max_tokens);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, temperature);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, top_k);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, top_p);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, min_p);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, repetition_penalty);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, stop);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, seed);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, error_revealer);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, error_label);
  gtk_widget_class_bind_template_child (widget_class, LaurelSampleDialog, summary);
  gtk_widget_class_bind_template_callback (widget_class, update);
  gtk_widget_class_install_action (widget_class, "launch.start", NULL, start_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
laurel_sample_dialog_init (LaurelSampleDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
laurel_sample_dialog_present (GtkWindow *parent, LaurelProject *project)
{
  static const char *const kinds[] = { "sft", "policy", "base", NULL };
  LaurelSampleDialog *self;

  g_return_if_fail (LAUREL_IS_PROJECT (project));

  self = g_object_new (LAUREL_TYPE_SAMPLE_DIALOG, "transient-for", parent, NULL);
  self->project = g_object_ref (project);
  self->n_available =
      MAX (0, laurel_store_count_prompts (laurel_project_get_store (project), "train", NULL, NULL));
  laurel_model_choice_fill (self->model, project, kinds);
  update (self);
  laurel_accessible_mend (GTK_WIDGET (self));
  gtk_widget_grab_focus (GTK_WIDGET (self->model)); /* it would be on Cancel */
  gtk_window_present (GTK_WINDOW (self));
}
