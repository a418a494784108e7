/* text_stream.h: a completion's text while its tokens come in.
 *
 * Text is handed out once it can no longer change: whole characters, and
 * nothing that may turn out to be the beginning of a stop string. All the
 * pieces together are the completion's text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/model.h"

G_BEGIN_DECLS

/* The token that a stop string is the name of, such as <|endoftext|>, for each of @stop
 * (NULL-terminated); −1: it is plain text. */
gint32 *laurel_stop_find_tokens (const LaurelTokenizer *tokenizer, const char *const *stop) G_GNUC_WARN_UNUSED_RESULT;

typedef struct _LaurelTextStream LaurelTextStream;

/* Of @model, which must have a tokenizer. @stop (nullable, NULL-terminated) and @stop_tokens, one for
 * each of them, are borrowed. */
LaurelTextStream *laurel_text_stream_new (const LaurelModel *model, const char *const *stop, const gint32 *stop_tokens) G_GNUC_WARN_UNUSED_RESULT;
void laurel_text_stream_free (LaurelTextStream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelTextStream, laurel_text_stream_free)

/* Takes the next token. Returns which of the stop strings the text has now, that which begins first,
 * or −1. After a stop no token may follow. */
int laurel_text_stream_push (LaurelTextStream *self, gint32 token);

/* What has become certain since the last call; when @is_last, all the rest. Valid until the next call. */
const char *laurel_text_stream_take (LaurelTextStream *self, gboolean is_last);

/* The text so far: without the template's lead, special tokens, the stop string and what follows it. */
const char *laurel_text_stream_get_text (const LaurelTextStream *self);

G_END_DECLS
