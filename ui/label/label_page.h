/* label_page.h: where a labeler ranks the completions of one task after the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/page.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_LABEL_PAGE (laurel_label_page_get_type ())
G_DECLARE_FINAL_TYPE (LaurelLabelPage, laurel_label_page, LAUREL, LABEL_PAGE, LaurelPage)

G_END_DECLS
