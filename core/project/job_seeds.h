/* job_seeds.h: a reward model trained several times, of which the best is kept.
 *
 * Each seed is the run that it would be alone with that seed and the same split_seed, to the byte. Its
 * metrics are reported as “seed-N/KEY”, at steps that count on from seed to seed. A seed that is
 * done is a model in RUN/seed-N until the run is, so that a killed run goes on with the next one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/model.h"
#include "core/project/data.h"
#include "core/project/trainer.h"

G_BEGIN_DECLS

/* (transfer full): the best of hp->num_seeds models on the prompts that all of them hold out. */
LaurelModel *laurel_job_train_seeds (LaurelJob *job, const LaurelModel *base, const LaurelTrainData *data, const LaurelHyperparameters *hp, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What is left of the seeds in @folder, which a run that is done needs no more. */
void laurel_job_remove_seeds (const char *folder, int n_seeds);

G_END_DECLS
