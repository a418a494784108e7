/* win_rate_page.h: how often one model is preferred to another.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/evaluate/evaluate_page.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_WIN_RATE_PAGE (laurel_win_rate_page_get_type ())
G_DECLARE_FINAL_TYPE (LaurelWinRatePage, laurel_win_rate_page, LAUREL, WIN_RATE_PAGE, LaurelEvaluatePage)

G_END_DECLS
