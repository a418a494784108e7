/* test-text-stream.c: a completion's text while its tokens come: equal to the whole, and cheap.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/model/text_stream.h"
#include "core/text/detokenizer.h"

#include <string.h>

#define REPLACEMENT "\357\277\275"

static char *const corpus[] = {
  (char *) "the cat sat on the mat and the dog sat on the cat; the hen ran and the man ran",
  (char *) "ä ö ü → ← 猫が好き \360\237\220\210 \360\237\220\225 the end of the line",
};

/* --- Counting the work --------------------------------------------------------------------- */

static struct {
  guint64 n_tokens, n_validated, n_searched;
} work;

const char *__real_laurel_string_table_get (gconstpointer self, guint32 number, gsize *out_length);
const char *__wrap_laurel_string_table_get (gconstpointer self, guint32 number, gsize *out_length);
gboolean __real_g_utf8_validate (const char *text, gssize length, const char **out_end);
gboolean __wrap_g_utf8_validate (const char *text, gssize length, const char **out_end);
char *__real_g_strstr_len (const char *text, gssize length, const char *wanted);
char *__wrap_g_strstr_len (const char *text, gssize length, const char *wanted);

const char *
__wrap_laurel_string_table_get (gconstpointer self, guint32 number, gsize *out_length)
{
  work.n_tokens++;
  return __real_laurel_string_table_get (self, number, out_length);
}

gboolean
__wrap_g_utf8_validate (const char *text, gssize length, const char **out_end)
{
  work.n_validated += length < 0 ? strlen (text) : (guint64) length;
  return __real_g_utf8_validate (text, length, out_end);
}

char *
__wrap_g_strstr_len (const char *text, gssize length, const char *wanted)
{
  work.n_searched += length < 0 ? strlen (text) : (guint64) length;
  return __real_g_strstr_len (text, length, wanted);
}

/* --- A model that is a tokenizer and a template ----------------------------------------------- */

typedef struct {
  LaurelTemplate chat;
  LaurelModel model;
  gint32 bytes[256];
} Fixture;

static void
fixture_init (Fixture *self, const char *lead)
{
  g_autoptr (GError) error = NULL;

  *self = (Fixture) { .chat = { (char *) "", (char *) "", (char *) lead } };
  self->model.chat_template = &self->chat;
  self->model.tokenizer =
      laurel_tokenizer_train_bpe ((const char *const *) corpus, NULL, G_N_ELEMENTS (corpus), 300,
                                  NULL, NULL, &error);
  g_assert_no_error (error);
  for (int id = 0; id < 256; id++) {
    const char *byte = laurel_tokenizer_get_bytes (self->model.tokenizer, id, NULL);

    self->bytes[(guint8) *byte] = id;
  }
}

static void
fixture_clear (Fixture *self)
{
  laurel_tokenizer_unref (self->model.tokenizer);
}

static char *
decode_whole (const Fixture *self, const gint32 *ids, gsize n)
{
  return laurel_template_decode_completion (&self->chat, self->model.tokenizer, ids, n);
}

/* --- Stop strings -------------------------------------------------------------------------- */

/* What a stream says of tokens: its pieces, each of them whole characters. */
static char *
stream_ids (const Fixture *fixture, const GArray *ids, const char *const *stops, int *out_stop)
{
  g_autofree gint32 *stop_tokens = laurel_stop_find_tokens (fixture->model.tokenizer, stops);
  g_autoptr (LaurelTextStream) stream =
      laurel_text_stream_new (&fixture->model, stops, stop_tokens);
  GString *all = g_string_new (NULL);

  *out_stop = -1;
  for (guint i = 0; i < ids->len && *out_stop < 0; i++) {
    const char *piece;

    *out_stop = laurel_text_stream_push (stream, g_array_index (ids, gint32, i));
    piece = laurel_text_stream_take (stream, i == ids->len - 1 || *out_stop >= 0);
    g_assert_true (g_utf8_validate (piece, -1, NULL));
    g_string_append (all, piece);
  }
  g_assert_cmpstr (all->str, ==, laurel_text_stream_get_text (stream));
  return g_string_free (all, FALSE);
}

static char *
stream_text (const Fixture *fixture, const char *text, const char *const *stops, int *out_stop)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  g_assert_true (laurel_tokenizer_encode (fixture->model.tokenizer, text, -1, ids, NULL));
  return stream_ids (fixture, ids, stops, out_stop);
}

static void
test_stop_choice (void)
{
  static const struct {
    const char *text, *expected;
    int stop;
  } cases[] = {
    { " one two three", "one ", 0 },            /* "two" begins before "wo th" */
    { " one t", "one t", -1 },                  /* a beginning of a stop string is text after all */
    { " two", "", 0 },                          /* at once, behind the lead */
    { " xyxyxz", "xy", 2 },                     /* over its own false start */
    { " zzzz", "", 4 },                         /* the longer of two at the same place */
    { "no lead", "no lead", -1 },               /* the lead is missing */
    { "", "", -1 },
    { " \360\237\220\210\360\237\220\225.", "\360\237\220\210", 5 },
  };
  static const char *const stops[] = { "two", "wo th", "xyxz", "zz", "zzz", "\360\237\220\225",
                                       NULL };
  Fixture fixture;

  fixture_init (&fixture, " ");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    int stop;
    g_autofree char *text = stream_text (&fixture, cases[i].text, stops, &stop);

    /* “zz” is complete before “zzz” can be when they come in tokens of their own */
    if (cases[i].stop == 4)
      g_assert_true (stop == 3 || stop == 4);
    else
      g_assert_cmpint (stop, ==, cases[i].stop);
    g_assert_cmpstr (text, ==, cases[i].expected);
  }
  fixture_clear (&fixture);
}

/* The name of a special token, which plain text never makes. */
static void
test_stop_token (void)
{
  static const char *const stops[] = { LAUREL_END_OF_TEXT, "x", NULL };
  g_autofree gint32 *tokens = NULL;
  g_autoptr (LaurelTextStream) stream = NULL;
  Fixture fixture;

  fixture_init (&fixture, "");
  tokens = laurel_stop_find_tokens (fixture.model.tokenizer, stops);
  stream = laurel_text_stream_new (&fixture.model, stops, tokens);
  g_assert_cmpint (tokens[0], ==, laurel_tokenizer_get_end_of_text (fixture.model.tokenizer));
  g_assert_cmpint (tokens[1], ==, -1);
  g_assert_cmpint (laurel_text_stream_push (stream, tokens[0]), ==, 0);
  g_assert_cmpstr (laurel_text_stream_take (stream, TRUE), ==, "");
  fixture_clear (&fixture);
}

/* A completion that begins with the lead's characters once more stops at once. */
static void
test_lead_twice (void)
{
  static const char *const stops[] = { " ", NULL };
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text = NULL;
  Fixture fixture;
  int stop;

  fixture_init (&fixture, " ");
  g_array_append_val (ids, fixture.bytes[' ']);
  g_array_append_val (ids, fixture.bytes[' ']);
  text = stream_ids (&fixture, ids, stops, &stop);
  g_assert_cmpint (stop, ==, 0);
  g_assert_cmpstr (text, ==, "");
  fixture_clear (&fixture);
}

/* --- Hostile bytes ------------------------------------------------------------------------- */

/* All of @bytes at once, as Unicode's chapter 3 has it: one U+FFFD for the longest start of a
 * character. @out_certain: without a cut one at the end. */
static char *
decode_anew (const GString *bytes, gsize *out_certain)
{
  GString *text = g_string_new (NULL);
  gsize i = 0;

  *out_certain = 0;
  while (i < bytes->len) {
    const guint8 *at = (const guint8 *) bytes->str + i;
    gsize wanted = at[0] < 0xc2 || at[0] > 0xf4 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    gsize n = 1;

    while (n < wanted && i + n < bytes->len) {
      guint8 low = n > 1 ? 0x80 : at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
      guint8 high = n > 1 ? 0xbf : at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;

      if (at[n] < low || at[n] > high)
        break;
      n++;
    }
    if (n == wanted && at[0] != 0 && (n > 1 || at[0] < 0x80))
      g_string_append_len (text, (const char *) at, (gssize) n);
    else
      g_string_append (text, REPLACEMENT);
    i += n;
    if (n == wanted || i < bytes->len)
      *out_certain = text->len;
  }
  return g_string_free (text, FALSE);
}

/* Bytes of all kinds, many of them in an order that makes characters, some tokens of several bytes,
 * special tokens and ids that are none. */
static gint32
draw_id (const Fixture *fixture, LaurelRng *rng)
{
  static const guint8 kinds[] = { 0x00, 'a', ' ', 't', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                  0xc1, 0xc2, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xf5, 0xff };
  guint64 what = laurel_rng_below (rng, 20);

  if (what == 0)
    return laurel_tokenizer_get_end_of_text (fixture->model.tokenizer);
  if (what == 1)
    return (gint32) laurel_rng_below (rng, 2) * 100000 - 1;
  if (what < 5)
    return 256 + (gint32) laurel_rng_below (rng, 44);
  return fixture->bytes[kinds[laurel_rng_below (rng, G_N_ELEMENTS (kinds))]];
}

static void
append_bytes (const Fixture *fixture, gint32 id, GString *bytes)
{
  int n = laurel_tokenizer_get_vocab_size (fixture->model.tokenizer);
  gsize length;
  const char *token = laurel_tokenizer_get_bytes (fixture->model.tokenizer, id, &length);

  if (id < 0 || id >= n)
    g_string_append (bytes, REPLACEMENT);
  else
    g_string_append_len (bytes, token, (gssize) length);
}

#define N_SEQUENCES 400
#define N_IDS 40

static void
test_hostile_text (void)
{
  Fixture fixture;

  fixture_init (&fixture, "");
  for (int s = 0; s < N_SEQUENCES; s++) {
    g_autoptr (LaurelDetokenizer) all = laurel_detokenizer_new (fixture.model.tokenizer, FALSE);
    g_autoptr (GString) bytes = g_string_new (NULL), before = g_string_new (NULL);
    gint32 ids[N_IDS];
    LaurelRng rng;

    laurel_rng_init (&rng, 5, LAUREL_RNG_TEST, 30, (guint64) s);
    for (int i = 0; i < N_IDS; i++) {
      g_autofree char *expected = NULL, *decoded = NULL;
      const char *text;
      gsize certain, expected_certain;

      ids[i] = draw_id (&fixture, &rng);
      append_bytes (&fixture, ids[i], bytes);
      expected = decode_anew (bytes, &expected_certain);
      laurel_detokenizer_push (all, ids[i]);
      text = laurel_detokenizer_get_text (all, &certain);
      g_assert_cmpstr (text, ==, expected);
      g_assert_cmpuint (certain, ==, expected_certain);
      g_assert_true (g_str_has_prefix (text, before->str));
      g_string_truncate (before, 0);
      g_string_append_len (before, text, (gssize) certain);
      decoded = laurel_tokenizer_decode (fixture.model.tokenizer, ids, (gsize) i + 1, FALSE);
      g_assert_cmpstr (decoded, ==, expected);
    }
  }
  fixture_clear (&fixture);
}

/* The stop string in @text (@certain bytes) that begins first, of several there the longest. */
static int
find_stop_anew (const char *text, gsize certain, const char *const *stops, gsize *out_at)
{
  g_autofree char *whole = g_strndup (text, certain);
  int found = -1;

  for (int i = 0; stops[i] != NULL; i++) {
    const char *at = strstr (whole, stops[i]);
    gsize place = at != NULL ? (gsize) (at - whole) : 0;

    if (at != NULL
        && (found < 0 || place < *out_at
            || (place == *out_at && strlen (stops[i]) > strlen (stops[found])))) {
      found = i;
      *out_at = place;
    }
  }
  return found;
}

/* Stops as whoever decodes and searches the whole anew after each token would. */
static void
test_hostile_stream (void)
{
  static const char *const stops[] = { "tat", "ta", "a\302\200", " t" REPLACEMENT, "\302\240",
                                       "the ", NULL };
  Fixture fixture;
  int n_stopped[6] = { 0 }, n_led = 0;

  fixture_init (&fixture, "ta");
  for (int s = 0; s < N_SEQUENCES * 4; s++) {
    g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
    g_autoptr (GString) bytes = g_string_new (NULL);
    g_autofree char *text = NULL, *expected = g_strdup ("");
    int stop, expected_stop = -1;
    LaurelRng rng;

    laurel_rng_init (&rng, 5, LAUREL_RNG_TEST, 31, (guint64) s);
    for (int i = 0; i < N_IDS && expected_stop < 0; i++) {
      gint32 id = i < 2 && s % 2 == 0 ? fixture.bytes[(guint8) "ta"[i]] : draw_id (&fixture, &rng);
      g_autofree char *whole = NULL;
      gsize certain, at = 0, lead;

      g_array_append_val (ids, id);
      append_bytes (&fixture, id, bytes);
      whole = decode_anew (bytes, &certain);
      lead = g_str_has_prefix (whole, "ta") ? 2 : 0;
      n_led += i == 20 && lead > 0;
      g_free (expected);
      expected = g_strdup (whole + lead);
      if (certain < 2 && strncmp ("ta", whole, certain) == 0)
        continue;
      expected_stop = find_stop_anew (whole + lead, certain - lead, stops, &at);
      if (expected_stop >= 0) {
        expected[at] = '\0';
        n_stopped[expected_stop]++;
      }
    }
    text = stream_ids (&fixture, ids, stops, &stop);
    g_assert_cmpint (stop, ==, expected_stop);
    g_assert_cmpstr (text, ==, expected);
  }
  for (int i = 0; i < 6; i++)
    g_assert_cmpint (n_stopped[i], >, 0);
  g_assert_cmpint (n_led, >, 20);
  fixture_clear (&fixture);
}

/* --- Work ---------------------------------------------------------------------------------- */

#define N_LONG 2000

/* Each token is decoded once, and its bytes are looked at a fixed number of times, whatever stands
 * before them: nothing but broken bytes is the worst, as all of them might have been held back. */
static void
measure_work (const Fixture *fixture, const gint32 *ids, const char *const *stops)
{
  g_autofree gint32 *tokens = laurel_stop_find_tokens (fixture->model.tokenizer, stops);
  g_autoptr (LaurelTextStream) stream = laurel_text_stream_new (&fixture->model, stops, tokens);
  guint64 n_text = 0, n_stops = g_strv_length ((char **) stops);
  g_autofree char *whole = decode_whole (fixture, ids, N_LONG);

  work.n_tokens = work.n_validated = work.n_searched = 0;
  for (int i = 0; i < N_LONG; i++) {
    g_assert_cmpint (laurel_text_stream_push (stream, ids[i]), ==, -1);
    n_text += strlen (laurel_text_stream_take (stream, i == N_LONG - 1));
  }
  g_assert_cmpstr (laurel_text_stream_get_text (stream), ==, whole);
  g_assert_cmpuint (n_text, ==, strlen (whole));
  g_assert_cmpuint (work.n_tokens, ==, N_LONG);
  /* A token has up to 8 bytes here; a character is looked at anew for each of its four bytes. */
  g_assert_cmpuint (work.n_validated, <=, N_LONG * (8 + 4) * 4);
  /* For each stop string its own length (4) and what came in, of which a byte makes three. */
  g_assert_cmpuint (work.n_searched, <=, N_LONG * n_stops * (4 + 8 * 3));
  g_assert_cmpuint (work.n_searched, >=, N_LONG);
}

static void
test_work (void)
{
  static const char *const stops[] = { "xyz", "qqqq", NULL };
  gint32 ids[N_LONG];
  Fixture fixture;
  LaurelRng rng;
  int n_merged;

  fixture_init (&fixture, " ");
  /* Behind the bytes and before end-of-text. */
  n_merged = laurel_tokenizer_get_vocab_size (fixture.model.tokenizer) - 257;
  g_assert_cmpint (n_merged, >, 20);
  laurel_rng_init (&rng, 5, LAUREL_RNG_TEST, 32, 0);
  for (int i = 0; i < N_LONG; i++)
    ids[i] = 256 + (gint32) laurel_rng_below (&rng, (guint64) n_merged);
  measure_work (&fixture, ids, stops);
  for (int i = 0; i < N_LONG; i++)
    ids[i] = fixture.bytes[i % 3 == 0 ? 0xf0 : 0xff];
  measure_work (&fixture, ids, stops);
  for (int i = 0; i < N_LONG; i++)
    ids[i] = fixture.bytes[(guint8) "\360\237\220\210"[i % 4]];
  measure_work (&fixture, ids, stops);
  fixture_clear (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/text-stream/stop-choice", test_stop_choice);
  g_test_add_func ("/model/text-stream/stop-token", test_stop_token);
  g_test_add_func ("/model/text-stream/lead-twice", test_lead_twice);
  g_test_add_func ("/model/text-stream/hostile-text", test_hostile_text);
  g_test_add_func ("/model/text-stream/hostile-stream", test_hostile_stream);
  g_test_add_func ("/model/text-stream/work", test_work);
  return g_test_run ();
}
