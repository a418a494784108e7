/* completion_card.h: one answer: its letter, its text, its quality and its flags.
 *
 * A card never knows which model wrote the answer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/label/ranking_model.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LAUREL_TYPE_COMPLETION_CARD (laurel_completion_card_get_type ())
G_DECLARE_FINAL_TYPE (LaurelCompletionCard, laurel_completion_card, LAUREL, COMPLETION_CARD, GtkWidget)

/* Signals:
 *   "focused"                 the keyboard focus came into the card
 *   "quality-chosen" (int)    see quality_row.h
 *   "flag-toggled" (guint)    a bit of LaurelFlag, from the card's menu
 */

/* @card counts from 0 in blind order: 0 is “A”. */
GtkWidget *laurel_completion_card_new (int card, const char *text);

int laurel_completion_card_get_card (LaurelCompletionCard *self);
const char *laurel_completion_card_get_text (LaurelCompletionCard *self);

/* Shows what @model says about this card. */
void laurel_completion_card_update (LaurelCompletionCard *self, LaurelRankingModel *model);
void laurel_completion_card_set_raw (LaurelCompletionCard *self, gboolean raw);
/* Marks the words that @reference lacks; NULL: no marks. Marks are on the text as it was written. */
void laurel_completion_card_set_reference (LaurelCompletionCard *self, const char *reference);
void laurel_completion_card_toggle_expanded (LaurelCompletionCard *self);

G_END_DECLS
