/* data_page.h: prompts, tasks, rankings, labelers and demonstrations.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/page.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_DATA_PAGE (laurel_data_page_get_type ())
G_DECLARE_FINAL_TYPE (LaurelDataPage, laurel_data_page, LAUREL, DATA_PAGE, LaurelPage)

/* Actions: data.import, data.export. */

G_END_DECLS
