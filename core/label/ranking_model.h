/* ranking_model.h: what a labeler has decided so far about one task.
 *
 * The pure model under the Label page: digits, dragging, menus and Alt+arrows
 * are all calls of the functions below, so they cannot disagree.
 *
 * Cards are the task's completions in blind order: card 0 is shown first and is
 * called “A”, whatever its place in the database. The order is a function of
 * the order seed and the task's id alone, and the seed is stored with the answer.
 *
 * Lanes are 1 … K from best to worst; 0 is “not ranked yet”. Several cards in
 * one lane are a tie. Lanes may have holes while the labeler works (digit 3
 * means lane 3 even when lane 2 is empty); they are closed at submission.
 *
 * Every operation returns %TRUE when it changed something; then it is one step
 * for undo, redo is forgotten and "changed" is emitted. When it would change
 * nothing it returns %FALSE and leaves no trace. Undo and redo emit "changed" too.
 *
 * Threads: any one thread; it knows neither GTK nor the database.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "core/store/records.h"

G_BEGIN_DECLS

#define LAUREL_RANKING_MIN_CARDS 2
#define LAUREL_RANKING_MAX_CARDS 9
#define LAUREL_MAX_QUALITY 7

#define LAUREL_TYPE_RANKING_MODEL (laurel_ranking_model_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRankingModel, laurel_ranking_model, LAUREL, RANKING_MODEL, GObject)

/* Signal "changed" (void): lanes, quality, flags, comment or “all bad” changed: redraw, write the draft. */

/* The order seed for a task that this labeler has not opened yet. The same pair always gives the same seed. */
guint64 laurel_ranking_order_seed (gint64 task_id, gint64 labeler_id);

/* An untouched task. INVALID_ARGUMENT unless it has 2 to 9 completions. @task may be freed afterwards. */
LaurelRankingModel *laurel_ranking_model_new (const LaurelTask *task, guint64 order_seed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A submission opened again, with its order and all it said; what is submitted next supersedes it. */
LaurelRankingModel *laurel_ranking_model_new_from_ranking (const LaurelTask *task, const LaurelRanking *ranking, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- What there is ------------------------------------------------------- */

gint64 laurel_ranking_model_get_task_id (LaurelRankingModel *self);
int laurel_ranking_model_get_n_cards (LaurelRankingModel *self);
/* Index of @card's completion in task->completions, and its id. */
int laurel_ranking_model_get_completion_index (LaurelRankingModel *self, int card);
gint64 laurel_ranking_model_get_completion_id (LaurelRankingModel *self, int card);

int laurel_ranking_model_get_lane (LaurelRankingModel *self, int card); /* as the labeler set it, 0: not ranked */
int laurel_ranking_model_get_n_ranked (LaurelRankingModel *self);       /* cards */
/* The cards of one lane (0: those not ranked) in blind order; returns how many. */
int laurel_ranking_model_get_cards (LaurelRankingModel *self, int lane, int cards[LAUREL_RANKING_MAX_CARDS]);
/* All cards as the page lists them: by lane, within a lane in blind order, the unranked ones last. */
void laurel_ranking_model_get_display_order (LaurelRankingModel *self, int cards[LAUREL_RANKING_MAX_CARDS]);
/* The first unranked card after @after in blind order, wrapping around; −1 when all are ranked. @after −1: from the first. */
int laurel_ranking_model_get_next_unranked (LaurelRankingModel *self, int after);

int laurel_ranking_model_get_quality (LaurelRankingModel *self, int card); /* 1–7, 0: not rated */
guint laurel_ranking_model_get_flags (LaurelRankingModel *self, int card); /* bits of LaurelFlag */
gboolean laurel_ranking_model_get_all_bad (LaurelRankingModel *self);
const char *laurel_ranking_model_get_comment (LaurelRankingModel *self);   /* borrowed until the next change; never NULL */
gint64 laurel_ranking_model_get_supersedes (LaurelRankingModel *self);     /* 0, or the ranking that was opened again */

/* Nothing at all was decided: all cards unranked, no rating, flag, comment or “all bad”. */
gboolean laurel_ranking_model_is_untouched (LaurelRankingModel *self);
/* Can be submitted: every card is ranked, or “all bad” was said and no card is ranked. */
gboolean laurel_ranking_model_is_complete (LaurelRankingModel *self);
/* A worse-ranked card was rated higher than a better-ranked one (a hint for the page, never refused):
 * sets the two cards of the first such pair. */
gboolean laurel_ranking_model_find_contradiction (LaurelRankingModel *self, int *out_better, int *out_worse);

/* --- What the labeler does ------------------------------------------------ */

/* Digits: card into lane 1 … K, beside what is there already (a tie). */
gboolean laurel_ranking_model_put (LaurelRankingModel *self, int card, int lane);
/* Alt+↑: out of a tie into a lane of its own just above; past the lane above when alone; an unranked card
 * becomes the last of the ranked ones. */
gboolean laurel_ranking_model_move_up (LaurelRankingModel *self, int card);
/* Alt+↓: the mirror image; an unranked card stays. */
gboolean laurel_ranking_model_move_down (LaurelRankingModel *self, int card);
/* =: into the nearest lane above; an unranked card into the last lane. */
gboolean laurel_ranking_model_tie_with_above (LaurelRankingModel *self, int card);
/* 0, Backspace. */
gboolean laurel_ranking_model_unrank (LaurelRankingModel *self, int card);

typedef enum {
  LAUREL_DROP_INTO,   /* onto a lane: ties with its cards; lane 0 unranks */
  LAUREL_DROP_BEFORE, /* between lanes: a lane of its own above @lane; lane K + 1: below all ranked cards */
} LaurelDropPlace;
/* Dragging. @lane is a lane as get_lane() numbers them. LAUREL_DROP_BEFORE closes holes. */
gboolean laurel_ranking_model_drop (LaurelRankingModel *self, int card, LaurelDropPlace place, int lane);

gboolean laurel_ranking_model_clear (LaurelRankingModel *self); /* unranks all; ratings, flags, comment stay */
gboolean laurel_ranking_model_set_quality (LaurelRankingModel *self, int card, int quality); /* 1–7, 0 takes it back */
gboolean laurel_ranking_model_toggle_flag (LaurelRankingModel *self, int card, LaurelFlag flag);
gboolean laurel_ranking_model_set_all_bad (LaurelRankingModel *self, gboolean all_bad);
/* Calls that follow each other with nothing between them are one step for undo. UTF-8, at most LAUREL_MAX_COMMENT bytes. */
gboolean laurel_ranking_model_set_comment (LaurelRankingModel *self, const char *comment);
#define LAUREL_MAX_COMMENT 20000

gboolean laurel_ranking_model_can_undo (LaurelRankingModel *self);
gboolean laurel_ranking_model_can_redo (LaurelRankingModel *self);
gboolean laurel_ranking_model_undo (LaurelRankingModel *self);
gboolean laurel_ranking_model_redo (LaurelRankingModel *self);

/* Time spent, added to what the draft already had. No step for undo, no signal. */
void laurel_ranking_model_add_time (LaurelRankingModel *self, gint64 active_ms, gint64 idle_ms);

/* --- Drafts and submission ------------------------------------------------ */

/* Everything but the undo steps. */
char *laurel_ranking_model_to_json (LaurelRankingModel *self) G_GNUC_WARN_UNUSED_RESULT;
/* Takes a draft's state and order, forgets the undo steps, emits "changed". A draft of another task, or one that is
 * no such JSON, is INVALID_DATA and changes nothing. */
gboolean laurel_ranking_model_load_json (LaurelRankingModel *self, const char *json, GError **error);

/* The row for laurel_store_add_ranking(): ranks 1 … m without holes, in blind order. INVALID_ARGUMENT names the cards
 * that are not ranked. “All bad” with no card ranked has ranks of 0. */
LaurelRanking *laurel_ranking_model_to_ranking (LaurelRankingModel *self, gint64 labeler_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The row for a skip with a reason, whatever was decided so far. Flags, ratings and the comment are kept. */
LaurelRanking *laurel_ranking_model_to_skip (LaurelRankingModel *self, gint64 labeler_id, const char *reason, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
