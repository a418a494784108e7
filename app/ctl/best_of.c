/* best_of.c: laurelctl evaluate bon.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/evaluate.h"

#include "core/base/error.h"
#include "core/project/best_of.h"
#include "core/project/evaluate_best_of.h"
#include "core/project/rater.h"
#include "core/project/report.h"

#include <math.h>
#include <stdio.h>

/* The samples, and the numbers of them that are asked about. */
typedef struct {
  LaurelModel *model;
  LaurelModel *reward;
  LaurelRater *gold;
  GPtrArray *prompts; /* (element-type LaurelPrompt) */
  GArray *counts;     /* (element-type int), rising */
  int n_samples;
  guint64 seed;
  LaurelSamplingOptions options;
} BestOf;

static void
best_of_clear (BestOf *self)
{
  g_clear_pointer (&self->model, laurel_model_free);
  g_clear_pointer (&self->reward, laurel_model_free);
  g_clear_pointer (&self->gold, laurel_rater_free);
  g_clear_pointer (&self->prompts, g_ptr_array_unref);
  g_clear_pointer (&self->counts, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BestOf, best_of_clear)

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "sampling", (double) n_done / MAX (n_all, 1), -1.0);
  return laurel_ctl_go_on ();
}

/* Powers of 2 up to the number of samples, or those that are named. */
static gboolean
read_counts (LaurelCtl *self, BestOf *out, GError **error)
{
  const char *text = laurel_ctl_get (self, "n");
  g_auto (GStrv) words = text != NULL ? g_strsplit (text, ",", -1) : NULL;

  out->counts = g_array_new (FALSE, FALSE, sizeof (int));
  for (int n = 1; words == NULL && n <= out->n_samples; n *= 2)
    g_array_append_val (out->counts, n);
  for (int i = 0; words != NULL && words[i] != NULL; i++) {
    guint64 wide;
    int n;

    if (!g_ascii_string_to_unsigned (words[i], 10, 1, (guint64) out->n_samples, &wide, NULL)) {
      g_set_error (error, LAUREL_CTL_USAGE, 0,
                   "Could not understand “--n %s”: “%s” is no whole number from 1 to the %d "
                   "samples; write them with commas, as in 1,4,16",
                   text, words[i], out->n_samples);
      return FALSE;
    }
    n = (int) wide;
    g_array_append_val (out->counts, n);
  }
  return TRUE;
}

static gboolean
read_options (LaurelCtl *self, BestOf *out, GError **error)
{
  gint64 n_samples = 64, seed = 0, max_tokens = 64;
  double temperature = 1.0;

  if (laurel_ctl_require (self, "model", error) == NULL
      || laurel_ctl_require (self, "reward-model", error) == NULL
      || laurel_ctl_require (self, "judge", error) == NULL
      || !laurel_ctl_get_int (self, "samples", 1, 65536, &n_samples, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &seed, error)
      || !laurel_ctl_get_int (self, "max-tokens", 1, G_MAXINT, &max_tokens, error)
      || !laurel_ctl_get_double (self, "temperature", 0.05, 100, &temperature, error))
    return FALSE;
  out->n_samples = (int) n_samples;
  out->seed = (guint64) seed;
  out->options = (LaurelSamplingOptions) LAUREL_SAMPLING_DEFAULTS;
  out->options.temperature = temperature;
  out->options.max_tokens = (int) max_tokens;
  out->options.seed = out->seed;
  return read_counts (self, out, error);
}

static gboolean
load (LaurelCtl *self, BestOf *out, GError **error)
{
  const char *split = laurel_ctl_get (self, "prompts");
  gint64 count = 0;
  LaurelStore *store;

  if (!laurel_ctl_get_int (self, "count", 1, G_MAXINT, &count, error)
      || !laurel_ctl_open_project (self, error))
    return FALSE;
  store = laurel_project_get_store (self->project);
  out->prompts = laurel_store_list_prompts (store, split != NULL ? split : "heldout", NULL,
                                            count > 0 ? (int) count : -1, 0, error);
  if (out->prompts == NULL)
    return FALSE;
  out->gold = laurel_rater_load (store, laurel_project_get_path (self->project),
                                 laurel_ctl_get (self, "judge"), error);
  if (out->gold == NULL)
    return FALSE;
  out->model = laurel_ctl_load_model (self, laurel_ctl_get (self, "model"), error);
  if (out->model == NULL)
    return FALSE;
  out->reward = laurel_ctl_load_model (self, laurel_ctl_get (self, "reward-model"), error);
  return out->reward != NULL;
}

static GPtrArray *
sample (LaurelCtl *self, const BestOf *best_of, GError **error)
{
  const LaurelBestOf proxy = { best_of->reward, 1, LAUREL_BEST_OF_MISSING_EOS_PENALTY };
  const LaurelEvaluationRequest request = { .model = best_of->model,
                                            .judge = best_of->gold->judge,
                                            .reward = best_of->gold->reward,
                                            .proxy = &proxy,
                                            .prompts = best_of->prompts,
                                            .n_completions =
                                                (int) best_of->prompts->len * best_of->n_samples,
                                            .options = best_of->options,
                                            .progress = progress_cb,
                                            .user_data = self };
  GPtrArray *judged;

  laurel_ctl_catch_interrupts ();
  judged = laurel_evaluate_sample (&request, error);
  laurel_ctl_hide_progress (self);
  return judged;
}

/* --- What comes out -------------------------------------------------------------------- */

static const struct {
  const char *name;
  gsize offset; /* of a LaurelInterval in LaurelBestOfEstimate */
} columns[] = {
  { "kl", G_STRUCT_OFFSET (LaurelBestOfEstimate, kl) },
  { "proxy", G_STRUCT_OFFSET (LaurelBestOfEstimate, proxy) },
  { "gold", G_STRUCT_OFFSET (LaurelBestOfEstimate, gold) },
  { "win_rate", G_STRUCT_OFFSET (LaurelBestOfEstimate, win_rate) },
  { "proxy_win_rate", G_STRUCT_OFFSET (LaurelBestOfEstimate, proxy_win_rate) },
  { "complied", G_STRUCT_OFFSET (LaurelBestOfEstimate, complied) },
  { "right", G_STRUCT_OFFSET (LaurelBestOfEstimate, right) },
  { "stopped", G_STRUCT_OFFSET (LaurelBestOfEstimate, stopped) },
  { "length", G_STRUCT_OFFSET (LaurelBestOfEstimate, length) },
};

static double
get_win_limit (const LaurelBestOfEstimate *estimate)
{
  return estimate->n / (estimate->n + 1.0);
}

static void
print_json (const LaurelBestOfEstimate *estimates, guint n)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < n; i++) {
    json_builder_begin_object (builder);
    laurel_json_add_int (builder, "n", estimates[i].n);
    laurel_json_add_double (builder, "kl_bound", estimates[i].kl_bound);
    laurel_json_add_double (builder, "win_rate_bound", get_win_limit (&estimates[i]));
    for (gsize c = 0; c < G_N_ELEMENTS (columns); c++)
      laurel_ctl_add_interval (builder, columns[c].name,
                               G_STRUCT_MEMBER_P (&estimates[i], columns[c].offset));
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  laurel_ctl_print_builder (builder);
}

/* Nothing where there is no figure. */
static void
print_csv_number (double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  printf (",%s", isnan (value) ? "" : g_ascii_dtostr (text, sizeof text, value));
}

static void
print_csv (const LaurelBestOfEstimate *estimates, guint n)
{
  printf ("n,kl_bound,win_rate_bound");
  for (gsize c = 0; c < G_N_ELEMENTS (columns); c++)
    printf (",%s,%s_low,%s_high", columns[c].name, columns[c].name, columns[c].name);
  printf ("\n");
  for (guint i = 0; i < n; i++) {
    printf ("%d", estimates[i].n);
    print_csv_number (estimates[i].kl_bound);
    print_csv_number (get_win_limit (&estimates[i]));
    for (gsize c = 0; c < G_N_ELEMENTS (columns); c++) {
      const LaurelInterval *interval = G_STRUCT_MEMBER_P (&estimates[i], columns[c].offset);

      print_csv_number (interval->value);
      print_csv_number (interval->low);
      print_csv_number (interval->high);
    }
    printf ("\n");
  }
}

static void
print_table (const BestOf *best_of,
             const char *reward_name,
             const LaurelBestOfEstimate *estimates,
             guint n)
{
  LaurelCtlTable *table =
      laurel_ctl_table_new ("N", "KL AT MOST", "KL", "PROXY", "GOLD", "BEATS ONE SAMPLE",
                            "AT MOST", "LENGTH", NULL);

  for (guint i = 0; i < n; i++) {
    const LaurelBestOfEstimate *estimate = &estimates[i];
    g_autofree char *proxy = laurel_interval_format (&estimate->proxy, FALSE);
    g_autofree char *gold = laurel_interval_format (&estimate->gold, FALSE);
    g_autofree char *wins = laurel_interval_format (&estimate->win_rate, TRUE);

    laurel_ctl_table_add (table, "%d\t%.3f\t%.3f\t%s\t%s\t%s\t%.1f %%\t%.1f", estimate->n,
                          estimate->kl_bound, estimate->kl.value, proxy, gold, wins,
                          100 * get_win_limit (estimate), estimate->length.value);
  }
  laurel_ctl_table_print (table);
  printf ("%d samples of each of %u prompts; proxy “%s”, gold “%s”; 95 %% intervals, prompts "
          "drawn again\n",
          best_of->n_samples, best_of->prompts->len, reward_name, best_of->gold->name);
}

gboolean
laurel_ctl_run_bon (LaurelCtl *self, GError **error)
{
  g_auto (BestOf) best_of = { 0 };
  g_autoptr (GPtrArray) judged = NULL;
  g_autofree LaurelBestOfEstimate *estimates = NULL;

  if (!read_options (self, &best_of, error) || !load (self, &best_of, error))
    return FALSE;
  judged = sample (self, &best_of, error);
  if (judged == NULL)
    return FALSE;
  estimates = g_new (LaurelBestOfEstimate, best_of.counts->len);
  for (guint i = 0; i < best_of.counts->len; i++)
    laurel_best_of_estimate (judged, best_of.n_samples, g_array_index (best_of.counts, int, i),
                             best_of.seed, &estimates[i]);
  if (self->json)
    print_json (estimates, best_of.counts->len);
  else if (laurel_ctl_has (self, "csv"))
    print_csv (estimates, best_of.counts->len);
  else
    print_table (&best_of, laurel_ctl_get (self, "reward-model"), estimates, best_of.counts->len);
  return TRUE;
}

const LaurelCtlOption laurel_ctl_bon_options[] = {
  { "model", "M", "The model that writes: a name or a Hugging Face directory", FALSE },
  { "reward-model", "M", "The reward model that chooses: the proxy", FALSE },
  { "judge", "JUDGE", "What they are really worth: a rule file or a reward model", FALSE },
  { "samples", "N", "Samples of each prompt (64)", FALSE },
  { "n", "N,N,…", "For best of these (1, 2, 4, … up to the samples)", FALSE },
  { "prompts", "SPLIT", "“heldout” or “train” (heldout)", FALSE },
  { "count", "N", "Only the first N prompts (all)", FALSE },
  { "temperature", "T", "Of the sampling (1)", FALSE },
  { "max-tokens", "N", "The longest completion (64)", FALSE },
  { "seed", "N", "Of sampling and intervals (0)", FALSE },
  { "csv", NULL, "Comma-separated values, one n a line", FALSE },
  { NULL }
};

void
laurel_ctl_help_bon (GString *text)
{
  g_string_append (
      text,
      "\nEach prompt is answered N times, once. What best of n would be like for every n up to N "
      "follows without\nbias from all subsets of n, so larger n cost nothing but wider intervals "
      "near N. A sample that does\nnot end by itself scores 1 lower, as in PPO; a completion tied "
      "with others stands for all of them.\n\n"
      "KL AT MOST is log n − (n−1)/n, which holds for any proxy. KL is that of the distribution "
      "that the\nsamples show: less, where a model writes the same thing twice or the proxy cannot "
      "tell two apart.\nBEATS ONE SAMPLE is how often the judge prefers the best of n to one more "
      "sample, ties as half; it\ncannot pass n/(n+1).\n");
}
