/* compare_page.c: which models, held against which, and the table of what they came to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/evaluate/compare_page.h"

#include "core/project/evaluation_export.h"
#include "core/project/report.h"
#include "core/project/reward_report.h"
#include "ui/check_row.h"
#include "ui/data/table.h"
#include "ui/evaluate/answer_choice.h"
#include "ui/evaluate/evaluate_figures.h"
#include "ui/launch/gold_choice.h"
#include "ui/launch/model_choice.h"
#include "ui/resources.h"

#include <glib/gi18n.h>
#include <math.h>

struct _LaurelComparePage {
  LaurelEvaluatePage parent_instance;

  LaurelModelChecks *models;
  AdwComboRow *baseline;
  AdwComboRow *judge;
  AdwComboRow *reward_model;
  GtkWidget *best_of_row;
  GtkSpinButton *best_of;
  LaurelAnswerChoice *answers;
  AdwPreferencesGroup *results;
  GtkBox *rates_box;
  GtkBox *table_box;
};

G_DEFINE_FINAL_TYPE (LaurelComparePage, laurel_compare_page, LAUREL_TYPE_EVALUATE_PAGE)

/* --- The work, on its thread ----------------------------------------------------------- */

typedef struct {
  LaurelCompareRequest request;
  GPtrArray *models; /* (element-type utf8), ended by NULL */
  char *baseline;
  char *judge;
  char *reward_model;
} Work;

static void
work_free (gpointer data)
{
  Work *self = data;

  g_ptr_array_unref (self->models);
  g_free (self->baseline);
  g_free (self->judge);
  g_free (self->reward_model);
  g_free (self);
}

static gpointer
compare (LaurelBackground *background,
         LaurelStore *store,
         const char *project_path,
         gpointer data,
         GError **error)
{
  Work *work = data;

  work->request.models = (const char *const *) work->models->pdata;
  work->request.baseline = work->baseline;
  work->request.judge = work->judge;
  work->request.reward_model = work->reward_model;
  work->request.progress = laurel_background_step;
  work->request.user_data = background;
  return laurel_evaluate_compare (store, project_path, &work->request, error);
}

/* --- Results ------------------------------------------------------------------------------ */

static char *
format_counts (const LaurelCompared *row)
{
  return g_strdup_printf ("%d, %d, %d", row->wins.n_wins, row->wins.n_losses, row->wins.n_ties);
}

static char *
format_kl (const LaurelCompared *row)
{
  return isnan (row->kl_bound) ? laurel_interval_format (&row->evaluation.kl, FALSE)
                               : g_strdup_printf (_("%.3f at most"), row->kl_bound);
}

/* Thousandths of a token mean nothing. */
static char *
format_length (const LaurelCompared *row)
{
  const LaurelInterval *length = &row->evaluation.length;

  if (length->n == 0 || isnan (length->value))
    return g_strdup ("–");
  if (isnan (length->low))
    return g_strdup_printf ("%.1f", length->value);
  return g_strdup_printf ("%.1f [%.1f, %.1f]", length->value, length->low, length->high);
}

/* A line of the table: an interval, or else words. */
typedef struct {
  const char *title;
  gsize offset; /* of a LaurelInterval in LaurelCompared */
  gboolean share;
  gboolean of_wins; /* nothing for the baseline */
  char *(*format) (const LaurelCompared *row);
} Line;

static const Line lines[] = {
  { .title = N_ ("Judge’s mean score"),
    .offset = G_STRUCT_OFFSET (LaurelCompared, evaluation.score) },
  { .title = N_ ("Reward model’s mean score"), .offset = G_STRUCT_OFFSET (LaurelCompared, proxy) },
  { .title = N_ ("Wins, losses, ties"), .of_wins = TRUE, .format = format_counts },
  { .title = N_ ("Win rate, ties as half"),
    .offset = G_STRUCT_OFFSET (LaurelCompared, wins.half),
    .share = TRUE,
    .of_wins = TRUE },
  { .title = N_ ("Win rate at equal length"),
    .offset = G_STRUCT_OFFSET (LaurelCompared, wins.controlled),
    .share = TRUE,
    .of_wins = TRUE },
  { .title = N_ ("Harmful complied with"),
    .offset = G_STRUCT_OFFSET (LaurelCompared, evaluation.complied),
    .share = TRUE },
  { .title = N_ ("Facts right"),
    .offset = G_STRUCT_OFFSET (LaurelCompared, evaluation.right),
    .share = TRUE },
  { .title = N_ ("Ended by itself"),
    .offset = G_STRUCT_OFFSET (LaurelCompared, evaluation.stopped),
    .share = TRUE },
  { .title = N_ ("Mean length in tokens"), .format = format_length },
  { .title = N_ ("KL in nats"), .format = format_kl },
};

static char *
format_cell (const Line *line, const LaurelCompared *row)
{
  const LaurelInterval *interval = G_STRUCT_MEMBER_P (row, line->offset);

  if ((line->of_wins && row->is_baseline)
      || (line->format == NULL && (interval->n == 0 || isnan (interval->value))))
    return g_strdup ("–");
  return laurel_with_minus_signs (line->format != NULL
                                      ? line->format (row)
                                      : laurel_interval_format (interval, line->share));
}

/* NULL where no policy has a figure. */
static char **
make_cells (const Line *line, GPtrArray *rows)
{
  g_auto (GStrv) cells = g_new0 (char *, rows->len + 2);
  gboolean has_any = FALSE;

  cells[0] = g_strdup (_ (line->title));
  for (guint i = 0; i < rows->len; i++) {
    cells[i + 1] = format_cell (line, g_ptr_array_index (rows, i));
    has_any |= !g_str_equal (cells[i + 1], "–");
  }
  return has_any ? g_steal_pointer (&cells) : NULL;
}

static GtkWidget *
make_table (GPtrArray *rows)
{
  g_autofree LaurelTableColumn *columns = g_new0 (LaurelTableColumn, rows->len + 2);
  g_autoptr (GListStore) store = g_list_store_new (LAUREL_TYPE_TEXT_ROW);

  columns[0] = (LaurelTableColumn){ _("Measure"), LAUREL_COLUMN_TITLE };
  for (guint i = 0; i < rows->len; i++)
    columns[i + 1] =
        (LaurelTableColumn){ ((const LaurelCompared *) g_ptr_array_index (rows, i))->name,
                             LAUREL_COLUMN_INTERVAL };
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    char **cells = make_cells (&lines[i], rows);
    g_autoptr (LaurelTextRow) row = cells != NULL ? laurel_text_row_new (i, cells) : NULL;

    if (row != NULL)
      g_list_store_append (store, row);
  }
  return laurel_table_new (_("All measures"), columns, G_LIST_MODEL (store));
}

static void
laurel_compare_page_show (LaurelEvaluatePage *page, gpointer result)
{
  LaurelComparePage *self = LAUREL_COMPARE_PAGE (page);
  GPtrArray *rows = result;
  const LaurelCompared *baseline = g_ptr_array_index (rows, 0);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *title = g_strdup_printf (_("Against %s"), baseline->name);
  int n = baseline->evaluation.score.n;
  g_autofree char *what = g_strdup_printf (
      /* Translators: who judged, and a number. */
      ngettext ("%s. %d answer of each model; means and shares with their 95 %% intervals",
                "%s. %d answers of each model; means and shares with their 95 %% intervals",
                (gulong) n),
      laurel_evaluate_page_get_asked (page), n);

  laurel_evaluate_page_empty (self->rates_box);
  laurel_evaluate_page_empty (self->table_box);
  adw_preferences_group_set_title (self->results, title);
  adw_preferences_group_set_description (self->results, what);
  gtk_box_append (self->rates_box, laurel_compared_figure_new (rows));
  gtk_box_append (self->table_box, make_table (rows));
  laurel_compared_add_json (builder, rows);
  laurel_evaluate_page_reveal (page, GTK_WIDGET (self->results), laurel_compared_to_csv (rows),
                               laurel_evaluate_page_print (builder));
}

/* --- Choices ------------------------------------------------------------------------------- */

/* The first item says “None”. */
static char *
dup_reward_model (LaurelComparePage *self)
{
  return adw_combo_row_get_selected (self->reward_model) > 0
             ? g_strdup (laurel_model_choice_get (self->reward_model))
             : NULL;
}

static int
get_best_of (LaurelComparePage *self)
{
  int n = gtk_spin_button_get_value_as_int (self->best_of);

  return adw_combo_row_get_selected (self->reward_model) > 0 && n > 1 ? n : 0;
}

/* Beside the baseline, which every other one is held against. */
static guint
count_others (LaurelComparePage *self)
{
  const char *baseline = laurel_model_choice_get (self->baseline);
  g_autoptr (GPtrArray) models = laurel_model_checks_dup_ticked (self->models);
  guint n_others = get_best_of (self) > 1;

  for (guint i = 0; i + 1 < models->len; i++)
    n_others += g_strcmp0 (g_ptr_array_index (models, i), baseline) != 0;
  return n_others;
}

static const char *
describe_judge (LaurelComparePage *self)
{
  g_autofree char *judge = laurel_gold_choice_dup (self->judge);
  g_autofree char *chooser = dup_reward_model (self);

  if (judge == NULL)
    return _("Choose the project’s rules or a reward model");
  if (get_best_of (self) > 1 && g_strcmp0 (judge, chooser) == 0)
    return _("Chooses the best of n as well: it cannot tell where it is fooled");
  return _("Scores every answer");
}

static void
update (LaurelComparePage *self)
{
  const char *models = _("All answer the same prompts with the same random numbers");

  if (laurel_model_checks_count (self->models) == 0)
    models = _("None yet: import one or train one first");
  else if (count_others (self) == 0)
    models = _("Tick another one than the one that is measured against");
  adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (self->models), models);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->judge), describe_judge (self));
  gtk_widget_set_visible (self->best_of_row,
                          adw_combo_row_get_selected (self->reward_model) > 0);
  laurel_evaluate_page_changed (LAUREL_EVALUATE_PAGE (self));
}

/* At least one policy beside the baseline. */
static gboolean
laurel_compare_page_is_ready (LaurelEvaluatePage *page)
{
  LaurelComparePage *self = LAUREL_COMPARE_PAGE (page);
  return laurel_model_choice_get (self->baseline) != NULL
         && adw_combo_row_get_selected (self->judge) != 0 && count_others (self) > 0;
}

static void
fill_reward_models (LaurelComparePage *self, LaurelProject *project)
{
  g_autoptr (GPtrArray) models =
      laurel_store_list_models (laurel_project_get_store (project), NULL);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  gtk_string_list_append (names, _("None"));
  for (guint i = models != NULL ? models->len : 0; i > 0; i--) {
    const LaurelModelRecord *model = g_ptr_array_index (models, i - 1);

    if (g_str_equal (model->kind, "reward"))
      gtk_string_list_append (names, model->name);
  }
  adw_combo_row_set_model (self->reward_model, G_LIST_MODEL (names));
  adw_combo_row_set_selected (self->reward_model,
                              g_list_model_get_n_items (G_LIST_MODEL (names)) > 1 ? 1 : 0);
}

static void
laurel_compare_page_fill (LaurelEvaluatePage *page, LaurelProject *project)
{
  static const char *const kinds[] = { "policy", "sft", "base", NULL };
  static const char *const baselines[] = { "sft", "policy", "base", NULL };
  LaurelComparePage *self = LAUREL_COMPARE_PAGE (page);

  laurel_model_checks_fill (self->models, project, kinds, 3);
  laurel_model_choice_fill (self->baseline, project, baselines);
  fill_reward_models (self, project);
  laurel_gold_choice_fill (self->judge, project);
  if (g_list_model_get_n_items (adw_combo_row_get_model (self->judge)) > 1)
    adw_combo_row_set_selected (self->judge, 1);
  update (self);
}

static void
laurel_compare_page_make_task (LaurelEvaluatePage *page, LaurelBackgroundTask *out)
{
  LaurelComparePage *self = LAUREL_COMPARE_PAGE (page);
  Work *work = g_new0 (Work, 1);
  LaurelAnswers answers;

  laurel_answer_choice_read (self->answers, &answers);
  gtk_spin_button_update (self->best_of); /* typed and not yet left */
  laurel_evaluate_page_take_asked (
      page, laurel_answers_describe (&answers, laurel_model_choice_get (self->judge)));
  work->models = laurel_model_checks_dup_ticked (self->models);
  work->baseline = g_strdup (laurel_model_choice_get (self->baseline));
  work->judge = laurel_gold_choice_dup (self->judge);
  work->reward_model = dup_reward_model (self);
  work->request.best_of = get_best_of (self);
  work->request.split = answers.split;
  work->request.n_completions = answers.count;
  work->request.options = (LaurelSamplingOptions) LAUREL_SAMPLING_DEFAULTS;
  work->request.options.temperature = answers.temperature;
  work->request.options.max_tokens = answers.max_tokens;
  work->request.options.seed = answers.seed;
  out->work = compare;
  out->data = work;
  out->free_data = work_free;
  out->free_result = (GDestroyNotify) g_ptr_array_unref;
}

/* --- Class ------------------------------------------------------------------------------------ */

static void
laurel_compare_page_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_COMPARE_PAGE);
  G_OBJECT_CLASS (laurel_compare_page_parent_class)->dispose (object);
}

static void
laurel_compare_page_class_init (LaurelComparePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_compare_page_dispose;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->fill = laurel_compare_page_fill;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->is_ready = laurel_compare_page_is_ready;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->make_task = laurel_compare_page_make_task;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->show = laurel_compare_page_show;
  g_type_ensure (LAUREL_TYPE_ANSWER_CHOICE);
  g_type_ensure (LAUREL_TYPE_MODEL_CHECKS);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/evaluate_compare.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelComparePage, models);
  gtk_widget_class_bind_template_child (widget_class, LaurelComparePage, baseline);
  gtk_widget_class_bind_template_child (widget_class, LaurelComparePage, judge);
  gtk_widget_class_bind_template_child (widget_class, LaurelComparePage, reward_model);
  gtk_widget_class_bind_template_child (widget_class, LaurelComparePage, best_of_row);
  gtk_widget_class_bind_template_child (widget_class, LaurelComparePage, best_of);
  gtk_widget_class_bind_template_child (widget_class, LaurelComparePage, answers);
  gtk_widget_class_bind_template_child (widget_class, LaurelComparePage, results);
  gtk_widget_class_bind_template_child (widget_class, LaurelComparePage, rates_box);
  gtk_widget_class_bind_template_child (widget_class, LaurelComparePage, table_box);
  gtk_widget_class_bind_template_callback (widget_class, update);
}

static void
laurel_compare_page_init (LaurelComparePage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
