/* outline.h: what a request's models must be, which is known without loading their weights.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/model.h"
#include "core/project/project.h"

G_BEGIN_DECLS

typedef struct {
  LaurelModelConfig config;
  LaurelTokenizer *tokenizer;
} LaurelModelOutline;

void laurel_model_outline_clear (LaurelModelOutline *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LaurelModelOutline, laurel_model_outline_clear)

gboolean laurel_model_outline_load (LaurelProject *self, const char *name, LaurelModelOutline *out, GError **error);

/* Always FALSE: “NAME” @is something else than is @wanted. */
gboolean laurel_refuse_head (GError **error, const char *name, const char *is, const char *wanted);
/* A reward model with the policy's tokenizer, and with normalised scores. */
gboolean laurel_check_reward_fits (const LaurelModelOutline *policy, const LaurelModelOutline *reward, const char *policy_name, const char *reward_name, GError **error);

G_END_DECLS
