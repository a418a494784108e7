/* train.h: what every stage shares with whoever runs it.
 *
 * A stage is one function: model and data in, trained model out. It reports
 * through a LaurelMonitor and asks it, once a micro-batch, whether to go on.
 * It knows no files but its checkpoint folder, no database and no screen.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/rollout.h"
#include "core/model/model.h"
#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

typedef enum {
  LAUREL_GO_ON,
  LAUREL_STOP, /* write a checkpoint, return what there is, LAUREL_ERROR_CANCELLED */
  LAUREL_CHECKPOINT, /* write one at the next step boundary and go on */
} LaurelVerdict;

typedef struct {
  gpointer user_data;
  void (*metric) (gpointer user_data, int step, const char *key, double value);
  void (*progress) (gpointer user_data, int step, int n_steps);
  void (*rollout) (gpointer user_data, const LaurelRollout *rollout); /* ppo; may be NULL */
  void (*log) (gpointer user_data, const char *line);
  LaurelVerdict (*poll) (gpointer user_data); /* blocks while paused */
  /* ppo, rloo; may be NULL: before the first iteration, after every eval_steps of them, and at the end. On LAUREL_CHECKPOINT
   * one is on the disk before the run is polled again. A resumed run asks again for the step that it resumes from. */
  LaurelVerdict (*evaluate) (gpointer user_data, int step, const LaurelModel *policy, const LaurelModel *reference);
  /* May be NULL: before a checkpoint takes its place, puts on the disk what was reported so far, which a run that goes on
   * from that checkpoint does not report again. On failure the checkpoint is not written. */
  gboolean (*sync) (gpointer user_data, GError **error);
  const char *checkpoint_dir; /* NULL: no checkpoints */
  gboolean resume;            /* start from the checkpoint in checkpoint_dir */
} LaurelMonitor;

/* A tokenised sequence: the loss is on tokens with index ≥ n_prompt that @learned allows. */
typedef struct {
  gint32 *tokens;
  int n_tokens;
  int n_prompt;    /* 0: all of it but the first token */
  guint8 *learned; /* (n_tokens) 0: no loss on this token; NULL: on all from n_prompt on */
} LaurelSequence;
void laurel_sequence_free (LaurelSequence *self);
LaurelSequence *laurel_sequence_new (const gint32 *tokens, int n_tokens, int n_prompt);
/* With @learned (n_tokens) copied; n_prompt is the first token that is learned. */
LaurelSequence *laurel_sequence_new_masked (const gint32 *tokens, const guint8 *learned, int n_tokens);

/* One ranked prompt: K tokenised prompt+completion sequences and their ranks (1 best, equal = tie). */
typedef struct {
  LaurelSequence **completions; /* (K) */
  int *ranks;                   /* (K) */
  int n;
  gint64 prompt_id; /* split key: all rankings of a prompt fall on the same side */
  gint64 ranking_id;      /* of the project; 0: from elsewhere */
  gint64 *completion_ids; /* (K) of the project; NULL: from elsewhere */
} LaurelComparison;
void laurel_comparison_free (LaurelComparison *self);

typedef struct {
  gint32 *tokens; /* template included */
  int n_tokens;
  char *text;
} LaurelTrainPrompt;
void laurel_train_prompt_free (LaurelTrainPrompt *self);

/* The rows that pretraining and SFT go through (rows.h). */
typedef struct _LaurelRows LaurelRows;
void laurel_rows_free (LaurelRows *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRows, laurel_rows_free)

/* Each trains @model in place; @eval_rows may be NULL. Arrays have the element types above. Worker of the trainer
 * thread; not re-entrant. */
gboolean laurel_train_pretrain (LaurelModel *model, const LaurelRows *rows, const LaurelRows *eval_rows, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error);
gboolean laurel_train_sft (LaurelModel *model, const LaurelRows *rows, const LaurelRows *eval_rows, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error);

/* @reward has a score head on the SFT model's trunk. @reference_prompts (LaurelTrainPrompt) and @sft make the
 * samples on which gain and bias are normalised (mean 0, variance 1). */
gboolean laurel_train_reward (LaurelModel *reward, GPtrArray *comparisons, const LaurelModel *sft, GPtrArray *reference_prompts, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error);

/* @model is trained in place to make the better of two completions the likelier one, measured against what it was. */
gboolean laurel_train_dpo (LaurelModel *model, GPtrArray *comparisons, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error);

/* Stage ppo or rloo. @policy is trained in place; the KL is measured to @reference (nullable: a frozen copy of @policy as
 * it starts), which must not change; to ppo a copy of @reward is the value network. @ptx_rows (nullable): what is learned beside when ptx_coef is not 0. With ema_decay the weights that
 * @policy ends with are the moving average. A run whose kl_budget is spent ends early, and is done. */
gboolean laurel_train_policy (LaurelStage stage, LaurelModel *policy, const LaurelModel *reference, const LaurelModel *reward, GPtrArray *prompts, const LaurelRows *ptx_rows, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error);
/* The stage ppo without rows to learn beside, from its reference on. */
gboolean laurel_train_ppo (LaurelModel *policy, const LaurelModel *reward, GPtrArray *prompts, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error);

/* Scores of whole sequences (n) by a reward model, read at each one's last token. */
gboolean laurel_reward_score (const LaurelModel *reward, LaurelSequence *const *sequences, int n, float *scores, GError **error);

/* Mean loss per token of all rows; per-token log-probabilities (n_tokens − 1) of a sequence; at temperature 1. */
gboolean laurel_evaluate_loss (const LaurelModel *model, const LaurelRows *rows, double *out_loss, gint64 *out_n_tokens, GError **error);
gboolean laurel_evaluate_logprobs (const LaurelModel *model, const LaurelSequence *sequence, float *logprobs, GError **error);

/* The most bytes that a stage will hold at once beside what the process has without it. @longest: tokens of the longest
 * sequence, prompt and response together; 0: not known, so that the context or max_length counts. All its models are
 * taken to be of one shape. */
gsize laurel_train_plan_memory (LaurelStage stage, const LaurelModelConfig *config, const LaurelHyperparameters *hp, int longest);

G_END_DECLS
