/* ranking_query.c: what the Label page asks the ranking model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/ranking_model_private.h"

gint64
laurel_ranking_model_get_task_id (LaurelRankingModel *self)
{
  return self->task_id;
}

int
laurel_ranking_model_get_n_cards (LaurelRankingModel *self)
{
  return self->n_cards;
}

int
laurel_ranking_model_get_completion_index (LaurelRankingModel *self, int card)
{
  g_return_val_if_fail (card >= 0 && card < self->n_cards, -1);

  return self->order[card];
}

gint64
laurel_ranking_model_get_completion_id (LaurelRankingModel *self, int card)
{
  g_return_val_if_fail (card >= 0 && card < self->n_cards, 0);

  return self->stored_ids[self->order[card]];
}

int
laurel_ranking_model_get_lane (LaurelRankingModel *self, int card)
{
  g_return_val_if_fail (card >= 0 && card < self->n_cards, 0);

  return self->state->lanes[card];
}

int
laurel_ranking_model_get_n_ranked (LaurelRankingModel *self)
{
  int cards[LAUREL_RANKING_MAX_CARDS];

  return self->n_cards - laurel_ranking_model_get_cards (self, 0, cards);
}

int
laurel_ranking_model_get_cards (LaurelRankingModel *self,
                                int lane,
                                int cards[LAUREL_RANKING_MAX_CARDS])
{
  int n = 0;

  for (int card = 0; card < self->n_cards; card++)
    if (self->state->lanes[card] == lane)
      cards[n++] = card;
  return n;
}

void
laurel_ranking_model_get_display_order (LaurelRankingModel *self,
                                        int cards[LAUREL_RANKING_MAX_CARDS])
{
  int n = 0;

  for (int lane = 1; lane <= self->n_cards; lane++)
    n += laurel_ranking_model_get_cards (self, lane, cards + n);
  laurel_ranking_model_get_cards (self, 0, cards + n);
}

int
laurel_ranking_model_get_next_unranked (LaurelRankingModel *self, int after)
{
  after = CLAMP (after, -1, self->n_cards - 1);
  for (int i = 1; i <= self->n_cards; i++) {
    int card = (after + i) % self->n_cards;

    if (self->state->lanes[card] == 0)
      return card;
  }
  return -1;
}

int
laurel_ranking_model_get_quality (LaurelRankingModel *self, int card)
{
  g_return_val_if_fail (card >= 0 && card < self->n_cards, 0);

  return self->state->quality[card];
}

guint
laurel_ranking_model_get_flags (LaurelRankingModel *self, int card)
{
  g_return_val_if_fail (card >= 0 && card < self->n_cards, 0);

  return self->state->flags[card];
}

gboolean
laurel_ranking_model_get_all_bad (LaurelRankingModel *self)
{
  return self->state->all_bad;
}

const char *
laurel_ranking_model_get_comment (LaurelRankingModel *self)
{
  return self->state->comment;
}

gint64
laurel_ranking_model_get_supersedes (LaurelRankingModel *self)
{
  return self->supersedes;
}

gboolean
laurel_ranking_model_is_untouched (LaurelRankingModel *self)
{
  const LaurelRankingState *state = self->state;

  for (int card = 0; card < self->n_cards; card++)
    if (state->lanes[card] != 0 || state->quality[card] != 0 || state->flags[card] != 0)
      return FALSE;
  return !state->all_bad && state->comment[0] == '\0';
}

gboolean
laurel_ranking_model_is_complete (LaurelRankingModel *self)
{
  int n_ranked = laurel_ranking_model_get_n_ranked (self);

  return n_ranked == self->n_cards || (self->state->all_bad && n_ranked == 0);
}

gboolean
laurel_ranking_model_find_contradiction (LaurelRankingModel *self, int *out_better, int *out_worse)
{
  const LaurelRankingState *state = self->state;

  for (int a = 0; a < self->n_cards; a++)
    for (int b = 0; b < self->n_cards; b++)
      if (state->lanes[a] != 0 && state->lanes[a] < state->lanes[b] && state->quality[a] != 0 &&
          state->quality[a] < state->quality[b]) {
        *out_better = a;
        *out_worse = b;
        return TRUE;
      }
  return FALSE;
}
