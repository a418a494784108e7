/* text_check.c: what a tokenizer promises for any text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/text_check.h"

#include "core/text/encoder.h"
#include "core/text/pretokenize.h"
#include "core/text/text_stream.h"

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

/* A text in blocks of a few bytes, so that the seams of a small one are tried. */
#define BLOCK_SIZE 16

typedef struct {
  LaurelEncoder *encoder;
  GArray *ids;
} Blocks;

static gsize
find_seam (const char *text, gsize length, gconstpointer tokenizer)
{
  return ((const LaurelTokenizer *) tokenizer)->has_seams
             ? laurel_pretokenize_find_seam (text, length)
             : 0;
}

static gboolean
encode_block (const char *text, gsize length, gboolean first, gpointer user_data, GError **error)
{
  Blocks *blocks = user_data;

  laurel_encoder_encode (blocks->encoder, text, length, first, blocks->ids);
  return TRUE;
}

/* Blocks of a stream give the ids that the text as a whole gives. */
static void
check_blocks (const LaurelTokenizer *tokenizer, const FuzzPart *text, const GArray *ids)
{
  g_autoptr (GInputStream) input =
      g_memory_input_stream_new_from_data (text->bytes, (gssize) text->length, NULL);
  g_autoptr (LaurelEncoder) encoder = laurel_encoder_new (tokenizer, TRUE);
  g_autoptr (GArray) joined = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  Blocks blocks = { encoder, joined };

  laurel_text_stream_foreach (input, "text", BLOCK_SIZE, find_seam, tokenizer, encode_block,
                              &blocks, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (joined->data, joined->len * sizeof (gint32), ids->data,
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

/* Saved and loaded again, it is the same tokenizer. */
static void
check_again (const LaurelTokenizer *tokenizer, const FuzzPart *text, const GArray *ids)
{
  g_autofree char *dir = g_build_filename (fuzz_folder (), "again", NULL);
  g_autoptr (LaurelTokenizer) again = NULL;
  g_autoptr (GArray) ids_again = NULL;
  g_autoptr (GError) error = NULL;

  laurel_tokenizer_save (tokenizer, dir, &error);
  g_assert_no_error (error);
  again = laurel_tokenizer_load (dir, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (laurel_tokenizer_get_hash (again), ==, laurel_tokenizer_get_hash (tokenizer));
  ids_again = encode (again, text);
  g_assert_cmpmem (ids_again->data, ids_again->len * sizeof (gint32), ids->data,
                   ids->len * sizeof (gint32));
}

static void
check_tokenizer (const LaurelTokenizer *tokenizer, const FuzzPart *text)
{
  g_autoptr (GArray) ids = encode (tokenizer, text);

  if (ids->len > 0) {
    check_ids (tokenizer, ids, text);
    check_blocks (tokenizer, text, ids);
  }
  check_ends (tokenizer);
  /* Takes longer than all the rest: for a quarter of the inputs. */
  if (text->length % 4 == 0)
    check_again (tokenizer, text, ids);
}

void
fuzz_check_tokenizer_files (const guint8 *data, size_t size, const char *first, const char *second,
                            gboolean may_miss)
{
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (GError) error = NULL;
  FuzzPart parts[3];

  fuzz_split (data, size, parts, G_N_ELEMENTS (parts));
  fuzz_write (first, parts[0].bytes, parts[0].length);
  if (parts[1].length > 0 || !may_miss)
    fuzz_write (second, parts[1].bytes, parts[1].length);
  else
    fuzz_remove (second);
  tokenizer = laurel_tokenizer_load (fuzz_folder (), &error);
  fuzz_check (tokenizer != NULL, error);
  if (tokenizer != NULL)
    check_tokenizer (tokenizer, &parts[2]);
}
