/* measure.c: timing, reporting, and the data that the workloads run on.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/bench/bench.h"

#include "core/base/rng.h"

#include <math.h>
#include <stdlib.h>

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

double
laurel_bench_median (double *values, int n)
{
  qsort (values, (gsize) n, sizeof *values, compare_doubles);
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double
laurel_bench_time (const LaurelBench *bench, void (*func) (gpointer data), gpointer data)
{
  g_autofree double *seconds = g_new (double, bench->n_times);

  func (data);
  for (int i = 0; i < bench->n_times; i++) {
    gint64 from = g_get_monotonic_time ();

    func (data);
    seconds[i] = (double) (g_get_monotonic_time () - from) / G_USEC_PER_SEC;
  }
  return laurel_bench_median (seconds, bench->n_times);
}

static void
write_line (LaurelBench *bench,
            LaurelBenchLimit limit,
            const char *name,
            double seconds,
            double amount,
            const char *unit,
            double flop,
            double bytes)
{
  fprintf (bench->out, "%d\t%.9g\t%.9g\t%.9g\t%.9g\t%s\t%s\n", limit, seconds, amount, flop, bytes,
           unit, name);
}

void
laurel_bench_report (LaurelBench *bench,
                     const char *name,
                     double seconds,
                     double amount,
                     const char *unit,
                     double flop,
                     double bytes)
{
  /* A clock of microseconds can find that something took no time. */
  write_line (bench, LAUREL_BENCH_NO_LIMIT, name, fmax (seconds, 1e-9), amount, unit, flop, bytes);
}

void
laurel_bench_report_limit (LaurelBench *bench,
                           LaurelBenchLimit limit,
                           const char *name,
                           double seconds,
                           double amount,
                           const char *unit)
{
  write_line (bench, limit, name, fmax (seconds, 1e-9), amount, unit, 0, 0);
}

double
laurel_bench_forward_flop (const LaurelModelConfig *config, int rows, int tokens, int labels)
{
  double C = config->n_embd, L = config->n_layer;
  double layers = L * (4 * C * C + 2 * C * config->n_inner);

  double head = 2.0 * labels * config->vocab_size * C;

  return (double) rows * tokens * (2 * layers + 4 * L * C * tokens) + head;
}

gint32 *
laurel_bench_make_tokens (const LaurelModelConfig *config, int n)
{
  gint32 *tokens = g_new (gint32, n);
  LaurelRng rng;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < n; i++)
    tokens[i] = (gint32) laurel_rng_below (&rng, (guint32) config->vocab_size);
  return tokens;
}

static void
append_word (GString *text, guint32 word, gboolean capital)
{
  static const char *const onsets[] = { "b", "c", "d", "f", "g", "h", "l", "m", "n", "p",
                                        "r", "s", "t", "v", "w", "", "", "st", "tr", "th" };
  static const char *const ends[] = { "a", "e", "i", "o", "u", "an", "en", "in", "on", "er",
                                      "al", "is", "at", "ing", "ed", "ou" };
  gsize start = text->len;

  do {
    g_string_append (text, onsets[word % G_N_ELEMENTS (onsets)]);
    word /= G_N_ELEMENTS (onsets);
    g_string_append (text, ends[word % G_N_ELEMENTS (ends)]);
    word /= G_N_ELEMENTS (ends);
  } while (word > 0);
  if (capital)
    text->str[start] = g_ascii_toupper (text->str[start]);
}

GString *
laurel_bench_make_text (gsize n_bytes, guint32 n_words)
{
  GString *text = g_string_sized_new (n_bytes + 64);
  LaurelRng rng;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 1);
  while (text->len < n_bytes) {
    int length = 4 + (int) laurel_rng_below (&rng, 20);

    for (int i = 0; i < length; i++) {
      /* Zipf's law: the share of a word falls as one over its rank. */
      double rank = pow (n_words, laurel_rng_uniform (&rng)) - 1;

      append_word (text, (guint32) rank, i == 0);
      if (laurel_rng_below (&rng, 40) == 0)
        g_string_append_printf (text, " %u", laurel_rng_below (&rng, 3000));
      g_string_append (text, i + 1 == length                    ? "."
                             : laurel_rng_below (&rng, 12) == 0 ? ", "
                                                                : " ");
    }
    g_string_append (text, laurel_rng_below (&rng, 6) == 0 ? "\n\n" : " ");
  }
  return text;
}
