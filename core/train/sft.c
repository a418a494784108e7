/* sft.c: supervised fine-tuning; the loss is on the completion and its end-of-text alone,
 * which each sequence's n_prompt says.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/language.h"

gboolean
laurel_train_sft (LaurelModel *model, GPtrArray *sequences, GPtrArray *eval_sequences,
                  const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error)
{
  return laurel_language_train (LAUREL_STAGE_SFT, model, sequences, eval_sequences, hp, monitor,
                                error);
}
