/* fuzz-judge.c: judge.json, a prompt and a completion.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/label/judge.h"

const FuzzFormat fuzz_format = { NULL, NULL };

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  LaurelVerdictParts verdict;
  g_autoptr (GError) error = NULL;
  g_autofree char *prompt = NULL;
  g_autofree char *completion = NULL;
  FuzzPart parts[3];
  LaurelJudge *judge;

  fuzz_split (data, size, parts, G_N_ELEMENTS (parts));
  judge = laurel_judge_load (fuzz_write ("judge.json", parts[0].bytes, parts[0].length), &error);
  fuzz_check (judge != NULL, error);
  if (judge == NULL)
    return 0;
  prompt = fuzz_string (&parts[1]);
  completion = fuzz_string (&parts[2]);
  for (int stopped = 0; stopped < 2; stopped++) {
    double score = laurel_judge_score (judge, prompt, completion, stopped, &verdict);

    g_assert_true (score == verdict.score);
    g_assert_true (score == laurel_judge_score (judge, prompt, completion, stopped, NULL));
    g_assert_true (g_utf8_validate (verdict.kind, -1, NULL));
    g_assert_cmpint (verdict.n_words, >=, 0);
  }
  laurel_judge_free (judge);
  return 0;
}
