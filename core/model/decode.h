/* decode.h: the compute of batched decoding with a key–value cache.
 *
 * A prompt is run once and leaves its keys and values, which all its
 * completions read. A slot keeps the keys and values of one completion's own
 * tokens. A step takes one token of each of some slots and gives the logits of
 * the tokens that follow. What is drawn, and which slot is whose, is the
 * caller's business.
 *
 * C = n_embd, V = vocab_size.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/model.h"

G_BEGIN_DECLS

/* One prompt's keys and values. */
typedef struct _LaurelPromptCache LaurelPromptCache;

/* The logits (V) after the prompt's last token, owned by the cache. */
const float *laurel_prompt_cache_get_logits (const LaurelPromptCache *self);
void laurel_prompt_cache_free (LaurelPromptCache *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelPromptCache, laurel_prompt_cache_free)

typedef struct _LaurelDecoder LaurelDecoder;

/* Bytes of keys and values of one slot that holds @max_own tokens. */
gsize laurel_decoder_slot_size (const LaurelModelConfig *config, int max_own);

/* Makes room for @n_slots slots of @max_own tokens each, which are also the most rows of a step, and
 * for prefills of @max_prompt_tokens tokens together. @model is borrowed; its weights must not change
 * while the decoder lives: a step reads packed copies of its matrices, rounded to bfloat16 if @bf16_weights.
 * NULL and an error when memory is short. */
LaurelDecoder *laurel_decoder_new (const LaurelModel *model, int n_slots, int max_own, int max_prompt_tokens, gboolean bf16_weights, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Bytes that it asks for, and those of a prompt's cache. */
gsize laurel_decoder_size (const LaurelModelConfig *config, int n_slots, int max_own, int max_prompt_tokens, gboolean bf16_weights);
gsize laurel_prompt_cache_size (const LaurelModelConfig *config, int n_tokens);
void laurel_decoder_free (LaurelDecoder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelDecoder, laurel_decoder_free)

/* Asked between layers of a prefill; FALSE stops it. */
typedef gboolean (*LaurelDecoderGoOn) (gpointer user_data);

/* Runs @n_prompts prompts together. Prompt p is tokens offsets[p] … offsets[p+1] − 1, not empty; all
 * of them at most max_prompt_tokens. Fills @out_caches (n_prompts), each to be freed by the caller.
 * @go_on may be NULL. FALSE when it stopped the prefill or memory is short, with an error; then
 * @out_caches are untouched. */
gboolean laurel_decoder_prefill (LaurelDecoder *self, const gint32 *tokens, const gint32 *offsets, int n_prompts, LaurelPromptCache **out_caches, LaurelDecoderGoOn go_on, gpointer user_data, GError **error);

/* The next token of one completion. */
typedef struct {
  int slot;                        /* whose keys and values, under n_slots, each at most once a step */
  const LaurelPromptCache *prompt; /* what it continues */
  gint32 token;                    /* its newest token, which this step runs */
  int n_before;                    /* tokens of its own before that, which earlier steps ran in this slot */
} LaurelDecoderRow;

/* Runs one token of each row and returns the logits (n_rows, V) of what follows, owned by the
 * decoder; the caller may overwrite them. Valid until the next step. */
float *laurel_decoder_step (LaurelDecoder *self, const LaurelDecoderRow *rows, int n_rows);

G_END_DECLS
