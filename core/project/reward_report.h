/* reward_report.h: a project's reward model held against the project's rankings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/label/agreement.h"
#include "core/store/store.h"
#include "core/train/reward_evaluate.h"

G_BEGIN_DECLS

typedef struct {
  const char *project_path;
  const char *model;       /* a name of the project, or a directory */
  gboolean all;            /* rankings of prompts that the model was trained on as well */
  LaurelLabelers labelers; /* whose rankings; the model's own are never taken */
  guint64 seed;            /* of the intervals */
  gboolean (*progress) (int n_done, int n_all, gpointer user_data); /* rankings; FALSE stops; NULL: none */
  gpointer user_data;
} LaurelRewardReportRequest;

typedef struct {
  char *model;
  LaurelRewardEvaluation figures;
  GPtrArray *labelers; /* (element-type LaurelLabeler): figures.by_labeler's numbers are places in it */
  gboolean split_known; /* which prompts the model was trained on; FALSE: all were taken */
  gboolean all;
  int n_left_out;       /* rankings of prompts that it was trained on */
  int n_shared_tasks;   /* with rankings of several labelers */
  LaurelEstimate agreement; /* of these labelers: the share of pairs in the same order, ties apart */
  int n_seeds;          /* that it is the best of; 1: it was trained alone, or nothing is known */
  int kept_seed;        /* from 1 */
  double seeds_low, seeds_high; /* the worst and best held-out accuracy of the seeds */
  char *verdict;        /* some sentences in plain words */
} LaurelRewardReport;

void laurel_reward_report_free (LaurelRewardReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRewardReport, laurel_reward_report_free)

/* On any thread, with a store of that thread. CANCELLED when @progress stopped it. */
LaurelRewardReport *laurel_reward_report_new (LaurelStore *store, const LaurelRewardReportRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes @text: hyphens before digits become minus signs. */
char *laurel_with_minus_signs (char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Which pairs are told apart; a group's name is like “4 to 15”. */
typedef enum { LAUREL_GROUP_LABELER, LAUREL_GROUP_LENGTH_GAP, LAUREL_GROUP_RANK_DISTANCE, LAUREL_GROUP_QUALITY_GAP, LAUREL_N_GROUPS } LaurelRewardGroupKind;
const char *laurel_reward_group_kind_title (LaurelRewardGroupKind kind);
GArray *laurel_reward_report_get_groups (const LaurelRewardReport *self, LaurelRewardGroupKind kind); /* borrowed */
char *laurel_reward_report_name_group (const LaurelRewardReport *self, LaurelRewardGroupKind kind, const LaurelRewardGroup *group) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
