/* token_strip.h: a rollout as a wrapped strip of tokens, each coloured by one of its numbers.
 *
 * The prompt's tokens stand dimmed before the completion's. Pointer and keys
 * (←, →, Home, End, and ↑, ↓ by line) move the selection, which is the x of a
 * LaurelChartCursor, counted from 1 as in the lines under the strip.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "ui/charts/cursor.h"
#include "ui/inspect/rollout_view.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_TOKEN_STRIP (laurel_token_strip_get_type ())
G_DECLARE_FINAL_TYPE (LaurelTokenStrip, laurel_token_strip, LAUREL, TOKEN_STRIP, GtkWidget)

/* @rollout stays the caller's and must outlive its place here; NULL empties the strip. The labels are copied. */
void laurel_token_strip_set_rollout (LaurelTokenStrip *self, const LaurelRollout *rollout, const char *const *prompt_labels, const char *const *labels);
void laurel_token_strip_set_value (LaurelTokenStrip *self, LaurelTokenValue value);
void laurel_token_strip_set_cursor (LaurelTokenStrip *self, LaurelChartCursor *cursor);

G_END_DECLS
