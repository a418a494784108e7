/* template.h: how a prompt becomes the text a model continues.
 *
 * A chat template is data (chat_template.json in a model's directory):
 *   { "prefix": "", "prompt": "User: {prompt}\nAssistant:", "completion": " {completion}",
 *     "system": "{system}\n" }
 * “prompt” holds {prompt} once, “completion” holds {completion} once and at its
 * end; “prefix” may be missing and stands before “prompt”; “system” may be
 * missing, then there is no place for a system message.
 * The text of each message is tokenised apart and joined as ids, so that a
 * token never spans the seam between two; end-of-text follows each completion.
 * A conversation is system (if any), then prompt and completion in turn.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/text/tokenizer.h"

G_BEGIN_DECLS

typedef struct {
  char *prompt_before; /* the text before {prompt}, with the prefix */
  char *prompt_after;  /* and after it */
  char *completion_before;
  char *system_before; /* NULL: no place for a system message */
  char *system_after;
} LaurelTemplate;

LaurelTemplate *laurel_template_load (const char *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT; /* the plain template when @dir has none */
gboolean laurel_template_save (const LaurelTemplate *self, const char *dir, GError **error);
LaurelTemplate *laurel_template_copy (const LaurelTemplate *self);
void laurel_template_free (LaurelTemplate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelTemplate, laurel_template_free)

/* MISMATCH when the template has no place for a system message. */
gboolean laurel_template_encode_system (const LaurelTemplate *self, const LaurelTokenizer *tokenizer, const char *system, GArray *ids, GError **error);
gboolean laurel_template_encode_prompt (const LaurelTemplate *self, const LaurelTokenizer *tokenizer, const char *prompt, GArray *ids, GError **error);
/* Appends the completion's ids and end-of-text. */
gboolean laurel_template_encode_completion (const LaurelTemplate *self, const LaurelTokenizer *tokenizer, const char *completion, GArray *ids, GError **error);
/* The completion's text from its sampled ids: without the template's lead and end-of-text. */
char *laurel_template_decode_completion (const LaurelTemplate *self, const LaurelTokenizer *tokenizer, const gint32 *ids, gsize n) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
