/* train_private.h: from counted words to a tokenizer, by model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/text/tokenizer_private.h"
#include "core/text/tokenizer_trainer.h"
#include "core/text/word_counts.h"

G_BEGIN_DECLS

LaurelTokenizer *laurel_bpe_train (const LaurelWordCounts *words, const LaurelTokenizerOptions *options, LaurelTokenizerProgress progress,
                                   gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
LaurelTokenizer *laurel_wordpiece_train (const LaurelWordCounts *words, const LaurelTokenizerOptions *options, LaurelTokenizerProgress progress,
                                         gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
