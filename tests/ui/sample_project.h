/* sample_project.h: a project with made-up rows of every kind, for the tests of the pages.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/project.h"

/* A fresh project in a new temporary folder; removed by sample_project_free(). */
LaurelProject *sample_project_new (void);
void sample_project_free (LaurelProject *project);

#define SAMPLE_N_STEPS 40
#define SAMPLE_N_ROLLOUTS 12
