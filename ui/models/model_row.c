/* model_row.c: a model as an expander row with its facts and its actions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/models/model_row.h"

#include "ui/runs/run_details.h"
#include "ui/runs/run_words.h"

#include <glib/gi18n.h>

#define INDENT 24

static const char *
name_kind (const char *kind)
{
  static const char *const labels[][2] = {
    { "base", N_ ("Base") },
    { "sft", N_ ("SFT") },
    { "reward", N_ ("Reward model") },
    { "policy", N_ ("Policy") },
  };

  for (guint i = 0; i < G_N_ELEMENTS (labels); i++)
    if (g_str_equal (kind, labels[i][0]))
      return _ (labels[i][1]);
  return kind;
}

static char *
format_parameters (gint64 n)
{
  if (n >= 1000000000)
    return g_strdup_printf (_("%.2f billion parameters"), (double) n / 1e9);
  if (n >= 1000000)
    return g_strdup_printf (_("%.1f million parameters"), (double) n / 1e6);
  return g_strdup_printf (ngettext ("%'d parameter", "%'d parameters", (gulong) n), (int) n);
}

static void
add_fact (AdwExpanderRow *row, const char *title, const char *value)
{
  adw_expander_row_add_row (row, laurel_value_row_new (title, NULL, value));
}

static void
add_long_fact (AdwExpanderRow *row, const char *title, const char *value)
{
  adw_expander_row_add_row (row, laurel_long_row_new (title, value != NULL ? value : "–"));
}

static GtkWidget *
make_button (const char *label, const char *action, const char *name)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (label);

  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "s", name);
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  return button;
}

static void
add_actions (AdwExpanderRow *row, const LaurelModelRecord *model)
{
  GtkWidget *actions = adw_action_row_new ();
  GtkWidget *remove = make_button (_("_Remove…"), "models.remove", model->name);

  if (model->run_id != 0) {
    GtkWidget *show = gtk_button_new_with_mnemonic (_("Show _Run"));

    gtk_actionable_set_action_name (GTK_ACTIONABLE (show), "win.show-run");
    gtk_actionable_set_action_target (GTK_ACTIONABLE (show), "x", model->run_id);
    gtk_widget_set_valign (show, GTK_ALIGN_CENTER);
    adw_action_row_add_suffix (ADW_ACTION_ROW (actions), show);
  }
  if (g_str_equal (model->kind, "reward"))
    adw_action_row_add_suffix (ADW_ACTION_ROW (actions),
                               make_button (_("E_valuate"), "models.evaluate", model->name));
  gtk_widget_add_css_class (remove, "destructive-action");
  adw_action_row_add_suffix (ADW_ACTION_ROW (actions),
                             make_button (_("_Export…"), "models.export", model->name));
  adw_action_row_add_suffix (ADW_ACTION_ROW (actions), remove);
  adw_expander_row_add_row (row, actions);
}

static void
add_facts (AdwExpanderRow *row, LaurelProject *project, const LaurelModelRecord *model)
{
  g_autofree char *path = g_build_filename (laurel_project_get_path (project), model->path, NULL);
  g_autofree char *shape =
      g_strdup_printf (_("%d tokens, context of %d"), model->vocab_size, model->n_positions);
  g_autofree char *created = laurel_format_time (model->created);

  if (model->parent != NULL)
    add_fact (row, _("Made from"), model->parent);
  add_fact (row, _("Vocabulary"), shape);
  add_fact (row, _("Created"), created);
  add_long_fact (row, _("SHA-256 of the tokenizer"), model->tokenizer_hash);
  add_long_fact (row, _("SHA-256 of the weights"), model->sha256);
  add_long_fact (row, _("Folder"), path);
}

GtkWidget *
laurel_model_row_new (LaurelProject *project,
                      const LaurelModelRecord *model,
                      int depth,
                      gboolean is_newest)
{
  GtkWidget *row = adw_expander_row_new ();
  g_autofree char *parameters = format_parameters (model->n_parameters);
  g_autofree char *size = g_format_size ((guint64) model->n_bytes);
  /* Translators: of several reward models or policies the last that was made. */
  const char *newest = is_newest ? _(" (newest)") : "";
  g_autofree char *subtitle =
      g_strdup_printf ("%s%s · %s · %s", name_kind (model->kind), newest, parameters, size);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), model->name);
  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (row), subtitle);
  if (depth > 0) {
    GtkWidget *branch = gtk_label_new ("└");

    gtk_widget_set_margin_start (branch, INDENT * (depth - 1) + 6);
    gtk_widget_add_css_class (branch, "dim-label");
    gtk_accessible_update_property (GTK_ACCESSIBLE (branch), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    model->parent, -1);
    adw_expander_row_add_prefix (ADW_EXPANDER_ROW (row), branch);
  }
  add_facts (ADW_EXPANDER_ROW (row), project, model);
  add_actions (ADW_EXPANDER_ROW (row), model);
  return row;
}
