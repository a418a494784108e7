/* check_row.c: AdwActionRows that are check boxes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/check_row.h"

GtkWidget *
laurel_check_row_new (const char *title,
                      const char *subtitle,
                      const char *name,
                      GtkCheckButton **out_check)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *check = gtk_check_button_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  if (subtitle != NULL)
    adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  gtk_widget_set_valign (check, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (check), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), check);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), check);
  *out_check = GTK_CHECK_BUTTON (check);
  return row;
}

/* --- Models ------------------------------------------------------------------------------ */

struct _LaurelModelChecks {
  AdwPreferencesGroup parent_instance;

  GPtrArray *checks; /* (element-type GtkCheckButton), borrowed */
  GPtrArray *names;  /* (element-type utf8) of their models */
};

G_DEFINE_FINAL_TYPE (LaurelModelChecks, laurel_model_checks, ADW_TYPE_PREFERENCES_GROUP)

enum {
  CHANGED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static void
changed_cb (LaurelModelChecks *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
add_model (LaurelModelChecks *self, const char *name, guint n_ticked)
{
  GtkCheckButton *check;
  GtkWidget *row = laurel_check_row_new (name, NULL, name, &check);

  gtk_check_button_set_active (check, self->checks->len < n_ticked);
  g_signal_connect_object (check, "toggled", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (self), row);
  g_ptr_array_add (self->checks, check);
  g_ptr_array_add (self->names, g_strdup (name));
}

void
laurel_model_checks_fill (LaurelModelChecks *self,
                          LaurelProject *project,
                          const char *const *kinds,
                          guint n_ticked)
{
  g_autoptr (GPtrArray) models = NULL;

  g_return_if_fail (LAUREL_IS_MODEL_CHECKS (self));

  models = laurel_store_list_models (laurel_project_get_store (project), NULL);
  for (guint k = 0; kinds[k] != NULL; k++)
    for (guint i = models != NULL ? models->len : 0; i > 0; i--) {
      const LaurelModelRecord *model = g_ptr_array_index (models, i - 1);

      if (g_str_equal (model->kind, kinds[k]))
        add_model (self, model->name, n_ticked);
    }
}

guint
laurel_model_checks_count (LaurelModelChecks *self)
{
  g_return_val_if_fail (LAUREL_IS_MODEL_CHECKS (self), 0);

  return self->checks->len;
}

guint
laurel_model_checks_count_ticked (LaurelModelChecks *self)
{
  guint n = 0;

  g_return_val_if_fail (LAUREL_IS_MODEL_CHECKS (self), 0);

  for (guint i = 0; i < self->checks->len; i++)
    n += gtk_check_button_get_active (g_ptr_array_index (self->checks, i)) ? 1 : 0;
  return n;
}

GPtrArray *
laurel_model_checks_dup_ticked (LaurelModelChecks *self)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < self->checks->len; i++)
    if (gtk_check_button_get_active (g_ptr_array_index (self->checks, i)))
      g_ptr_array_add (names, g_strdup (g_ptr_array_index (self->names, i)));
  g_ptr_array_add (names, NULL);
  return names;
}

static void
laurel_model_checks_finalize (GObject *object)
{
  LaurelModelChecks *self = LAUREL_MODEL_CHECKS (object);

  g_ptr_array_unref (self->checks);
  g_ptr_array_unref (self->names);
  G_OBJECT_CLASS (laurel_model_checks_parent_class)->finalize (object);
}

static void
laurel_model_checks_class_init (LaurelModelChecksClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = laurel_model_checks_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
laurel_model_checks_init (LaurelModelChecks *self)
{
  self->checks = g_ptr_array_new ();
  self->names = g_ptr_array_new_with_free_func (g_free);
}
