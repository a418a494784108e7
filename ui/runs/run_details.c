/* run_details.c: rows for what a run was given and what it made.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/runs/run_details.h"

#include "core/base/json.h"
#include "ui/runs/run_words.h"

#include <adwaita.h>
#include <glib/gi18n.h>

void
laurel_list_box_clear (GtkListBox *list)
{
  GtkListBoxRow *row;

  while ((row = gtk_list_box_get_row_at_index (list, 0)) != NULL)
    gtk_list_box_remove (list, GTK_WIDGET (row));
}

GtkWidget *
laurel_value_row_new (const char *title, const char *subtitle, const char *value)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *label = gtk_label_new (value);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  if (subtitle != NULL)
    adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_xalign (GTK_LABEL (label), 1);
  gtk_widget_set_tooltip_text (label, strlen (value) > 24 ? value : NULL);
  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_add_css_class (label, "numeric");
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), label);
  return row;
}

/* A path or a sum is too long for the row's end: it stands below the title. */
GtkWidget *
laurel_long_row_new (const char *title, const char *value)
{
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  GtkWidget *name = gtk_label_new (title);
  GtkWidget *label = gtk_label_new (value);

  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_add_css_class (label, "caption");
  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_add_css_class (box, "long-row");
  gtk_box_append (GTK_BOX (box), name);
  gtk_box_append (GTK_BOX (box), label);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  return row;
}

static void
add_row (GtkListBox *list, const char *title, const char *subtitle, const char *value)
{
  if (value != NULL && value[0] != '\0')
    gtk_list_box_append (list, laurel_value_row_new (title, subtitle, value));
}

static char *
format_node (JsonNode *node)
{
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return g_strdup (json_node_get_string (node));
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_DOUBLE)
    return g_strdup_printf ("%g", json_node_get_double (node));
  if (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) > 8)
    return g_strdup_printf (ngettext ("%u item", "%u items",
                                      json_array_get_length (json_node_get_array (node))),
                            json_array_get_length (json_node_get_array (node)));
  return laurel_json_to_string (node, FALSE);
}

/* What a run was given besides settings has no row in their table. */
static const char *
name_input (const char *key)
{
  static const struct {
    const char *key;
    const char *title;
  } inputs[] = {
    { "stage", N_ ("Stage") },
    { "model", N_ ("Model") },
    { "reward_model", N_ ("Reward Model") },
    { "output", N_ ("New Model") },
    { "prompts", N_ ("Prompts") },
    { "completions", N_ ("Completions") },
    { "temperature", N_ ("Temperature") },
    { "max_tokens", N_ ("Longest Completion") },
    { "seed", N_ ("Seed") },
    { "data", N_ ("Data") },
    { "labelers", N_ ("Rankings By") },
    { "labeler_names", N_ ("Labelers") },
  };

  for (guint i = 0; i < G_N_ELEMENTS (inputs); i++)
    if (g_str_equal (inputs[i].key, key))
      return _ (inputs[i].title);
  return NULL;
}

static void
add_member (JsonObject *object, const char *name, JsonNode *node, gpointer user_data)
{
  const LaurelSetting *setting = laurel_setting_find (name);
  g_autofree char *value = format_node (node);

  if (JSON_NODE_HOLDS_OBJECT (node))
    json_object_foreach_member (json_node_get_object (node), add_member, user_data);
  else if (setting != NULL)
    add_row (user_data, _ (setting->title), name, value);
  else
    add_row (user_data, name_input (name) != NULL ? name_input (name) : name,
             name_input (name) != NULL ? name : NULL, value);
}

static void
add_json (GtkListBox *list, const char *text, const char *name)
{
  g_autoptr (JsonNode) node = NULL;

  if (text == NULL || text[0] == '\0')
    return;
  node = laurel_json_parse (text, name, NULL);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    json_object_foreach_member (json_node_get_object (node), add_member, list);
  else
    add_row (list, name, NULL, text);
}

void
laurel_run_show_settings (GtkListBox *list, const LaurelRun *run)
{
  laurel_list_box_clear (list);
  add_json (list, run->config, _("Configuration"));
}

void
laurel_run_show_data (GtkListBox *list, const LaurelRun *run)
{
  g_autofree char *created = laurel_format_time (run->created);
  g_autofree char *started = laurel_format_time (run->started);
  g_autofree char *finished = laurel_format_time (run->finished);
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, run->seed);
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, run->id);

  laurel_list_box_clear (list);
  add_row (list, _("Run"), NULL, id);
  add_row (list, _("Kind"), NULL, laurel_run_kind_label (run->kind));
  add_row (list, _("Starts From"), NULL, run->model);
  add_row (list, _("Seed"), NULL, seed);
  add_row (list, _("Created"), NULL, created);
  add_row (list, _("Started"), NULL, started);
  add_row (list, _("Ended"), NULL, finished);
  add_row (list, _("Message"), NULL, run->message);
  add_json (list, run->snapshot, _("Data"));
}

static void
add_model_rows (GtkListBox *list, LaurelProject *project, const LaurelModelRecord *model)
{
  g_autofree char *path = g_build_filename (laurel_project_get_path (project), model->path, NULL);
  g_autofree char *size = g_format_size (model->n_bytes);
  g_autofree char *parameters = g_strdup_printf ("%'" G_GINT64_FORMAT, model->n_parameters);

  add_row (list, _("Model"), NULL, model->name);
  add_row (list, _("Parameters"), NULL, parameters);
  add_row (list, _("Size on Disk"), NULL, size);
  gtk_list_box_append (list, laurel_long_row_new (_("SHA-256 of the Weights"), model->sha256));
  gtk_list_box_append (list, laurel_long_row_new (_("Folder"), path));
}

void
laurel_run_show_products (GtkListBox *list, LaurelProject *project, const LaurelRun *run)
{
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, run->id);
  g_autofree char *folder = g_build_filename (laurel_project_get_path (project), "runs", id, NULL);
  g_autoptr (LaurelModelRecord) model = NULL;

  laurel_list_box_clear (list);
  if (run->output != NULL && run->output[0] != '\0')
    model = laurel_store_get_model (laurel_project_get_store (project), run->output, NULL);
  /* A model of that name may be older than a run that has not made its own yet. */
  if (model != NULL && model->run_id == run->id)
    add_model_rows (list, project, model);
  if (g_file_test (folder, G_FILE_TEST_IS_DIR))
    gtk_list_box_append (list, laurel_long_row_new (_("Checkpoints and Logs"), folder));
  if (gtk_list_box_get_row_at_index (list, 0) == NULL)
    add_row (list, _("Nothing yet"), NULL, laurel_run_status_label (run->status));
}
