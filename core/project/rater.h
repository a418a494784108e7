/* rater.h: what scores completions without a person: a file of rules or a reward model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/label/judge.h"
#include "core/model/model.h"
#include "core/store/store.h"

G_BEGIN_DECLS

typedef struct {
  LaurelLabelerKind kind; /* rules or reward model */
  char *name;             /* the file's, or the model's */
  char *folder; /* of @reward; NULL: rules */
  char *sha256; /* of the file of rules, or of the weights once they were asked for; else NULL */
  LaurelJudge *judge;     /* of rules, else NULL */
  LaurelModel *reward;    /* a reward model, else NULL */
  LaurelStore *store;     /* borrowed */
  GHashTable *fits;       /* see laurel_data_get_completion_ids() */
} LaurelRater;

/* @judge: a rule file, a reward model of the project, or one in a directory. MISMATCH for a language model. */
LaurelRater *laurel_rater_load (LaurelStore *store, const char *project_path, const char *judge, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_rater_free (LaurelRater *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRater, laurel_rater_free)

/* The labeler under whose name its rankings are kept; 0 on error. MISMATCH when rankings under this name were made by
 * another reward model: of what ranks the project keeps the SHA-256. Rules that have changed since their name's first
 * ranking are another labeler, “NAME (8 digits of their SHA-256)”, which becomes @self's name. */
gint64 laurel_rater_ensure_labeler (LaurelRater *self, GError **error);

/* A LaurelScoreTasksFunc with the rater as its data. */
gboolean laurel_rater_score_tasks (GPtrArray *tasks, double *scores, gpointer rater, GError **error);

G_END_DECLS
