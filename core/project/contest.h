/* contest.h: which of several models is preferred.
 *
 * Either a judge compares fresh answers to the same prompts, one prompt and
 * number of the completion against the same of every other model; or the
 * rankings count that the project has of tasks which hold completions of
 * several models, and which nobody could tell apart while ranking.
 *
 * Threads: that of the store.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/label/bradley_terry.h"
#include "core/label/winrate.h"

G_BEGIN_DECLS

typedef struct {
  const char *const *models; /* NULL-terminated; names or directories. Without a judge NULL: all that were ranked */
  const char *judge;         /* a rule file or a reward model; NULL: the rankings that there are */
  LaurelLabelers labelers;   /* without a judge: whose rankings */
  const char *labeler;       /* without a judge: this labeler's alone; NULL: all of @labelers */
  const char *split;         /* with a judge: prompts of this split; NULL: “heldout” */
  int n_completions;         /* of each model; 0: one a prompt */
  double temperature;
  int max_tokens;
  guint64 seed;
  gboolean (*progress) (int n_done, int n_all, gpointer user_data); /* NULL: none; completions of all models; FALSE stops */
  gpointer user_data;
} LaurelContest;

/* The options of a contest that nobody set: one answer a held-out prompt at temperature 1, of up to 64 tokens. */
void laurel_contest_init (LaurelContest *self);

/* NOT_FOUND when no ranking compares the models. */
LaurelOutcomes *laurel_contest_run (LaurelStore *store, const char *project_path, const LaurelContest *contest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
