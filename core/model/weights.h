/* weights.h: a model's weights in one safetensors file or several, for directory.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/model.h"

G_BEGIN_DECLS

/* The mapped files of a directory, and their tensors under the names that a layout has. */
typedef struct _LaurelWeightFiles LaurelWeightFiles;

/* model.safetensors, or else the shards that model.safetensors.index.json names. */
LaurelWeightFiles *laurel_weight_files_open (const char *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_weight_files_free (LaurelWeightFiles *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelWeightFiles, laurel_weight_files_free)

/* Whether they are the tensors of @config's model, no more and no fewer, so that memory is asked for only then. */
gboolean laurel_weight_files_check (LaurelWeightFiles *self, const LaurelModelConfig *config, GError **error);

/* Every weight of @model, on all cores, once checked. A number that is not finite is an error. */
gboolean laurel_weight_files_read (const LaurelWeightFiles *self, LaurelModel *model, GError **error);

G_END_DECLS
