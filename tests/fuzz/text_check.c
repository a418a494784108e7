/* text_check.c: what a tokenizer promises for any text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/text_check.h"

#include "core/text/tokenizer_private.h"

#include <string.h>

static GArray *
encode (const LaurelTokenizer *tokenizer, const FuzzPart *text)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  gboolean encoded = laurel_tokenizer_encode (tokenizer, text->bytes, (gssize) text->length, ids,
                                              &error);
  gboolean valid = g_utf8_validate (text->bytes, (gssize) text->length, NULL);

  fuzz_check (encoded, error);
  g_assert_cmpint (encoded, ==, valid);
  if (!encoded)
    g_assert_cmpuint (ids->len, ==, 0);
  return g_steal_pointer (&ids);
}

static gboolean
take_ids (const gint32 *ids, gsize n, gpointer user_data, GError **error)
{
  g_array_append_vals (user_data, ids, (guint) n);
  return TRUE;
}

/* A stream gives the ids that the text in memory gives. */
static void
check_stream (const LaurelTokenizer *tokenizer, const FuzzPart *text, const GArray *ids)
{
  g_autoptr (GInputStream) input =
      g_memory_input_stream_new_from_data (text->bytes, (gssize) text->length, NULL);
  g_autoptr (GArray) streamed = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;

  laurel_tokenizer_encode_stream (tokenizer, input, "text", take_ids, streamed, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (streamed->data, streamed->len * sizeof (gint32), ids->data,
                   ids->len * sizeof (gint32));
}

/* Whether a text must come back as it was: normalising, a space put before it and added tokens
 * that take the spaces around them change it, and so does WordPiece. */
static gboolean
is_lossless (const LaurelTokenizer *tokenizer)
{
  for (guint i = 0; i < tokenizer->added->len; i++)
    if ((g_array_index (tokenizer->added, LaurelAddedToken, i).flags
         & (LAUREL_ADDED_LSTRIP | LAUREL_ADDED_RSTRIP))
        != 0)
      return FALSE;
  return tokenizer->wordpiece == NULL && tokenizer->normalizer == NULL
         && !tokenizer->add_prefix_space;
}

/* No special token comes from text but the unknown one, and the text comes back. */
static void
check_ids (const LaurelTokenizer *tokenizer, const GArray *ids, const FuzzPart *text)
{
  g_autofree char *decoded =
      laurel_tokenizer_decode (tokenizer, (const gint32 *) (const void *) ids->data, ids->len,
                               FALSE);

  for (guint i = 0; i < ids->len; i++) {
    gint32 id = g_array_index (ids, gint32, i);
    g_autofree char *label = laurel_tokenizer_label (tokenizer, id);
    gsize length;

    g_assert_cmpint (id, >=, 0);
    g_assert_cmpint (id, <, laurel_tokenizer_get_vocab_size (tokenizer));
    laurel_tokenizer_get_bytes (tokenizer, id, &length);
    if (tokenizer->wordpiece == NULL || id != tokenizer->wordpiece->unknown)
      g_assert_cmpuint (length, >, 0);
    g_assert_true (g_utf8_validate (label, -1, NULL));
  }
  g_assert_true (g_utf8_validate (decoded, -1, NULL));
  if (is_lossless (tokenizer))
    g_assert_cmpmem (decoded, strlen (decoded), text->bytes, text->length);
}

static void
check_ends (const LaurelTokenizer *tokenizer)
{
  int n = laurel_tokenizer_get_vocab_size (tokenizer);
  const gint32 ids[] = { -1, 0, n - 1, n, laurel_tokenizer_get_end_of_text (tokenizer) };
  g_autofree char *text = laurel_tokenizer_decode (tokenizer, ids, G_N_ELEMENTS (ids), TRUE);

  g_assert_cmpint (n, >, 0);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autofree char *label = laurel_tokenizer_label (tokenizer, ids[i]);

    g_assert_true (g_utf8_validate (label, -1, NULL));
  }
}

void
fuzz_check_tokenizer (const LaurelTokenizer *tokenizer, const FuzzPart *text)
{
  g_autofree char *dir = g_build_filename (fuzz_folder (), "again", NULL);
  g_autoptr (GArray) ids = encode (tokenizer, text);
  g_autoptr (LaurelTokenizer) again = NULL;
  g_autoptr (GArray) ids_again = NULL;
  g_autoptr (GError) error = NULL;

  if (ids->len > 0) {
    check_ids (tokenizer, ids, text);
    check_stream (tokenizer, text, ids);
  }
  check_ends (tokenizer);
  laurel_tokenizer_save (tokenizer, dir, &error);
  g_assert_no_error (error);
  again = laurel_tokenizer_load (dir, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (laurel_tokenizer_get_hash (again), ==, laurel_tokenizer_get_hash (tokenizer));
  ids_again = encode (again, text);
  g_assert_cmpmem (ids_again->data, ids_again->len * sizeof (gint32), ids->data,
                   ids->len * sizeof (gint32));
}
