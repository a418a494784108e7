/* best_of.c: laurelctl evaluate bon.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/evaluate.h"

#include "core/base/error.h"
#include "core/project/evaluation_export.h"
#include "core/project/report.h"

#include <stdio.h>

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "sampling", (double) n_done / MAX (n_all, 1), -1.0);
  return laurel_ctl_go_on ();
}

/* Those that are named; without --n @out stays as it is. */
static gboolean
read_counts (LaurelCtl *self, int n_samples, GArray *out, GError **error)
{
  const char *text = laurel_ctl_get (self, "n");
  g_auto (GStrv) words = text != NULL ? g_strsplit (text, ",", -1) : NULL;

  for (int i = 0; words != NULL && words[i] != NULL; i++) {
    guint64 wide;
    int n;

    if (!g_ascii_string_to_unsigned (words[i], 10, 1, (guint64) n_samples, &wide, NULL)) {
      g_set_error (error, LAUREL_CTL_USAGE, 0,
                   "Could not understand “--n %s”: “%s” is no whole number from 1 to the %d "
                   "samples; write them with commas, as in 1,4,16",
                   text, words[i], n_samples);
      return FALSE;
    }
    n = (int) wide;
    g_array_append_val (out, n);
  }
  return TRUE;
}

static gboolean
read_request (LaurelCtl *self, LaurelBestOfRequest *out, GArray *counts, GError **error)
{
  gint64 n_samples = 64, seed = 0, max_tokens = 64, count = 0;
  double temperature = 1.0;

  out->model = laurel_ctl_require (self, "model", error);
  out->reward_model = out->model != NULL ? laurel_ctl_require (self, "reward-model", error) : NULL;
  out->judge = out->reward_model != NULL ? laurel_ctl_require (self, "judge", error) : NULL;
  if (out->judge == NULL || !laurel_ctl_get_int (self, "samples", 1, 65536, &n_samples, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &seed, error)
      || !laurel_ctl_get_int (self, "max-tokens", 1, G_MAXINT, &max_tokens, error)
      || !laurel_ctl_get_double (self, "temperature", 0.05, 100, &temperature, error)
      || !laurel_ctl_get_int (self, "count", 1, G_MAXINT, &count, error)
      || !read_counts (self, (int) n_samples, counts, error))
    return FALSE;
  out->split = laurel_ctl_get (self, "prompts");
  out->n_prompts = (int) count;
  out->n_samples = (int) n_samples;
  out->counts = counts->len > 0 ? (const int *) (const void *) counts->data : NULL;
  out->n_counts = (int) counts->len;
  out->options = (LaurelSamplingOptions) LAUREL_SAMPLING_DEFAULTS;
  out->options.temperature = temperature;
  out->options.max_tokens = (int) max_tokens;
  out->options.seed = (guint64) seed;
  out->progress = progress_cb;
  out->user_data = self;
  return TRUE;
}

/* --- What comes out -------------------------------------------------------------------- */

static void
print_json (const LaurelBestOfCurve *curve)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  laurel_best_of_add_json (builder, curve->estimates);
  laurel_ctl_print_builder (builder);
}

static void
print_csv (const LaurelBestOfCurve *curve)
{
  g_autofree char *csv = laurel_best_of_to_csv (curve->estimates);

  printf ("%s", csv);
}

static void
print_table (const LaurelBestOfCurve *curve, const char *reward_name)
{
  LaurelCtlTable *table =
      laurel_ctl_table_new ("N", "KL AT MOST", "KL", "PROXY", "GOLD", "BEATS ONE SAMPLE",
                            "AT MOST", "LENGTH", NULL);

  for (guint i = 0; i < curve->estimates->len; i++) {
    const LaurelBestOfEstimate *estimate =
        &g_array_index (curve->estimates, LaurelBestOfEstimate, i);
    g_autofree char *proxy = laurel_interval_format (&estimate->proxy, FALSE);
    g_autofree char *gold = laurel_interval_format (&estimate->gold, FALSE);
    g_autofree char *wins = laurel_interval_format (&estimate->win_rate, TRUE);

    laurel_ctl_table_add (table, "%d\t%.3f\t%.3f\t%s\t%s\t%s\t%.1f %%\t%.1f", estimate->n,
                          estimate->kl_bound, estimate->kl.value, proxy, gold, wins,
                          100 * laurel_best_of_win_limit (estimate->n), estimate->length.value);
  }
  laurel_ctl_table_print (table);
  printf ("%d samples of each of %d prompts; proxy “%s”, gold “%s”; 95 %% intervals, prompts "
          "drawn again\n",
          curve->n_samples, curve->n_prompts, reward_name, curve->gold);
}

gboolean
laurel_ctl_run_bon (LaurelCtl *self, GError **error)
{
  LaurelBestOfRequest request = { 0 };
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (LaurelBestOfCurve) curve = NULL;

  if (!read_request (self, &request, counts, error) || !laurel_ctl_open_project (self, error))
    return FALSE;
  laurel_ctl_catch_interrupts ();
  curve = laurel_evaluate_best_of (laurel_project_get_store (self->project),
                                   laurel_project_get_path (self->project), &request, error);
  laurel_ctl_hide_progress (self);
  if (curve == NULL)
    return FALSE;
  if (self->json)
    print_json (curve);
  else if (laurel_ctl_has (self, "csv"))
    print_csv (curve);
  else
    print_table (curve, request.reward_model);
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
