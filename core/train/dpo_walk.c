/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/dpo_walk.h"

#include "core/train/comparison.h"
#include "core/train/monitor.h"
#include "core/train/sequence.h"

#include <string.h>

LaurelDpoRow *
laurel_dpo_row_new (const LaurelComparison *comparison, int limit)
{
  LaurelDpoRow *self = g_new0 (LaurelDpoRow, 1);

  self->comparison = comparison;
  self->twins = laurel_comparison_find_twins (comparison);
  self->ref_logprobs = g_new0 (double, comparison->n);
  self->limit = limit;
  for (int k = 0; k < comparison->n; k++)
    self->n_tokens += MIN (comparison->completions[k]->n_tokens, limit);
  return self;
}

void
laurel_dpo_row_free (LaurelDpoRow *self)
{
  g_free (self->twins);
  g_free (self->ref_logprobs);
  g_free (self);
}

static LaurelDpoRow *
get_row (GPtrArray *rows, const guint32 *order, int i)
{
  return g_ptr_array_index (rows, order != NULL ? order[i] : (guint32) i);
}

static int
count_labels (const LaurelDpoRow *row, int k)
{
  const LaurelSequence *completion = row->comparison->completions[k];

  return laurel_sequence_count_labels (completion, MIN (completion->n_tokens, row->limit));
}

/* Rows from @from on as they fit, with labels on their responses; returns the first that did not.
 */
static int
pack (LaurelMicroBatch *micro, GPtrArray *rows, const guint32 *order, int from, int n)
{
  laurel_micro_batch_clear (micro);
  for (; from < n; from++) {
    const LaurelDpoRow *row = get_row (rows, order, from);

    if (!laurel_micro_batch_fits (micro, row->n_tokens))
      break;
    for (int k = 0; k < row->comparison->n; k++) {
      const LaurelSequence *completion = row->comparison->completions[k];

      laurel_micro_batch_add_masked (micro, completion->tokens, completion->learned,
                                     MIN (completion->n_tokens, row->limit),
                                     laurel_sequence_first_label (completion), 0);
    }
  }
  return from;
}

/* log π of each label into the micro-batch's outputs. */
static void
read_logprobs (LaurelPass *pass, LaurelMicroBatch *micro)
{
  LaurelLabels labels = laurel_micro_batch_as_labels (micro);

  laurel_pass_forward (pass, micro);
  laurel_lm_head_logprobs (pass->model, pass->hidden, &labels, 1, micro->outputs, NULL);
}

static double
sum_labels (const LaurelMicroBatch *micro, int from, int n)
{
  double sum = 0;

  for (int i = 0; i < n; i++)
    sum += micro->outputs[from + i];
  return sum;
}

gboolean
laurel_dpo_refer (LaurelPass *pass,
                  LaurelMicroBatch *micro,
                  GPtrArray *rows,
                  const LaurelMonitor *monitor,
                  GError **error)
{
  for (int at = 0; at < (int) rows->len;) {
    int from = at, label = 0;

    if (!laurel_monitor_go_on (monitor, NULL, error))
      return FALSE;
    at = pack (micro, rows, NULL, from, (int) rows->len);
    read_logprobs (pass, micro);
    for (int i = from; i < at; i++) {
      LaurelDpoRow *row = get_row (rows, NULL, i);

      for (int k = 0; k < row->comparison->n; k++) {
        row->ref_logprobs[k] = sum_labels (micro, label, count_labels (row, k));
        label += count_labels (row, k);
      }
    }
  }
  return TRUE;
}

static void
add_stats (LaurelDpoStats *sum, const LaurelDpoStats *stats)
{
  sum->n_pairs += stats->n_pairs;
  sum->n_right += stats->n_right;
  sum->chosen += stats->chosen;
  sum->rejected += stats->rejected;
  sum->logps_chosen += stats->logps_chosen;
  sum->logps_rejected += stats->logps_rejected;
}

/* The loss of a row whose labels start at *@label, and its derivative by each label into the
 * micro-batch's doutputs: a completion's is the same at all of its tokens. */
static void
add_row (const LaurelDpoRow *row,
         LaurelMicroBatch *micro,
         const LaurelHyperparameters *hp,
         double scale,
         int *label,
         LaurelDpoSums *out)
{
  const LaurelComparison *comparison = row->comparison;
  g_autofree LaurelDpoCompletion *completions = g_new (LaurelDpoCompletion, comparison->n);
  g_autofree double *dlogprobs = g_new (double, comparison->n);
  LaurelDpoStats stats;
  int at = *label;

  for (int k = 0; k < comparison->n; k++) {
    int n = count_labels (row, k);

    completions[k] =
        (LaurelDpoCompletion) { sum_labels (micro, at, n), row->ref_logprobs[k], n };
    at += n;
  }
  out->loss += laurel_dpo_loss (completions, comparison->ranks, row->twins, comparison->n, hp,
                                scale, dlogprobs, &stats);
  out->n_prompts++;
  add_stats (&out->pairs, &stats);
  for (int k = 0; k < comparison->n; k++)
    for (int i = 0; i < completions[k].n_tokens; i++)
      micro->doutputs[(*label)++] = (float) dlogprobs[k];
}

/* The head's second pass: the derivatives are known, the loss has been summed. */
static double
token_loss_cb (int i, float logprob, double *dlogprob, gpointer user_data)
{
  const LaurelMicroBatch *micro = user_data;

  *dlogprob = micro->doutputs[i];
  return 0;
}

static void
add_gradient (LaurelPass *pass, LaurelMicroBatch *micro, float *gradients)
{
  LaurelLabels labels = laurel_micro_batch_as_labels (micro);

  laurel_lm_head_loss (pass->model, pass->hidden, &labels, 1, token_loss_cb, micro, 1, NULL,
                       pass->dhidden, gradients);
  laurel_pass_backward (pass, micro, gradients);
}

gboolean
laurel_dpo_walk (LaurelPass *pass,
                 LaurelMicroBatch *micro,
                 GPtrArray *rows,
                 const guint32 *order,
                 int n,
                 const LaurelHyperparameters *hp,
                 float *gradients,
                 const LaurelMonitor *monitor,
                 gboolean *checkpoint_wanted,
                 LaurelDpoSums *out,
                 GError **error)
{
  memset (out, 0, sizeof *out);
  for (int at = 0; at < n;) {
    int from = at, label = 0;

    if (!laurel_monitor_go_on (monitor, checkpoint_wanted, error))
      return FALSE;
    at = pack (micro, rows, order, from, n);
    read_logprobs (pass, micro);
    for (int i = from; i < at; i++)
      add_row (get_row (rows, order, i), micro, hp, 1.0 / n, &label, out);
    if (gradients != NULL)
      add_gradient (pass, micro, gradients);
  }
  return TRUE;
}
