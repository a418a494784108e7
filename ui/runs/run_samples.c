/* run_samples.c: the rollouts of one step as rows: prompt, completion, score, KL, length.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/runs/run_samples.h"

#include "ui/charts/scale.h"
#include "ui/resources.h"
#include "ui/runs/run_details.h"

#include <glib/gi18n.h>

/* More rows than anybody reads, few enough to build at once. */
#define MAX_ROWS 64

struct _LaurelRunSamples {
  GtkWidget parent_instance;

  GtkStack *states;
  GtkSpinButton *step;
  GtkLabel *count;
  GtkListBox *list;
  LaurelProject *project; /* borrowed */
  gint64 run_id;
  int last_step;
};

G_DEFINE_FINAL_TYPE (LaurelRunSamples, laurel_run_samples, GTK_TYPE_WIDGET)

static GtkWidget *
make_label (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  if (css_class != NULL)
    gtk_widget_add_css_class (label, css_class);
  return label;
}

static GtkWidget *
make_row (const LaurelRollout *rollout)
{
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gboolean is_cut = rollout->finish == LAUREL_FINISH_LENGTH;
  g_autofree char *score = laurel_format_value (rollout->score);
  g_autofree char *kl = laurel_format_value (laurel_rollout_sum_kl (rollout));
  g_autofree char *facts = g_strdup_printf (ngettext ("score %s · KL %s · %d token%s",
                                                      "score %s · KL %s · %d tokens%s",
                                                      rollout->n_tokens),
                                            score, kl, rollout->n_tokens,
                                            is_cut ? _(", cut at the limit") : "");
  g_autofree char *name = g_strdup_printf ("%s: %s", facts, rollout->completion);
  GtkWidget *completion = make_label (rollout->completion, NULL);
  GtkWidget *numbers = make_label (facts, "caption");

  gtk_label_set_selectable (GTK_LABEL (completion), TRUE);
  gtk_widget_add_css_class (numbers, "numeric");
  gtk_box_append (GTK_BOX (box), make_label (rollout->prompt, "dim-label"));
  gtk_box_append (GTK_BOX (box), completion);
  gtk_box_append (GTK_BOX (box), numbers);
  gtk_widget_add_css_class (box, "sample");
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  return row;
}

static void
load (LaurelRunSamples *self)
{
  int step = gtk_spin_button_get_value_as_int (self->step);
  g_autoptr (GPtrArray) rollouts = NULL;
  g_autofree char *count = NULL;

  laurel_list_box_clear (self->list);
  if (self->project == NULL || self->last_step == 0)
    return;
  rollouts = laurel_store_list_rollouts (laurel_project_get_store (self->project), self->run_id,
                                         step, MAX_ROWS, 0, NULL);
  for (guint i = 0; rollouts != NULL && i < rollouts->len; i++)
    gtk_list_box_append (self->list, make_row (rollouts->pdata[i]));
  count = g_strdup_printf (ngettext ("%u rollout", "%u rollouts",
                                     rollouts != NULL ? rollouts->len : 0),
                           rollouts != NULL ? rollouts->len : 0);
  gtk_label_set_label (self->count, count);
}

static void
laurel_run_samples_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_RUN_SAMPLES);
  G_OBJECT_CLASS (laurel_run_samples_parent_class)->dispose (object);
}

static void
laurel_run_samples_class_init (LaurelRunSamplesClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_run_samples_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/runs_samples.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelRunSamples, states);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunSamples, step);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunSamples, count);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunSamples, list);
  gtk_widget_class_bind_template_callback (widget_class, load);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
laurel_run_samples_init (LaurelRunSamples *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
laurel_run_samples_set_run (LaurelRunSamples *self, LaurelProject *project, const LaurelRun *run)
{
  gint64 run_id = project != NULL ? run->id : 0;
  gboolean is_same, follows;
  int last;

  g_return_if_fail (LAUREL_IS_RUN_SAMPLES (self));

  is_same = self->project == project && self->run_id == run_id;
  follows = !is_same || gtk_spin_button_get_value_as_int (self->step) == self->last_step;
  last = project != NULL ? laurel_store_last_rollout_step (laurel_project_get_store (project),
                                                           run_id, NULL) : 0;
  if (is_same && last == self->last_step)
    return;
  self->project = project;
  self->run_id = run_id;
  self->last_step = last;
  gtk_stack_set_visible_child_name (self->states, last > 0 ? "samples" : "empty");
  gtk_spin_button_set_range (self->step, MIN (1, last), MAX (last, 0));
  if (follows && gtk_spin_button_get_value_as_int (self->step) != last)
    gtk_spin_button_set_value (self->step, last); /* loads */
  else if (!is_same)
    load (self);
}

void
laurel_run_samples_set_step (LaurelRunSamples *self, int step)
{
  g_return_if_fail (LAUREL_IS_RUN_SAMPLES (self));
  gtk_spin_button_set_value (self->step, step);
}
