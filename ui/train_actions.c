/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/train_actions.h"

#include "ui/evaluate/evaluate_dialog.h"
#include "ui/launch/launch_dialog.h"
#include "ui/settings.h"

static const struct {
  const char *action;
  LaurelStage stage;
} stages[] = {
  { "win.pretrain", LAUREL_STAGE_PRETRAIN },
  { "win.train-sft", LAUREL_STAGE_SFT },
  { "win.train-reward", LAUREL_STAGE_REWARD },
  { "win.train-ppo", LAUREL_STAGE_PPO },
  { "win.train-dpo", LAUREL_STAGE_DPO },
  { "win.train-rloo", LAUREL_STAGE_RLOO },
};

static void
train_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  for (gsize i = 0; i < G_N_ELEMENTS (stages); i++) {
    if (g_str_equal (name, stages[i].action)) {
      laurel_launch_dialog_present (GTK_WINDOW (widget),
                                    laurel_window_get_project (LAUREL_WINDOW (widget)),
                                    stages[i].stage);
    }
  }
}

static void
sample_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  laurel_sample_dialog_present (GTK_WINDOW (widget),
                                laurel_window_get_project (LAUREL_WINDOW (widget)));
}

static void
evaluate_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  laurel_evaluate_dialog_present (GTK_WINDOW (widget),
                                  laurel_window_get_project (LAUREL_WINDOW (widget)));
}

void
laurel_train_actions_install (GtkWidgetClass *window_class)
{
  gtk_widget_class_install_action (window_class, "win.sample", NULL, sample_action);
  gtk_widget_class_install_action (window_class, "win.evaluate", NULL, evaluate_action);
  for (gsize i = 0; i < G_N_ELEMENTS (stages); i++) {
    gtk_widget_class_install_action (window_class, stages[i].action, NULL, train_action);
  }
}

void
laurel_train_actions_update (LaurelWindow *window)
{
  gboolean enabled = laurel_window_get_project (window)
                     && laurel_settings_get_profile () == LAUREL_PROFILE_RESEARCHER;

  gtk_widget_action_set_enabled (GTK_WIDGET (window), "win.sample", enabled);
  gtk_widget_action_set_enabled (GTK_WIDGET (window), "win.evaluate", enabled);
  for (gsize i = 0; i < G_N_ELEMENTS (stages); i++) {
    gtk_widget_action_set_enabled (GTK_WIDGET (window), stages[i].action, enabled);
  }
}
