/* answer_choice.h: which prompts are answered, how many answers there are, and how they are sampled.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define LAUREL_TYPE_ANSWER_CHOICE (laurel_answer_choice_get_type ())
G_DECLARE_FINAL_TYPE (LaurelAnswerChoice, laurel_answer_choice, LAUREL, ANSWER_CHOICE, AdwPreferencesGroup)

/* Properties "count-title" and "count-subtitle": what the number counts, which is each page's own. */

typedef struct {
  const char *split; /* static */
  int count;         /* 0: see "count-subtitle" */
  double temperature;
  int max_tokens;
  guint64 seed;
} LaurelAnswers;

/* With what was typed and not yet left. */
void laurel_answer_choice_read (LaurelAnswerChoice *self, LaurelAnswers *out);

/* “Judge: @judge, held-out prompts”; @judge NULL: nobody. */
char *laurel_answers_describe (const LaurelAnswers *self, const char *judge) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
