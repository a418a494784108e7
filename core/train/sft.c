/* sft.c: supervised fine-tuning; the loss is on the answers and their ends alone, which each
 * sequence says.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/language.h"

gboolean
laurel_train_sft (LaurelModel *model,
                  const LaurelRows *rows,
                  const LaurelRows *eval_rows,
                  const LaurelHyperparameters *hp,
                  const LaurelMonitor *monitor,
                  GError **error)
{
  return laurel_language_train (LAUREL_STAGE_SFT, model, rows, eval_rows, hp, monitor, error);
}
