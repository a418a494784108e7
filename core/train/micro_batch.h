/* micro_batch.h: sequences packed into one flat run, and a model's pass over it.
 *
 * A (mini)batch is worked off in micro-batches of bounded token count. Each
 * adds its share of the gradient already divided by what the whole batch
 * counts, so how it was cut changes nothing but rounding.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/head.h"
#include "core/model/transformer.h"

G_BEGIN_DECLS

typedef struct {
  int max_tokens;
  int n_tokens;
  int n_sequences;
  int n_labels;
  gint32 *tokens;    /* (max_tokens) */
  gint32 *offsets;   /* (max_tokens + 1) */
  gint32 *positions; /* (max_tokens) row that predicts label i */
  gint32 *targets;   /* (max_tokens) its token */
  gint32 *sources;   /* (max_tokens) the caller's own index of label i */
  float *outputs;    /* (max_tokens) a number per label: the caller's room */
  float *doutputs;   /* (max_tokens) and for its derivative */
} LaurelMicroBatch;

LaurelMicroBatch *laurel_micro_batch_new (int max_tokens) G_GNUC_WARN_UNUSED_RESULT;
void laurel_micro_batch_free (LaurelMicroBatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelMicroBatch, laurel_micro_batch_free)

void laurel_micro_batch_clear (LaurelMicroBatch *self);
gboolean laurel_micro_batch_fits (const LaurelMicroBatch *self, int n_tokens);
/* Adds a sequence that fits, with labels on its tokens @first_label … n_tokens − 1 (@first_label ≥ 1; n_tokens or more:
 * none), whose sources count from @source. */
void laurel_micro_batch_add (LaurelMicroBatch *self, const gint32 *tokens, int n_tokens, int first_label, int source);
/* The same with labels on those tokens alone of which @learned (n_tokens; NULL: every one) is not 0. */
void laurel_micro_batch_add_masked (LaurelMicroBatch *self, const gint32 *tokens, const guint8 *learned, int n_tokens, int first_label, int source);
LaurelBatch laurel_micro_batch_as_batch (const LaurelMicroBatch *self);
LaurelLabels laurel_micro_batch_as_labels (const LaurelMicroBatch *self);

/* Tokens of a micro-batch: at most 4096, fewer where activations would pass 128 MiB, never under @longest. */
int laurel_micro_batch_budget (const LaurelModelConfig *config, int longest);

/* The same where no more than @n_rows sequences of up to @longest tokens come at once. */
int laurel_micro_batch_room (const LaurelModelConfig *config, int longest, int n_rows);

/* A model with the room for its activations, reserved once. */
typedef struct {
  const LaurelModel *model;
  LaurelActivations *acts;
  float *dhidden;      /* (max_tokens, n_embd), zero after each forward; NULL without backward */
  const float *hidden; /* what the last forward left */
  gboolean borrowed;   /* the room is another pass's */
} LaurelPass;

gboolean laurel_pass_init (LaurelPass *self, const LaurelModel *model, int max_tokens, gboolean for_backward, GError **error);
/* A pass of another model of the same shape in @owner's room: one's forward ends the other's. */
void laurel_pass_init_beside (LaurelPass *self, const LaurelModel *model, const LaurelPass *owner);
void laurel_pass_clear (LaurelPass *self);
void laurel_pass_forward (LaurelPass *self, const LaurelMicroBatch *micro);
void laurel_pass_backward (LaurelPass *self, const LaurelMicroBatch *micro, float *gradients);
/* A reward model's score of each sequence, read at its last token, into @scores (n_sequences). Overwrites the
 * positions of @micro: labels, where it has any, must have been read. */
void laurel_pass_score (LaurelPass *self, LaurelMicroBatch *micro, float *scores);

G_END_DECLS
