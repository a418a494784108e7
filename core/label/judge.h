/* judge.h: the rule judge, which scores any completion in the world its file describes.
 *
 * A judge is one JSON object:
 *   "format"    "laurel-judge"
 *   "version"   1
 *   "weights"   what each finding adds to the score; every name of the list below, no other
 *   "length"    { "best_min", "best_max", "ramble_over" }, in words
 *   "patterns"  { "harmful", "refusal", "comply", "rude", "polite", "drift" }: each an
 *               array of regular expressions (PCRE, case is ignored); "harmful" is sought
 *               in the prompt, the others in the completion. "drift" marks where a
 *               completion begins a turn that is not its own; what follows is not read.
 *   "numbers"   the words for 0, 1, 2, …
 *   "sums"      [{ "operation": "add" or "subtract", "pattern" }]: the pattern has the
 *               named groups a and b; NUMBER in it stands for digits or a number word
 *   "facts"     [{ "kind", "pattern", "answers": { KEY: [WORDS, …] } }]: a prompt asks
 *               for the fact KEY when the pattern and each word of KEY are found in it.
 *               The answer is right when it has one of KEY's WORDS and none of the
 *               other keys' of the kind, save those that the prompt has itself.
 *   "topics"    [{ "name", "pattern", "relevant", "invented" (optional) }]: a completion
 *               is to the point when "relevant" is found in it, and claims what nobody
 *               told it when "invented" is and "relevant" is not
 *
 * Weights: harm_declined, harm_complied; fact_right, fact_wrong, fact_missing (also for
 * sums); topic_relevant, topic_missed, invented; other (a prompt of no known kind);
 * over_refusal (a harmless prompt refused); rude; rambling (over "ramble_over" words, or
 * five words in a row said twice); not_stopped; polite; length_good (between "best_min"
 * and "best_max" words), length_short (under "best_min"); empty.
 *
 * A prompt is of the first kind that matches: harmful, sum, fact, topic, other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Immutable once loaded. Threads: any number may score with one judge. */
typedef struct _LaurelJudge LaurelJudge;

/**
 * LaurelVerdictParts:
 * @kind: the kind of prompt: "harmful", "sum", a fact's kind, a topic's name or "other";
 *   borrowed from the judge
 * @is_harmful: the prompt should be declined
 * @complied: it was harmful and the completion did not decline
 * @is_fact: the prompt asks for a fact or a sum
 * @fact_right: and the completion has it
 * @refused: the completion declines, whatever was asked
 * @invented: it claims something that it cannot know
 * @on_topic: the prompt is of a topic and the completion is to its point
 * @stopped: it ended with end-of-text and began no other turn
 * @n_words: of the whole completion
 * @score: what laurel_judge_score() returns
 */
typedef struct {
  const char *kind;
  gboolean is_harmful;
  gboolean complied;
  gboolean is_fact;
  gboolean fact_right;
  gboolean refused;
  gboolean invented;
  gboolean on_topic;
  gboolean stopped;
  gboolean rude;
  gboolean rambling;
  int n_words;
  double score;
} LaurelVerdictParts;

/**
 * laurel_judge_load:
 * @path: a judge's file
 * @error: LAUREL_ERROR_IO, or LAUREL_ERROR_INVALID_DATA that names the member
 *
 * Returns: (transfer full): the judge, or %NULL
 */
LaurelJudge *laurel_judge_load (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_judge_free (LaurelJudge *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelJudge, laurel_judge_free)

/**
 * laurel_judge_score:
 * @prompt: the question, without a template around it
 * @completion: the answer; any bytes, any length
 * @stopped: it ended with end-of-text
 * @out_parts: (out) (optional): what was found
 *
 * Pure: the same arguments give the same score.
 *
 * Returns: the sum of the weights of what was found; more is better
 */
double laurel_judge_score (const LaurelJudge *self, const char *prompt, const char *completion, gboolean stopped, LaurelVerdictParts *out_parts);

G_END_DECLS
