/* test-encode.c: many texts and long ones, on any number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/text/characters.h"
#include "core/text/pretokenize.h"
#include "core/text/tokenizer.h"

#include <omp.h>
#include <string.h>

static LaurelTokenizer *
train (const char *text)
{
  return laurel_tokenizer_train_bpe (&text, NULL, 1, 400, NULL, NULL, NULL);
}

static void
append_random (GString *text, LaurelRng *rng)
{
  static const char *const bits[] = { "the",  " the", "cat", "'s", "'ll",         " ",
                                      "  ",   "\n",   "12",  " 7", "été",         "\xc2\xa0",
                                      "你好", "!?",   "'",   "\t", "👩‍💻", "e\xcc\x81" };

  g_string_append (text, bits[laurel_rng_below (rng, G_N_ELEMENTS (bits))]);
}

/* Megabytes, so that there are several parts; the last has no seam at all. */
static void
make_texts (GPtrArray *texts, GArray *lengths)
{
  static const gsize sizes[] = { 0, 1, 100, 700000, 5, 3000000, 0, 600000 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    LaurelRng rng;

    laurel_rng_init (&rng, i, LAUREL_RNG_TEST, 0, 0);
    while (text->len < sizes[i] && i < G_N_ELEMENTS (sizes) - 1)
      append_random (text, &rng);
    while (text->len < sizes[i])
      g_string_append (text, "été");
    g_array_append_val (lengths, text->len);
    g_ptr_array_add (texts, g_string_free (g_steal_pointer (&text), FALSE));
  }
}

static gboolean
append_ids (const gint32 *ids, gsize n, gpointer user_data, GError **error)
{
  g_array_append_vals (user_data, ids, (guint) n);
  return TRUE;
}

static void
check_stream (const LaurelTokenizer *tokenizer, const char *text, gsize length,
              const GArray *wanted)
{
  g_autoptr (GInputStream) input =
      g_memory_input_stream_new_from_data (text, (gssize) length, NULL);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;

  laurel_tokenizer_encode_stream (tokenizer, input, "text", append_ids, ids, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (ids->data, ids->len * 4, wanted->data, wanted->len * 4);
}

static void
check_threads (const LaurelTokenizer *tokenizer, GPtrArray *texts, GArray *lengths, int n_threads)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  gsize ends[16], begin = 0;

  omp_set_num_threads (n_threads);
  laurel_tokenizer_encode_texts (tokenizer, (const char *const *) texts->pdata,
                                 (const gsize *) (void *) lengths->data, texts->len, ids, ends,
                                 &error);
  g_assert_no_error (error);
  for (guint i = 0; i < texts->len; i++) {
    gsize length = g_array_index (lengths, gsize, i);
    g_autoptr (GArray) alone = g_array_new (FALSE, FALSE, sizeof (gint32));

    laurel_tokenizer_encode (tokenizer, texts->pdata[i], (gssize) length, alone, &error);
    g_assert_no_error (error);
    g_assert_cmpmem (ids->data + begin * 4, (ends[i] - begin) * 4, alone->data, alone->len * 4);
    check_stream (tokenizer, texts->pdata[i], length, alone);
    begin = ends[i];
  }
  g_assert_cmpuint (begin, ==, ids->len);
}

static void
test_threads (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = train ("the cat's hat, the été 你好 the cat's hat");
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) lengths = g_array_new (FALSE, FALSE, sizeof (gsize));

  make_texts (texts, lengths);
  for (int n_threads = 1; n_threads <= 3; n_threads++)
    check_threads (tokenizer, texts, lengths, n_threads);
}

/* A text without a space is longer than a block, and goes through in one. */
static void
test_no_seam (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = train ("aa aa");
  g_autofree char *text = g_strnfill (9000000, 'a');
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  omp_set_num_threads (1);
  g_assert_true (laurel_tokenizer_encode (tokenizer, text, -1, ids, NULL));
  check_stream (tokenizer, text, 9000000, ids);
}

/* What cleaning takes out is no place to part a text at. */
static void
test_seam_places (void)
{
  g_assert_cmpuint (laurel_pretokenize_find_seam ("a b c", 5), ==, 3);
  g_assert_cmpuint (laurel_pretokenize_find_seam ("a\nb", 3), ==, 1);
  g_assert_cmpuint (laurel_pretokenize_find_seam ("a\vb\fc", 5), ==, 0);
  g_assert_cmpuint (laurel_pretokenize_find_seam ("  b", 3), ==, 0);
  g_assert_cmpuint (laurel_pretokenize_find_seam ("\303\251 b", 4), ==, 0);
}

static gboolean
count_and_stop (const gint32 *ids, gsize n, gpointer user_data, GError **error)
{
  gsize *n_calls = user_data;

  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED, "stop");
  return ++*n_calls == 0;
}

static void
check_stream_error (const LaurelTokenizer *tokenizer, const char *text, gsize length, int code,
                    const char *part)
{
  g_autoptr (GInputStream) input =
      g_memory_input_stream_new_from_data (text, (gssize) length, NULL);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;

  g_assert_false (laurel_tokenizer_encode_stream (tokenizer, input, "X", append_ids, ids, &error));
  g_assert_error (error, LAUREL_ERROR, code);
  g_assert_nonnull (strstr (error->message, part));
}

static void
test_errors (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = train ("aa aa");
  g_autoptr (GInputStream) input = g_memory_input_stream_new_from_data ("aa", 2, NULL);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  const char *texts[] = { "good", "bad\xff" };
  const gsize lengths[] = { 4, 4 };
  gsize ends[2], n_calls = 0;
  g_autofree char *late = g_strnfill (9000000, ' ');

  check_stream_error (tokenizer, "aa\xc3", 3, LAUREL_ERROR_INVALID_DATA,
                      "“X”: byte 2 is not UTF-8");
  check_stream_error (tokenizer, "a\0a", 3, LAUREL_ERROR_INVALID_DATA, "byte 1 is");
  check_stream_error (tokenizer, "a\xed\xa0\x80", 4, LAUREL_ERROR_INVALID_DATA, "byte 1 is");
  for (gsize i = 0; i < 8999998; i += 2)
    late[i] = 'a';
  late[8999999] = '\xe2';
  check_stream_error (tokenizer, late, 9000000, LAUREL_ERROR_INVALID_DATA, "byte 8999999 is");
  g_assert_false (
      laurel_tokenizer_encode_stream (tokenizer, input, "X", count_and_stop, &n_calls, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  g_assert_cmpuint (n_calls, ==, 1);
  g_clear_error (&error);
  g_assert_false (laurel_tokenizer_encode_texts (tokenizer, texts, lengths, 2, ids, ends, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "Text 2: "));
  g_assert_cmpuint (ids->len, ==, 0);
}

static LaurelCharacterClass
classify_by_glib (gunichar c)
{
  if (g_unichar_type (c) >= G_UNICODE_LOWERCASE_LETTER
      && g_unichar_type (c) <= G_UNICODE_UPPERCASE_LETTER)
    return LAUREL_CHARACTER_LETTER;
  if (g_unichar_type (c) >= G_UNICODE_DECIMAL_NUMBER
      && g_unichar_type (c) <= G_UNICODE_OTHER_NUMBER)
    return LAUREL_CHARACTER_NUMBER;
  return LAUREL_CHARACTER_OTHER;
}

/* GLib's Unicode is another version: only what both know can be compared. New
 * versions add characters; none since 15.0 made a letter or number another. */
static void
test_characters (void)
{
  const guint8 *classes = laurel_character_classes ();
  guint n_letters = 0, n_numbers = 0, n_spaces = 0;

  for (gunichar c = 0; c < 0x110000; c++) {
    n_letters += classes[c] == LAUREL_CHARACTER_LETTER;
    n_numbers += classes[c] == LAUREL_CHARACTER_NUMBER;
    n_spaces += classes[c] == LAUREL_CHARACTER_SPACE;
    if (g_unichar_isdefined (c) && classes[c] != LAUREL_CHARACTER_SPACE)
      g_assert_cmpuint (classes[c], ==, classify_by_glib (c));
  }
  /* Counted in DerivedGeneralCategory.txt and PropList.txt of Unicode 16.0. */
  g_assert_cmpuint (n_letters, ==, 141028);
  g_assert_cmpuint (n_numbers, ==, 1911);
  g_assert_cmpuint (n_spaces, ==, 25);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/encode/threads", test_threads);
  g_test_add_func ("/text/encode/no-seam", test_no_seam);
  g_test_add_func ("/text/encode/seam-places", test_seam_places);
  g_test_add_func ("/text/encode/errors", test_errors);
  g_test_add_func ("/text/encode/characters", test_characters);
  return g_test_run ();
}
