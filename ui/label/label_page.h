/* label_page.h: where a labeler ranks the completions of one task after the other.
 *
 * Everything a labeler can do is a GAction of the group “label”; keys, buttons
 * and menus activate those. What was decided is in a LaurelRankingModel, whose
 * draft is in the database before the next key press.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/label/ranking_model.h"
#include "ui/page.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_LABEL_PAGE (laurel_label_page_get_type ())
G_DECLARE_FINAL_TYPE (LaurelLabelPage, laurel_label_page, LAUREL, LABEL_PAGE, LaurelPage)

/* (transfer none) (nullable): NULL when no task is open. */
LaurelRankingModel *laurel_label_page_get_model (LaurelLabelPage *self);

G_END_DECLS
