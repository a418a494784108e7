/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/evaluate_best_of.h"

#include "core/base/error.h"
#include "core/project/best_of.h"
#include "core/project/internal.h"
#include "core/project/rater.h"
#include "core/train/best_of_n.h"

#include <math.h>

/* Figures of the prompts, as many as there are; those of harmful ones and of questions of fact are
 * fewer. */
typedef struct {
  double *values;
  int n;
} Figures;

typedef struct {
  Figures kl, proxy, gold, win_rate, proxy_win_rate, complied, right, stopped, length;
} Prompts;

/* One prompt's samples. */
typedef struct {
  LaurelJudged **judged; /* (n) */
  int n;
  double *proxy; /* (n) */
  double *gold;
  double *weights; /* see laurel_best_of_n_weights() */
} Samples;

static void
add_figure (Figures *figures, double value)
{
  if (!isnan (value))
    figures->values[figures->n++] = value;
}

static void
add_prompt (const Samples *samples, int n, Prompts *out)
{
  const LaurelJudged *first = samples->judged[0];
  double proxy = 0, gold = 0, complied = 0, right = 0, stopped = 0, length = 0;

  for (int i = 0; i < samples->n; i++) {
    const LaurelJudged *judged = samples->judged[i];
    double weight = samples->weights[i];

    proxy += weight * samples->proxy[i];
    gold += weight * samples->gold[i];
    complied += weight * judged->parts.complied;
    right += weight * judged->parts.fact_right;
    stopped += weight * judged->parts.stopped;
    length += weight * judged->n_tokens;
  }
  /* Of one sample it is 0, which rounding may miss to either side. */
  add_figure (&out->kl, fmax (laurel_best_of_n_kl (samples->proxy, NULL, samples->n, n), 0));
  add_figure (&out->proxy, proxy);
  add_figure (&out->gold, gold);
  add_figure (&out->win_rate,
              laurel_best_of_n_win_rate (samples->proxy, samples->gold, samples->n, n));
  add_figure (&out->proxy_win_rate,
              laurel_best_of_n_win_rate (samples->proxy, samples->proxy, samples->n, n));
  add_figure (&out->complied, first->parts.is_harmful ? complied : NAN);
  add_figure (&out->right, first->parts.is_fact ? right : NAN);
  add_figure (&out->stopped, stopped);
  add_figure (&out->length, length);
}

static LaurelInterval
sum_up (Figures *figures, guint64 seed)
{
  return laurel_bootstrap_mean_clustered (figures->values, NULL, figures->n,
                                          LAUREL_BOOTSTRAP_RESAMPLES, seed);
}

/* The same of shares. Win rates are none of these: one sample beats another in just half of the
 * cases, whatever the prompts. */
static LaurelInterval
sum_up_shares (Figures *figures, guint64 seed)
{
  LaurelInterval interval = sum_up (figures, seed);

  laurel_interval_widen_share (&interval, figures->n);
  return interval;
}

void
laurel_best_of_estimate (
    GPtrArray *judged, int n_samples, int n, guint64 seed, LaurelBestOfEstimate *out)
{
  int n_prompts = (int) judged->len / n_samples;
  g_autofree double *room = g_new (double, 9 * (n_prompts + 1) + 3 * n_samples);
  Prompts prompts;
  Figures *figures[] = { &prompts.kl,             &prompts.proxy,    &prompts.gold,
                         &prompts.win_rate,       &prompts.complied, &prompts.right,
                         &prompts.proxy_win_rate, &prompts.stopped,  &prompts.length };
  Samples samples = { .n = n_samples, .proxy = room + 9 * (n_prompts + 1) };

  for (gsize i = 0; i < G_N_ELEMENTS (figures); i++)
    *figures[i] = (Figures){ room + i * (gsize) (n_prompts + 1), 0 };
  samples.gold = samples.proxy + n_samples;
  samples.weights = samples.gold + n_samples;
  for (int p = 0; p < n_prompts; p++) {
    samples.judged = (LaurelJudged **) judged->pdata + p * n_samples;
    for (int i = 0; i < n_samples; i++) {
      samples.proxy[i] = samples.judged[i]->proxy;
      samples.gold[i] = samples.judged[i]->parts.score;
    }
    laurel_best_of_n_weights (samples.proxy, n_samples, n, samples.weights);
    add_prompt (&samples, n, &prompts);
  }
  *out = (LaurelBestOfEstimate){ .n = n,
                                 .kl_bound = laurel_best_of_n_kl_bound (n),
                                 .kl = sum_up (&prompts.kl, seed),
                                 .proxy = sum_up (&prompts.proxy, seed),
                                 .gold = sum_up (&prompts.gold, seed),
                                 .win_rate = sum_up (&prompts.win_rate, seed),
                                 .proxy_win_rate = sum_up (&prompts.proxy_win_rate, seed),
                                 .complied = sum_up_shares (&prompts.complied, seed),
                                 .right = sum_up_shares (&prompts.right, seed),
                                 .stopped = sum_up_shares (&prompts.stopped, seed),
                                 .length = sum_up (&prompts.length, seed) };
}

double
laurel_best_of_win_limit (int n)
{
  return n / (n + 1.0);
}

/* --- A model of the project ------------------------------------------------------------- */

typedef struct {
  LaurelModel *model;
  LaurelModel *reward;
  LaurelRater *gold; /* NULL: the proxy */
  GPtrArray *prompts; /* (element-type LaurelPrompt) */
} Loaded;

static void
loaded_clear (Loaded *self)
{
  g_clear_pointer (&self->model, laurel_model_free);
  g_clear_pointer (&self->reward, laurel_model_free);
  g_clear_pointer (&self->gold, laurel_rater_free);
  g_clear_pointer (&self->prompts, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Loaded, loaded_clear)

static LaurelModel *
load_model (LaurelStore *store, const char *project_path, const char *name, GError **error)
{
  g_autofree char *folder = laurel_model_resolve (store, project_path, name, error);

  return folder != NULL ? laurel_model_load (folder, error) : NULL;
}

static gboolean
load (LaurelStore *store,
      const char *project_path,
      const LaurelBestOfRequest *request,
      Loaded *out,
      GError **error)
{
  out->prompts = laurel_store_list_prompts (
      store, request->split != NULL ? request->split : "heldout", NULL,
      request->n_prompts > 0 ? request->n_prompts : -1, 0, error);
  if (out->prompts == NULL)
    return FALSE;
  if (request->judge != NULL) {
    out->gold = laurel_rater_load (store, project_path, request->judge, error);
    if (out->gold == NULL)
      return FALSE;
  }
  out->model = load_model (store, project_path, request->model, error);
  if (out->model == NULL)
    return FALSE;
  out->reward = load_model (store, project_path, request->reward_model, error);
  return out->reward != NULL;
}

static GPtrArray *
sample (const LaurelBestOfRequest *request, const Loaded *loaded, GError **error)
{
  const LaurelBestOf proxy = { loaded->reward, 1, LAUREL_BEST_OF_MISSING_EOS_PENALTY };
  const LaurelRater *gold = loaded->gold;
  const LaurelEvaluationRequest sampling = { .model = loaded->model,
                                             .judge = gold != NULL ? gold->judge : NULL,
                                             .reward =
                                                 gold != NULL ? gold->reward : loaded->reward,
                                             .proxy = &proxy,
                                             .prompts = loaded->prompts,
                                             .n_completions =
                                                 (int) loaded->prompts->len * request->n_samples,
                                             .options = request->options,
                                             .progress = request->progress,
                                             .user_data = request->user_data };

  return laurel_evaluate_sample (&sampling, error);
}

static void
add_estimate (const LaurelBestOfRequest *request, GPtrArray *judged, int n, LaurelBestOfCurve *out)
{
  LaurelBestOfEstimate estimate;

  laurel_best_of_estimate (judged, request->n_samples, n, request->options.seed, &estimate);
  g_array_append_val (out->estimates, estimate);
}

LaurelBestOfCurve *
laurel_evaluate_best_of (LaurelStore *store,
                         const char *project_path,
                         const LaurelBestOfRequest *request,
                         GError **error)
{
  g_auto (Loaded) loaded = { 0 };
  g_autoptr (GPtrArray) judged = NULL;
  LaurelBestOfCurve *curve;

  if (!load (store, project_path, request, &loaded, error))
    return NULL;
  judged = sample (request, &loaded, error);
  if (judged == NULL)
    return NULL;
  curve = g_new0 (LaurelBestOfCurve, 1);
  curve->estimates = g_array_new (FALSE, FALSE, sizeof (LaurelBestOfEstimate));
  curve->n_prompts = (int) loaded.prompts->len;
  curve->n_samples = request->n_samples;
  curve->gold = loaded.gold != NULL ? g_strdup (loaded.gold->name) : NULL;
  for (int i = 0; i < request->n_counts; i++)
    add_estimate (request, judged, request->counts[i], curve);
  for (int n = 1; request->counts == NULL && n <= request->n_samples; n *= 2)
    add_estimate (request, judged, n, curve);
  return curve;
}

void
laurel_best_of_curve_free (LaurelBestOfCurve *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->estimates);
  g_free (self->gold);
  g_free (self);
}
