/* inspect_page.h: what every sampled token was paid, rollout by rollout.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/page.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_INSPECT_PAGE (laurel_inspect_page_get_type ())
G_DECLARE_FINAL_TYPE (LaurelInspectPage, laurel_inspect_page, LAUREL, INSPECT_PAGE, LaurelPage)

/* Property "run-id" (int64): the run that is shown, 0 for none. Action: inspect.export. */

G_END_DECLS
