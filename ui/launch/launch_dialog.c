/* launch_dialog.c: from the settings table to a running stage.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/launch/launch_dialog.h"

#include "ui/accessible.h"
#include "ui/charts/scale.h"
#include "ui/launch/gold_choice.h"
#include "ui/launch/labeler_choice.h"
#include "ui/launch/model_choice.h"
#include "ui/launch/preset_choice.h"
#include "ui/launch/setting_row.h"
#include "ui/resources.h"

#include <glib/gi18n.h>

#define ESTIMATE_MS 150

#define LAUREL_TYPE_LAUNCH_DIALOG (laurel_launch_dialog_get_type ())
G_DECLARE_FINAL_TYPE (LaurelLaunchDialog, laurel_launch_dialog, LAUREL, LAUNCH_DIALOG, AdwWindow)

struct _LaurelLaunchDialog {
  AdwWindow parent_instance;

  AdwWindowTitle *title;
  AdwPreferencesGroup *intro;
  AdwComboRow *model;
  AdwComboRow *reward_model;
  AdwComboRow *gold;
  AdwComboRow *preset;
  AdwComboRow *learn_from; /* demonstrations, or the best of each ranking */
  LaurelLabelerChoice *labelers;
  AdwEntryRow *output;
  AdwActionRow *data;
  GtkButton *clear_data;
  AdwPreferencesGroup *settings;
  AdwExpanderRow *more;
  GtkRevealer *error_revealer;
  GtkLabel *error_label;
  GtkLabel *estimate;

  LaurelProject *project;
  LaurelStage stage;
  GPtrArray *rows; /* (element-type LaurelSettingRow), borrowed */
  char **data_files;
  char *gold_name;
  guint estimate_source;
};

G_DEFINE_FINAL_TYPE (LaurelLaunchDialog, laurel_launch_dialog, ADW_TYPE_WINDOW)

typedef struct {
  const char *title;
  const char *intro;
  const char *model_title;
  const char *kinds[4];
  const char *stem; /* of the proposed name */
} StageWords;

static const StageWords stage_words[LAUREL_N_STAGES] = {
  [LAUREL_STAGE_PRETRAIN] = { .title = N_ ("Pretrain"),
                              .intro = N_ ("Teaches a base model to continue text."),
                              .model_title = N_ ("Start From"),
                              .kinds = { "base" },
                              .stem = "base" },
  [LAUREL_STAGE_SFT] = { .title = N_ ("Supervised Fine-Tune"),
                         .intro = N_ ("Teaches a model to answer as the demonstrations do. "
                                      "The loss is on the answers alone."),
                         .model_title = N_ ("Base Model"),
                         .kinds = { "base", "sft" },
                         .stem = "sft" },
  [LAUREL_STAGE_REWARD] = { .title = N_ ("Train a Reward Model"),
                            .intro = N_ ("Learns from the rankings which of two answers people "
                                         "prefer."),
                            .model_title = N_ ("SFT Model"),
                            .kinds = { "sft", "policy", "base" },
                            .stem = "reward" },
  [LAUREL_STAGE_PPO] = { .title = N_ ("Train with PPO"),
                         .intro = N_ ("Lets the policy write, scores what it wrote, and makes what "
                                      "scored well more likely, without going far from where it "
                                      "began."),
                         .model_title = N_ ("Policy"),
                         .kinds = { "sft", "policy" },
                         .stem = "policy" },
  [LAUREL_STAGE_DPO] = { .title = N_ ("Train with DPO"),
                         .intro = N_ ("Makes the better answers of the rankings more likely than "
                                      "the worse ones, measured against where it began. No reward "
                                      "model is needed."),
                         .model_title = N_ ("SFT Model"),
                         .kinds = { "sft", "policy" },
                         .stem = "dpo" },
  [LAUREL_STAGE_RLOO] = { .title = N_ ("Train with RLOO"),
                          .intro = N_ ("Lets the policy write several answers to each prompt and "
                                       "makes those likely that score above the others’ mean. "
                                       "No value network is needed."),
                          .model_title = N_ ("Policy"),
                          .kinds = { "sft", "policy" },
                          .stem = "rloo" },
};

static gboolean
is_name_taken (LaurelLaunchDialog *self, const char *name)
{
  LaurelStore *store = laurel_project_get_store (self->project);
  g_autoptr (LaurelModelRecord) model = laurel_store_get_model (store, name, NULL);
  g_autoptr (GPtrArray) runs = laurel_store_list_runs (store, NULL);

  if (model != NULL)
    return TRUE;
  for (guint i = 0; runs != NULL && i < runs->len; i++)
    if (g_strcmp0 (((const LaurelRun *) runs->pdata[i])->output, name) == 0)
      return TRUE;
  return FALSE;
}

static void
propose_name (LaurelLaunchDialog *self)
{
  for (int i = 1;; i++) {
    g_autofree char *name = g_strdup_printf ("%s-%d", stage_words[self->stage].stem, i);

    if (!is_name_taken (self, name)) {
      gtk_editable_set_text (GTK_EDITABLE (self->output), name);
      return;
    }
  }
}

/* --- What the rows say --------------------------------------------------- */

static gboolean
is_chosen (LaurelLaunchDialog *self)
{
  return self->stage == LAUREL_STAGE_SFT && adw_combo_row_get_selected (self->learn_from) == 1;
}

static gboolean
uses_rankings (LaurelLaunchDialog *self)
{
  return self->data_files == NULL
         && (self->stage == LAUREL_STAGE_REWARD || self->stage == LAUREL_STAGE_DPO
             || is_chosen (self));
}

static gboolean
check_choices (LaurelLaunchDialog *self, const LaurelTrainRequest *request, GError **error)
{
  const char *problem = NULL;

  if (request->model == NULL)
    problem = _("No model to start from: import one on the Models page, or train one first");
  else if (laurel_stage_is_online (self->stage) && request->reward_model == NULL)
    problem = _("No reward model yet: train one from rankings first");
  else if (request->output[0] == '\0')
    problem = _("The new model has no name: type one");
  else if (is_name_taken (self, request->output))
    problem = _("The name is taken: type another one");
  else if (self->stage == LAUREL_STAGE_PRETRAIN && request->data_files == NULL)
    problem = _("No text to learn from: choose a file");
  if (problem != NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, problem);
  return problem == NULL;
}

/* @out borrows from the dialog. The first thing that is wrong is the error. */
static gboolean
read_request (LaurelLaunchDialog *self, LaurelTrainRequest *out, GError **error)
{
  g_autoptr (GError) first = NULL;

  *out = (LaurelTrainRequest){ .stage = self->stage,
                               .model = laurel_model_choice_get (self->model),
                               .output = gtk_editable_get_text (GTK_EDITABLE (self->output)),
                               .data_files = self->data_files };
  if (laurel_stage_is_online (self->stage)) {
    out->reward_model = laurel_model_choice_get (self->reward_model);
    g_free (self->gold_name);
    self->gold_name = laurel_gold_choice_dup (self->gold);
    out->gold = self->gold_name;
    out->on_overoptimisation = LAUREL_OVEROPTIMISED_PAUSE;
  }
  out->chosen = is_chosen (self);
  laurel_hyperparameters_init (&out->hyperparameters, self->stage);
  for (guint i = 0; i < self->rows->len; i++)
    laurel_setting_row_apply (self->rows->pdata[i], &out->hyperparameters,
                              first == NULL ? &first : NULL);
  if (first != NULL) {
    g_propagate_error (error, g_steal_pointer (&first));
    return FALSE;
  }
  return check_choices (self, out, error)
         && (!uses_rankings (self) || laurel_labeler_choice_apply (self->labelers, out, error))
         && laurel_hyperparameters_validate (&out->hyperparameters, self->stage, error);
}

/* “1.2 GB”, what is known of the steps, and of the time. */
static char *
describe_estimate (gsize n_bytes, int n_steps, double seconds)
{
  g_autofree char *size = g_format_size (n_bytes);
  g_autofree char *time = seconds >= 0 ? laurel_format_seconds (seconds) : NULL;
  g_autofree char *steps =
      g_strdup_printf (ngettext ("%d step", "%d steps", (gulong) n_steps), n_steps);

  if (n_steps > 0 && time != NULL) /* Translators: an amount of memory, “40 steps”, a duration. */
    return g_strdup_printf (_("About %s of memory, %s, %s"), size, steps, time);
  if (n_steps > 0) /* Translators: an amount of memory and “40 steps”. */
    return g_strdup_printf (_("About %s of memory, %s; the time is known after the first ones"),
                            size, steps);
  if (time != NULL) /* Translators: an amount of memory and a duration. */
    return g_strdup_printf (_("About %s of memory, %s"), size, time);
  return g_strdup_printf (_("About %s of memory; the time is known after the first steps"), size);
}

static void
show_estimate (LaurelLaunchDialog *self, const LaurelTrainRequest *request)
{
  gsize n_bytes;
  int n_steps;
  double seconds;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (!laurel_project_estimate (self->project, request, &n_bytes, &n_steps, &seconds, &error)) {
    gtk_label_set_label (self->estimate, error->message);
    return;
  }
  text = describe_estimate (n_bytes, n_steps, seconds);
  gtk_label_set_label (self->estimate, text);
}

static void
update (LaurelLaunchDialog *self)
{
  LaurelTrainRequest request;
  g_autoptr (GError) error = NULL;
  gboolean is_good = read_request (self, &request, &error);

  gtk_widget_set_visible (GTK_WIDGET (self->labelers), uses_rankings (self));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "launch.start", is_good);
  if (is_good) {
    gtk_widget_remove_css_class (GTK_WIDGET (self->estimate), "error");
    show_estimate (self, &request);
  } else {
    gtk_widget_add_css_class (GTK_WIDGET (self->estimate), "error");
    gtk_label_set_label (self->estimate, error->message);
  }
}

static gboolean
update_cb (gpointer user_data)
{
  LaurelLaunchDialog *self = user_data;

  self->estimate_source = 0;
  update (self);
  return G_SOURCE_REMOVE;
}

/* Waits for a pause in typing: an estimate reads the model's configuration. */
static void
queue_update (LaurelLaunchDialog *self)
{
  gtk_revealer_set_reveal_child (self->error_revealer, FALSE);
  g_clear_handle_id (&self->estimate_source, g_source_remove);
  self->estimate_source = g_timeout_add (ESTIMATE_MS, update_cb, self);
}

static void
start_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelLaunchDialog *self = LAUREL_LAUNCH_DIALOG (widget);
  GtkWindow *parent = gtk_window_get_transient_for (GTK_WINDOW (self));
  LaurelTrainRequest request;
  g_autoptr (GError) error = NULL;
  gint64 run_id = 0;

  if (read_request (self, &request, &error))
    run_id = laurel_project_start_training (self->project, &request, &error);
  if (run_id == 0) {
    gtk_label_set_label (self->error_label, error->message);
    gtk_revealer_set_reveal_child (self->error_revealer, TRUE);
    return;
  }
  if (parent != NULL)
    gtk_widget_activate_action (GTK_WIDGET (parent), "win.show-run", "x", run_id);
  gtk_window_close (GTK_WINDOW (self));
}

/* --- Data files ---------------------------------------------------------- */

static void
show_data (LaurelLaunchDialog *self)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; self->data_files != NULL && self->data_files[i] != NULL; i++) {
    g_autofree char *base = g_path_get_basename (self->data_files[i]);

    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", base);
  }
  if (self->data_files == NULL)
    g_string_assign (names, self->stage == LAUREL_STAGE_PRETRAIN ? _("No file chosen")
                                                                 : _("The project’s own"));
  adw_action_row_set_subtitle (self->data, names->str);
  gtk_widget_set_visible (GTK_WIDGET (self->clear_data), self->data_files != NULL);
  queue_update (self);
}

static void
files_chosen_cb (GtkNativeDialog *dialog, int response, LaurelLaunchDialog *self)
{
  g_autoptr (GListModel) files = NULL;
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();

  if (response == GTK_RESPONSE_ACCEPT) {
    files = gtk_file_chooser_get_files (GTK_FILE_CHOOSER (dialog));
    for (guint i = 0; i < g_list_model_get_n_items (files); i++) {
      g_autoptr (GFile) file = g_list_model_get_item (files, i);
      g_autofree char *path = g_file_get_path (file);

      g_strv_builder_add (paths, path);
    }
    g_strfreev (self->data_files);
    self->data_files = g_strv_builder_end (paths);
    show_data (self);
  }
  g_object_unref (dialog);
}

static void
choose_data_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      _("Choose Data"), GTK_WINDOW (widget), GTK_FILE_CHOOSER_ACTION_OPEN, _("_Choose"), NULL);

  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (dialog), TRUE);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (files_chosen_cb), widget, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
clear_data_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelLaunchDialog *self = LAUREL_LAUNCH_DIALOG (widget);

  g_clear_pointer (&self->data_files, g_strfreev);
  show_data (self);
}

static void
preset_chosen_cb (LaurelLaunchDialog *self)
{
  laurel_preset_choice_apply (self->preset, self->stage, self->rows);
}

/* --- Class --------------------------------------------------------------- */

static void
laurel_launch_dialog_dispose (GObject *object)
{
  LaurelLaunchDialog *self = LAUREL_LAUNCH_DIALOG (object);

  g_clear_handle_id (&self->estimate_source, g_source_remove);
  g_clear_pointer (&self->data_files, g_strfreev);
  g_clear_pointer (&self->gold_name, g_free);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_LAUNCH_DIALOG);
  g_clear_object (&self->project);
  G_OBJECT_CLASS (laurel_launch_dialog_parent_class)->dispose (object);
}

static void
laurel_launch_dialog_class_init (LaurelLaunchDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_launch_dialog_dispose;
  g_type_ensure (LAUREL_TYPE_LABELER_CHOICE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/launch_dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, title);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, intro);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, model);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, reward_model);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, gold);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, learn_from);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, preset);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, labelers);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, output);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, data);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, clear_data);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, settings);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, more);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, error_revealer);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, error_label);
  gtk_widget_class_bind_template_child (widget_class, LaurelLaunchDialog, estimate);
  gtk_widget_class_bind_template_callback (widget_class, queue_update);
  gtk_widget_class_bind_template_callback (widget_class, preset_chosen_cb);
  gtk_widget_class_install_action (widget_class, "launch.start", NULL, start_action);
  gtk_widget_class_install_action (widget_class, "launch.choose-data", NULL, choose_data_action);
  gtk_widget_class_install_action (widget_class, "launch.clear-data", NULL, clear_data_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
laurel_launch_dialog_init (LaurelLaunchDialog *self)
{
  self->rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}

static void
add_settings (LaurelLaunchDialog *self)
{
  int n;
  const LaurelSetting *settings = laurel_settings (&n);

  for (int i = 0; i < n; i++) {
    GtkWidget *row;

    if (!(settings[i].stages & 1u << self->stage))
      continue;
    row = laurel_setting_row_new (&settings[i], self->stage);
    g_signal_connect_object (row, "changed", G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
    g_ptr_array_add (self->rows, row);
    if (settings[i].prominent)
      adw_preferences_group_add (self->settings, row);
    else
      adw_expander_row_add_row (self->more, row);
  }
}

void
laurel_launch_dialog_present (GtkWindow *parent, LaurelProject *project, LaurelStage stage)
{
  static const char *const reward_kinds[] = { "reward", NULL };
  LaurelLaunchDialog *self;
  const StageWords *words;

  g_return_if_fail (LAUREL_IS_PROJECT (project));
  g_return_if_fail (stage < LAUREL_N_STAGES);

  words = &stage_words[stage];
  self = g_object_new (LAUREL_TYPE_LAUNCH_DIALOG, "transient-for", parent, "title",
                       _ (words->title), NULL);
  self->project = g_object_ref (project);
  self->stage = stage;
  adw_window_title_set_title (self->title, _ (words->title));
  adw_preferences_group_set_description (self->intro, _ (words->intro));
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->model), _ (words->model_title));
  laurel_model_choice_fill (self->model, project, words->kinds);
  gtk_widget_set_visible (GTK_WIDGET (self->reward_model), laurel_stage_is_online (stage));
  laurel_model_choice_fill (self->reward_model, project, reward_kinds);
  gtk_widget_set_visible (GTK_WIDGET (self->gold), laurel_stage_is_online (stage));
  laurel_gold_choice_fill (self->gold, project);
  gtk_widget_set_visible (GTK_WIDGET (self->learn_from), stage == LAUREL_STAGE_SFT);
  laurel_labeler_choice_fill (self->labelers, project);
  laurel_preset_choice_fill (self->preset, stage);
  add_settings (self);
  propose_name (self);
  show_data (self);
  update (self);
  laurel_accessible_mend (GTK_WIDGET (self));
  gtk_widget_grab_focus (GTK_WIDGET (self->output)); /* Enter starts; it would be on Cancel */
  gtk_window_present (GTK_WINDOW (self));
}
