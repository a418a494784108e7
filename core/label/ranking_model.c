/* ranking_model.c: the state under the Label page, its operations, undo and redo.
 *
 * The state is small (nine cards), so undo keeps whole states: there is no
 * inverse of an operation that could be wrong.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/ranking_model_private.h"

#include "core/base/error.h"
#include "core/base/rng.h"

#include <string.h>

G_DEFINE_FINAL_TYPE (LaurelRankingModel, laurel_ranking_model, G_TYPE_OBJECT)

enum { CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static LaurelRankingState *
copy_state (const LaurelRankingState *state)
{
  LaurelRankingState *copy = g_memdup2 (state, sizeof *state);

  copy->comment = g_strdup (state->comment);
  return copy;
}

static void
free_state (gpointer data)
{
  LaurelRankingState *state = data;

  g_free (state->comment);
  g_free (state);
}

static void
laurel_ranking_model_finalize (GObject *object)
{
  LaurelRankingModel *self = LAUREL_RANKING_MODEL (object);

  free_state (self->state);
  g_ptr_array_unref (self->undo);
  g_ptr_array_unref (self->redo);
  g_free (self->stored_ids);
  G_OBJECT_CLASS (laurel_ranking_model_parent_class)->finalize (object);
}

static void
laurel_ranking_model_class_init (LaurelRankingModelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = laurel_ranking_model_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
laurel_ranking_model_init (LaurelRankingModel *self)
{
  self->state = g_new0 (LaurelRankingState, 1);
  self->state->comment = g_strdup ("");
  self->undo = g_ptr_array_new_with_free_func (free_state);
  self->redo = g_ptr_array_new_with_free_func (free_state);
}

void
_laurel_ranking_model_set_order (LaurelRankingModel *self, guint64 order_seed)
{
  guint32 order[LAUREL_RANKING_MAX_CARDS];
  LaurelRng rng;

  for (int i = 0; i < self->n_cards; i++)
    order[i] = (guint32) i;
  laurel_rng_init (&rng, order_seed, LAUREL_RNG_BLIND, (guint64) self->task_id, 0);
  laurel_rng_shuffle (&rng, order, (gsize) self->n_cards);
  self->order_seed = order_seed;
  for (int i = 0; i < self->n_cards; i++)
    self->order[i] = (int) order[i];
}

guint64
laurel_ranking_order_seed (gint64 task_id, gint64 labeler_id)
{
  LaurelRng rng;
  guint64 high;

  laurel_rng_init (&rng, (guint64) labeler_id, LAUREL_RNG_BLIND, (guint64) task_id, 1);
  high =
    laurel_rng_next (&rng) >> 1; /* 63 bits, so that the database keeps it as a positive number */
  return high << 32 | laurel_rng_next (&rng);
}

LaurelRankingModel *
laurel_ranking_model_new (const LaurelTask *task, guint64 order_seed, GError **error)
{
  LaurelRankingModel *self;
  guint n = task->completions != NULL ? task->completions->len : 0;

  if (n < LAUREL_RANKING_MIN_CARDS || n > LAUREL_RANKING_MAX_CARDS) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not open task %" G_GINT64_FORMAT " for ranking: it has %u completions; "
                 "sample %d to %d for each prompt",
                 task->id, n, LAUREL_RANKING_MIN_CARDS, LAUREL_RANKING_MAX_CARDS);
    return NULL;
  }
  self = g_object_new (LAUREL_TYPE_RANKING_MODEL, NULL);
  self->task_id = task->id;
  self->n_cards = (int) n;
  self->stored_ids = g_new (gint64, n);
  for (guint i = 0; i < n; i++) {
    const LaurelCompletion *completion = g_ptr_array_index (task->completions, i);

    self->stored_ids[i] = completion->id;
  }
  _laurel_ranking_model_set_order (self, order_seed);
  return self;
}

static const LaurelRank *
find_rank (const LaurelRanking *ranking, gint64 completion_id)
{
  for (int i = 0; i < ranking->n; i++)
    if (ranking->ranks[i].completion_id == completion_id)
      return &ranking->ranks[i];
  return NULL;
}

LaurelRankingModel *
laurel_ranking_model_new_from_ranking (const LaurelTask *task,
                                       const LaurelRanking *ranking,
                                       GError **error)
{
  g_autoptr (LaurelRankingModel) self = laurel_ranking_model_new (task, ranking->order_seed, error);

  if (self == NULL)
    return NULL;
  for (int card = 0; card < self->n_cards; card++) {
    const LaurelRank *rank =
      find_rank (ranking, laurel_ranking_model_get_completion_id (self, card));

    if (rank == NULL || ranking->n != self->n_cards || ranking->task_id != task->id) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                   "Could not open ranking %" G_GINT64_FORMAT
                   ": it does not rank the completions of task %" G_GINT64_FORMAT
                   "; check the project's database",
                   ranking->id, task->id);
      return NULL;
    }
    self->state->lanes[card] = CLAMP (rank->rank, 0, self->n_cards);
    self->state->quality[card] = CLAMP (rank->quality, 0, LAUREL_MAX_QUALITY);
    self->state->flags[card] = rank->flags & ((1u << LAUREL_N_FLAGS) - 1);
  }
  self->state->all_bad = ranking->all_bad;
  g_free (self->state->comment);
  self->state->comment = g_strdup (ranking->comment != NULL ? ranking->comment : "");
  self->supersedes = ranking->id;
  return g_steal_pointer (&self);
}

/* Makes @state (transfer full) the present one and the present one a step of undo. */
static gboolean
take_step (LaurelRankingModel *self, LaurelRankingState *state, gboolean is_comment)
{
  if (is_comment && self->last_was_comment)
    free_state (self->state);
  else
    g_ptr_array_add (self->undo, self->state);
  self->state = state;
  self->last_was_comment = is_comment;
  g_ptr_array_set_size (self->redo, 0);
  g_signal_emit (self, signals[CHANGED], 0);
  return TRUE;
}

static gboolean
set_lanes (LaurelRankingModel *self, const int *lanes)
{
  LaurelRankingState *state;

  if (memcmp (lanes, self->state->lanes, sizeof self->state->lanes) == 0)
    return FALSE;
  state = copy_state (self->state);
  memcpy (state->lanes, lanes, sizeof state->lanes);
  return take_step (self, state, FALSE);
}

static void
copy_lanes (LaurelRankingModel *self, int *lanes)
{
  memcpy (lanes, self->state->lanes, sizeof self->state->lanes);
}

/* The nearest lane above (@step −1) or below (+1) @lane that holds a card, 0 when there is none. */
static int
find_lane (LaurelRankingModel *self, int lane, int step)
{
  for (lane += step; lane >= 1 && lane <= self->n_cards; lane += step)
    for (int card = 0; card < self->n_cards; card++)
      if (self->state->lanes[card] == lane)
        return lane;
  return 0;
}

static gboolean
is_alone (LaurelRankingModel *self, int card)
{
  int cards[LAUREL_RANKING_MAX_CARDS];

  return laurel_ranking_model_get_cards (self, self->state->lanes[card], cards) == 1;
}

/* Writes ranks 1 … m without holes for @keys (0: not ranked), which only have to be ordered. */
static int
close_holes (const int *keys, int n, int *ranks)
{
  int n_ranks = 0, last = 0;

  for (int i = 0; i < n; i++)
    ranks[i] = 0;
  while (TRUE) {
    int next = 0;

    for (int i = 0; i < n; i++)
      if (keys[i] > last && (next == 0 || keys[i] < next))
        next = keys[i];
    if (next == 0)
      return n_ranks;
    n_ranks++;
    for (int i = 0; i < n; i++)
      if (keys[i] == next)
        ranks[i] = n_ranks;
    last = next;
  }
}

/* Puts @card in a lane of its own just above @lane. */
static gboolean
insert_before (LaurelRankingModel *self, int card, int lane)
{
  int keys[LAUREL_RANKING_MAX_CARDS] = { 0 };
  int lanes[LAUREL_RANKING_MAX_CARDS] = { 0 };
  int now[LAUREL_RANKING_MAX_CARDS] = { 0 };

  for (int i = 0; i < self->n_cards; i++)
    keys[i] = 2 * self->state->lanes[i];
  keys[card] = 2 * lane - 1;
  close_holes (keys, self->n_cards, lanes);
  close_holes (self->state->lanes, self->n_cards, now);
  if (memcmp (lanes, now, sizeof lanes) == 0)
    return FALSE; /* the same order: closing holes alone is no step */
  return set_lanes (self, lanes);
}

static gboolean
is_card (LaurelRankingModel *self, int card)
{
  return card >= 0 && card < self->n_cards;
}

gboolean
laurel_ranking_model_put (LaurelRankingModel *self, int card, int lane)
{
  int lanes[LAUREL_RANKING_MAX_CARDS];

  if (!is_card (self, card) || lane < 1 || lane > self->n_cards)
    return FALSE;
  copy_lanes (self, lanes);
  lanes[card] = lane;
  return set_lanes (self, lanes);
}

static gboolean
swap_lanes (LaurelRankingModel *self, int a, int b)
{
  int lanes[LAUREL_RANKING_MAX_CARDS];

  copy_lanes (self, lanes);
  for (int i = 0; i < self->n_cards; i++)
    lanes[i] = lanes[i] == a ? b : lanes[i] == b ? a : lanes[i];
  return set_lanes (self, lanes);
}

gboolean
laurel_ranking_model_move_up (LaurelRankingModel *self, int card)
{
  int lane, above;

  if (!is_card (self, card))
    return FALSE;
  lane = self->state->lanes[card];
  if (lane == 0)
    return insert_before (self, card, self->n_cards + 1);
  if (!is_alone (self, card))
    return insert_before (self, card, lane);
  above = find_lane (self, lane, -1);
  return above != 0 && swap_lanes (self, lane, above);
}

gboolean
laurel_ranking_model_move_down (LaurelRankingModel *self, int card)
{
  int lane, below;

  if (!is_card (self, card) || self->state->lanes[card] == 0)
    return FALSE;
  lane = self->state->lanes[card];
  if (!is_alone (self, card))
    return insert_before (self, card, lane + 1);
  below = find_lane (self, lane, 1);
  return below != 0 && swap_lanes (self, lane, below);
}

gboolean
laurel_ranking_model_tie_with_above (LaurelRankingModel *self, int card)
{
  int lane, above;

  if (!is_card (self, card))
    return FALSE;
  lane = self->state->lanes[card];
  above = find_lane (self, lane != 0 ? lane : self->n_cards + 1, -1);
  return above != 0 && laurel_ranking_model_put (self, card, above);
}

gboolean
laurel_ranking_model_unrank (LaurelRankingModel *self, int card)
{
  int lanes[LAUREL_RANKING_MAX_CARDS];

  if (!is_card (self, card))
    return FALSE;
  copy_lanes (self, lanes);
  lanes[card] = 0;
  return set_lanes (self, lanes);
}

gboolean
laurel_ranking_model_drop (LaurelRankingModel *self, int card, LaurelDropPlace place, int lane)
{
  if (!is_card (self, card) || lane < 0 || lane > self->n_cards + 1)
    return FALSE;
  if (place == LAUREL_DROP_INTO)
    return lane == 0 ? laurel_ranking_model_unrank (self, card)
                     : laurel_ranking_model_put (self, card, lane);
  return lane >= 1 && insert_before (self, card, lane);
}

gboolean
laurel_ranking_model_clear (LaurelRankingModel *self)
{
  int lanes[LAUREL_RANKING_MAX_CARDS] = { 0 };

  return set_lanes (self, lanes);
}

gboolean
laurel_ranking_model_set_quality (LaurelRankingModel *self, int card, int quality)
{
  LaurelRankingState *state;

  if (!is_card (self, card) || quality < 0 || quality > LAUREL_MAX_QUALITY ||
      self->state->quality[card] == quality)
    return FALSE;
  state = copy_state (self->state);
  state->quality[card] = quality;
  return take_step (self, state, FALSE);
}

gboolean
laurel_ranking_model_toggle_flag (LaurelRankingModel *self, int card, LaurelFlag flag)
{
  guint known = (guint) flag & ((1u << LAUREL_N_FLAGS) - 1);
  LaurelRankingState *state;

  if (!is_card (self, card) || known == 0)
    return FALSE;
  state = copy_state (self->state);
  state->flags[card] ^= known;
  return take_step (self, state, FALSE);
}

gboolean
laurel_ranking_model_set_all_bad (LaurelRankingModel *self, gboolean all_bad)
{
  LaurelRankingState *state;

  all_bad = all_bad != FALSE;
  if (self->state->all_bad == all_bad)
    return FALSE;
  state = copy_state (self->state);
  state->all_bad = all_bad;
  return take_step (self, state, FALSE);
}

gboolean
laurel_ranking_model_set_comment (LaurelRankingModel *self, const char *comment)
{
  LaurelRankingState *state;

  if (comment == NULL)
    comment = "";
  if (g_str_equal (comment, self->state->comment) || strlen (comment) > LAUREL_MAX_COMMENT ||
      !g_utf8_validate (comment, -1, NULL))
    return FALSE;
  state = copy_state (self->state);
  g_free (state->comment);
  state->comment = g_strdup (comment);
  return take_step (self, state, TRUE);
}

gboolean
laurel_ranking_model_can_undo (LaurelRankingModel *self)
{
  return self->undo->len > 0;
}

gboolean
laurel_ranking_model_can_redo (LaurelRankingModel *self)
{
  return self->redo->len > 0;
}

static gboolean
step_between (LaurelRankingModel *self, GPtrArray *from, GPtrArray *to)
{
  if (from->len == 0)
    return FALSE;
  g_ptr_array_add (to, self->state);
  self->state = g_ptr_array_steal_index (from, from->len - 1);
  self->last_was_comment = FALSE;
  g_signal_emit (self, signals[CHANGED], 0);
  return TRUE;
}

gboolean
laurel_ranking_model_undo (LaurelRankingModel *self)
{
  return step_between (self, self->undo, self->redo);
}

gboolean
laurel_ranking_model_redo (LaurelRankingModel *self)
{
  return step_between (self, self->redo, self->undo);
}

void
_laurel_ranking_model_replace_state (LaurelRankingModel *self, LaurelRankingState *state)
{
  free_state (self->state);
  self->state = state;
  self->last_was_comment = FALSE;
  g_ptr_array_set_size (self->undo, 0);
  g_ptr_array_set_size (self->redo, 0);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
laurel_ranking_model_add_time (LaurelRankingModel *self, gint64 active_ms, gint64 idle_ms)
{
  self->active_ms += MAX (active_ms, 0);
  self->idle_ms += MAX (idle_ms, 0);
}

int
_laurel_ranking_model_get_ranks (LaurelRankingModel *self, int *ranks)
{
  return close_holes (self->state->lanes, self->n_cards, ranks);
}
