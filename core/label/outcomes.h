/* outcomes.h: rankings as comparisons of the models that wrote the completions.
 *
 * A ranking of K completions says of each two of them which is better, or that
 * neither is. Where two different models wrote the two, that is one outcome
 * between these models. Two completions with the same tokens (or, where one has
 * none, the same text) are a tie, whatever their ranks say.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/store.h"

G_BEGIN_DECLS

typedef struct {
  gint64 prompt_id;  /* what hangs together */
  int a, b;          /* indices of two models, a ≠ b */
  int result;        /* 1: a's is better, −1: b's, 0: neither */
  double length_gap; /* tokens of a's less those of b's; NaN: not known */
  gint64 task_id;    /* 0: of none */
} LaurelOutcome;

typedef struct {
  GPtrArray *models; /* (element-type utf8) names, in the order in which they first come */
  GArray *outcomes;  /* (element-type LaurelOutcome) */
} LaurelOutcomes;

LaurelOutcomes *laurel_outcomes_new (void) G_GNUC_WARN_UNUSED_RESULT;
void laurel_outcomes_free (LaurelOutcomes *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelOutcomes, laurel_outcomes_free)

/* The index of a model, which is added when it is new. */
int laurel_outcomes_ensure_model (LaurelOutcomes *self, const char *name);
/* −1 when it has no outcome. */
int laurel_outcomes_find_model (const LaurelOutcomes *self, const char *name);

/* Of all rankings in force by @labelers; @name (NULL: all) is a single labeler's. */
LaurelOutcomes *laurel_outcomes_collect (LaurelStore *store, LaurelLabelers labelers, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (element-type LaurelOutcome): those between two models, turned so that a is @a. */
GArray *laurel_outcomes_between (const LaurelOutcomes *self, int a, int b) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
