/* pretrain.c: next-token prediction on plain text; every token but the first has a label.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/language.h"

gboolean
laurel_train_pretrain (LaurelModel *model,
                       const LaurelRows *rows,
                       const LaurelRows *eval_rows,
                       const LaurelHyperparameters *hp,
                       const LaurelMonitor *monitor,
                       GError **error)
{
  return laurel_language_train (LAUREL_STAGE_PRETRAIN, model, rows, eval_rows, hp, monitor, error);
}
