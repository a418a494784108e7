/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/reward_walk.h"

#include "core/train/comparison.h"
#include "core/train/monitor.h"

#include <string.h>

LaurelRewardRow *
laurel_reward_row_new (const LaurelComparison *comparison, int limit)
{
  LaurelRewardRow *self = g_new0 (LaurelRewardRow, 1);

  self->comparison = comparison;
  self->twins = laurel_comparison_find_twins (comparison);
  for (int i = 0; i < comparison->n; i++)
    self->n_tokens += MIN (comparison->completions[i]->n_tokens, limit);
  return self;
}

void
laurel_reward_row_free (LaurelRewardRow *self)
{
  g_free (self->twins);
  g_free (self);
}

static const LaurelRewardRow *
get_row (GPtrArray *rows, const guint32 *order, int i)
{
  return g_ptr_array_index (rows, order != NULL ? order[i] : (guint32) i);
}

static int
pack (LaurelMicroBatch *micro, GPtrArray *rows, const guint32 *order, int from, int n, int limit)
{
  laurel_micro_batch_clear (micro);
  for (; from < n; from++) {
    const LaurelRewardRow *row = get_row (rows, order, from);

    if (!laurel_micro_batch_fits (micro, row->n_tokens))
      break;
    for (int k = 0; k < row->comparison->n; k++) {
      const LaurelSequence *completion = row->comparison->completions[k];
      int n_tokens = MIN (completion->n_tokens, limit);

      laurel_micro_batch_add (micro, completion->tokens, n_tokens, n_tokens, 0);
    }
  }
  /* The score is read at each sequence's last token. */
  for (int b = 0; b < micro->n_sequences; b++)
    micro->positions[b] = micro->offsets[b + 1] - 1;
  return from;
}

gboolean
laurel_reward_walk (LaurelPass *pass,
                    LaurelMicroBatch *micro,
                    GPtrArray *rows,
                    const guint32 *order,
                    int n,
                    int limit,
                    const LaurelRewardRule *rule,
                    float *gradients,
                    const LaurelMonitor *monitor,
                    gboolean *checkpoint_wanted,
                    LaurelRewardSums *out,
                    GError **error)
{
  memset (out, 0, sizeof *out);
  for (int at = 0; at < n;) {
    int from = at;
    int k = 0;

    if (!laurel_monitor_go_on (monitor, checkpoint_wanted, error))
      return FALSE;
    at = pack (micro, rows, order, from, n, limit);
    laurel_pass_forward (pass, micro);
    laurel_score_head_forward (pass->model, pass->hidden, micro->positions, micro->n_sequences,
                               micro->outputs);
    for (int i = from; i < at; i++) {
      const LaurelRewardRow *row = get_row (rows, order, i);
      LaurelRewardStats stats;

      out->loss += laurel_reward_loss (rule, micro->outputs + k, row->comparison->ranks, row->twins,
                                       row->comparison->n, 1.0 / n, micro->doutputs + k, &stats);
      out->n_prompts++;
      out->n_strict += stats.n_strict;
      out->n_right += stats.n_right;
      out->margin += stats.margin;
      k += row->comparison->n;
    }
    if (gradients == NULL)
      continue;
    laurel_score_head_backward (pass->model, pass->hidden, micro->positions, micro->n_sequences,
                                micro->doutputs, pass->dhidden, gradients);
    laurel_pass_backward (pass, micro, gradients);
  }
  return TRUE;
}
