/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/outline.h"

#include "core/base/error.h"

void
laurel_model_outline_clear (LaurelModelOutline *self)
{
  g_clear_pointer (&self->tokenizer, laurel_tokenizer_unref);
}

gboolean
laurel_model_outline_load (LaurelProject *self,
                           const char *name,
                           LaurelModelOutline *out,
                           GError **error)
{
  g_autofree char *folder = laurel_project_resolve_model (self, name, error);

  if (folder == NULL || !laurel_model_load_config (folder, &out->config, error))
    return FALSE;
  out->tokenizer = laurel_tokenizer_load (folder, error);
  return out->tokenizer != NULL;
}

gboolean
laurel_refuse_head (GError **error, const char *name, const char *is, const char *wanted)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not start from “%s”: it is %s; choose %s", name, is, wanted);
  return FALSE;
}

gboolean
laurel_check_reward_fits (const LaurelModelOutline *policy,
                          const LaurelModelOutline *reward,
                          const char *policy_name,
                          const char *reward_name,
                          GError **error)
{
  if (reward->config.head != LAUREL_HEAD_SCORE)
    return laurel_refuse_head (error, reward_name, "a language model, not a reward model",
                               "a reward model");
  if (g_strcmp0 (laurel_tokenizer_get_hash (policy->tokenizer),
                 laurel_tokenizer_get_hash (reward->tokenizer))
      != 0) {
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
        "Could not start: the policy “%s” and the reward model “%s” have different tokenizers; "
        "train the reward model from the same SFT model",
        policy_name, reward_name);
    return FALSE;
  }
  if (reward->config.vocab_size < policy->config.vocab_size) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not start: the policy “%s” writes %d different tokens and the reward model "
                 "“%s” reads %d; train the reward model from the same SFT model",
                 policy_name, policy->config.vocab_size, reward_name, reward->config.vocab_size);
    return FALSE;
  }
  if (!reward->config.normalized) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not start PPO: the scores of the reward model “%s” are not normalised, so "
                 "kl_coef would have no scale; train it with normalize_rewards",
                 reward_name);
    return FALSE;
  }
  return TRUE;
}
