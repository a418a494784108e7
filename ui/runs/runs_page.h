/* runs_page.h: every run of the project: its charts, samples, settings, log and products.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/page.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_RUNS_PAGE (laurel_runs_page_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRunsPage, laurel_runs_page, LAUREL, RUNS_PAGE, LaurelPage)

/* Property "run-id" (int64): the selected run, 0 for none. Action: runs.resume, runs.inspect. */

G_END_DECLS
