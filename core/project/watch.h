/* watch.h: watching over a run while it trains: alarm lights, held-out answers and demonstrations,
 * the best weights.
 *
 * Threads: the trainer thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/trainer.h"
#include "core/train/alarms.h"

G_BEGIN_DECLS

typedef struct _LaurelWatch LaurelWatch;

/* For a run that trains a policy against @reward. Goes on from what the store and the run's folder have when the run is
 * resumed, and takes over the monitor's evaluations. @hp, @policy (whose tokenizer and template prompts are encoded by),
 * @reward and @beside, the rows held out of what is learned beside, must outlive it. */
LaurelWatch *laurel_watch_new (LaurelJob *job, const LaurelHyperparameters *hp, const LaurelModel *policy, const LaurelModel *reward, const LaurelRows *beside, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_watch_free (LaurelWatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelWatch, laurel_watch_free)

/* A metric on its way to the store: lights that change are stored, logged and shown. */
void laurel_watch_metric (LaurelWatch *self, int step, const char *key, double value);

/* Where the weights are that an over-optimised run is done with, if that is what it was started for; NULL: it is not. */
char *laurel_watch_dup_ending (const LaurelWatch *self) G_GNUC_WARN_UNUSED_RESULT;

/* When the run is done: says so when earlier weights were better. */
void laurel_watch_finish (LaurelWatch *self);

G_END_DECLS
