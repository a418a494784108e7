/* word_diff.h: which words of one answer are not in another.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A stretch of text in bytes: [start, end). */
typedef struct {
  guint start;
  guint end;
} LaurelTextSpan;

/* The stretches of @text whose words are not on a longest common subsequence with @reference's words; neighbours are
 * one stretch. (element-type LaurelTextSpan) (transfer full). Words are compared by letter case and all. Work is
 * words × words: from 4,000 words on only the first 4,000 are compared and the rest counts as different. */
GArray *laurel_word_diff (const char *text, const char *reference) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
