/* parameters.h: one table of tensors; weights, gradients and Adam's moments are
 * blocks of that one layout.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/config.h"

G_BEGIN_DECLS

typedef struct {
  char *name;  /* the checkpoint's name: "h.3.attn.c_attn.weight" */
  int rows;    /* 1 for vectors */
  int columns;
  int n_dims; /* in the file: 1 or 2 */
  gsize offset; /* floats from the start of the block */
  gsize n;
  gboolean decay; /* weight decay applies: matrices yes, biases and norms no */
} LaurelTensor;

/* Shared by every block of one shape; reference counted, immutable. */
typedef struct {
  gatomicrefcount ref_count;
  LaurelTensor *tensors;
  int n_tensors;
  gsize n_floats;     /* length of a block, tensors aligned to 16 floats */
  gsize n_parameters; /* without the padding */
} LaurelLayout;

LaurelLayout *laurel_layout_new (const LaurelModelConfig *config);
/* The score head alone. */
LaurelLayout *laurel_layout_new_score_head (const LaurelModelConfig *config);
LaurelLayout *laurel_layout_ref (LaurelLayout *self);
void laurel_layout_unref (LaurelLayout *self);
const LaurelTensor *laurel_layout_find (const LaurelLayout *self, const char *name); /* NULL: none */

G_END_DECLS
