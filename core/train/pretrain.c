/* pretrain.c: next-token prediction on plain text; every token but the first has a label.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/language.h"

gboolean
laurel_train_pretrain (LaurelModel *model,
                       GPtrArray *sequences,
                       GPtrArray *eval_sequences,
                       const LaurelHyperparameters *hp,
                       const LaurelMonitor *monitor,
                       GError **error)
{
  return laurel_language_train (LAUREL_STAGE_PRETRAIN, model, sequences, eval_sequences, hp,
                                monitor, error);
}
