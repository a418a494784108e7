/* reward_words.c: an evaluation of a reward model in plain words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/reward_report_private.h"

#include <glib/gi18n.h>
#include <math.h>

/* Below these an accuracy has an interval of tens of points, and nothing more is said of it. */
#define FEWEST_PAIRS 30
#define FEWEST_PROMPTS 10
/* A correlation that explains less than a twenty-fifth of the variance is not worth a sentence. */
#define LEAST_CORRELATION 0.2
/* A margin to explain calibration by: the model says σ(2) = 88 %. */
#define EXAMPLE_MARGIN 2.0

static void G_GNUC_PRINTF (2, 3)
add_sentence (GString *text, const char *format, ...)
{
  va_list arguments;

  if (text->len > 0)
    g_string_append_c (text, ' ');
  va_start (arguments, format);
  g_string_append_vprintf (text, format, arguments);
  va_end (arguments);
}

char *
laurel_with_minus_signs (char *text)
{
  GString *mended = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at++)
    if (*at == '-' && g_ascii_isdigit (at[1]))
      g_string_append (mended, "−");
    else
      g_string_append_c (mended, *at);
  g_free (text);
  return g_string_free (mended, FALSE);
}

static double
percent (double share)
{
  return 100 * share;
}

static void
judge_accuracy (const LaurelRewardReport *self, GString *text)
{
  const LaurelInterval *accuracy = &self->figures.accuracy;

  if (accuracy->low <= 0.5)
    add_sentence (text,
                  _ ("Not shown to be better than a coin: right on %.0f %% of %d pairs, and %.0f "
                     "%% to %.0f %% are as likely."),
                  percent (accuracy->value), accuracy->n, percent (accuracy->low),
                  percent (accuracy->high));
  else if (isnan (self->agreement.value))
    add_sentence (text,
                  _ ("Better than a coin: right on %.0f %% of %d pairs (%.0f %% to %.0f %%). What "
                     "the labels allow is not known, as no task has been ranked twice."),
                  percent (accuracy->value), accuracy->n, percent (accuracy->low),
                  percent (accuracy->high));
  else if (accuracy->high >= self->agreement.value)
    add_sentence (text,
                  _ ("As good as the labels can show: right on %.0f %% of the pairs, where "
                     "labelers agree with each other on %.0f %%."),
                  percent (accuracy->value), percent (self->agreement.value));
  else
    add_sentence (text,
                  _ ("Better than a coin, and below the labels: right on %.0f %% of the pairs "
                     "(%.0f %% at best), where labelers agree with each other on %.0f %%."),
                  percent (accuracy->value), percent (accuracy->high),
                  percent (self->agreement.value));
}

static void
judge_calibration (const LaurelRewardReport *self, GString *text)
{
  const LaurelInterval *slope = &self->figures.slope;
  double said = 1 / (1 + exp (-EXAMPLE_MARGIN));
  double meant = 1 / (1 + exp (-EXAMPLE_MARGIN * slope->value));

  if (slope->high < 1)
    add_sentence (text,
                  _ ("It is too sure of itself: where it says %.0f %%, %.0f %% would be right."),
                  percent (said), percent (meant));
  else if (slope->low > 1)
    add_sentence (text,
                  _ ("It is less sure than it could be: where it says %.0f %%, %.0f %% would be "
                     "right."),
                  percent (said), percent (meant));
}

static void
judge_length (const LaurelRewardReport *self, GString *text)
{
  const LaurelInterval *partial = &self->figures.partial_length;

  if (partial->value >= LEAST_CORRELATION && partial->low > 0)
    add_sentence (text,
                  _ ("It likes longer completions beyond what their ranks say (correlation %.2f)."),
                  partial->value);
  else if (partial->value <= -LEAST_CORRELATION && partial->high < 0)
    add_sentence (text,
                  _ ("It likes shorter completions beyond what their ranks say (correlation "
                     "%.2f)."),
                  partial->value);
}

char *
laurel_reward_report_judge (const LaurelRewardReport *self)
{
  const LaurelRewardEvaluation *figures = &self->figures;
  g_autoptr (GString) text = g_string_new (NULL);

  if (figures->n_pairs < FEWEST_PAIRS || figures->n_prompts < FEWEST_PROMPTS) {
    add_sentence (text, _ ("Too little to judge by: %d pairs of %d prompts. Rank more of them."),
                  figures->n_pairs, figures->n_prompts);
    return g_string_free (g_steal_pointer (&text), FALSE);
  }
  if (self->all)
    add_sentence (text, _ ("It was trained on some of these prompts, which flatters it."));
  else if (!self->split_known)
    add_sentence (text, _ ("Whether it was trained on these prompts is not known."));
  judge_accuracy (self, text);
  judge_calibration (self, text);
  judge_length (self, text);
  return laurel_with_minus_signs (g_string_free (g_steal_pointer (&text), FALSE));
}

/* --- Groups ------------------------------------------------------------------------------ */

const char *
laurel_reward_group_kind_title (LaurelRewardGroupKind kind)
{
  static const char *const titles[LAUREL_N_GROUPS] = {
    N_ ("Labeler"),
    N_ ("Length, better − worse, tokens"),
    N_ ("Ranks apart"),
    N_ ("Quality, better − worse"),
  };

  return _ (titles[kind]);
}

GArray *
laurel_reward_report_get_groups (const LaurelRewardReport *self, LaurelRewardGroupKind kind)
{
  switch (kind) {
  case LAUREL_GROUP_LABELER: return self->figures.by_labeler;
  case LAUREL_GROUP_LENGTH_GAP: return self->figures.by_length_gap;
  case LAUREL_GROUP_RANK_DISTANCE: return self->figures.by_rank_distance;
  case LAUREL_GROUP_QUALITY_GAP:
  default: return self->figures.by_quality_gap;
  }
}

char *
laurel_reward_report_name_group (const LaurelRewardReport *self,
                                 LaurelRewardGroupKind kind,
                                 const LaurelRewardGroup *group)
{
  char *text;

  if (kind == LAUREL_GROUP_LABELER)
    return g_strdup (((LaurelLabeler *) g_ptr_array_index (self->labelers, group->low))->name);
  if (group->low == group->high)
    text = g_strdup_printf ("%d", group->low);
  else if (group->high == G_MAXINT)
    /* Translators: a number and all above it. */
    text = g_strdup_printf (_ ("%d or more"), group->low);
  else if (group->low < -G_MAXINT / 2)
    /* Translators: a number and all below it. */
    text = g_strdup_printf (_ ("%d or less"), group->high);
  else
    /* Translators: from one number to another. */
    text = g_strdup_printf (_ ("%d to %d"), group->low, group->high);
  return laurel_with_minus_signs (text);
}
