/* best.h: the weights of a run's best gold evaluation, kept beside its checkpoint.
 *
 *   runs/ID/best-000015/   a model in Hugging Face's form, of the policy after iteration 15
 *     gold.json            {"step", "gold", "scores": […]}: of each held-out prompt
 *
 * A killed run goes back to its checkpoint and measures again what came after
 * it. So that it finds the same best one then, the newest that is no younger
 * than the checkpoint stays until a checkpoint has passed the next.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/model.h"

G_BEGIN_DECLS

typedef struct {
  int step;       /* −1: there is none */
  double gold;    /* mean of the scores */
  GArray *scores; /* (element-type double) of the held-out prompts, in their order */
} LaurelBest;

void laurel_best_clear (LaurelBest *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LaurelBest, laurel_best_clear)

/* The newest in @folder (of the run) up to @max_step; step −1 when there is none that can be read. */
void laurel_best_find (const char *folder, int max_step, LaurelBest *out);
/* Its model's directory. */
char *laurel_best_get_model (const LaurelBest *self, const char *folder) G_GNUC_WARN_UNUSED_RESULT;

/* Writes @model as @self's, whole or not at all, and removes those that no resumed run can need: older than the newest
 * up to @checkpoint_step. */
gboolean laurel_best_save (const LaurelBest *self, const LaurelModel *model, const char *folder, int checkpoint_step, GError **error);
/* Those after @step, which a run that goes on from there will make again. */
void laurel_best_forget (const char *folder, int step);

G_END_DECLS
