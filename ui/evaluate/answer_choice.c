/* answer_choice.c: a group of rows that every evaluation by a judge has.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/evaluate/answer_choice.h"

#include "ui/resources.h"

#include <glib/gi18n.h>

struct _LaurelAnswerChoice {
  AdwPreferencesGroup parent_instance;

  AdwComboRow *split;
  AdwActionRow *count_row;
  GtkSpinButton *count;
  GtkSpinButton *temperature;
  GtkSpinButton *max_tokens;
  GtkSpinButton *seed;
};

G_DEFINE_FINAL_TYPE (LaurelAnswerChoice, laurel_answer_choice, ADW_TYPE_PREFERENCES_GROUP)

enum {
  PROP_0,
  PROP_COUNT_TITLE,
  PROP_COUNT_SUBTITLE,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

void
laurel_answer_choice_read (LaurelAnswerChoice *self, LaurelAnswers *out)
{
  g_return_if_fail (LAUREL_IS_ANSWER_CHOICE (self));

  gtk_spin_button_update (self->count);
  gtk_spin_button_update (self->temperature);
  gtk_spin_button_update (self->max_tokens);
  gtk_spin_button_update (self->seed);
  out->split = adw_combo_row_get_selected (self->split) == 0 ? "heldout" : "train";
  out->count = gtk_spin_button_get_value_as_int (self->count);
  out->temperature = gtk_spin_button_get_value (self->temperature);
  out->max_tokens = gtk_spin_button_get_value_as_int (self->max_tokens);
  out->seed = (guint64) gtk_spin_button_get_value (self->seed);
}

char *
laurel_answers_describe (const LaurelAnswers *self, const char *judge)
{
  gboolean held_out = g_str_equal (self->split, "heldout");

  if (judge == NULL)
    return g_strdup (held_out ? _("No judge, held-out prompts") : _("No judge, training prompts"));
  return g_strdup_printf (held_out ? _("Judge: %s, held-out prompts")
                                   : _("Judge: %s, training prompts"),
                          judge);
}

static void
laurel_answer_choice_set_property (GObject *object,
                                   guint id,
                                   const GValue *value,
                                   GParamSpec *pspec)
{
  LaurelAnswerChoice *self = LAUREL_ANSWER_CHOICE (object);
  const char *text = g_value_get_string (value);

  if (id == PROP_COUNT_TITLE) {
    adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->count_row), text);
    gtk_accessible_update_property (GTK_ACCESSIBLE (self->count), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    text, -1);
  } else if (id == PROP_COUNT_SUBTITLE) {
    adw_action_row_set_subtitle (self->count_row, text);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
laurel_answer_choice_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_ANSWER_CHOICE);
  G_OBJECT_CLASS (laurel_answer_choice_parent_class)->dispose (object);
}

static void
laurel_answer_choice_class_init (LaurelAnswerChoiceClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GParamFlags flags = G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS;

  G_OBJECT_CLASS (klass)->set_property = laurel_answer_choice_set_property;
  G_OBJECT_CLASS (klass)->dispose = laurel_answer_choice_dispose;
  properties[PROP_COUNT_TITLE] = g_param_spec_string ("count-title", NULL, NULL, NULL, flags);
  properties[PROP_COUNT_SUBTITLE] =
      g_param_spec_string ("count-subtitle", NULL, NULL, NULL, flags);
  g_object_class_install_properties (G_OBJECT_CLASS (klass), N_PROPS, properties);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/evaluate_answers.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelAnswerChoice, split);
  gtk_widget_class_bind_template_child (widget_class, LaurelAnswerChoice, count_row);
  gtk_widget_class_bind_template_child (widget_class, LaurelAnswerChoice, count);
  gtk_widget_class_bind_template_child (widget_class, LaurelAnswerChoice, temperature);
  gtk_widget_class_bind_template_child (widget_class, LaurelAnswerChoice, max_tokens);
  gtk_widget_class_bind_template_child (widget_class, LaurelAnswerChoice, seed);
}

static void
laurel_answer_choice_init (LaurelAnswerChoice *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
