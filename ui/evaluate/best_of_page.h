/* best_of_page.h: what best-of-n is worth for every n, against the KL that it costs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/evaluate/evaluate_page.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_BEST_OF_PAGE (laurel_best_of_page_get_type ())
G_DECLARE_FINAL_TYPE (LaurelBestOfPage, laurel_best_of_page, LAUREL, BEST_OF_PAGE, LaurelEvaluatePage)

G_END_DECLS
