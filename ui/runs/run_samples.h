/* run_samples.h: what the policy wrote, step by step.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "core/project/project.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_RUN_SAMPLES (laurel_run_samples_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRunSamples, laurel_run_samples, LAUREL, RUN_SAMPLES, GtkWidget)

/* Shows @run's rollouts; keeps the step when it is the run shown already, and follows the newest one when that was
 * shown. @project NULL: shows nothing. */
void laurel_run_samples_set_run (LaurelRunSamples *self, LaurelProject *project, const LaurelRun *run);
void laurel_run_samples_set_step (LaurelRunSamples *self, int step);

G_END_DECLS
