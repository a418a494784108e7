/* hyperparameters.h: every setting of every stage, described once.
 *
 * The launch dialogs, `laurelctl train --help`, the validation and the notes
 * behind the plots all read this table. Names are TRL's where TRL has one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum {
  LAUREL_STAGE_PRETRAIN,
  LAUREL_STAGE_SFT,
  LAUREL_STAGE_REWARD,
  LAUREL_STAGE_PPO,
  LAUREL_STAGE_DPO,
  LAUREL_STAGE_RLOO,
  LAUREL_N_STAGES,
} LaurelStage;

typedef enum { LAUREL_SCHEDULE_CONSTANT, LAUREL_SCHEDULE_LINEAR, LAUREL_SCHEDULE_COSINE } LaurelSchedule;
typedef enum { LAUREL_TIES_DROP, LAUREL_TIES_HALF } LaurelTies;
typedef enum { LAUREL_REWARD_PAIRWISE, LAUREL_REWARD_PICK_BEST, LAUREL_REWARD_PLACKETT_LUCE } LaurelRewardLoss;
typedef enum { LAUREL_ADVANTAGE_RLOO, LAUREL_ADVANTAGE_GRPO } LaurelAdvantageEstimator;
typedef enum { LAUREL_DPO_SIGMOID, LAUREL_DPO_IPO } LaurelDpoLoss;

typedef struct {
  /* every stage */
  double learning_rate;
  LaurelSchedule lr_scheduler_type;
  int warmup_steps;
  double weight_decay;
  double adam_beta1;
  double adam_beta2;
  double adam_epsilon;
  double max_grad_norm; /* 0: no clipping */
  int batch_size; /* pretrain, sft: sequences; reward, dpo: prompts; ppo, rloo: rollouts */
  int gradient_accumulation_steps;
  int max_length; /* tokens per sequence; 0: the model's context */
  int max_steps;  /* 0: by num_train_epochs; ppo, rloo: iterations */
  double num_train_epochs;
  int save_steps; /* 0: only at the end */
  int eval_steps; /* 0: only at the end */
  gboolean shuffle;
  gint64 seed;
  double eval_split; /* share of prompts held out */
  int eval_rows;     /* pretrain, sft: at most so many rows are measured on, ppo, rloo: prompts; 0: all */
  int eval_samples;  /* pretrain, sft: texts that are written to the log at each evaluation */
  /* reward */
  LaurelRewardLoss reward_loss;
  LaurelTies ties;
  gboolean normalize_before;  /* gain and bias on reference samples, before training */
  gboolean normalize_rewards; /* and after it */
  int num_seeds;              /* trained one after the other; the best is kept */
  gint64 split_seed;          /* of the held-out prompts and the reference samples; −1: seed */
  /* ppo; rloo those without a value */
  int num_ppo_epochs;
  int num_mini_batches;
  int response_length;
  double temperature;
  double kl_coef;
  double target_kl; /* nats per sequence; 0: kl_coef stays fixed */
  double kl_horizon; /* episodes */
  double kl_budget; /* nats per sequence at which the run ends; 0: none */
  double ema_decay; /* of the moving average of the weights, per iteration; 0: none */
  double ptx_coef;  /* weight of the loss on other text; 0: none */
  int ptx_batch_size; /* its rows per mini-batch */
  double gamma;
  double lam;
  double cliprange;
  double cliprange_value;
  double vf_coef;
  gboolean vf_share_layers; /* the value is a head on the policy, not a network of its own */
  double value_learning_rate;
  int value_warmup_steps; /* iterations in which only the value network learns */
  gboolean whiten_rewards;
  gboolean whiten_advantages;
  double missing_eos_penalty;
  /* dpo */
  double beta;
  LaurelDpoLoss loss_type;
  double label_smoothing; /* the share of pairs taken to be the wrong way round */
  /* rloo */
  int num_generations; /* completions of a prompt, each the others' baseline */
  LaurelAdvantageEstimator advantage_estimator;
} LaurelHyperparameters;

typedef enum { LAUREL_SETTING_INT, LAUREL_SETTING_INT64, LAUREL_SETTING_DOUBLE, LAUREL_SETTING_BOOLEAN, LAUREL_SETTING_CHOICE } LaurelSettingType;

typedef struct {
  const char *key;
  LaurelSettingType type;
  gsize offset; /* in LaurelHyperparameters */
  guint stages; /* 1 << LaurelStage */
  double min, max;
  double defaults[LAUREL_N_STAGES];
  const char *const *choices; /* CHOICE only, NULL-terminated */
  const char *unit;           /* "" when it has none */
  gboolean prominent;         /* shown before the expander of the dialogs */
  const char *title;          /* N_() for the dialogs: “Learning rate” */
  const char *description;    /* N_(): one sentence */
  const char *source;         /* where name and default come from */
} LaurelSetting;

const LaurelSetting *laurel_settings (int *out_n);
const LaurelSetting *laurel_setting_find (const char *key); /* NULL: none */

void laurel_hyperparameters_init (LaurelHyperparameters *self, LaurelStage stage);
double laurel_hyperparameters_get (const LaurelHyperparameters *self, const LaurelSetting *setting);
/* From text (“1e-4”, “cosine”, “true”); out of range or of the wrong type is an error that states the range. */
gboolean laurel_hyperparameters_set (LaurelHyperparameters *self, LaurelStage stage, const char *key, const char *value, GError **error);
char *laurel_setting_format (const LaurelSetting *setting, double value) G_GNUC_WARN_UNUSED_RESULT;
gboolean laurel_hyperparameters_validate (const LaurelHyperparameters *self, LaurelStage stage, GError **error);

JsonNode *laurel_hyperparameters_to_json (const LaurelHyperparameters *self, LaurelStage stage) G_GNUC_WARN_UNUSED_RESULT;
gboolean laurel_hyperparameters_from_json (LaurelHyperparameters *self, LaurelStage stage, JsonObject *object, GError **error);

const char *laurel_stage_name (LaurelStage stage); /* "pretrain", "sft", "reward", "ppo", "dpo", "rloo" */
/* Whether the stage samples what it learns from and has it scored by a reward model. */
gboolean laurel_stage_is_online (LaurelStage stage);
/* Whether it learns from rankings. */
gboolean laurel_stage_takes_rankings (LaurelStage stage);

/* What a metric is: for the plots' “how computed” notes. */
typedef struct {
  const char *key;
  const char *title;
  const char *unit;
  const char *how; /* N_(): how it is computed, sign convention included */
} LaurelMetricInfo;

/* A run of several seeds reports each one's metrics as “seed-N/KEY”, N from 1. */
#define LAUREL_METRIC_SEED_PREFIX "seed-"
const char *laurel_metric_skip_seed (const char *key); /* “KEY” of “seed-N/KEY”, else @key: a part of it */

const LaurelMetricInfo *laurel_metric_find (const char *key); /* NULL: none; also of “seed-N/KEY” */

G_END_DECLS
