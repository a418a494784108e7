/* reward_evaluate.h: how good a reward model's scores of ranked completions are, pure.
 *
 * The unit of most figures is the pair: two completions with different texts, one of which a labeler
 * ranked above the other. Its margin is the score of the better minus that of the worse one; a pair
 * is right when the margin is above 0, and counts one half at 0. Pairs of one prompt hang together,
 * so intervals draw whole prompts again (core/base/statistics.h).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/statistics.h"

G_BEGIN_DECLS

typedef struct {
  double score;
  int rank;     /* 1 is best, equal is a tie */
  int n_tokens; /* of the completion, without its prompt */
  int quality;  /* 1–7 as the labeler rated it; 0: not rated */
  int twin;     /* the first completion of the ranking with the same tokens */
} LaurelScoredCompletion;

typedef struct {
  gint64 prompt_id;
  int labeler; /* any number that names the labeler */
  LaurelScoredCompletion *completions;
  int n;
} LaurelScoredRanking;

/* The accuracy on the pairs of which something lies from @low to @high (G_MININT, G_MAXINT: without end). */
typedef struct {
  int low, high;
  LaurelInterval accuracy;
} LaurelRewardGroup;

/* Pairs by how sure the model is of the one it scores higher, σ(|margin|), which is from ½ to 1. */
typedef struct {
  double low, high; /* of σ(|margin|) */
  double predicted; /* its mean over the bin's pairs */
  LaurelInterval observed; /* the share that is right */
} LaurelCalibrationBin;

/* Arrays leave out groups and bins without a pair. */
typedef struct {
  int n_prompts;
  int n_rankings;
  int n_pairs;
  int n_tied; /* pairs of different texts that the labeler tied */
  LaurelInterval accuracy; /* by prompts */
  LaurelInterval wilson;   /* as if all pairs were independent of each other */
  GArray *by_labeler;       /* (element-type LaurelRewardGroup): the labeler's number */
  GArray *by_length_gap;    /* (element-type LaurelRewardGroup): tokens of the better minus those of the worse */
  GArray *by_rank_distance; /* (element-type LaurelRewardGroup): rank of the worse minus that of the better */
  GArray *by_quality_gap;   /* (element-type LaurelRewardGroup): quality of the better minus that of the worse, where rated */
  GArray *calibration;      /* (element-type LaurelCalibrationBin) */
  LaurelInterval ece;       /* expected calibration error: mean |observed − predicted| over pairs, by bin */
  double ece_by_chance;     /* what it would be on average if the predictions were right, of so few pairs */
  LaurelInterval slope;     /* what margins are to be multiplied with to predict best: below 1 the model is too sure */
  double histogram_start;   /* the left edge of the first bar */
  double histogram_width;   /* of each bar */
  GArray *histogram;        /* (element-type int) pairs by margin */
  double median_margin;
  LaurelInterval score_length;   /* correlation of score and length within rankings */
  LaurelInterval partial_length; /* the same with the rank held fixed */
  double rank_length;            /* correlation of rank and length within rankings; positive: longer is ranked worse */
  double spread;                 /* the deviation of logits within prompts */
  double ceiling;                /* laurel_bradley_terry_ceiling (spread) */
} LaurelRewardEvaluation;

void laurel_reward_evaluation_clear (LaurelRewardEvaluation *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LaurelRewardEvaluation, laurel_reward_evaluation_clear)

/* @rankings (element-type LaurelScoredRanking). @gain: by what scores were multiplied after training, so that
 * σ(margin / gain) is the probability that the model was trained to give. The same @seed gives the same intervals. */
void laurel_reward_evaluate (GPtrArray *rankings, double gain, guint64 seed, LaurelRewardEvaluation *out);

/* How accurate the best predictor is where labels are draws with p = σ(difference) of scores that are normal with the
 * deviation @spread: E σ(|d|), d ~ N(0, 2·spread²). */
double laurel_bradley_terry_ceiling (double spread);

G_END_DECLS
