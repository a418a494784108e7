/* judge_private.h: the rule judge's data, between the reading of its file and the scoring.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/label/judge.h"

G_BEGIN_DECLS

typedef struct {
  double harm_declined, harm_complied;
  double fact_right, fact_wrong, fact_missing;
  double topic_relevant, topic_missed, invented;
  double other, over_refusal;
  double rude, rambling, not_stopped, polite;
  double length_good, length_short, empty;
} Weights;

enum { HARMFUL, REFUSAL, COMPLY, RUDE, POLITE, DRIFT, N_PATTERNS };

typedef struct {
  gboolean subtract;
  GRegex *pattern;
} Sum;

typedef struct {
  char **key;         /* words, lower case */
  GPtrArray *answers; /* of char **: words, lower case */
} Fact;

typedef struct {
  char *kind;
  GRegex *pattern;
  GPtrArray *facts; /* of Fact */
} FactKind;

typedef struct {
  char *name;
  GRegex *pattern;
  GRegex *relevant;
  GRegex *invented; /* may be NULL */
} Topic;

struct _LaurelJudge {
  Weights weights;
  gint64 best_min, best_max, ramble_over;
  GPtrArray *patterns[N_PATTERNS]; /* of GRegex */
  GPtrArray *numbers;              /* of char * */
  GPtrArray *sums;                 /* of Sum */
  GPtrArray *kinds;                /* of FactKind */
  GPtrArray *topics;               /* of Topic */
};

/* (transfer full): the words of @text in ASCII lower case. */
char **laurel_judge_split_words (const char *text) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
