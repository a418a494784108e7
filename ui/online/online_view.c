/* online_view.c: settings that are saved as they are changed, and what came of the loop.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/online/online_view.h"

#include "core/project/online.h"
#include "ui/accessible.h"
#include "ui/charts/figure.h"
#include "ui/launch/gold_choice.h"
#include "ui/launch/model_choice.h"
#include "ui/page.h"
#include "ui/resources.h"

#include <glib/gi18n.h>
#include <math.h>

#define REFRESH_MS 500

struct _LaurelOnlineView {
  GtkWidget parent_instance;

  GtkSwitch *enabled;
  AdwComboRow *model;
  AdwActionRow *every_row, *low_row, *completions_row;
  GtkSpinButton *every, *low, *n_tasks, *n_completions;
  GtkSwitch *tune;
  AdwComboRow *gold;
  GtkWidget *content;
  AdwPreferencesGroup *policies;
  GtkWidget *card;
  AdwBin *figure_place;
  GtkListBox *reward_list, *policy_list;

  LaurelProject *project;
  GSignalGroup *signals;
  gboolean is_filling; /* what changes now was not changed by anybody */
  guint refresh_source;
};

G_DEFINE_FINAL_TYPE (LaurelOnlineView, laurel_online_view, GTK_TYPE_WIDGET)

static void
show_error (LaurelOnlineView *self, const GError *error)
{
  laurel_page_show_toast (GTK_WIDGET (self), error->message);
}

static LaurelStore *
get_store (LaurelOnlineView *self)
{
  return self->project != NULL ? laurel_project_get_store (self->project) : NULL;
}

/* --- Words ---------------------------------------------------------------------------- */

static char *
format_share (const LaurelInterval *share)
{
  if (isnan (share->value))
    return g_strdup ("–");
  if (isnan (share->low))
    return g_strdup_printf (_("%.1f %%"), 100 * share->value);
  /* Translators: a share and the ends of its 95 % interval. */
  return g_strdup_printf (_("%.1f %% [%.1f, %.1f]"), 100 * share->value, 100 * share->low,
                          100 * share->high);
}

char *
laurel_online_describe_end (LaurelStore *store, const LaurelRun *run)
{
  g_autoptr (LaurelRewardGain) gain = NULL;

  if (run->status != LAUREL_RUN_DONE || !g_str_equal (run->kind, "reward"))
    return NULL;
  gain = laurel_online_get_gain (store, run->id, NULL);
  if (gain == NULL || isnan (gain->accuracy.value))
    return NULL;
  if (isnan (gain->gain.value))
    return g_strdup_printf (_("New reward model “%s”: right about %.1f %% of held-out pairs"),
                            run->output, 100 * gain->accuracy.value);
  return g_strdup_printf (
      _("New reward model “%s”: right about %.1f %% of held-out pairs, %+.1f points"), run->output,
      100 * gain->accuracy.value, 100 * gain->gain.value);
}

static char *
describe_gain (const LaurelRewardGain *gain)
{
  g_autofree char *accuracy = format_share (&gain->accuracy);
  g_autofree char *rankings =
      g_strdup_printf (ngettext ("%d ranking", "%d rankings", (gulong) gain->n_rankings),
                       gain->n_rankings);
  g_autofree char *prompts =
      g_strdup_printf (ngettext ("%d held-out prompt", "%d held-out prompts",
                                 (gulong) gain->n_prompts),
                       gain->n_prompts);

  /* Translators: “150 rankings, 50 of them new · 71.2 % [65.0, 77.1] right on 34 held-out
   * prompts”. */
  return g_strdup_printf (_("%s, %d of them new · %s right on %s"), rankings, gain->n_new, accuracy,
                          prompts);
}

/* --- Reward models ----------------------------------------------------------------------- */

static GtkWidget *
make_newest_label (void)
{
  GtkWidget *label = gtk_label_new (_("newest"));

  gtk_widget_add_css_class (label, "chip");
  gtk_widget_set_valign (label, GTK_ALIGN_CENTER);
  return label;
}

static GtkWidget *
make_gain_label (const LaurelRewardGain *gain)
{
  g_autofree char *points = laurel_reward_gain_format (&gain->gain);
  g_autofree char *tooltip = NULL;
  GtkWidget *label = gtk_label_new (points);

  gtk_widget_add_css_class (label, "numeric");
  if (gain->previous != NULL) {
    g_autofree char *before = format_share (&gain->before);

    tooltip = g_strdup_printf (_("Points over “%s”, which is right about %s of the same pairs"),
                               gain->previous, before);
    gtk_widget_set_tooltip_text (label, tooltip);
    gtk_accessible_update_property (GTK_ACCESSIBLE (label), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                    tooltip, -1);
  } else {
    gtk_widget_add_css_class (label, "dim-label");
  }
  return label;
}

static GtkWidget *
make_run_button (gint64 run_id)
{
  GtkWidget *button = gtk_button_new_from_icon_name ("go-next-symbolic");

  gtk_widget_set_tooltip_text (button, _("Show the run"));
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "win.show-run");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "x", run_id);
  return button;
}

static GtkWidget *
make_row (const char *title, const char *subtitle)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  return row;
}

static void
clear_list (GtkListBox *list)
{
  GtkListBoxRow *row;

  while ((row = gtk_list_box_get_row_at_index (list, 0)) != NULL)
    gtk_list_box_remove (list, GTK_WIDGET (row));
}

static void
add_point (LaurelPlot *plot, GPtrArray *tips, const LaurelRewardGain *gain)
{
  LaurelPlotPoint point = { gain->n_rankings, 100 * gain->accuracy.value, 100 * gain->accuracy.low,
                            100 * gain->accuracy.high };
  g_autofree char *accuracy = format_share (&gain->accuracy);

  if (isnan (point.y))
    return;
  g_array_append_val (plot->points, point);
  g_ptr_array_add (tips, g_strdup_printf (_("“%s”: %s right"), gain->model, accuracy));
  plot->max_x = MAX (plot->max_x, 1.05 * point.x);
  plot->min_y = MIN (plot->min_y, 10 * floor ((isnan (point.low) ? point.y : point.low) / 10));
}

/* Accuracy against rankings, from a coin's 50 % up where nothing is below. */
static void
show_figure (LaurelOnlineView *self, GPtrArray *gains)
{
  LaurelPlot *plot = laurel_plot_new (LAUREL_PLOT_POINTS, _("rankings"), _("right, %"));
  g_autoptr (GPtrArray) tips = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *last = NULL;
  g_autofree char *summary = NULL;
  GtkWidget *figure;

  plot->min_x = 0;
  plot->max_x = 1;
  plot->min_y = 50;
  plot->max_y = 100;
  for (guint i = 0; i < gains->len; i++)
    add_point (plot, tips, gains->pdata[i]);
  last = g_strdup (tips->len > 0 ? tips->pdata[tips->len - 1] : "");
  summary = g_strdup_printf (_("Held-out accuracy of %d reward models; the newest: %s"),
                             (int) tips->len, last);
  gtk_widget_set_visible (self->card, tips->len > 0);
  figure = laurel_figure_new_plot (plot, summary, tips);
  gtk_widget_set_size_request (figure, -1, 200);
  adw_bin_set_child (self->figure_place, figure);
}

static void
show_gains (LaurelOnlineView *self)
{
  g_autoptr (GPtrArray) gains = laurel_online_list_gains (get_store (self), NULL);

  clear_list (self->reward_list);
  if (gains == NULL)
    return;
  show_figure (self, gains);
  for (guint i = gains->len; i-- > 0;) {
    const LaurelRewardGain *gain = gains->pdata[i];
    g_autofree char *subtitle = describe_gain (gain);
    GtkWidget *row = make_row (gain->model, subtitle);

    if (gain->is_newest)
      adw_action_row_add_suffix (ADW_ACTION_ROW (row), make_newest_label ());
    adw_action_row_add_suffix (ADW_ACTION_ROW (row), make_gain_label (gain));
    adw_action_row_add_suffix (ADW_ACTION_ROW (row), make_run_button (gain->run_id));
    gtk_list_box_append (self->reward_list, row);
  }
}

/* --- Policies ------------------------------------------------------------------------------ */

static void
add_policy (LaurelOnlineView *self, const LaurelPolicyWins *wins)
{
  g_autofree char *rate = format_share (&wins->rate);
  g_autofree char *tasks = g_strdup_printf (
      ngettext ("%d ranked task", "%d ranked tasks", (gulong) wins->n_tasks), wins->n_tasks);
  g_autofree char *subtitle =
      g_strdup_printf (_("%s with “%s”: %d pairs won, %d lost, %d tied"), tasks, wins->reference,
                       wins->n_wins, wins->n_losses, wins->n_ties);
  GtkWidget *row = make_row (wins->policy, subtitle);
  GtkWidget *label = gtk_label_new (rate);

  gtk_widget_add_css_class (label, "numeric");
  gtk_widget_set_tooltip_text (label, _("Share of the pairs that it won, a tie counting one half"));
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), label);
  gtk_list_box_append (self->policy_list, row);
}

static void
show_wins (LaurelOnlineView *self, const char *reference)
{
  g_autoptr (GPtrArray) list =
      reference != NULL ? laurel_online_list_wins (get_store (self), reference, NULL) : NULL;

  clear_list (self->policy_list);
  for (guint i = list != NULL ? list->len : 0; i-- > 0;)
    add_policy (self, list->pdata[i]);
  gtk_widget_set_visible (GTK_WIDGET (self->policies), list != NULL && list->len > 0);
}

/* --- Settings -------------------------------------------------------------------------------- */

static void
describe_settings (LaurelOnlineView *self, const char *reference)
{
  LaurelStore *store = get_store (self);
  int n_new = MAX (laurel_online_count_new (store, NULL), 0);
  int n_open = (int) MAX (laurel_store_count_tasks (store, TRUE, NULL), 0);
  g_autofree char *policy =
      reference != NULL ? laurel_online_find_policy (store, reference, NULL) : NULL;
  g_autofree char *every = g_strdup_printf (
      ngettext ("%d new ranking since the newest reward model.",
                "%d new rankings since the newest reward model.", (gulong) n_new),
      n_new);
  g_autofree char *low =
      g_strdup_printf (ngettext ("%d task is open now. 0 turns this off.",
                                 "%d tasks are open now. 0 turns this off.", (gulong) n_open),
                       n_open);
  g_autofree char *completions =
      policy != NULL
          ? g_strdup_printf (_("Half of them by “%s”, the newest policy, in an order that tells "
                               "labelers nothing."),
                             policy)
          : g_strdup (_("Half of them the policy’s, once there is one."));

  adw_action_row_set_subtitle (self->every_row, every);
  adw_action_row_set_subtitle (self->low_row, low);
  adw_action_row_set_subtitle (self->completions_row, completions);
}

static void
select_model (LaurelOnlineView *self, const char *name)
{
  GListModel *names = adw_combo_row_get_model (self->model);

  for (guint i = 0; name != NULL && i < g_list_model_get_n_items (names); i++) {
    g_autoptr (GtkStringObject) item = g_list_model_get_item (names, i);

    if (g_str_equal (gtk_string_object_get_string (item), name))
      adw_combo_row_set_selected (self->model, i);
  }
}

static void
fill_settings (LaurelOnlineView *self, const LaurelOnlineSettings *settings)
{
  static const char *const kinds[] = { "sft", "base", NULL };

  self->is_filling = TRUE;
  laurel_model_choice_fill (self->model, self->project, kinds);
  select_model (self, settings->model);
  laurel_gold_choice_fill (self->gold, self->project);
  laurel_gold_choice_select (self->gold, settings->gold);
  gtk_switch_set_active (self->enabled, settings->enabled);
  gtk_switch_set_active (self->tune, settings->tune);
  gtk_spin_button_set_value (self->every, settings->every);
  gtk_spin_button_set_value (self->low, settings->low);
  gtk_spin_button_set_value (self->n_tasks, settings->n_tasks);
  gtk_spin_button_set_value (self->n_completions, settings->n_completions);
  self->is_filling = FALSE;
}

static void
refresh (LaurelOnlineView *self)
{
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autofree char *reference = NULL;
  g_autoptr (GError) error = NULL;

  if (get_store (self) == NULL)
    return;
  if (!laurel_online_settings_load (get_store (self), &settings, &error)) {
    show_error (self, error);
    return;
  }
  reference = laurel_online_find_reference (get_store (self), &settings, NULL);
  fill_settings (self, &settings);
  describe_settings (self, reference);
  show_gains (self);
  show_wins (self, reference);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "online.train", reference != NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "online.sample", reference != NULL);
}

static gboolean
refresh_cb (gpointer user_data)
{
  LaurelOnlineView *self = user_data;

  self->refresh_source = 0;
  refresh (self);
  return G_SOURCE_REMOVE;
}

/* Nobody looks: it is read anew when it is shown. */
static void
queue_refresh (LaurelOnlineView *self)
{
  if (self->refresh_source == 0 && gtk_widget_get_mapped (GTK_WIDGET (self)))
    self->refresh_source = g_timeout_add (REFRESH_MS, refresh_cb, self);
}

/* The settings as they are on the screen, over those that it does not show. */
static gboolean
read_settings (LaurelOnlineView *self, LaurelOnlineSettings *settings, GError **error)
{
  if (!laurel_online_settings_load (get_store (self), settings, error))
    return FALSE;
  g_free (settings->model);
  settings->model = g_strdup (laurel_model_choice_get (self->model));
  g_free (settings->gold);
  settings->gold = laurel_gold_choice_dup (self->gold);
  settings->enabled = gtk_switch_get_active (self->enabled);
  settings->tune = gtk_switch_get_active (self->tune);
  settings->every = gtk_spin_button_get_value_as_int (self->every);
  settings->low = gtk_spin_button_get_value_as_int (self->low);
  settings->n_tasks = gtk_spin_button_get_value_as_int (self->n_tasks);
  settings->n_completions = gtk_spin_button_get_value_as_int (self->n_completions);
  return TRUE;
}

static void
changed_cb (LaurelOnlineView *self)
{
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (GError) error = NULL;

  if (self->is_filling || get_store (self) == NULL)
    return;
  if (!read_settings (self, &settings, &error)
      || !laurel_online_settings_save (get_store (self), &settings, &error)) {
    show_error (self, error);
    return;
  }
  laurel_project_note_ranking (self->project);
}

/* --- At once ------------------------------------------------------------------- */

static void
train_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelOnlineView *self = LAUREL_ONLINE_VIEW (widget);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (GError) error = NULL;

  if (!read_settings (self, &settings, &error)
      || laurel_project_start_retraining (self->project, &settings, -1, &error) == 0)
    show_error (self, error);
  else
    laurel_page_show_toast (widget, _("A reward model will be trained on all rankings"));
}

static void
sample_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelOnlineView *self = LAUREL_ONLINE_VIEW (widget);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (GError) error = NULL;
  guint64 seed = (guint64) MAX (laurel_store_count_tasks (get_store (self), FALSE, NULL), 0);

  if (!read_settings (self, &settings, &error)
      || laurel_project_start_mixing (self->project, &settings, settings.n_tasks, seed, -1, &error)
             == 0)
    show_error (self, error);
  else
    laurel_page_show_toast (widget, _("New tasks will be sampled"));
}

/* --- Class --------------------------------------------------------------------- */

void
laurel_online_view_set_project (LaurelOnlineView *self, LaurelProject *project)
{
  g_clear_handle_id (&self->refresh_source, g_source_remove);
  g_set_object (&self->project, project);
  g_signal_group_set_target (self->signals, project);
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    refresh (self);
}

static void
laurel_online_view_map (GtkWidget *widget)
{
  refresh (LAUREL_ONLINE_VIEW (widget));

  GTK_WIDGET_CLASS (laurel_online_view_parent_class)->map (widget);
}

static void
laurel_online_view_dispose (GObject *object)
{
  LaurelOnlineView *self = LAUREL_ONLINE_VIEW (object);

  g_clear_handle_id (&self->refresh_source, g_source_remove);
  g_clear_object (&self->signals);
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_ONLINE_VIEW);
  g_clear_object (&self->project);
  G_OBJECT_CLASS (laurel_online_view_parent_class)->dispose (object);
}

static void
laurel_online_view_class_init (LaurelOnlineViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_online_view_dispose;
  widget_class->map = laurel_online_view_map;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/online_view.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, content);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, enabled);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, model);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, every_row);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, every);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, tune);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, gold);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, low_row);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, low);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, n_tasks);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, completions_row);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, n_completions);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, card);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, figure_place);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, reward_list);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, policies);
  gtk_widget_class_bind_template_child (widget_class, LaurelOnlineView, policy_list);
  gtk_widget_class_bind_template_callback (widget_class, changed_cb);
  gtk_widget_class_install_action (widget_class, "online.train", NULL, train_action);
  gtk_widget_class_install_action (widget_class, "online.sample", NULL, sample_action);
}

static void
laurel_online_view_init (LaurelOnlineView *self)
{
  self->signals = g_signal_group_new (LAUREL_TYPE_PROJECT);
  g_signal_group_connect_swapped (self->signals, "models-changed", G_CALLBACK (queue_refresh),
                                  self);
  g_signal_group_connect_swapped (self->signals, "tasks-changed", G_CALLBACK (queue_refresh),
                                  self);
  gtk_widget_init_template (GTK_WIDGET (self));
  laurel_accessible_mend (GTK_WIDGET (self));
}
