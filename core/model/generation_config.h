/* generation_config.h: Hugging Face's generation_config.json, as far as it speaks of sampling.
 *
 * Read with a model and written with it again. It makes the defaults of `sample
 * run`; training never looks at it. Fields of other ways to decode (beams,
 * contrastive search) are passed over.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  double temperature; /* 0 when the file has "do_sample": false */
  int top_k;          /* 0: off, also when the file has none, unlike Hugging Face's 50 */
  double top_p;
  double min_p;
  double repetition_penalty;
  int max_new_tokens; /* 0: not said */
} LaurelGenerationConfig;

#define LAUREL_GENERATION_CONFIG_DEFAULTS { 1.0, 0, 1.0, 0.0, 1.0, 0 }

/* What @dir's file says, over the defaults; they alone when there is no file. */
gboolean laurel_generation_config_load (LaurelGenerationConfig *self, const char *dir, GError **error);
/* Writes what differs from the defaults, and @eos_token_id unless that is −1. */
gboolean laurel_generation_config_save (const LaurelGenerationConfig *self, int eos_token_id, const char *dir, GError **error);

G_END_DECLS
