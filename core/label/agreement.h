/* agreement.h: how far labelers agree on the tasks that they share.
 *
 * Every pair of completions of a shared task is one observation. Two rules for
 * ties are in use, and their numbers differ, so both are given. Intervals come
 * from drawing whole tasks again (bootstrap), because the pairs of one task are
 * not independent.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/store.h"

G_BEGIN_DECLS

/* What two labelers said of the pairs of one task. */
typedef struct {
  int n_pairs;
  int n_concordant; /* both strict, same order */
  int n_discordant; /* both strict, opposite order */
  int n_tied_both;
  int n_tied_a; /* only a calls it a tie */
  int n_tied_b;
} LaurelPairCounts;

/* @a and @b are ranks of the same @n completions. Adds into @counts. */
void laurel_agreement_count_pairs (const int *a, const int *b, int n, LaurelPairCounts *counts);

/* The same of two rankings of one task. FALSE, and nothing is added, when one of them ranked nothing (“none of these”
 * alone). */
gboolean laurel_agreement_count_rankings (const LaurelRanking *a, const LaurelRanking *b, LaurelPairCounts *counts);

typedef struct {
  double value;       /* NaN when it is undefined */
  double low, high;   /* 95 %; NaN when there is no interval */
  const char *reason; /* why it, or its interval, is undefined; NULL when both are there */
} LaurelEstimate;

/* Whose rankings are held against whose. */
typedef enum {
  LAUREL_AGREEMENT_ALL,    /* every two labelers together */
  LAUREL_AGREEMENT_PEOPLE, /* every two people */
  LAUREL_AGREEMENT_MIXED,  /* every person and every program */
  LAUREL_AGREEMENT_PAIR,   /* two labelers */
} LaurelAgreementGroup;

/* "all", "people", "people-simulated", "pair" */
const char *laurel_agreement_group_to_string (LaurelAgreementGroup group);

typedef struct {
  LaurelAgreementGroup group;
  char *labeler_a; /* both NULL unless it is a pair */
  char *labeler_b;
  LaurelLabelerKind kind_a, kind_b; /* of a pair */
  int n_tasks;     /* shared */
  int n_pairs;     /* of completions in them */
  LaurelEstimate strict; /* share of same order among the pairs that neither calls a tie */
  LaurelEstimate half;   /* same answer 1, tie against order ½, opposite order 0 */
  LaurelEstimate tau_b;  /* Kendall's τ-b over the pairs of all shared tasks */
} LaurelAgreement;

void laurel_agreement_free (LaurelAgreement *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelAgreement, laurel_agreement_free)

/* The three estimates of @n_tasks tasks' counts, with @n_resamples (0: no intervals). */
void laurel_agreement_estimate (const LaurelPairCounts *tasks, int n_tasks, int n_resamples, guint64 seed, LaurelAgreement *out);

typedef struct {
  int n_resamples;
  guint64 seed;
  gboolean (*progress) (int n_done, int n_all, gpointer user_data); /* estimates; FALSE stops; NULL: none */
  gpointer user_data;
} LaurelAgreementRequest;

/* (element-type LaurelAgreement): all labelers together first, then people among themselves and people with programs,
 * where there are such, then each two labelers that have ranked something. CANCELLED when the progress stopped it. */
GPtrArray *laurel_label_list_agreement (LaurelStore *store, const LaurelAgreementRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
