/* ranking_model_private.h: what the three files of the ranking model share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/label/ranking_model.h"

G_BEGIN_DECLS

/* What undo restores. Arrays are indexed by card; entries past the last card are 0. */
typedef struct {
  int lanes[LAUREL_RANKING_MAX_CARDS];
  int quality[LAUREL_RANKING_MAX_CARDS];
  guint flags[LAUREL_RANKING_MAX_CARDS];
  gboolean all_bad;
  char *comment;
} LaurelRankingState;

struct _LaurelRankingModel {
  GObject parent_instance;

  gint64 task_id;
  int n_cards;
  gint64 *stored_ids;                  /* completion ids in stored order */
  int order[LAUREL_RANKING_MAX_CARDS]; /* card → index in stored order */
  guint64 order_seed;
  gint64 supersedes;
  gint64 active_ms;
  gint64 idle_ms;

  LaurelRankingState *state;
  GPtrArray *undo; /* (element-type LaurelRankingState), oldest first */
  GPtrArray *redo; /* newest last */
  gboolean last_was_comment;
};

void _laurel_ranking_model_set_order (LaurelRankingModel *self, guint64 order_seed);
/* Takes @state, forgets the history. */
void _laurel_ranking_model_replace_state (LaurelRankingModel *self, LaurelRankingState *state);
/* Ranks without holes into ranks[n_cards]; returns the worst one. */
int _laurel_ranking_model_get_ranks (LaurelRankingModel *self, int *ranks);

G_END_DECLS
