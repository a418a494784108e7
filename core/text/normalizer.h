/* normalizer.h: what happens to a text before it is cut, as tokenizer.json has it.
 *
 * Known: NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, BertNormalizer, Replace
 * (of a string), Prepend, Strip and Sequence of these. Characters are of GLib's
 * version of Unicode.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Immutable; any thread may use it. */
typedef struct _LaurelNormalizer LaurelNormalizer;

/* BERT's own: clean text, space around Chinese characters, and then both or none. */
LaurelNormalizer *laurel_normalizer_new_bert (gboolean lowercase);
/* NULL with an error that names what is not supported. @path is for errors. */
LaurelNormalizer *laurel_normalizer_parse (JsonNode *node, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
JsonNode *laurel_normalizer_to_json (const LaurelNormalizer *self) G_GNUC_WARN_UNUSED_RESULT;
void laurel_normalizer_free (LaurelNormalizer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelNormalizer, laurel_normalizer_free)

/* Normalises valid UTF-8 in place. @first: the text starts here, so that Prepend applies. */
void laurel_normalizer_apply (const LaurelNormalizer *self, GString *text, gboolean first);

/* How many times longer it may make a text, what Prepend puts before it apart. */
double laurel_normalizer_get_growth (const LaurelNormalizer *self);

/* Whether two parts of a text, cut before an ASCII space and after a visible
 * ASCII character, can be normalised apart. @has_added: an added token may stand
 * before it, after which Prepend applies anew. */
gboolean laurel_normalizer_has_seams (const LaurelNormalizer *self, gboolean has_added);

G_END_DECLS
