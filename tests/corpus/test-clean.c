/* test-clean.c: encodings told apart, mojibake mended, what is no text taken out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/corpus/clean.h"
#include "core/corpus/decode.h"

#include <string.h>

#define ENGLISH "The cat sat on the mat.\nIt was a mat of some size, and the cat was content.\n"
#define FRENCH "Où est la bibliothèque ? « À gauche », dit l’élève — c’était en été, à Noël.\n"
#define MIXED "naïve “quotes” – 50 € 🙂 and Ελληνικά, кириллица, 日本語\n"

static const char *const texts[] = { ENGLISH, FRENCH, MIXED };

static char *
encode (const char *text, const char *encoding, gsize *n)
{
  g_autoptr (GError) error = NULL;
  char *bytes = g_convert (text, -1, encoding, "UTF-8", NULL, n, &error);

  g_assert_no_error (error);
  return bytes;
}

static void
assert_decodes (const char *bytes, gsize n, LaurelEncoding wanted, const char *text)
{
  g_autoptr (GString) out = g_string_new (NULL);
  LaurelEncoding encoding, found;
  gsize mark;

  encoding = laurel_encoding_detect ((const guint8 *) bytes, n, &mark);
  g_assert_true (
      laurel_decode (encoding, NULL, (const guint8 *) bytes + mark, n - mark, out, &found));
  g_assert_cmpstr (laurel_encoding_get_name (found), ==, laurel_encoding_get_name (wanted));
  g_assert_cmpstr (out->str, ==, text);
}

static void
test_unicode (void)
{
  static const struct {
    const char *name;
    const char *mark;
    gsize n_mark;
    LaurelEncoding encoding;
  } cases[] = {
    { "UTF-8", "", 0, LAUREL_ENCODING_UTF_8 },
    { "UTF-16LE", "", 0, LAUREL_ENCODING_UTF_16_LE },
    { "UTF-16BE", "", 0, LAUREL_ENCODING_UTF_16_BE },
    { "UTF-32LE", "", 0, LAUREL_ENCODING_UTF_32_LE },
    { "UTF-32BE", "", 0, LAUREL_ENCODING_UTF_32_BE },
    { "UTF-8", "\xef\xbb\xbf", 3, LAUREL_ENCODING_UTF_8 },
    { "UTF-16LE", "\xff\xfe", 2, LAUREL_ENCODING_UTF_16_LE },
    { "UTF-16BE", "\xfe\xff", 2, LAUREL_ENCODING_UTF_16_BE },
    { "UTF-32LE", "\xff\xfe\0\0", 4, LAUREL_ENCODING_UTF_32_LE },
    { "UTF-32BE", "\0\0\xfe\xff", 4, LAUREL_ENCODING_UTF_32_BE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint j = 0; j < G_N_ELEMENTS (texts); j++) {
      gsize n;
      g_autofree char *bytes = encode (texts[j], cases[i].name, &n);
      g_autoptr (GString) marked = g_string_new_len (cases[i].mark, (gssize) cases[i].n_mark);

      g_string_append_len (marked, bytes, (gssize) n);
      assert_decodes (marked->str, marked->len, cases[i].encoding, texts[j]);
    }
}

static void
test_windows_1252 (void)
{
  gsize n;
  g_autofree char *bytes = encode (FRENCH, "WINDOWS-1252", &n);

  assert_decodes (bytes, n, LAUREL_ENCODING_WINDOWS_1252, FRENCH);
  assert_decodes ("caf\xe9 cr\xe8me, two words more", 26, LAUREL_ENCODING_WINDOWS_1252,
                  "café crème, two words more");
}

/* Text that is UTF-8 with a broken byte in it stays UTF-8. */
static void
test_damaged (void)
{
  g_autofree char *bytes = g_strconcat (FRENCH, "\xc3", "\xff", FRENCH, NULL);
  g_autofree char *text = g_strconcat (FRENCH, "��", FRENCH, NULL);

  assert_decodes (bytes, strlen (bytes), LAUREL_ENCODING_UTF_8, text);
  /* Zero bytes are not the end of the text. */
  assert_decodes ("one\0two \xc3\xa9", 10, LAUREL_ENCODING_UTF_8, "one\1two é");
}

static void
assert_refused (const char *bytes, gsize n)
{
  g_autoptr (GString) out = g_string_new (NULL);
  LaurelEncoding found;
  gsize mark;

  g_assert_cmpint (laurel_encoding_detect ((const guint8 *) bytes, n, &mark), ==,
                   LAUREL_ENCODING_BYTES);
  g_assert_false (
      laurel_decode (LAUREL_ENCODING_BYTES, NULL, (const guint8 *) bytes, n, out, &found));
}

static void
test_unknown (void)
{
  static const char *const encodings[] = { "KOI8-R", "CP1251", "ISO-8859-5" };
  gsize n;
  g_autofree char *greek = encode ("Ελληνικά γράμματα, και άλλα", "ISO-8859-7", &n);
  g_autofree char *japanese = NULL;
  LaurelRng rng;

  assert_refused (greek, n);
  for (guint i = 0; i < G_N_ELEMENTS (encodings); i++) {
    g_autofree char *russian = encode ("Все счастливые семьи похожи", encodings[i], &n);

    assert_refused (russian, n);
  }
  japanese = encode ("吾輩は猫である。名前はまだ無い。", "SHIFT_JIS", &n);
  assert_refused (japanese, n);
  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 100; i++) {
    char bytes[1000];

    for (guint j = 0; j < sizeof bytes; j++)
      bytes[j] = (char) laurel_rng_below (&rng, 256);
    assert_refused (bytes, sizeof bytes);
  }
}

static void
test_named (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  LaurelEncoding found;
  gsize n;
  g_autofree char *russian = encode ("Все счастливые семьи", "KOI8-R", &n);

  g_assert_cmpint (laurel_encoding_from_name ("koi8-r"), ==, LAUREL_ENCODING_NAMED);
  g_assert_cmpint (laurel_encoding_from_name ("UTF-16LE"), ==, LAUREL_ENCODING_UTF_16_LE);
  g_assert_cmpint (laurel_encoding_from_name ("no-such"), ==, LAUREL_N_ENCODINGS);
  /* Its line ends are no single byte, so lines could not be told. */
  g_assert_cmpint (laurel_encoding_from_name ("UCS-4"), ==, LAUREL_N_ENCODINGS);
  g_assert_true (laurel_decode (LAUREL_ENCODING_NAMED, "koi8-r", (const guint8 *) russian, n, out,
                                &found));
  g_assert_cmpstr (out->str, ==, "Все счастливые семьи");
}

/* --- Mojibake ------------------------------------------------------------------------ */

/* What comes of UTF-8 that is read as Windows-1252, or as Latin-1 where that has no sign. */
static char *
spoil (const char *text)
{
  GString *out = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at++)
    g_string_append_unichar (out, laurel_windows_1252_to_unicode ((guint8) *at));
  return g_string_free (out, FALSE);
}

static void
assert_mended (const char *bad, const char *good)
{
  g_autoptr (GString) text = g_string_new (bad);

  laurel_mend_mojibake (text);
  g_assert_cmpstr (text->str, ==, good);
}

static void
test_mojibake (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree char *once = spoil (texts[i]);
    g_autofree char *twice = spoil (once);
    g_autofree char *thrice = spoil (twice);

    assert_mended (once, texts[i]);
    assert_mended (twice, texts[i]);
    assert_mended (thrice, texts[i]);
  }
  assert_mended ("It\u00e2\u20ac\u2122s", "It’s");
  assert_mended ("It\u00e2\xc2\x80" "\xc2\x99" "s", "It’s"); /* read as Latin-1 */
  /* Signs are mended in a text whose other letters are right, twice spoilt or once. */
  assert_mended ("Un été, it\u00e2\u20ac\u2122s", "Un été, it’s");
  assert_mended ("Un été à Noël, "
                 "it\u00c3\u00a2\u00e2\u201a\u00ac\u00e2\u201e\u00a2s",
                 "Un été à Noël, it’s");
}

static void
test_no_mojibake (void)
{
  static const char *const right[] = {
    ENGLISH, FRENCH, MIXED, "", "Ã", "â€",
    /* Pairs that look like two bytes of one letter, among letters that do not. */
    "« Le CAFÉ» est fermé", "«AMANHÃ» disse ele, à noite", "é”— in a text of “quotes”",
    "Ãœ and ß: Österreich, Ärger, Öl, Übung",
  };

  for (guint i = 0; i < G_N_ELEMENTS (right); i++)
    assert_mended (right[i], right[i]);
}

/* What looks ever further ahead would run out of stack or of time. */
static void
test_long_mojibake (void)
{
  g_autoptr (GString) text = g_string_new ("é");

  for (int i = 0; i < 500000; i++)
    g_string_append (text, "Ã¢");
  g_string_append (text, "\u00e2\u20ac\u2122");
  g_assert_cmpuint (laurel_mend_mojibake (text), >, 0);
  g_assert_true (g_str_has_suffix (text->str, "’"));
}

/* --- Cleaning ------------------------------------------------------------------------ */

static LaurelCleaning
assert_cleaned (const char *before, const char *after)
{
  g_autoptr (GString) text = g_string_new (before);
  LaurelCleaning cleaning;

  laurel_clean (text, &cleaning);
  g_assert_cmpstr (text->str, ==, after);
  g_assert_cmpuint (text->len, ==, strlen (after));
  return cleaning;
}

static void
test_lines (void)
{
  assert_cleaned ("a\r\nb\rc\nd\xc2\x85" "e\u2028f\u2029g\vh\fi", "a\nb\nc\nd\ne\nf\ng\nh\ni");
  assert_cleaned ("a  \nb\t \r\n\r\n\r\n\r\n  c", "a\nb\n\n  c");
  assert_cleaned ("\n \n\t\nfirst\nlast \n\n \n", "first\nlast");
  assert_cleaned (" \n\r\n ", "");
  assert_cleaned ("", "");
  assert_cleaned ("\ttab\tkept", "\ttab\tkept");
}

static void
test_controls (void)
{
  LaurelCleaning cleaning = assert_cleaned (
      "\ufeffa\1b\x1b[0mc\x7f\xc2\x90" "d\u00ade\ufffef\ufdd0", "ab[0mcdef");

  g_assert_cmpuint (cleaning.n_controls, ==, 8);
  cleaning = assert_cleaned ("a\ufffdb\ufffd", "a\ufffdb\ufffd");
  g_assert_cmpuint (cleaning.n_replacement, ==, 2);
  g_assert_cmpuint (cleaning.n_chars, ==, 4);
  /* Joiners make letters and emoji what they are. */
  assert_cleaned ("👩\u200d🔬 می\u200cخواهم", "👩\u200d🔬 می\u200cخواهم");
}

/* Whatever comes in, valid UTF-8 without controls comes out, and cleaning it again changes
 * nothing but what looks like mojibake in noise. */
static void
test_noise (void)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 7, LAUREL_RNG_TEST, 1, 0);
  for (int i = 0; i < 3000; i++) {
    static const LaurelEncoding all[] = { LAUREL_ENCODING_UTF_8, LAUREL_ENCODING_WINDOWS_1252,
                                          LAUREL_ENCODING_UTF_16_LE, LAUREL_ENCODING_UTF_32_BE };
    g_autoptr (GString) text = g_string_new (NULL);
    LaurelCleaning cleaning;
    LaurelEncoding found;
    guint8 bytes[200];
    guint n = laurel_rng_below (&rng, sizeof bytes);

    for (guint j = 0; j < n; j++)
      bytes[j] = (guint8) (laurel_rng_below (&rng, 3) > 0 ? laurel_rng_below (&rng, 128)
                                                          : laurel_rng_below (&rng, 256));
    g_assert_true (laurel_decode (all[i % 4], NULL, bytes, n, text, &found));
    laurel_clean (text, &cleaning);
    g_assert_true (g_utf8_validate (text->str, (gssize) text->len, NULL));
    for (const char *at = text->str; *at != '\0'; at = g_utf8_next_char (at))
      g_assert_true (*at == '\n' || *at == '\t' || !g_unichar_iscntrl (g_utf8_get_char (at)));
    g_assert_null (strstr (text->str, "\n\n\n"));
    g_assert_null (strstr (text->str, " \n"));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/corpus/decode/unicode", test_unicode);
  g_test_add_func ("/corpus/decode/windows-1252", test_windows_1252);
  g_test_add_func ("/corpus/decode/damaged", test_damaged);
  g_test_add_func ("/corpus/decode/unknown", test_unknown);
  g_test_add_func ("/corpus/decode/named", test_named);
  g_test_add_func ("/corpus/mojibake/mended", test_mojibake);
  g_test_add_func ("/corpus/mojibake/left-alone", test_no_mojibake);
  g_test_add_func ("/corpus/mojibake/long", test_long_mojibake);
  g_test_add_func ("/corpus/clean/lines", test_lines);
  g_test_add_func ("/corpus/clean/controls", test_controls);
  g_test_add_func ("/corpus/clean/noise", test_noise);
  return g_test_run ();
}
