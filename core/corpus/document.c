/* document.c: the steps that every document goes through, none of which knows another document.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/document.h"

#include "core/base/json.h"

#include <string.h>

/* “\u0000” is legal JSON, but no string of C: it becomes “\u0001”, which cleaning removes. */
static void
replace_zeros (GString *row)
{
  for (char *at = row->str; (at = strchr (at, '\\')) != NULL && at[1] != '\0'; at += 2)
    if (strncmp (at, "\\u0000", 6) == 0)
      at[5] = '1';
}

/* Puts the text of the row in @text in its place. */
static LaurelRule
take_field (GString *text, const char *field)
{
  g_autoptr (JsonNode) node = NULL;
  const char *value = NULL;

  replace_zeros (text);
  node = laurel_json_parse (text->str, "row", NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return LAUREL_RULE_JSON;
  if (!laurel_json_get_string (json_node_get_object (node), "row", field, &value, NULL)
      || value == NULL)
    return LAUREL_RULE_FIELD;
  g_string_assign (text, value);
  return LAUREL_RULE_NONE;
}

static LaurelRule
judge_cleaning (const LaurelRules *rules, const LaurelDocument *document)
{
  double n = (double) document->cleaning.n_chars;

  if ((double) document->cleaning.n_controls > rules->threshold[LAUREL_RULE_BINARY] * n)
    return LAUREL_RULE_BINARY;
  if ((double) document->cleaning.n_replacement > rules->threshold[LAUREL_RULE_DAMAGED] * n)
    return LAUREL_RULE_DAMAGED;
  return document->text->len > 0 ? LAUREL_RULE_NONE : LAUREL_RULE_EMPTY;
}

static void
hash_text (const GString *text, LaurelDocumentKey *key)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize n = sizeof digest;

  g_checksum_update (checksum, (const guchar *) text->str, (gssize) text->len);
  g_checksum_get_digest (checksum, digest, &n);
  memcpy (key->hash, digest, sizeof key->hash);
}

static void
sign_text (LaurelDocument *document)
{
  const GString *text = document->text;
  g_autoptr (GArray) shingles =
      g_array_sized_new (FALSE, FALSE, sizeof (guint32), (guint) (text->len / 5 + 16));

  laurel_minhash_shingle (text->str, text->len, shingles);
  laurel_minhash_sign (shingles, &document->signature);
  document->key.has_signature = shingles->len > 0;
}

void
laurel_document_process (const LaurelDocumentOptions *options,
                         const LaurelRawDocument *raw,
                         LaurelDocument *out)
{
  memset (out, 0, sizeof *out);
  memset (&out->signature, 0xff, sizeof out->signature);
  out->text = g_string_sized_new (raw->n + raw->n / 8);
  out->rule = LAUREL_RULE_NONE;
  if (!laurel_decode (raw->encoding, options->encoding_name, raw->bytes, raw->n, out->text,
                      &out->encoding))
    out->rule = LAUREL_RULE_ENCODING;
  if (raw->too_long)
    out->rule = LAUREL_RULE_TOO_LONG;
  if (out->rule == LAUREL_RULE_NONE && raw->jsonl)
    out->rule = take_field (out->text, options->field);
  if (out->rule != LAUREL_RULE_NONE)
    return;
  laurel_clean (out->text, &out->cleaning);
  out->rule = judge_cleaning (&options->rules, out);
  if (out->rule == LAUREL_RULE_NONE)
    out->rule = laurel_rules_apply (&options->rules, out->text, &out->lines);
  if (out->rule != LAUREL_RULE_NONE)
    return;
  hash_text (out->text, &out->key);
  if (options->signatures)
    sign_text (out);
}

void
laurel_document_clear (LaurelDocument *self)
{
  if (self->text != NULL)
    g_string_free (g_steal_pointer (&self->text), TRUE);
  laurel_removed_lines_clear (&self->lines);
}
