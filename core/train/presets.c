/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/presets.h"

#include "core/base/error.h"

#include <glib/gi18n.h>

/* How long a preset's run is, where the published ones take thousands of iterations. */
#define ITERATIONS "60"
#define ITERATIONS_SOURCE "Laurel: minutes on a CPU; published runs have 500 to 4000 iterations"

static const LaurelPresetValue ppo_ziegler[] = {
  { "learning_rate", "7e-5", "1.41e-5 for GPT-2 774M, × 5 (width 1280)" },
  { "lr_scheduler_type", "linear", "linear to zero" },
  { "value_learning_rate", "7e-5", "one optimiser for policy and value" },
  { "batch_size", "64", "512 (summaries; 1024 for style), / 8" },
  { "num_ppo_epochs", "4", "4" },
  { "num_mini_batches", "1", "1 in the released code" },
  { "max_steps", ITERATIONS, ITERATIONS_SOURCE },
  { "kl_coef", "0.15", "0.15 to start from (style)" },
  { "target_kl", "6", "6 nats (style; 10 for sentiment)" },
  { "kl_horizon", "38", "10000 of 2 million episodes, where it takes 35000 to double the "
    "coefficient; here a hundredth of 60 × 64 episodes" },
  { "gamma", "1", "1" },
  { "lam", "0.95", "0.95" },
  { "cliprange", "0.2", "0.2" },
  { "cliprange_value", "0.2", "0.2" },
  { "vf_coef", "0.1", "0.1" },
  { "vf_share_layers", "true", "a head on the policy that starts at 0" },
  { "temperature", "0.7", "0.7 (style; 0.5 for CNN/DM)" },
  { "whiten_rewards", "true", "on" },
  { "whiten_advantages", "true", "on" },
  { "adam_epsilon", "1e-5", "1e-5, in TensorFlow's form" },
  { "missing_eos_penalty", "1", "the score becomes −1; here 1 is taken off it" },
};

static const LaurelPresetValue ppo_stiennon[] = {
  { "learning_rate", "1.2e-4", "1.5e-5 for 1.3B, × 8 (width 2048)" },
  { "lr_scheduler_type", "linear", "linear to zero" },
  { "value_learning_rate", "1.2e-4", "one optimiser for policy and value" },
  { "batch_size", "64", "512, / 8" },
  { "num_ppo_epochs", "4", "4" },
  { "num_mini_batches", "1", "not stated; 1 in Huang et al. 2024, who repeated it" },
  { "max_steps", ITERATIONS, ITERATIONS_SOURCE },
  { "kl_coef", "0.05", "0.05" },
  { "target_kl", "0", "fixed coefficient" },
  { "gamma", "1", "1" },
  { "lam", "0.95", "0.95" },
  { "vf_share_layers", "false", "a network of its own that starts as the reward model" },
};

static const LaurelPresetValue ppo_instructgpt[] = {
  { "learning_rate", "6.4e-5", "none is stated: the middle of the sweep 2.55e-6 to 2.55e-5, above "
    "which runs without pretraining data diverged, × 8 (width 2048)" },
  { "lr_scheduler_type", "constant", "constant after the warm-up" },
  { "warmup_steps", "2", "10 of 500 iterations, from a tenth; here 2 of 60" },
  { "value_learning_rate", "7.2e-5", "9e-6, × 8" },
  { "batch_size", "64", "512, / 8" },
  { "num_ppo_epochs", "1", "1" },
  { "num_mini_batches", "8", "8" },
  { "max_steps", ITERATIONS, ITERATIONS_SOURCE },
  { "kl_coef", "0.02", "0.02" },
  { "target_kl", "0", "fixed coefficient" },
  { "gamma", "1", "1" },
  { "cliprange", "0.2", "0.2" },
  { "temperature", "1", "1" },
  { "adam_beta1", "0.9", "0.9" },
  { "adam_beta2", "0.95", "0.95" },
  { "ema_decay", "0.933", "0.992, which looks back over a quarter of 500 iterations; here of 60" },
  { "vf_share_layers", "false", "a network of its own that starts as the reward model" },
};

static const LaurelPresetValue ppo_nplus[] = {
  { "learning_rate", "2.4e-5", "3e-6 for Pythia 1B, × 8 (width 2048)" },
  { "lr_scheduler_type", "linear", "linear to zero" },
  { "value_learning_rate", "2.4e-5", "one optimiser for policy and value" },
  { "batch_size", "64", "512, / 8" },
  { "num_ppo_epochs", "4", "4" },
  { "num_mini_batches", "1", "1" },
  { "max_steps", ITERATIONS, ITERATIONS_SOURCE },
  { "kl_coef", "0.05", "0.05" },
  { "target_kl", "0", "fixed coefficient" },
  { "gamma", "1", "1" },
  { "lam", "0.95", "0.95" },
  { "cliprange", "0.2", "0.2" },
  { "cliprange_value", "0.2", "0.2" },
  { "vf_coef", "0.1", "0.1" },
  { "vf_share_layers", "false", "a network of its own that starts as the reward model" },
  { "temperature", "0.7", "0.7" },
  { "whiten_rewards", "false", "off" },
  { "whiten_advantages", "true", "on" },
  { "adam_epsilon", "1e-5", "1e-5" },
  { "missing_eos_penalty", "1", "the score becomes −1; here 1 is taken off it" },
};

/* The recipe of data/starter/recipe/ppo.json; a test holds the two together. */
static const LaurelPresetValue ppo_starter[] = {
  { "learning_rate", "3e-5", "measured on the starter: with 5e-5 steps are larger than N+'s" },
  { "lr_scheduler_type", "linear", "Ziegler et al. 2019" },
  { "warmup_steps", "3", "Adam's first steps are its largest; ten in Ouyang et al. 2022" },
  { "value_learning_rate", "2e-4", "measured on the starter" },
  { "batch_size", "64", "measured on the starter" },
  { "num_ppo_epochs", "4", "Ziegler et al. 2019" },
  { "num_mini_batches", "4", "measured on the starter" },
  { "max_steps", "30", "two minutes on two cores" },
  { "response_length", "64", "the longest answers of the starter world" },
  { "temperature", "1", "Ouyang et al. 2022" },
  { "kl_coef", "0.2", "keeps the small model's facts, which 0.05 can lose" },
  { "gamma", "1", "Ziegler et al. 2019" },
  { "lam", "0.95", "Ziegler et al. 2019" },
  { "cliprange", "0.2", "Ziegler et al. 2019" },
  { "cliprange_value", "0.2", "Ziegler et al. 2019" },
  { "vf_coef", "1", "the value network has an optimiser of its own" },
  { "missing_eos_penalty", "1", "Ziegler et al. 2019" },
};

static const LaurelPresetValue reward_ziegler[] = {
  { "learning_rate", "8.9e-5", "1.77e-5 for GPT-2 774M, × 5 (width 1280)" },
  { "lr_scheduler_type", "linear", "linear to zero" },
  { "batch_size", "8", "8 (32 for summaries)" },
  { "num_train_epochs", "1", "1" },
  { "reward_loss", "pick_best", "labelers pick the best of four" },
  { "normalize_before", "true", "gain and bias, on samples, before training and after" },
  { "normalize_rewards", "true", "gain and bias, on samples, before training and after" },
};

static const LaurelPresetValue reward_stiennon[] = {
  { "learning_rate", "1.2e-4", "1.5e-5 for 1.3B, × 8 (width 2048)" },
  { "lr_scheduler_type", "cosine", "cosine" },
  { "batch_size", "8", "64 of 64000 comparisons, / 8" },
  { "num_train_epochs", "1", "1" },
  { "ties", "drop", "there are none: labelers choose" },
  { "num_seeds", "3", "3 to 10, of which the best on validation is kept" },
};

static const LaurelPresetValue reward_instructgpt[] = {
  { "learning_rate", "1.4e-4", "9e-6 for 6B, × 16 (width 4096)" },
  { "lr_scheduler_type", "cosine", "cosine, there to a tenth" },
  { "batch_size", "8", "64 prompts with all their comparisons, / 8" },
  { "num_train_epochs", "1", "1" },
  { "ties", "drop", "dropped" },
  { "reward_loss", "pairwise", "all pairs of a prompt, each prompt with the same weight" },
};

static const LaurelPresetValue reward_nplus[] = {
  { "learning_rate", "2.4e-5", "3e-6 for Pythia 1B, × 8 (width 2048)" },
  { "lr_scheduler_type", "cosine", "cosine" },
  { "batch_size", "8", "64, / 8" },
  { "num_train_epochs", "1", "1" },
  { "adam_epsilon", "1e-5", "1e-5" },
};

static const LaurelPresetValue reward_starter[] = {
  { "learning_rate", "2e-4", "measured on the starter" },
  { "lr_scheduler_type", "cosine", "Stiennon et al. 2020" },
  { "warmup_steps", "5", "measured on the starter" },
  { "weight_decay", "0.01", "measured on the starter" },
  { "batch_size", "8", "measured on the starter" },
  { "num_train_epochs", "2", "measured on the starter: its rankings are few" },
  { "ties", "drop", "Ouyang et al. 2022" },
  { "normalize_rewards", "true", "Ziegler et al. 2019" },
  { "eval_split", "0.1", "Laurel" },
};

#define VALUES(table) table, G_N_ELEMENTS (table)

#define ZIEGLER "Ziegler et al. 2019"
#define STIENNON "Stiennon et al. 2020"
#define INSTRUCTGPT "InstructGPT (Ouyang et al. 2022)"
#define NPLUS "N+ (Huang et al. 2024)"
#define STARTER "Starter"

static const LaurelPreset presets[] = {
  { "starter", LAUREL_STAGE_PPO, STARTER,
    N_ ("What the starter project's loop uses: a firm leash, two minutes."),
    VALUES (ppo_starter) },
  { "ziegler", LAUREL_STAGE_PPO, ZIEGLER,
    N_ ("Steers the KL to 6 nats; the value is a head on the policy."), VALUES (ppo_ziegler) },
  { "stiennon", LAUREL_STAGE_PPO, STIENNON,
    N_ ("Summaries from feedback: a fixed leash, a value network of its own."),
    VALUES (ppo_stiennon) },
  { "instructgpt", LAUREL_STAGE_PPO, INSTRUCTGPT,
    N_ ("One epoch in eight mini-batches, a light leash, averaged weights; for PPO-ptx set "
        "ptx_coef too."),
    VALUES (ppo_instructgpt) },
  { "nplus", LAUREL_STAGE_PPO, NPLUS,
    N_ ("The implementation details, written down: Stiennon's run repeated with small steps."),
    VALUES (ppo_nplus) },
  { "starter", LAUREL_STAGE_REWARD, STARTER,
    N_ ("For some hundred rankings."), VALUES (reward_starter) },
  { "ziegler", LAUREL_STAGE_REWARD, ZIEGLER,
    N_ ("The best of each ranking alone counts; one epoch, linear to zero."),
    VALUES (reward_ziegler) },
  { "stiennon", LAUREL_STAGE_REWARD, STIENNON,
    N_ ("One epoch, three models of which the best is kept."), VALUES (reward_stiennon) },
  { "instructgpt", LAUREL_STAGE_REWARD, INSTRUCTGPT,
    N_ ("All comparisons of a prompt in one batch, one epoch."), VALUES (reward_instructgpt) },
  { "nplus", LAUREL_STAGE_REWARD, NPLUS,
    N_ ("One epoch with small steps."), VALUES (reward_nplus) },
};

const LaurelPreset *
laurel_presets (int *out_n)
{
  *out_n = G_N_ELEMENTS (presets);
  return presets;
}

const LaurelPreset *
laurel_preset_find (LaurelStage stage, const char *name, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (presets); i++) {
    if (presets[i].stage != stage)
      continue;
    if (g_str_equal (presets[i].name, name))
      return &presets[i];
    g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", presets[i].name);
  }
  if (names->len == 0)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not use the preset “%s”: the stage “%s” has none; leave it out", name,
                 laurel_stage_name (stage));
  else
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not use the preset “%s”: the stage “%s” has none of that name; choose one "
                 "of %s",
                 name, laurel_stage_name (stage), names->str);
  return NULL;
}

const LaurelPresetValue *
laurel_preset_get (const LaurelPreset *self, const char *key)
{
  for (int i = 0; i < self->n_values; i++)
    if (g_str_equal (self->values[i].key, key))
      return &self->values[i];
  return NULL;
}

gboolean
laurel_preset_apply (const LaurelPreset *self, LaurelHyperparameters *hp, GError **error)
{
  for (int i = 0; i < self->n_values; i++)
    if (!laurel_hyperparameters_set (hp, self->stage, self->values[i].key, self->values[i].value,
                                     error))
      return FALSE;
  return TRUE;
}
