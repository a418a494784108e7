/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/samples.h"

#include "core/model/generate.h"
#include "core/train/monitor.h"

/* Cooler than the model is, and without the tail, which is noise in a small one. */
#define TEMPERATURE 0.8
#define TOP_P 0.95

typedef struct {
  const LaurelMonitor *monitor;
  GError *error;
} Sampling;

static gboolean
go_on_cb (int n_done, int n_all, gpointer user_data)
{
  Sampling *self = user_data;

  return laurel_monitor_go_on (self->monitor, NULL, self->error == NULL ? &self->error : NULL);
}

/* The first sequence of row @row up to what is learned. */
static void
take_beginning (const LaurelRows *rows, gsize row, int limit, GArray *out)
{
  g_auto (LaurelRagged) sequences = { 0 };
  guint n = 1;

  laurel_ragged_init (&sequences);
  laurel_rows_gather (rows, row, limit, &sequences);
  while (n + 1 < sequences.tokens->len && !g_array_index (sequences.learned, guint8, n))
    n++;
  g_array_append_vals (out, sequences.tokens->data, n);
}

/* On one line of the log. */
static char *
decode_line (const LaurelModel *model, const gint32 *tokens, gsize n)
{
  g_autofree char *text = laurel_tokenizer_decode (model->tokenizer, tokens, n, FALSE);
  g_auto (GStrv) lines = g_strsplit (g_strstrip (text), "\n", -1);

  return g_strjoinv (" ⏎ ", lines);
}

static void
log_sample (const LaurelModel *model,
            const LaurelPromptTokens *prompt,
            const LaurelSample *sample,
            int step,
            const LaurelMonitor *monitor)
{
  g_autofree char *before =
      decode_line (model, prompt->tokens, (gsize) prompt->n_tokens);
  g_autofree char *after = decode_line (model, sample->tokens, (gsize) sample->n_tokens);

  if (before[0] == '\0')
    laurel_monitor_log (monitor, "Step %d writes: %s", step, after);
  else
    laurel_monitor_log (monitor, "Step %d writes after “%s”: %s", step, before, after);
}

static gboolean
generate (const LaurelModel *model,
          const LaurelPromptTokens *prompts,
          int n,
          const LaurelHyperparameters *hp,
          int step,
          const LaurelMonitor *monitor,
          GError **error)
{
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  Sampling sampling = { monitor, NULL };
  g_autoptr (GPtrArray) samples = NULL;
  GError *local = NULL;

  options.temperature = TEMPERATURE;
  options.top_p = TOP_P;
  options.max_tokens = LAUREL_SAMPLES_MAX_TOKENS;
  options.seed = (guint64) hp->seed;
  samples = laurel_generate (model, prompts, n, 1, &options, go_on_cb, &sampling, &local);
  for (guint i = 0; samples != NULL && i < samples->len; i++)
    log_sample (model, &prompts[i], g_ptr_array_index (samples, i), step, monitor);
  if (samples == NULL && sampling.error != NULL) {
    g_clear_error (&local);
    local = g_steal_pointer (&sampling.error);
  }
  g_clear_error (&sampling.error);
  if (local != NULL)
    g_propagate_error (error, local);
  return samples != NULL;
}

gboolean
laurel_samples_log (const LaurelModel *model,
                    const LaurelRows *rows,
                    const LaurelHyperparameters *hp,
                    int step,
                    int limit,
                    const LaurelMonitor *monitor,
                    GError **error)
{
  int n = (int) MIN ((gsize) hp->eval_samples, laurel_rows_count (rows));
  g_autofree LaurelPromptTokens *prompts = g_new0 (LaurelPromptTokens, hp->eval_samples);
  g_autofree guint *starts = g_new0 (guint, hp->eval_samples + 1);
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));

  if (n == 0 || model->tokenizer == NULL || monitor == NULL || monitor->log == NULL)
    return TRUE;
  for (int i = 0; i < n; i++) {
    take_beginning (rows, (gsize) i, MIN (limit, model->config.n_positions - 1), tokens);
    starts[i + 1] = tokens->len;
  }
  for (int i = 0; i < n; i++) {
    prompts[i].tokens = &g_array_index (tokens, gint32, starts[i]);
    prompts[i].n_tokens = (int) (starts[i + 1] - starts[i]);
    prompts[i].stream = (guint64) step << 8 | (guint64) i;
  }
  return generate (model, prompts, n, hp, step, monitor, error);
}
