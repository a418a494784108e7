/* models_page.h: every model of the project, children under their parents.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/page.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_MODELS_PAGE (laurel_models_page_get_type ())
G_DECLARE_FINAL_TYPE (LaurelModelsPage, laurel_models_page, LAUREL, MODELS_PAGE, LaurelPage)

/* Actions: models.import, models.export (s: name), models.remove (s: name). */

G_END_DECLS
