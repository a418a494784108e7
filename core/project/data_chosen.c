/* data_chosen.c: fine-tuning on the best completion of each ranking.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

#include "core/train/comparison.h"

/* So many rankings that are left out for one reason are named before “and N more”. */
#define MAX_NAMED 8

static int
find_best_rank (const LaurelComparison *comparison, gboolean *out_all_tied)
{
  int best = comparison->ranks[0];

  *out_all_tied = TRUE;
  for (int k = 1; k < comparison->n; k++) {
    *out_all_tied &= comparison->ranks[k] == comparison->ranks[0];
    best = MIN (best, comparison->ranks[k]);
  }
  return best;
}

/* Whether a person would read nothing, whatever a template puts before it. */
static gboolean
is_empty (const LaurelSequence *completion, const LaurelModel *model)
{
  int n = completion->n_tokens - completion->n_prompt;
  g_autofree char *text = laurel_template_decode_completion (
      model->chat_template, model->tokenizer, completion->tokens + completion->n_prompt, (gsize) n);

  return g_strstrip (text)[0] == '\0';
}

/* Rankings by number, from 1, that were left out for one reason. */
typedef struct {
  const char *what;
  GArray *numbers; /* (element-type guint) */
} Reason;

static void
describe_reason (GString *note, const Reason *reason)
{
  const GArray *numbers = reason->numbers;

  if (numbers->len == 0)
    return;
  g_string_append_printf (note, "%s %u %s (ranking%s",
                          note->str[note->len - 1] == ')' ? "," : "", numbers->len, reason->what,
                          numbers->len > 1 ? "s" : "");
  for (guint i = 0; i < MIN (numbers->len, MAX_NAMED); i++)
    g_string_append_printf (note, "%s %u", i > 0 ? "," : "", g_array_index (numbers, guint, i));
  if (numbers->len > MAX_NAMED)
    g_string_append_printf (note, " and %u more", numbers->len - MAX_NAMED);
  g_string_append_c (note, ')');
}

/* The completions at the top of a ranking, of which ties make several. */
static void
choose (const LaurelComparison *comparison,
        guint number,
        const LaurelModel *model,
        const LaurelHyperparameters *hp,
        Reason reasons[3],
        LaurelTrainData *out)
{
  gboolean all_tied;
  int best = find_best_rank (comparison, &all_tied);
  GPtrArray *side = laurel_comparison_is_held_out (hp, comparison->prompt_id) ? out->eval_sequences
                                                                              : out->sequences;

  if (all_tied) {
    g_array_append_val (reasons[0].numbers, number);
    return;
  }
  for (int k = 0; k < comparison->n; k++) {
    const LaurelSequence *completion = comparison->completions[k];

    if (comparison->ranks[k] != best)
      continue;
    if (is_empty (completion, model))
      g_array_append_val (reasons[1].numbers, number);
    else if (completion->n_tokens > laurel_data_max_length (model, hp))
      g_array_append_val (reasons[2].numbers, number);
    else
      g_ptr_array_add (side, laurel_sequence_new (completion->tokens, completion->n_tokens,
                                                  completion->n_prompt));
  }
}

void
laurel_data_choose (const LaurelModel *model, const LaurelHyperparameters *hp, LaurelTrainData *out)
{
  g_autofree char *too_long =
      g_strdup_printf ("longer than %d tokens", laurel_data_max_length (model, hp));
  Reason reasons[] = { { "with all completions tied", g_array_new (FALSE, FALSE, sizeof (guint)) },
                       { "with an empty one at the top",
                         g_array_new (FALSE, FALSE, sizeof (guint)) },
                       { too_long, g_array_new (FALSE, FALSE, sizeof (guint)) } };
  guint n_left_out = 0;
  GString *note = g_string_new ("Left out of the chosen completions:");

  for (guint i = 0; i < out->comparisons->len; i++)
    choose (g_ptr_array_index (out->comparisons, i), i + 1, model, hp, reasons, out);
  for (gsize r = 0; r < G_N_ELEMENTS (reasons); r++) {
    n_left_out += reasons[r].numbers->len;
    describe_reason (note, &reasons[r]);
    g_array_unref (reasons[r].numbers);
  }
  if (n_left_out > 0)
    g_ptr_array_add (out->notes, g_strdup (note->str));
  g_string_free (note, TRUE);
}
