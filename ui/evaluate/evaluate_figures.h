/* evaluate_figures.h: win rates and ratings as drawings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "core/project/contest.h"
#include "core/project/evaluate_compare.h"

G_BEGIN_DECLS

/* Shares with their intervals beside an even chance. */
GtkWidget *laurel_win_rate_figure_new (const LaurelWinSummary *wins, const char *model, const char *baseline);
/* Every model's chance to be preferred to @baseline, whose own rating is 0. */
GtkWidget *laurel_ratings_figure_new (const LaurelRatings *ratings, const char *baseline);

/* (element-type LaurelCompared): each policy's wins over the baseline, ties as half. */
GtkWidget *laurel_compared_figure_new (GPtrArray *rows);

/* “Won 12, lost 4, tied 2 comparisons on 18 prompts” */
char *laurel_win_summary_describe (const LaurelWinSummary *wins) G_GNUC_WARN_UNUSED_RESULT;
/* What the lengths did; NULL where they are not known. */
char *laurel_win_summary_describe_lengths (const LaurelWinSummary *wins, const char *model, const char *baseline) G_GNUC_WARN_UNUSED_RESULT;
/* The two p-values; NULL where there are ties only. */
char *laurel_win_summary_describe_chance (const LaurelWinSummary *wins) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
