/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/schedule.h"

#include <math.h>

double
laurel_schedule_factor (LaurelSchedule schedule, int step, int n_steps, int warmup_steps)
{
  double progress;

  if (step < warmup_steps)
    return (step + 1.0) / warmup_steps;
  if (schedule == LAUREL_SCHEDULE_CONSTANT)
    return 1;
  if (n_steps <= warmup_steps)
    return 1;
  progress = CLAMP ((double) (step - warmup_steps) / (n_steps - warmup_steps), 0, 1);
  return schedule == LAUREL_SCHEDULE_LINEAR ? 1 - progress : 0.5 * (1 + cos (G_PI * progress));
}
