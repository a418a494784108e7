/* test-held-out.c: the likeliest answers to held-out prompts, whatever else is asked with them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/train/held_out.h"

#define RESPONSE 12

static GPtrArray *
answer (const LaurelModel *policy, const LaurelModel *reward, GPtrArray *prompts)
{
  LaurelHyperparameters hp;
  LaurelHeldOutRequest request = { policy, policy, reward, prompts, &hp, NULL, NULL };
  g_autoptr (GError) error = NULL;
  GPtrArray *answers;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PPO);
  hp.response_length = RESPONSE;
  answers = laurel_held_out_answer (&request, &error);
  g_assert_no_error (error);
  return answers;
}

/* One prompt that leaves room for two tokens alone does not cut the answers to the others. */
static void
test_long_prompt (void)
{
  g_autoptr (LaurelModel) policy = fixture_model (3); /* untrained: it rambles on */
  g_autoptr (LaurelModel) reward = fixture_reward_model ();
  g_autoptr (GPtrArray) prompts = fixture_prompts (3);
  g_autoptr (GPtrArray) alone = answer (policy, reward, prompts);
  g_autoptr (GPtrArray) together = NULL;
  LaurelTrainPrompt *longest = g_new0 (LaurelTrainPrompt, 1);
  const LaurelHeldOutAnswer *last;

  longest->n_tokens = policy->config.n_positions - 2;
  longest->tokens = g_new0 (gint32, longest->n_tokens);
  longest->text = g_strdup ("long");
  g_ptr_array_add (prompts, longest);
  together = answer (policy, reward, prompts);
  g_assert_cmpuint (together->len, ==, 4);
  for (guint i = 0; i < 3; i++) {
    const LaurelHeldOutAnswer *a = g_ptr_array_index (alone, i);
    const LaurelHeldOutAnswer *b = g_ptr_array_index (together, i);

    g_assert_cmpint (a->n_tokens, ==, RESPONSE);
    g_assert_cmpint (b->n_tokens, ==, a->n_tokens);
    g_assert_cmpstr (b->text, ==, a->text);
    /* A sequence's numbers are the same bits whatever is beside it. */
    g_assert_cmpfloat (b->score, ==, a->score);
    g_assert_cmpfloat (b->kl, ==, 0);
  }
  last = g_ptr_array_index (together, 3);
  g_assert_cmpint (last->n_tokens, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/held-out/long-prompt", test_long_prompt);
  return g_test_run ();
}
