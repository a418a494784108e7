/* gold.h: the judge of a run's held-out answers, which training never sees.
 *
 * A rule judge's file, or a reward model: one that was trained on other
 * rankings, or larger, than the one that the policy is tuned against.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/store.h"

G_BEGIN_DECLS

typedef struct _LaurelGold LaurelGold;

/* @name: a judge's file, or a reward model's name or directory. */
LaurelGold *laurel_gold_load (LaurelStore *store, const char *project_path, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_gold_free (LaurelGold *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelGold, laurel_gold_free)

/* What tells the judge from any other: a file's SHA-256; "" for a model, which does not change. */
const char *laurel_gold_get_identity (const LaurelGold *self);

/* @stopped: whether the answer ended by itself. */
gboolean laurel_gold_score (const LaurelGold *self, const char *prompt, const char *answer, gboolean stopped, double *out, GError **error);

G_END_DECLS
