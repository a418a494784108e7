/* label_words.c: what the Label page says about the open task, in words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/label_page_private.h"

#include <glib/gi18n.h>

static int
compare_durations (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a;
  gint64 y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

char *
_laurel_label_page_describe_median (LaurelLabelPage *self)
{
  g_autoptr (GArray) sorted = g_array_copy (self->durations);
  gint64 seconds;

  if (sorted->len == 0) {
    return NULL;
  }
  g_array_sort (sorted, compare_durations);
  seconds = MAX (g_array_index (sorted, gint64, sorted->len / 2) / 1000, 1);
  return seconds < 120 ? g_strdup_printf (_("median %d s"), (int) seconds)
                       : g_strdup_printf (_("median %d min"), (int) (seconds + 30) / 60);
}

char *
_laurel_label_page_describe_state (LaurelLabelPage *self)
{
  int left = laurel_ranking_model_get_n_cards (self->model)
             - laurel_ranking_model_get_n_ranked (self->model);
  int better;
  int worse;

  if (laurel_ranking_model_find_contradiction (self->model, &better, &worse)) {
    return g_strdup_printf (_("%c is ranked above %c but rated lower"), 'A' + better, 'A' + worse);
  }
  if (laurel_ranking_model_is_complete (self->model)) {
    return self->reopened ? g_strdup (_("submitted before")) : g_strdup (_("ready to submit"));
  }
  return g_strdup_printf (ngettext ("%d to rank", "%d to rank", left), left);
}

char *
_laurel_label_page_explain_block (LaurelLabelPage *self)
{
  int n_cards = laurel_ranking_model_get_n_cards (self->model);
  g_autoptr (GString) left = g_string_new (NULL);
  int cards[LAUREL_RANKING_MAX_CARDS];
  int n = laurel_ranking_model_get_cards (self->model, 0, cards);

  if (n == n_cards) {
    return g_strdup_printf (
      _("Nothing is ranked yet: press 1 to %d on each completion, or N when all of them are bad."),
      n_cards);
  }
  for (int i = 0; i < n; i++) {
    g_string_append_printf (left, "%s%c", i > 0 ? ", " : "", 'A' + cards[i]);
  }
  if (laurel_ranking_model_get_all_bad (self->model)) {
    return g_strdup_printf (
      _("All are bad and some are ranked: rank %s too, or unrank the others."), left->str);
  }
  return g_strdup_printf (_("Not ranked yet: %s. Equal ones may share a rank."), left->str);
}

char *
_laurel_label_describe_done (int n_ranked, gboolean has_tasks, gboolean researcher)
{
  g_autofree char *ranked = NULL;

  if (!has_tasks)
    return g_strdup (
      _("Sample several completions for each prompt, and they wait here to be ranked."));
  ranked = n_ranked > 0 ? g_strdup_printf (ngettext ("You ranked %d task.", "You ranked %d tasks.",
                                                     (gulong) n_ranked), n_ranked)
                        : g_strdup (_("Others ranked every task."));
  if (researcher)
    return g_strdup_printf (_("%s Train a reward model on them, or sample more."), ranked);
  return g_strdup_printf (_("%s More arrive when a researcher samples them."), ranked);
}
