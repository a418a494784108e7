/* reward_report_private.h: between the two files of the report.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/reward_report.h"

/* In reward_words.c; (transfer full): what the figures come to, in sentences. */
char *laurel_reward_report_judge (const LaurelRewardReport *self) G_GNUC_WARN_UNUSED_RESULT;
