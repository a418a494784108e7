/* labeler_choice.h: a row that opens to a check for each kind of labelers and each of them, with how much they ranked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_LABELER_CHOICE (laurel_labeler_choice_get_type ())
G_DECLARE_FINAL_TYPE (LaurelLabelerChoice, laurel_labeler_choice, LAUREL, LABELER_CHOICE, AdwExpanderRow)

/* Signal "changed". Lists those who have ranked something, all of them chosen. To be called once. */
void laurel_labeler_choice_fill (LaurelLabelerChoice *self, LaurelProject *project);

/* Writes the choice into @out: a whole group where it is one. @out->labeler_ids borrows from @self. What cannot be
 * learned from is an error: nobody has ranked, or nobody is chosen. */
gboolean laurel_labeler_choice_apply (LaurelLabelerChoice *self, LaurelTrainRequest *out, GError **error);

G_END_DECLS
