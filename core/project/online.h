/* online.h: the online loop of Ziegler et al. 2019: rankings come in, the reward model is made
 * anew, and new tasks mix the reference's completions with the newest policy's.
 *
 *   - A reward model is never trained further: each one starts from the SFT model with a fresh head
 *     and goes through all rankings there are, once. They are called reward-1, reward-2, …; all
 *     are kept, and the newest is the one that PPO takes.
 *   - Its accuracy on held-out prompts is measured beside the one before it, on the same rankings.
 *     The prompts that are held out depend on the seed alone, so neither has seen them.
 *   - The policy goes on from where it was (policy-1, policy-2, …); its KL is always measured to
 *     the SFT model.
 *   - A mixed task has completions of the policy and of the SFT model, so that each ranking of one
 *     says which is better, beside teaching the reward model.
 *
 * All state is in the project's database: runs, rankings, models, and facts by the names
 * “online” (the settings), “online/…” and “gain/RUN”.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/statistics.h"
#include "core/label/outcomes.h"
#include "core/project/project.h"

G_BEGIN_DECLS

/* --- Settings ------------------------------------------------------------- */

typedef struct {
  gboolean enabled;  /* the window acts by itself: see laurel_project_start_loop() */
  char *model;       /* the SFT model; NULL: the project's newest */
  int every;         /* so many new rankings make a new reward model */
  int low;           /* new tasks are sampled when fewer are open; 0: never */
  int n_tasks;       /* so many at a time */
  int n_completions; /* of a task, 2–9: half of them the policy's, once there is one */
  gboolean tune;     /* each new reward model is followed by PPO */
  char *gold;        /* the judge of its held-out answers, a file or a reward model; NULL: none */
  JsonObject *reward; /* settings of the stages that differ from the loop's own, by name; never NULL */
  JsonObject *ppo;
} LaurelOnlineSettings;

void laurel_online_settings_clear (LaurelOnlineSettings *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LaurelOnlineSettings, laurel_online_settings_clear)

/* Fills @out; with the defaults where the project says nothing. Clear it before it is filled again. */
gboolean laurel_online_settings_load (LaurelStore *store, LaurelOnlineSettings *out, GError **error);
gboolean laurel_online_settings_save (LaurelStore *store, const LaurelOnlineSettings *settings, GError **error);

/* The loop's own settings of a stage: its defaults but one epoch and a fifth of the prompts held out for a reward
 * model; and then those of @settings. */
gboolean laurel_online_hyperparameters (const LaurelOnlineSettings *settings, LaurelStage stage, LaurelHyperparameters *out, GError **error);

/* --- Models --------------------------------------------------------------- */

/* "reward-3": the first number above all that models or runs have with this stem. */
char *laurel_project_choose_name (LaurelProject *self, const char *stem, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The settings' model, or the newest SFT model; NOT_FOUND when there is none. */
char *laurel_online_find_reference (LaurelStore *store, const LaurelOnlineSettings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The newest policy that was tuned from @reference, directly or by way of other policies. NULL without error: none. */
char *laurel_online_find_policy (LaurelStore *store, const char *reference, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The newest reward model that was trained from @reference. NULL without error: none. */
char *laurel_online_find_reward (LaurelStore *store, const char *reference, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- The steps, each a run that is queued (its id, 0 on error) -------------- */

/* A new reward model from all rankings that there are when it begins. @round −1: of no round, here and below. */
gint64 laurel_project_start_retraining (LaurelProject *self, const LaurelOnlineSettings *settings, int round, GError **error);
/* @n_tasks mixed tasks; of the reference alone while there is no policy. */
gint64 laurel_project_start_mixing (LaurelProject *self, const LaurelOnlineSettings *settings, int n_tasks, guint64 seed, int round, GError **error);
/* PPO with the newest reward model: the policy goes on, or begins as the reference. With a gold judge an over-optimised
 * run is done where it is found to be, with the weights of its gold peak. */
gint64 laurel_project_start_tuning (LaurelProject *self, const LaurelOnlineSettings *settings, int round, GError **error);

/* --- What came of it -------------------------------------------------------- */

/* What a reward model brought over the one before it, on the same held-out rankings. */
typedef struct {
  char *model;
  char *previous; /* NULL: none, or one that was held out other prompts */
  gint64 run_id;
  gint64 created;
  gboolean is_newest;
  int n_rankings;     /* that it was made from, held-out ones included */
  int n_new;          /* of them that the one before it did not have */
  int n_prompts;      /* held out, with a pair to be right about */
  int n_pairs;        /* of them */
  LaurelInterval accuracy; /* whole prompts drawn again */
  LaurelInterval before;   /* of @previous; NaN: not compared */
  LaurelInterval gain;     /* accuracy − before, on the same draws */
} LaurelRewardGain;

void laurel_reward_gain_free (LaurelRewardGain *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRewardGain, laurel_reward_gain_free)

/* (element-type LaurelRewardGain): the reward models that were trained by the loop, oldest first. */
GPtrArray *laurel_online_list_gains (LaurelStore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;
LaurelRewardGain *laurel_online_get_gain (LaurelStore *store, gint64 run_id, GError **error); /* NULL without error: not measured */
/* “+3.1 [−0.8, +7.0]”, in points; “–” when it was not measured. */
char *laurel_reward_gain_format (const LaurelInterval *gain) G_GNUC_WARN_UNUSED_RESULT;

/* What the rankings of mixed tasks say of a policy: the share of pairs (policy's, reference's) that the policy's won, a
 * tie counting one half. The interval comes from drawing whole prompts again. */
typedef struct {
  char *policy;
  char *reference;
  int n_tasks;
  int n_wins, n_losses, n_ties; /* pairs */
  LaurelInterval rate;
} LaurelPolicyWins;

void laurel_policy_wins_free (LaurelPolicyWins *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelPolicyWins, laurel_policy_wins_free)

/* @outcomes: of all rankings. */
LaurelPolicyWins *laurel_online_get_wins (const LaurelOutcomes *outcomes, const char *policy, const char *reference) G_GNUC_WARN_UNUSED_RESULT;
/* (element-type LaurelPolicyWins): of every policy that was tuned from @reference and has a task with it, oldest first. */
GPtrArray *laurel_online_list_wins (LaurelStore *store, const char *reference, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- By itself: laurel_project_start_loop() in project.h -------------------------- */

/* New rankings since the last reward model of the loop; −1 on error. */
int laurel_online_count_new (LaurelStore *store, GError **error);

/* --- In rounds: for laurelctl --------------------------------------------------- */

typedef enum {
  LAUREL_ROUND_SAMPLE,
  LAUREL_ROUND_RANK,
  LAUREL_ROUND_REWARD,
  LAUREL_ROUND_PPO,
  LAUREL_ROUND_DONE,
} LaurelRoundStep;

/* What is to be done next, from the database alone: sample, rank, reward model, PPO in each of @n_rounds rounds, and
 * after them sample and rank once more, which measures the last policy. */
typedef struct {
  int round; /* from 1 */
  LaurelRoundStep step;
  gint64 run_id; /* SAMPLE, REWARD, PPO: a run to be resumed, 0: a new one */
  int n_ranked;  /* RANK: rankings since the round's tasks were asked for */
} LaurelRoundState;

gboolean laurel_online_find_step (LaurelProject *self, int n_rounds, int n_labels, LaurelRoundState *out, GError **error);

/* The models of a round; NULL: not there yet. */
typedef struct {
  int round;
  char *reward;
  gint64 reward_run;
  char *policy;
} LaurelRoundModels;

void laurel_round_models_free (LaurelRoundModels *self);
/* (element-type LaurelRoundModels): from round 1 to the last that has a model. */
GPtrArray *laurel_online_list_rounds (LaurelProject *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
