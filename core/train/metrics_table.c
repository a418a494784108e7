/* metrics_table.c: what each metric is and how it is computed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/hyperparameters.h"

#include <glib/gi18n.h>
#include <string.h>

static const LaurelMetricInfo metrics[] = {
  { "loss", N_ ("Loss"), N_ ("nats"),
    N_ ("Pretraining and SFT: Σ −log p over the batch's supervised tokens, divided by their "
        "number. Reward model: mean over prompts of the mean −log σ(better − worse) over a "
        "prompt's pairs or, by the setting reward_loss, of −log softmax of what was chosen. DPO: "
        "the same with the loss of loss_type. Lower is better.") },
  { "accuracy", N_ ("Accuracy"), "",
    N_ ("Share of the batch's pairs whose better completion scores higher; an equal score counts "
        "one half.") },
  { "margin", N_ ("Margin"), "",
    N_ ("Mean score of the better minus the worse completion over the batch's pairs.") },
  { "grad_norm", N_ ("Gradient norm"), "",
    N_ ("Euclidean length of the gradient over all weights, before clipping. PPO: the policy's, "
        "mean over the iteration's steps.") },
  { "learning_rate", N_ ("Learning rate"), "",
    N_ ("The rate that the step used; PPO: the policy's.") },
  { "eval/loss", N_ ("Held-out loss"), N_ ("nats"),
    N_ ("The loss on held-out data: all of it, or the number of rows that was set.") },
  { "eval/accuracy", N_ ("Held-out accuracy"), "",
    N_ ("Share of the pairs of held-out prompts whose better completion scores higher.") },
  { "eval/margin", N_ ("Held-out margin"), "",
    N_ ("Mean score of the better minus the worse completion over the pairs of held-out "
        "prompts.") },
  { "normalize_before/gain", N_ ("Reward gain at the start"), "",
    N_ ("1 / standard deviation of the untrained scores of the SFT model's samples; folded into "
        "the weights before the first step.") },
  { "normalize_before/bias", N_ ("Reward bias at the start"), "",
    N_ ("−gain · mean of the untrained scores of the SFT model's samples; folded into the weights "
        "before the first step.") },
  { "rewards/chosen", N_ ("Reward of the better"), "",
    N_ ("β (log π − log ρ) of the better completion, mean over the batch's pairs; below 0 where "
        "training made even the better ones less likely.") },
  { "eval/rewards/chosen", N_ ("Held-out reward of the better"), "",
    N_ ("As rewards/chosen, over the pairs of held-out prompts.") },
  { "rewards/rejected", N_ ("Reward of the worse"), "",
    N_ ("β (log π − log ρ) of the worse completion, mean over the batch's pairs.") },
  { "eval/rewards/rejected", N_ ("Held-out reward of the worse"), "",
    N_ ("As rewards/rejected, over the pairs of held-out prompts.") },
  { "rewards/accuracies", N_ ("Accuracy"), "",
    N_ ("Share of the batch's pairs whose better completion became likelier by more; equal ones "
        "count one half.") },
  { "eval/rewards/accuracies", N_ ("Held-out accuracy"), "",
    N_ ("As rewards/accuracies, over the pairs of held-out prompts.") },
  { "rewards/margins", N_ ("Margin"), "",
    N_ ("rewards/chosen − rewards/rejected; 0 before the first step.") },
  { "eval/rewards/margins", N_ ("Held-out margin"), "",
    N_ ("As rewards/margins, over the pairs of held-out prompts.") },
  { "logps/chosen", N_ ("Log-probability of the better"), N_ ("nats"),
    N_ ("Σ log π over the better completion's tokens, mean over the batch's pairs.") },
  { "eval/logps/chosen", N_ ("Held-out log-probability of the better"), N_ ("nats"),
    N_ ("As logps/chosen, over the pairs of held-out prompts.") },
  { "logps/rejected", N_ ("Log-probability of the worse"), N_ ("nats"),
    N_ ("Σ log π over the worse completion's tokens, mean over the batch's pairs.") },
  { "eval/logps/rejected", N_ ("Held-out log-probability of the worse"), N_ ("nats"),
    N_ ("As logps/rejected, over the pairs of held-out prompts.") },
  { "normalize/gain", N_ ("Reward gain"), "",
    N_ ("1 / standard deviation of the raw scores of the SFT model's samples; folded into the "
        "weights.") },
  { "normalize/bias", N_ ("Reward bias"), "",
    N_ ("−gain · mean of the raw scores of the SFT model's samples; folded into the weights.") },
  { "normalize/mean", N_ ("Mean after normalising"), "",
    N_ ("Mean score of the same samples measured again with the folded weights; 0 when all is "
        "well.") },
  { "normalize/std", N_ ("Deviation after normalising"), "",
    N_ ("Standard deviation of the same samples measured again with the folded weights; 1 when "
        "all is well.") },
  { "seeds/accuracy", N_ ("Held-out accuracy of each seed"), "",
    N_ ("The last eval/accuracy of each seed's model, at the run's step where it was done.") },
  { "seeds/loss", N_ ("Held-out loss of each seed"), N_ ("nats"),
    N_ ("The last eval/loss of each seed's model, at the run's step where it was done.") },
  { "seeds/kept", N_ ("Kept seed"), "",
    N_ ("Which of the models was kept, from 1: the most accurate on the held-out prompts; of "
        "equally accurate ones the one with the lower held-out loss.") },
  { "objective/kl", N_ ("KL to the reference"), N_ ("nats"),
    N_ ("Mean over rollouts of Σ (log π − log ρ) at the sampled tokens; positive when the policy "
        "has moved away. An estimate: it can fall below 0 by chance.") },
  { "objective/exact_kl", N_ ("Exact KL to the reference"), N_ ("nats"),
    N_ ("Mean over rollouts of Σ over positions of Σ_v π log (π/ρ); never below 0.") },
  { "objective/kl_se", N_ ("Error of the KL estimate"), N_ ("nats"),
    N_ ("Standard error of objective/kl: the deviation of Σ (log π − log ρ) over the iteration's "
        "rollouts, divided by the root of their number.") },
  { "objective/kl_gap_se", N_ ("KL estimate against exact"), N_ ("standard errors"),
    N_ ("Over all rollouts of the run so far, Σ (estimate − exact KL) divided by its standard "
        "error √(Σ (estimate − exact)² + 2 Σ exact). Chance keeps it within 4; beyond 5 the run "
        "stops, as tokens are then not drawn as their log-probabilities say.") },
  { "objective/kl_coef", N_ ("KL coefficient"), "",
    N_ ("β in force when the iteration's rewards were made.") },
  { "objective/entropy", N_ ("Entropy"), N_ ("nats"),
    N_ ("Mean over rollouts of Σ −log π at the sampled tokens.") },
  { "objective/non_score_reward", N_ ("KL reward"), "",
    N_ ("Mean over rollouts of −β Σ (log π − log ρ): what the leash took (negative) or gave.") },
  { "objective/rlhf_reward", N_ ("Reward"), "",
    N_ ("objective/scores + objective/non_score_reward.") },
  { "objective/scores", N_ ("Score"), "",
    N_ ("Mean score of the reward model after the missing-end rule.") },
  { "objective/response_length", N_ ("Response length"), N_ ("tokens"),
    N_ ("Mean number of sampled tokens, end-of-text included.") },
  { "objective/distinct_2", N_ ("Distinct pairs"), "",
    N_ ("Different pairs of neighbouring tokens over all of them, within the batch's completions "
        "(distinct-2): it falls when answers become alike.") },
  { "objective/audit_bound", N_ ("Audit line"), "",
    N_ ("The most that any policy can score at this KL, the exact one where that is known: the "
        "least over b of b·KL + b·log of the mean of e^(score/b) over samples of the reference "
        "(Donsker and Varadhan), three standard errors up. The score has to lie below.") },
  { "eval/proxy", N_ ("Held-out score"), "",
    N_ ("Mean score of the reward model for the likeliest answers to held-out prompts, after the "
        "missing-end rule.") },
  { "eval/gold", N_ ("Held-out gold score"), "",
    N_ ("Mean score of the same answers by the gold judge, which training never sees.") },
  { "eval/gold_fall_error", N_ ("Error of the gold's fall"), "",
    N_ ("Standard error of the mean difference between the best evaluation's gold scores and "
        "these, prompt by prompt; 0 at a new best.") },
  { "eval/kl", N_ ("Held-out KL"), N_ ("nats"),
    N_ ("Mean over the held-out answers of Σ over positions of Σ_v π log (π/ρ); below the "
        "rollouts' as the likeliest tokens are where the models agree.") },
  { "eval/length", N_ ("Held-out length"), N_ ("tokens"),
    N_ ("Mean number of tokens of the held-out answers, end-of-text included.") },
  { "eval/stopped", N_ ("Held-out ended by itself"), "",
    N_ ("Share of the held-out answers that ended with end-of-text.") },
  { "eval/ptx_loss", N_ ("Held-out loss on other text"), N_ ("nats"),
    N_ ("Mean of −log p per learned token of demonstrations that the run holds out of what it "
        "learns beside (PPO-ptx): it rises when the policy forgets what it was not shown again.") },
  { "stop/kl_budget", N_ ("KL at which the run ended"), N_ ("nats"),
    N_ ("KL per rollout of the last iteration, which was more than kl_budget: exact where it is "
        "known, else the estimate. Only in a run that ended so.") },
  { "policy/approxkl_avg", N_ ("Step size in KL"), N_ ("nats"),
    N_ ("Mean over the iteration's steps and tokens of ½ (log π_new − log π_old)²; 0 on the "
        "first step.") },
  { "policy/clipfrac_avg", N_ ("Clipped ratios"), "",
    N_ ("Share of tokens whose clipped loss was the larger, over the iteration's steps.") },
  { "policy/entropy_avg", N_ ("Entropy per token"), N_ ("nats"),
    N_ ("Mean over sampled tokens of the policy's exact entropy when it sampled them.") },
  { "loss/policy_avg", N_ ("Policy loss"), "",
    N_ ("Mean over the iteration's steps of the clipped surrogate per token; near 0 when "
        "advantages are whitened.") },
  { "loss/ptx", N_ ("Loss on other text"), N_ ("nats"),
    N_ ("Mean over the iteration's mini-batches of −log p per learned token of the rows that are "
        "learned beside (PPO-ptx), before each step.") },
  { "loss/value_avg", N_ ("Value loss"), "",
    N_ ("Mean over the iteration's steps of ½ max((V − R)², (clip V − R)²) per token.") },
  { "val/clipfrac_avg", N_ ("Clipped values"), "",
    N_ ("Share of tokens whose clipped value loss was the larger, over the iteration's steps.") },
  { "val/ratio", N_ ("Ratio"), "",
    N_ ("Mean of π_new/π_old over the iteration's steps and tokens; 1 at the start.") },
  { "val/ratio_var", N_ ("Variance of the ratio"), "",
    N_ ("Population variance of π_new/π_old over the iteration's steps and tokens.") },
  { "val/num_eos_tokens", N_ ("Ended by itself"), N_ ("rollouts"),
    N_ ("Rollouts of the batch that ended with end-of-text.") },
  { "val/explained_variance", N_ ("Explained variance"), "",
    N_ ("1 − Var(return − value) / Var(return) with the values from before the update; 1 is "
        "perfect, below 0 is worse than a constant.") },
  { "value/grad_norm", N_ ("Value gradient norm"), "",
    N_ ("Euclidean length of the value network's gradient before clipping, mean over the "
        "iteration's steps.") },
  { "value/learning_rate", N_ ("Value learning rate"), "",
    N_ ("The rate that the value network's steps used.") },
  { "episode", N_ ("Episodes"), N_ ("rollouts"), N_ ("Rollouts sampled since the run began.") },
  { "time/rollout", N_ ("Time sampling"), N_ ("seconds"),
    N_ ("Seconds that sampling, scoring and the reference took in the iteration.") },
  { "time/sampling", N_ ("Time generating"), N_ ("seconds"),
    N_ ("Seconds of time/rollout in which the policy sampled the batch.") },
  { "time/scoring", N_ ("Time scoring"), N_ ("seconds"),
    N_ ("Seconds of time/rollout in which policy, reference, value and reward model read the "
        "batch.") },
  { "time/update", N_ ("Time training"), N_ ("seconds"),
    N_ ("Seconds that the iteration's optimiser steps took.") },
  { "time/optimizer", N_ ("Time in AdamW"), N_ ("seconds"),
    N_ ("Seconds of time/update in which gradients were clipped and applied; the rest are forward "
        "and backward passes.") },
  { "time/eval", N_ ("Time measuring"), N_ ("seconds"),
    N_ ("Seconds that measuring took after this iteration: held-out answers sampled, scored and "
        "judged, the loss on held-out demonstrations, and writing weights that are the best so "
        "far.") },
};

/* “seed-3/loss” is the loss of the third of several models. */
const char *
laurel_metric_skip_seed (const char *key)
{
  const char *slash = strchr (key, '/');

  return g_str_has_prefix (key, LAUREL_METRIC_SEED_PREFIX) && slash != NULL ? slash + 1 : key;
}

const LaurelMetricInfo *
laurel_metric_find (const char *key)
{
  key = laurel_metric_skip_seed (key);
  for (gsize i = 0; i < G_N_ELEMENTS (metrics); i++)
    if (g_str_equal (metrics[i].key, key))
      return &metrics[i];
  return NULL;
}
