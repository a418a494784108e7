/* ranking_view.h: the lanes, from best to worst, and what is not ranked yet below them.
 *
 * Cards stay children of the view whatever lane they are in, so that the
 * keyboard focus stays with a card when it moves. The view places them; it
 * changes the model only when a card is dropped.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/label/ranking_model.h"
#include "ui/label/completion_card.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_RANKING_VIEW (laurel_ranking_view_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRankingView, laurel_ranking_view, LAUREL, RANKING_VIEW, GtkWidget)

/* Signal "focused" (int card): the keyboard focus came into that card. */

/* Shows @task as @model has it; NULL and NULL: shows nothing. */
void laurel_ranking_view_set_model (LaurelRankingView *self, LaurelRankingModel *model, const LaurelTask *task);
int laurel_ranking_view_get_n_cards (LaurelRankingView *self);
LaurelCompletionCard *laurel_ranking_view_get_card (LaurelRankingView *self, int card);
gboolean laurel_ranking_view_focus_card (LaurelRankingView *self, int card);

G_END_DECLS
