/* agreement_words.c: estimates with their intervals, or why there are none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/agreement_words.h"

#include "core/base/statistics.h"
#include "core/label/agreement.h"
#include "core/project/report.h"
#include "core/project/reward_report.h"
#include "ui/data/table.h"
#include "ui/runs/run_details.h"

#include <glib/gi18n.h>
#include <math.h>

/* Rows of a table that does not scroll by itself are all made at once. */
#define MAX_PAIRS 100

/* --- Words ----------------------------------------------------------------------------- */

static char *
format_estimate (const LaurelAgreement *row, const LaurelEstimate *estimate, gboolean is_share)
{
  const LaurelInterval interval = { estimate->value, estimate->low, estimate->high, row->n_tasks };

  if (row->n_tasks == 0)
    return g_strdup ("–");
  if (isnan (estimate->value))
    return g_strdup (_("Ties only"));
  return laurel_with_minus_signs (laurel_interval_format (&interval, is_share));
}

/* Why there is no number, or no interval of it. */
static void
append_reason (GString *text, const LaurelEstimate *estimate)
{
  if (estimate->reason != NULL)
    g_string_append_printf (text, isnan (estimate->value) ? _("\nUndefined: %s.")
                                                          : _("\nNo interval: %s."),
                            estimate->reason);
}

static char *
explain_share (const LaurelAgreement *row)
{
  g_autofree char *strict = format_estimate (row, &row->strict, TRUE);
  g_autofree char *half = format_estimate (row, &row->half, TRUE);
  g_autofree char *pairs = g_strdup_printf (
      ngettext ("%'d pair of completions", "%'d pairs of completions", (gulong) row->n_pairs),
      row->n_pairs);
  GString *text = g_string_new (NULL);

  g_string_append_printf (
      text,
      _("Of the pairs that neither calls a tie, those that both put in the same order: %s\n"
        "A tie against an order as half, two ties as the same: %s\n"
        "From %s. Intervals are 95 %%, from drawing whole tasks again %d times."),
      strict, half, pairs, LAUREL_BOOTSTRAP_RESAMPLES);
  append_reason (text, &row->strict);
  return g_string_free (text, FALSE);
}

static char *
explain_tau (const LaurelAgreement *row)
{
  g_autofree char *tau = format_estimate (row, &row->tau_b, FALSE);
  GString *text = g_string_new (NULL);

  g_string_append_printf (
      text,
      _("Kendall’s τ-b: %s\nPairs in the same order less those in opposite order, over the "
        "geometric mean of how many each of the two puts in an order at all. 1 is the same order, "
        "0 what chance gives, −1 the opposite."),
      tau);
  append_reason (text, &row->tau_b);
  return g_string_free (text, FALSE);
}

static char *
describe_tasks (int n)
{
  return n > 0 ? g_strdup_printf (ngettext ("%'d shared task", "%'d shared tasks", (gulong) n), n)
               : g_strdup (_("No shared tasks yet"));
}

/* --- Groups ---------------------------------------------------------------------------- */

static const char *
name_group (LaurelAgreementGroup group)
{
  switch (group) {
  case LAUREL_AGREEMENT_PEOPLE: return _("People among Themselves");
  case LAUREL_AGREEMENT_MIXED: return _("People with Programs");
  case LAUREL_AGREEMENT_ALL:
  case LAUREL_AGREEMENT_PAIR:
  default: return _("Everybody");
  }
}

static GtkWidget *
make_group_row (const LaurelAgreement *row)
{
  g_autofree char *share = format_estimate (row, &row->strict, TRUE);
  g_autofree char *tau = format_estimate (row, &row->tau_b, FALSE);
  g_autofree char *tasks = describe_tasks (row->n_tasks);
  /* Translators: a number of shared tasks, and Kendall's τ-b with its interval. */
  g_autofree char *both = g_strdup_printf (_("%s · τ-b %s"), tasks, tau);
  g_autofree char *explained = explain_share (row);
  g_autofree char *explained_tau = explain_tau (row);
  g_autofree char *tip = g_strconcat (explained, "\n", explained_tau, NULL);
  GtkWidget *widget =
      laurel_value_row_new (name_group (row->group), row->n_tasks > 0 ? both : tasks, share);

  if (row->n_tasks > 0)
    gtk_widget_set_tooltip_text (widget, tip);
  return widget;
}

void
laurel_agreement_show_groups (GtkListBox *rows, GPtrArray *list)
{
  GtkListBoxRow *old;

  while ((old = gtk_list_box_get_row_at_index (rows, 0)) != NULL)
    gtk_list_box_remove (rows, GTK_WIDGET (old));
  for (guint i = 0; list != NULL && i < list->len; i++) {
    const LaurelAgreement *row = g_ptr_array_index (list, i);

    if (row->group != LAUREL_AGREEMENT_PAIR)
      gtk_list_box_append (rows, make_group_row (row));
  }
}

/* --- Pairs ----------------------------------------------------------------------------- */

static char *
name_labeler (const char *name, LaurelLabelerKind kind)
{
  return kind == LAUREL_LABELER_PERSON ? g_strdup (name)
                                       : g_strdup_printf (_("%s (simulated)"), name);
}

/* A person stands before a program. */
static LaurelTextRow *
make_pair (const LaurelAgreement *row)
{
  g_autoptr (GStrvBuilder) cells = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) tips = g_strv_builder_new ();
  g_autofree char *a = name_labeler (row->labeler_a, row->kind_a);
  g_autofree char *b = name_labeler (row->labeler_b, row->kind_b);
  gboolean turned =
      row->kind_a != LAUREL_LABELER_PERSON && row->kind_b == LAUREL_LABELER_PERSON;
  g_autofree char *n = g_strdup_printf ("%d", row->n_tasks);
  g_autofree char *share = format_estimate (row, &row->strict, TRUE);
  g_autofree char *tau = format_estimate (row, &row->tau_b, FALSE);
  g_autofree char *share_tip = explain_share (row);
  g_autofree char *tau_tip = explain_tau (row);
  g_autofree char *name = NULL;
  LaurelTextRow *made;

  g_strv_builder_add_many (cells, turned ? b : a, turned ? a : b, n,
                           row->n_tasks > 0 ? share : _("No shared tasks yet"), tau, NULL);
  g_strv_builder_add_many (tips, "", "", "", row->n_tasks > 0 ? share_tip : "",
                           row->n_tasks > 0 ? tau_tip : "", NULL);
  /* Translators: two labelers, and how far they agree. */
  name = g_strdup_printf (_("%s and %s: %s"), turned ? b : a, turned ? a : b,
                          row->n_tasks > 0 ? share : _("No shared tasks yet"));
  made = laurel_text_row_new (0, g_strv_builder_end (cells));
  laurel_text_row_describe (made, name, g_strv_builder_end (tips));
  return made;
}

static int
count_programs (const LaurelAgreement *row)
{
  return (row->kind_a != LAUREL_LABELER_PERSON) + (row->kind_b != LAUREL_LABELER_PERSON);
}

/* Those who share something first, then people, then those who share most. */
static int
compare_pairs (gconstpointer a, gconstpointer b)
{
  const LaurelAgreement *x = *(const LaurelAgreement *const *) a;
  const LaurelAgreement *y = *(const LaurelAgreement *const *) b;
  int programs = count_programs (x) - count_programs (y);

  if ((x->n_tasks > 0) != (y->n_tasks > 0))
    return x->n_tasks > 0 ? -1 : 1;
  return programs != 0 ? programs : (x->n_tasks < y->n_tasks) - (x->n_tasks > y->n_tasks);
}

/* (transfer container) */
static GPtrArray *
sort_pairs (GPtrArray *list)
{
  GPtrArray *pairs = g_ptr_array_new ();

  for (guint i = 0; i < list->len; i++)
    if (((const LaurelAgreement *) g_ptr_array_index (list, i))->group == LAUREL_AGREEMENT_PAIR)
      g_ptr_array_add (pairs, g_ptr_array_index (list, i));
  g_ptr_array_sort (pairs, compare_pairs);
  return pairs;
}

GtkWidget *
laurel_agreement_make_table (GPtrArray *list)
{
  const LaurelTableColumn columns[] = {
    { _("Labeler"), LAUREL_COLUMN_NAME, NULL },
    { _("With"), LAUREL_COLUMN_NAME, NULL },
    { _("Tasks"), LAUREL_COLUMN_NUMBER, _("Tasks that both have ranked") },
    { _("Agreement"), LAUREL_COLUMN_INTERVAL,
      _("Of the pairs of completions that neither calls a tie, the share that both put in the "
        "same order, with its 95 % interval") },
    { _("τ-b"), LAUREL_COLUMN_INTERVAL,
      _("Kendall’s τ-b: 1 is the same order, 0 what chance gives, −1 the opposite; with its 95 % "
        "interval") },
    { NULL, 0, NULL },
  };
  g_autoptr (GPtrArray) pairs = sort_pairs (list);
  g_autoptr (GListStore) rows = g_list_store_new (LAUREL_TYPE_TEXT_ROW);

  for (guint i = 0; i < MIN (pairs->len, MAX_PAIRS); i++) {
    g_autoptr (LaurelTextRow) row = make_pair (g_ptr_array_index (pairs, i));

    g_list_store_append (rows, row);
  }
  return pairs->len > 0
             ? laurel_table_new (_("Agreement of each two labelers"), columns, G_LIST_MODEL (rows))
             : NULL;
}

char *
laurel_agreement_describe_table (GPtrArray *list)
{
  g_autoptr (GPtrArray) pairs = sort_pairs (list);

  return pairs->len > MAX_PAIRS
             ? g_strdup_printf (_("The first %d of %d pairs of labelers; “laurelctl ranking "
                                  "agreement” lists them all."),
                                MAX_PAIRS, (int) pairs->len)
             : NULL;
}

/* --- What to do ------------------------------------------------------------------------ */

const char *
laurel_agreement_find_hint (GPtrArray *list)
{
  if (list->len < 2)
    return _("There is nobody to agree with yet: import another person’s rankings of the same "
             "completions (Rankings ▸ Import…), or let a judge rank what people have ranked "
             "(laurelctl ranking simulate --judge JUDGE --tasks all).");
  for (guint i = 0; i < list->len; i++) {
    const LaurelAgreement *row = g_ptr_array_index (list, i);

    if (row->n_tasks > 0)
      continue;
    if (row->group == LAUREL_AGREEMENT_PEOPLE)
      return _("No two people have ranked the same task. Sample completions with a share of tasks "
               "for two labelers, or import another person’s rankings of the same completions "
               "(Rankings ▸ Import…).");
    if (row->group == LAUREL_AGREEMENT_MIXED)
      return _("No program has ranked what people have: let a judge do so (laurelctl ranking "
               "simulate --judge JUDGE --tasks all).");
  }
  return NULL;
}
