/* best_of_page.c: a model writes, a reward model chooses, a judge says what that is worth.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/evaluate/best_of_page.h"

#include "core/project/evaluation_export.h"
#include "core/project/report.h"
#include "core/project/reward_report.h"
#include "ui/charts/widget.h"
#include "ui/data/table.h"
#include "ui/evaluate/answer_choice.h"
#include "ui/launch/gold_choice.h"
#include "ui/launch/model_choice.h"
#include "ui/resources.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define CHART_HEIGHT 280

struct _LaurelBestOfPage {
  LaurelEvaluatePage parent_instance;

  AdwComboRow *model;
  AdwComboRow *reward_model;
  AdwComboRow *judge;
  GtkSpinButton *samples;
  LaurelAnswerChoice *answers;
  AdwPreferencesGroup *results;
  GtkBox *charts_box;
  GtkBox *table_box;

  LaurelChartCursor *cursor; /* both charts' */
};

G_DEFINE_FINAL_TYPE (LaurelBestOfPage, laurel_best_of_page, LAUREL_TYPE_EVALUATE_PAGE)

/* --- The work, on its thread ----------------------------------------------------------- */

typedef struct {
  LaurelBestOfRequest request;
  char *model;
  char *reward_model;
  char *judge;
} Work;

static void
work_free (gpointer data)
{
  Work *self = data;

  g_free (self->model);
  g_free (self->reward_model);
  g_free (self->judge);
  g_free (self);
}

typedef struct {
  char *model;
  char *reward_model;
  LaurelBestOfCurve *curve;
} Outcome;

static void
outcome_free (gpointer data)
{
  Outcome *self = data;

  g_free (self->model);
  g_free (self->reward_model);
  laurel_best_of_curve_free (self->curve);
  g_free (self);
}

static gpointer
estimate (LaurelBackground *background,
          LaurelStore *store,
          const char *project_path,
          gpointer data,
          GError **error)
{
  Work *work = data;
  LaurelBestOfCurve *curve;
  Outcome *outcome;

  work->request.model = work->model;
  work->request.reward_model = work->reward_model;
  work->request.judge = work->judge;
  work->request.progress = laurel_background_step;
  work->request.user_data = background;
  curve = laurel_evaluate_best_of (store, project_path, &work->request, error);
  if (curve == NULL)
    return NULL;
  outcome = g_new0 (Outcome, 1);
  outcome->model = g_strdup (work->model);
  outcome->reward_model = g_strdup (work->reward_model);
  outcome->curve = curve;
  return outcome;
}

/* --- Results ------------------------------------------------------------------------------ */

static const LaurelBestOfEstimate *
get_estimate (const LaurelBestOfCurve *curve, guint i)
{
  return &g_array_index (curve->estimates, LaurelBestOfEstimate, i);
}

/* The interval at @offset in each estimate, over the KL. */
static void
add_chart (LaurelBestOfPage *self,
           const LaurelBestOfCurve *curve,
           gsize offset,
           guint colour,
           const char *title,
           const char *how)
{
  GtkWidget *widget = laurel_chart_widget_new ();
  LaurelChartCanvas *canvas = laurel_chart_widget_get_canvas (LAUREL_CHART_WIDGET (widget));
  LaurelChart *chart = laurel_chart_canvas_get_chart (canvas);
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_series_unref);
  LaurelSeries *series = laurel_series_new (title, colour);

  for (guint i = 0; i < curve->estimates->len; i++) {
    const LaurelBestOfEstimate *at = get_estimate (curve, i);
    const LaurelInterval *interval = G_STRUCT_MEMBER_P (at, offset);
    /* Translators: a number of samples, and a KL in nats. */
    g_autofree char *name = g_strdup_printf (_("Best of %d, KL %.3f"), at->n, at->kl.value);

    laurel_series_append_span (series, at->kl.value, interval->value, interval->low,
                               interval->high, name);
  }
  g_ptr_array_add (all, series);
  chart->smoothing = 0;
  chart->x_kind = LAUREL_SCALE_LINEAR;
  chart->reference = NAN;
  laurel_chart_widget_set_title (LAUREL_CHART_WIDGET (widget), title, how);
  laurel_chart_widget_set_x_name (LAUREL_CHART_WIDGET (widget), _("KL in nats"));
  laurel_chart_canvas_set_cursor (canvas, self->cursor);
  laurel_chart_canvas_set_series (canvas, all);
  gtk_widget_set_size_request (widget, -1, CHART_HEIGHT);
  gtk_widget_set_hexpand (widget, TRUE);
  gtk_box_append (self->charts_box, widget);
}

static void
show_charts (LaurelBestOfPage *self, const LaurelBestOfCurve *curve)
{
  laurel_evaluate_page_empty (self->charts_box);
  if (curve->gold != NULL)
    add_chart (self, curve, G_STRUCT_OFFSET (LaurelBestOfEstimate, gold), 0,
               _("Gold: the Judge’s Score over the KL"),
               _("What the judge says of the best of n by the reward model, over the KL that "
                 "choosing costs, in nats. Where it falls while the reward model’s score still "
                 "rises, choosing has gone past what the reward model knows. Shaded: the 95 % "
                 "interval, prompts drawn again."));
  add_chart (self, curve, G_STRUCT_OFFSET (LaurelBestOfEstimate, proxy), 1,
             _("Proxy: the Reward Model’s Score over the KL"),
             _("The reward model’s own score of the best of n, over the KL that choosing costs, in "
               "nats. An answer that does not end by itself scores 1 lower, as in PPO. Shaded: the "
               "95 % interval, prompts drawn again."));
}

static void
add_cell (GPtrArray *cells, char *text)
{
  g_ptr_array_add (cells, laurel_with_minus_signs (text));
}

static char **
make_cells (const LaurelBestOfCurve *curve, const LaurelBestOfEstimate *at)
{
  GPtrArray *cells = g_ptr_array_new ();

  add_cell (cells, g_strdup_printf ("%d", at->n));
  add_cell (cells, g_strdup_printf ("%.3f", at->kl_bound));
  add_cell (cells, g_strdup_printf ("%.3f", at->kl.value));
  add_cell (cells, laurel_interval_format (&at->proxy, FALSE));
  if (curve->gold != NULL) {
    add_cell (cells, laurel_interval_format (&at->gold, FALSE));
    add_cell (cells, laurel_interval_format (&at->win_rate, TRUE));
  } else {
    add_cell (cells, laurel_interval_format (&at->proxy_win_rate, TRUE));
  }
  add_cell (cells, g_strdup_printf ("%.1f %%", 100 * laurel_best_of_win_limit (at->n)));
  add_cell (cells, g_strdup_printf ("%.1f", at->length.value));
  g_ptr_array_add (cells, NULL);
  return (char **) g_ptr_array_free (cells, FALSE);
}

static GtkWidget *
make_table (const LaurelBestOfCurve *curve)
{
  const LaurelTableColumn columns[] = {
    { _("n"), LAUREL_COLUMN_NUMBER },
    { _("KL at Most"), LAUREL_COLUMN_NUMBER },
    { _("KL"), LAUREL_COLUMN_NUMBER },
    { _("Proxy"), LAUREL_COLUMN_INTERVAL },
    { _("Gold"), LAUREL_COLUMN_INTERVAL },
    { _("Beats One Sample"), LAUREL_COLUMN_INTERVAL },
    { _("At Most"), LAUREL_COLUMN_NUMBER },
    { _("Length"), LAUREL_COLUMN_NUMBER },
    { NULL },
  };
  g_autofree LaurelTableColumn *shown = g_memdup2 (columns, sizeof columns);
  g_autoptr (GListStore) store = g_list_store_new (LAUREL_TYPE_TEXT_ROW);

  if (curve->gold == NULL) /* one column less */
    memmove (&shown[4], &shown[5], 4 * sizeof *shown);
  for (guint i = 0; i < curve->estimates->len; i++) {
    g_autoptr (LaurelTextRow) row =
        laurel_text_row_new (i, make_cells (curve, get_estimate (curve, i)));

    g_list_store_append (store, row);
  }
  return laurel_table_new (_("Best of n"), shown, G_LIST_MODEL (store));
}

static void
laurel_best_of_page_show (LaurelEvaluatePage *page, gpointer result)
{
  LaurelBestOfPage *self = LAUREL_BEST_OF_PAGE (page);
  const Outcome *outcome = result;
  const LaurelBestOfCurve *curve = outcome->curve;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *title =
      g_strdup_printf (_("Best of n of %s by %s"), outcome->model, outcome->reward_model);
  g_autofree char *what = g_strdup_printf (
      /* Translators: who judged, and two numbers. */
      ngettext ("%s. %d samples of %d prompt, without intervals, which take several",
                "%s. %d samples of each of %d prompts; 95 %% intervals, prompts drawn again",
                (gulong) curve->n_prompts),
      laurel_evaluate_page_get_asked (page), curve->n_samples, curve->n_prompts);

  adw_preferences_group_set_title (self->results, title);
  adw_preferences_group_set_description (self->results, what);
  show_charts (self, curve);
  laurel_evaluate_page_empty (self->table_box);
  gtk_box_append (self->table_box, make_table (curve));
  laurel_best_of_add_json (builder, curve->estimates);
  laurel_evaluate_page_reveal (page, GTK_WIDGET (self->results),
                               laurel_best_of_to_csv (curve->estimates),
                               laurel_evaluate_page_print (builder));
}

/* --- Choices ------------------------------------------------------------------------------- */

static const char *
describe_judge (LaurelBestOfPage *self)
{
  g_autofree char *judge = laurel_gold_choice_dup (self->judge);

  return judge != NULL && g_strcmp0 (judge, laurel_model_choice_get (self->reward_model)) == 0
             ? _("The one that chooses: it cannot tell where it is fooled. Take another one")
             : _("What the answers are really worth: gold");
}

static void
update (LaurelBestOfPage *self)
{
  gboolean has_model = laurel_model_choice_get (self->model) != NULL;
  gboolean has_reward = laurel_model_choice_get (self->reward_model) != NULL;

  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->model),
                               has_model ? _("Writes the answers")
                                         : _("None yet: import one or train one first"));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->judge), describe_judge (self));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->reward_model),
                               has_reward ? _("Chooses the best answer: the proxy")
                                          : _("None yet: train one from rankings first"));
  laurel_evaluate_page_changed (LAUREL_EVALUATE_PAGE (self));
}

static gboolean
laurel_best_of_page_is_ready (LaurelEvaluatePage *page)
{
  LaurelBestOfPage *self = LAUREL_BEST_OF_PAGE (page);

  return laurel_model_choice_get (self->model) != NULL
         && laurel_model_choice_get (self->reward_model) != NULL;
}

static void
laurel_best_of_page_fill (LaurelEvaluatePage *page, LaurelProject *project)
{
  static const char *const kinds[] = { "sft", "policy", "base", NULL };
  static const char *const reward_kinds[] = { "reward", NULL };
  LaurelBestOfPage *self = LAUREL_BEST_OF_PAGE (page);

  laurel_model_choice_fill (self->model, project, kinds);
  laurel_model_choice_fill (self->reward_model, project, reward_kinds);
  laurel_gold_choice_fill (self->judge, project);
  update (self);
}

static void
laurel_best_of_page_make_task (LaurelEvaluatePage *page, LaurelBackgroundTask *out)
{
  LaurelBestOfPage *self = LAUREL_BEST_OF_PAGE (page);
  Work *work = g_new0 (Work, 1);
  LaurelAnswers answers;

  laurel_answer_choice_read (self->answers, &answers);
  gtk_spin_button_update (self->samples); /* typed and not yet left */
  laurel_evaluate_page_take_asked (
      page, laurel_answers_describe (&answers, adw_combo_row_get_selected (self->judge) > 0
                                                   ? laurel_model_choice_get (self->judge)
                                                   : NULL));
  work->model = g_strdup (laurel_model_choice_get (self->model));
  work->reward_model = g_strdup (laurel_model_choice_get (self->reward_model));
  work->judge = laurel_gold_choice_dup (self->judge);
  work->request.split = answers.split;
  work->request.n_prompts = answers.count;
  work->request.n_samples = gtk_spin_button_get_value_as_int (self->samples);
  work->request.options = (LaurelSamplingOptions) LAUREL_SAMPLING_DEFAULTS;
  work->request.options.temperature = answers.temperature;
  work->request.options.max_tokens = answers.max_tokens;
  work->request.options.seed = answers.seed;
  out->work = estimate;
  out->data = work;
  out->free_data = work_free;
  out->free_result = outcome_free;
}

/* --- Class ------------------------------------------------------------------------------------ */

static void
laurel_best_of_page_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_BEST_OF_PAGE);
  g_clear_object (&LAUREL_BEST_OF_PAGE (object)->cursor);
  G_OBJECT_CLASS (laurel_best_of_page_parent_class)->dispose (object);
}

static void
laurel_best_of_page_class_init (LaurelBestOfPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_best_of_page_dispose;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->fill = laurel_best_of_page_fill;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->is_ready = laurel_best_of_page_is_ready;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->make_task = laurel_best_of_page_make_task;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->show = laurel_best_of_page_show;
  g_type_ensure (LAUREL_TYPE_ANSWER_CHOICE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/evaluate_best_of.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelBestOfPage, model);
  gtk_widget_class_bind_template_child (widget_class, LaurelBestOfPage, reward_model);
  gtk_widget_class_bind_template_child (widget_class, LaurelBestOfPage, judge);
  gtk_widget_class_bind_template_child (widget_class, LaurelBestOfPage, samples);
  gtk_widget_class_bind_template_child (widget_class, LaurelBestOfPage, answers);
  gtk_widget_class_bind_template_child (widget_class, LaurelBestOfPage, results);
  gtk_widget_class_bind_template_child (widget_class, LaurelBestOfPage, charts_box);
  gtk_widget_class_bind_template_child (widget_class, LaurelBestOfPage, table_box);
  gtk_widget_class_bind_template_callback (widget_class, update);
}

static void
laurel_best_of_page_init (LaurelBestOfPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->cursor = laurel_chart_cursor_new ();
}
