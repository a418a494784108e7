/* distinct.h: how many different pairs of tokens there are in what a policy writes.
 *
 * Distinct-2 (Li et al. 2016): a policy that has found one phrase that scores
 * well says it to every prompt, and this number falls.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Adds the pairs of neighbours among @tokens (n) to @pairs (element-type guint64). */
void laurel_distinct_add (GArray *pairs, const gint32 *tokens, int n);

/* Different ones over all of them, above 0 to 1; NaN without any. Sorts @pairs. */
double laurel_distinct_share (GArray *pairs);

G_END_DECLS
