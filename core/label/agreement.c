/* agreement.c: pairs counted, shares and τ-b from the counts, intervals by bootstrap.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/agreement.h"

#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/base/statistics.h"

#include <math.h>
#include <stdlib.h>

void
laurel_agreement_free (LaurelAgreement *self)
{
  if (self == NULL)
    return;
  g_free (self->labeler_a);
  g_free (self->labeler_b);
  g_free (self);
}

void
laurel_agreement_count_pairs (const int *a, const int *b, int n, LaurelPairCounts *counts)
{
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) {
      int in_a = (a[i] > a[j]) - (a[i] < a[j]);
      int in_b = (b[i] > b[j]) - (b[i] < b[j]);

      counts->n_pairs++;
      counts->n_concordant += in_a * in_b > 0;
      counts->n_discordant += in_a * in_b < 0;
      counts->n_tied_both += in_a == 0 && in_b == 0;
      counts->n_tied_a += in_a == 0 && in_b != 0;
      counts->n_tied_b += in_a != 0 && in_b == 0;
    }
}

static void
add_counts (LaurelPairCounts *sum, const LaurelPairCounts *counts)
{
  sum->n_pairs += counts->n_pairs;
  sum->n_concordant += counts->n_concordant;
  sum->n_discordant += counts->n_discordant;
  sum->n_tied_both += counts->n_tied_both;
  sum->n_tied_a += counts->n_tied_a;
  sum->n_tied_b += counts->n_tied_b;
}

/* --- The three measures: NaN and a reason where they are undefined --------- */

typedef double (*Measure) (const LaurelPairCounts *counts, const char **reason);

static double
measure_strict (const LaurelPairCounts *counts, const char **reason)
{
  int n = counts->n_concordant + counts->n_discordant;

  if (n > 0)
    return (double) counts->n_concordant / n;
  *reason = "one of the two calls every pair a tie";
  return NAN;
}

static double
measure_half (const LaurelPairCounts *counts, const char **reason)
{
  double same = counts->n_concordant + counts->n_tied_both;

  if (counts->n_pairs > 0)
    return (same + 0.5 * (counts->n_tied_a + counts->n_tied_b)) / counts->n_pairs;
  *reason = "there are no pairs";
  return NAN;
}

static double
measure_tau_b (const LaurelPairCounts *counts, const char **reason)
{
  double n_strict_a = counts->n_pairs - counts->n_tied_both - counts->n_tied_a;
  double n_strict_b = counts->n_pairs - counts->n_tied_both - counts->n_tied_b;

  if (n_strict_a > 0 && n_strict_b > 0)
    return (counts->n_concordant - counts->n_discordant) / sqrt (n_strict_a * n_strict_b);
  *reason = "one of the two calls everything a tie";
  return NAN;
}

/* --- Intervals ------------------------------------------------------------- */

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* Tasks that have something to say of the measure. */
static int
count_defined (Measure measure, const LaurelPairCounts *tasks, int n_tasks)
{
  const char *ignored = NULL;
  int n = 0;

  for (int i = 0; i < n_tasks; i++)
    n += !isnan (measure (&tasks[i], &ignored));
  return n;
}

/* Where all tasks are alike drawing them again sees no spread; as a share of the way from @least to
 * 1 the estimate has Wilson's interval. */
static void
widen (LaurelEstimate *estimate, double least, int n_tasks)
{
  LaurelInterval share = { (estimate->value - least) / (1 - least), NAN, NAN, n_tasks };

  if (estimate->high > estimate->low)
    return;
  laurel_interval_widen_share (&share, n_tasks);
  estimate->low = least + (1 - least) * share.low;
  estimate->high = least + (1 - least) * share.high;
}

/* The counts of @n_resamples draws of @n_tasks of the tasks, the same ones for every measure. */
static LaurelPairCounts *
draw_tasks (const LaurelPairCounts *tasks, int n_tasks, int n_resamples, guint64 seed)
{
  LaurelPairCounts *drawn = g_new0 (LaurelPairCounts, MAX (n_resamples, 1));

  for (int r = 0; r < n_resamples && n_tasks > 1; r++) {
    LaurelRng rng;

    laurel_rng_init (&rng, seed, LAUREL_RNG_BOOTSTRAP, (guint64) r, 0);
    for (int i = 0; i < n_tasks; i++)
      add_counts (&drawn[r], &tasks[laurel_rng_below (&rng, (guint32) n_tasks)]);
  }
  return drawn;
}

/* The tasks, and what was drawn of them. */
typedef struct {
  const LaurelPairCounts *tasks;
  int n_tasks;
  const LaurelPairCounts *drawn;
  int n_resamples;
} Draws;

/* @least: what the measure is at the least; at the most it is 1. */
static LaurelEstimate
estimate (Measure measure, double least, const Draws *draws)
{
  LaurelEstimate result = { NAN, NAN, NAN, NULL };
  g_autofree double *values = g_new (double, MAX (draws->n_resamples, 1));
  LaurelPairCounts sum = { 0 };
  const char *ignored = NULL;
  int n = 0;

  for (int i = 0; i < draws->n_tasks; i++)
    add_counts (&sum, &draws->tasks[i]);
  if (draws->n_tasks == 0)
    result.reason = "they have ranked no task in common";
  else
    result.value = measure (&sum, &result.reason);
  if (isnan (result.value))
    return result;
  if (draws->n_tasks < 2 || draws->n_resamples < 1) {
    result.reason = draws->n_tasks < 2 ? "an interval needs at least two tasks in common"
                                       : "no resamples were asked for";
    return result;
  }
  for (int r = 0; r < draws->n_resamples; r++) {
    values[n] = measure (&draws->drawn[r], &ignored);
    n += !isnan (values[n]);
  }
  /* Resamples without any strict pair say nothing; when they are many the rest is
   * no fair sample. */
  if (2 * n < draws->n_resamples) {
    result.reason = "ties leave too few pairs for an interval";
    return result;
  }
  qsort (values, (gsize) n, sizeof *values, compare_doubles);
  result.low = laurel_quantile (values, n, 0.025);
  result.high = laurel_quantile (values, n, 0.975);
  widen (&result, least, count_defined (measure, draws->tasks, draws->n_tasks));
  return result;
}

void
laurel_agreement_estimate (
    const LaurelPairCounts *tasks, int n_tasks, int n_resamples, guint64 seed, LaurelAgreement *out)
{
  g_autofree LaurelPairCounts *drawn = draw_tasks (tasks, n_tasks, n_resamples, seed);
  const Draws draws = { tasks, n_tasks, drawn, n_resamples };

  out->n_tasks = n_tasks;
  out->n_pairs = 0;
  for (int i = 0; i < n_tasks; i++)
    out->n_pairs += tasks[i].n_pairs;
  out->strict = estimate (measure_strict, 0, &draws);
  out->half = estimate (measure_half, 0, &draws);
  out->tau_b = estimate (measure_tau_b, -1, &draws);
}

/* --- A project's labelers --------------------------------------------------- */

static const LaurelRank *
find_rank (const LaurelRanking *ranking, gint64 completion_id)
{
  for (int i = 0; i < ranking->n; i++)
    if (ranking->ranks[i].completion_id == completion_id)
      return &ranking->ranks[i];
  return NULL;
}

gboolean
laurel_agreement_count_rankings (const LaurelRanking *a,
                                 const LaurelRanking *b,
                                 LaurelPairCounts *counts)
{
  g_autofree int *ranks_a = g_new (int, a->n);
  g_autofree int *ranks_b = g_new (int, a->n);

  for (int i = 0; i < a->n; i++) {
    const LaurelRank *other = find_rank (b, a->ranks[i].completion_id);

    if (other == NULL || other->rank == 0 || a->ranks[i].rank == 0)
      return FALSE;
    ranks_a[i] = a->ranks[i].rank;
    ranks_b[i] = other->rank;
  }
  laurel_agreement_count_pairs (ranks_a, ranks_b, a->n, counts);
  return TRUE;
}

static GHashTable *
group_by_task (GPtrArray *rankings)
{
  GHashTable *groups =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) g_ptr_array_unref);

  for (guint i = 0; i < rankings->len; i++) {
    LaurelRanking *ranking = g_ptr_array_index (rankings, i);
    GPtrArray *group = g_hash_table_lookup (groups, &ranking->task_id);

    if (group == NULL) {
      group = g_ptr_array_new ();
      g_hash_table_insert (groups, &ranking->task_id, group);
    }
    g_ptr_array_add (group, ranking);
  }
  return groups;
}

/* Whose pairs of rankings count: for a pair of labelers their ids. */
typedef struct {
  LaurelAgreementGroup group;
  gint64 a, b;
} Wanted;

/* @x comes before @y in the task's group. */
static gboolean
is_wanted (const Wanted *wanted, const LaurelRanking *x, const LaurelRanking *y, gboolean is_before)
{
  gboolean person_x = x->labeler_kind == LAUREL_LABELER_PERSON;
  gboolean person_y = y->labeler_kind == LAUREL_LABELER_PERSON;

  switch (wanted->group) {
  case LAUREL_AGREEMENT_ALL: return is_before;
  case LAUREL_AGREEMENT_PEOPLE: return is_before && person_x && person_y;
  case LAUREL_AGREEMENT_MIXED: return person_x && !person_y;
  case LAUREL_AGREEMENT_PAIR:
  default: return x->labeler_id == wanted->a && y->labeler_id == wanted->b;
  }
}

/* The counts of each task that they share, in the order of the rankings. */
static GArray *
collect_counts (GPtrArray *rankings, GHashTable *groups, const Wanted *wanted)
{
  GArray *tasks = g_array_new (FALSE, FALSE, sizeof (LaurelPairCounts));

  for (guint i = 0; i < rankings->len; i++) {
    const LaurelRanking *first = g_ptr_array_index (rankings, i);
    const GPtrArray *group = g_hash_table_lookup (groups, &first->task_id);
    LaurelPairCounts counts = { 0 };
    gboolean is_shared = FALSE;

    if (group->pdata[0] != (gpointer) first)
      continue; /* one turn for each task */
    for (guint j = 0; j < group->len; j++)
      for (guint k = 0; k < group->len; k++)
        if (is_wanted (wanted, group->pdata[j], group->pdata[k], j < k))
          is_shared |= laurel_agreement_count_rankings (group->pdata[j], group->pdata[k], &counts);
    if (is_shared)
      g_array_append_val (tasks, counts);
  }
  return tasks;
}

static const char *const group_names[] = {
  [LAUREL_AGREEMENT_ALL] = "all",
  [LAUREL_AGREEMENT_PEOPLE] = "people",
  [LAUREL_AGREEMENT_MIXED] = "people-simulated",
  [LAUREL_AGREEMENT_PAIR] = "pair",
};

const char *
laurel_agreement_group_to_string (LaurelAgreementGroup group)
{
  g_return_val_if_fail ((guint) group < G_N_ELEMENTS (group_names), "all");

  return group_names[group];
}

/* What all agreements of a project are made from. */
typedef struct {
  GPtrArray *rankings;
  GHashTable *groups;
  int n_resamples;
  guint64 seed;
} Ground;

/* @a and @b are NULL unless it is a pair. */
static LaurelAgreement *
make_agreement (const Ground *ground,
                LaurelAgreementGroup group,
                const LaurelLabeler *a,
                const LaurelLabeler *b)
{
  const Wanted wanted = { group, a != NULL ? a->id : 0, b != NULL ? b->id : 0 };
  g_autoptr (GArray) tasks = collect_counts (ground->rankings, ground->groups, &wanted);
  LaurelAgreement *agreement = g_new0 (LaurelAgreement, 1);

  agreement->group = group;
  if (a != NULL && b != NULL) {
    agreement->labeler_a = g_strdup (a->name);
    agreement->labeler_b = g_strdup (b->name);
    agreement->kind_a = a->kind;
    agreement->kind_b = b->kind;
  }
  laurel_agreement_estimate ((const LaurelPairCounts *) (void *) tasks->data, (int) tasks->len,
                             ground->n_resamples, ground->seed, agreement);
  return agreement;
}

/* A group, or two of those who have ranked something, who are NULL in a group. */
typedef struct {
  LaurelAgreementGroup group;
  const LaurelLabeler *a, *b;
} Held;

static void
add_held (GArray *list, LaurelAgreementGroup group, const LaurelLabeler *a, const LaurelLabeler *b)
{
  const Held held = { group, a, b };

  g_array_append_val (list, held);
}

/* (element-type Held) */
static GArray *
list_held (GPtrArray *labelers)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (Held));
  g_autoptr (GPtrArray) ranked = g_ptr_array_new ();
  guint n_people = 0;

  for (guint i = 0; i < labelers->len; i++) {
    LaurelLabeler *labeler = g_ptr_array_index (labelers, i);

    if (labeler->n_rankings == 0)
      continue;
    g_ptr_array_add (ranked, labeler);
    n_people += labeler->kind == LAUREL_LABELER_PERSON;
  }
  add_held (list, LAUREL_AGREEMENT_ALL, NULL, NULL);
  if (n_people > 1)
    add_held (list, LAUREL_AGREEMENT_PEOPLE, NULL, NULL);
  if (n_people > 0 && n_people < ranked->len)
    add_held (list, LAUREL_AGREEMENT_MIXED, NULL, NULL);
  for (guint i = 0; i < ranked->len; i++)
    for (guint j = i + 1; j < ranked->len; j++)
      add_held (list, LAUREL_AGREEMENT_PAIR, ranked->pdata[i], ranked->pdata[j]);
  return list;
}

GPtrArray *
laurel_label_list_agreement (LaurelStore *store,
                             const LaurelAgreementRequest *request,
                             GError **error)
{
  g_autoptr (GPtrArray) rankings = laurel_store_list_rankings (store, 0, error);
  g_autoptr (GPtrArray) labelers =
      rankings != NULL ? laurel_store_list_labelers (store, error) : NULL;
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GHashTable) groups = NULL;
  g_autoptr (GArray) all = NULL;

  if (labelers == NULL)
    return NULL;
  groups = group_by_task (rankings);
  all = list_held (labelers);
  list = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_agreement_free);
  for (guint i = 0; i < all->len; i++) {
    const Held *held = &g_array_index (all, Held, i);
    const Ground ground = { rankings, groups, request->n_resamples, request->seed };

    if (request->progress != NULL
        && !request->progress ((int) i, (int) all->len, request->user_data)) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED,
                   "Could not say how far labelers agree: it was stopped");
      return NULL;
    }
    g_ptr_array_add (list, make_agreement (&ground, held->group, held->a, held->b));
  }
  return g_steal_pointer (&list);
}
