/* compare_page.h: several models beside each other on the same prompts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/evaluate/evaluate_page.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_COMPARE_PAGE (laurel_compare_page_get_type ())
G_DECLARE_FINAL_TYPE (LaurelComparePage, laurel_compare_page, LAUREL, COMPARE_PAGE, LaurelEvaluatePage)

G_END_DECLS
