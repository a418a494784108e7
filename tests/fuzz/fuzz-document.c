/* fuzz-document.c: a file of documents for a corpus. Words of its first line say how it is read:
 * “jsonl”, “line”, “blank-line”, “separator” (a line of ----), and an encoding's name.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/corpus/document.h"

#include <string.h>

const FuzzFormat fuzz_format = { NULL, NULL };

static void
read_options (const char *line, LaurelReaderOptions *reader, LaurelDocumentOptions *document)
{
  static const char *const encodings[] = { "windows-1252", "utf-8", "utf-16le", "utf-16be",
                                           "utf-32le", "utf-32be", "iso-8859-2" };

  *reader = (LaurelReaderOptions) { .format = LAUREL_FORMAT_TEXT, .separator = "----" };
  if (strstr (line, "jsonl") != NULL)
    reader->format = LAUREL_FORMAT_JSONL;
  if (strstr (line, "blank-line") != NULL)
    reader->rule = LAUREL_DOCUMENT_BLANK_LINE;
  else if (strstr (line, "separator") != NULL)
    reader->rule = LAUREL_DOCUMENT_SEPARATOR;
  else if (strstr (line, "line") != NULL)
    reader->rule = LAUREL_DOCUMENT_LINE;
  *document = (LaurelDocumentOptions) { .field = "text", .signatures = TRUE };
  for (gsize i = 0; i < G_N_ELEMENTS (encodings); i++)
    if (strstr (line, encodings[i]) != NULL) {
      reader->encoding = laurel_encoding_from_name (encodings[i]);
      reader->encoding_name = encodings[i];
      document->encoding_name = encodings[i];
    }
  laurel_rules_init (&document->rules);
  if (strstr (line, "all") != NULL) {
    gboolean added = laurel_rules_add_set (&document->rules, "all", NULL);

    g_assert_true (added);
  }
}

/* Clean text is UTF-8, and cleaning it again finds nothing but what mending uncovers. */
static void
check_text (const LaurelDocument *document)
{
  g_autoptr (GString) again = g_string_new_len (document->text->str,
                                                (gssize) document->text->len);
  LaurelCleaning cleaning = { 0 };

  g_assert_true (g_utf8_validate_len (again->str, again->len, NULL));
  laurel_clean (again, &cleaning);
  g_assert_true (g_utf8_validate_len (again->str, again->len, NULL));
  if (cleaning.n_mojibake == 0 && document->lines.sample[LAUREL_RULE_C4_LINE_END] == NULL) {
    g_assert_cmpuint (cleaning.n_controls, ==, 0);
    g_assert_cmpmem (again->str, again->len, document->text->str, document->text->len);
  }
}

/* What was kept of a file. */
typedef struct {
  GArray *keys;       /* (element-type LaurelDocumentKey) */
  GArray *signatures; /* (element-type LaurelMinhash) */
  GPtrArray *texts;   /* (element-type utf8) */
} Kept;

static void
check_document (const LaurelDocumentOptions *options, const LaurelRawDocument *raw, Kept *kept)
{
  LaurelDocument document;

  laurel_document_process (options, raw, &document);
  g_assert_cmpint (document.rule, <=, LAUREL_RULE_NONE);
  if (document.rule == LAUREL_RULE_NONE) {
    check_text (&document);
    g_array_append_val (kept->keys, document.key);
    g_array_append_val (kept->signatures, document.signature);
    g_ptr_array_add (kept->texts, g_strdup (document.text->str));
  }
  laurel_document_clear (&document);
}

/* Reading that goes on at @from finds the document that came next. */
static void
check_resume (const char *const *paths, const LaurelReaderOptions *options,
              const LaurelReaderPosition *from, const LaurelRawDocument *next)
{
  g_autoptr (LaurelReader) reader = laurel_reader_new (paths, options, from);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelRawDocument) found = laurel_reader_next (reader, &error);

  g_assert_no_error (error);
  g_assert_nonnull (found);
  g_assert_cmpuint (found->number, ==, next->number);
  g_assert_cmpmem (found->bytes, found->n, next->bytes, next->n);
}

static gboolean
read_text (guint32 document, GString *text, gpointer user_data, GError **error)
{
  const Kept *kept = user_data;

  g_assert_cmpuint (text->len, ==, 0);
  g_string_append (text, kept->texts->pdata[document]);
  return TRUE;
}

static gboolean
go_on (double share, gpointer user_data, GError **error)
{
  return TRUE;
}

static void
check_duplicates (Kept *kept)
{
  const LaurelDuplicateSearch search = {
    .keys = (const LaurelDocumentKey *) (const void *) kept->keys->data,
    .stride = sizeof (LaurelDocumentKey),
    .signatures = (const LaurelMinhash *) (const void *) kept->signatures->data,
    .n = kept->keys->len,
    .threshold = 0.8,
    .read = read_text,
    .go_on = go_on,
    .user_data = kept,
  };
  g_autofree LaurelDuplicate *found = g_new0 (LaurelDuplicate, search.n + 1);
  gboolean done;

  done = laurel_duplicates_find (&search, found, NULL);
  g_assert_true (done);
  for (guint i = 0; i < search.n; i++) {
    g_assert_cmpuint (found[i].first, <=, i);
    g_assert_cmpuint (found[found[i].first].first, ==, found[i].first);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  const char *newline = size > 0 ? memchr (data, '\n', size) : NULL;
  gsize n = newline != NULL ? (gsize) (newline - (const char *) data) + 1 : size;
  g_autofree char *line = g_strndup ((const char *) data, n);
  const char *paths[] = { fuzz_write ("document", data + n, size - n), NULL };
  g_autoptr (GArray) keys = g_array_new (FALSE, FALSE, sizeof (LaurelDocumentKey));
  g_autoptr (GArray) signatures = g_array_new (FALSE, FALSE, sizeof (LaurelMinhash));
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  Kept kept = { keys, signatures, texts };
  g_autoptr (LaurelReader) reader = NULL;
  g_autoptr (GError) error = NULL;
  LaurelReaderOptions options;
  LaurelDocumentOptions document;
  LaurelReaderPosition before = { 0 };
  guint64 n_consumed = 0;

  read_options (line, &options, &document);
  if (options.encoding == LAUREL_N_ENCODINGS)
    return 0;
  reader = laurel_reader_new (paths, &options, NULL);
  for (guint i = 0;; i++) {
    g_autoptr (LaurelRawDocument) raw = laurel_reader_next (reader, &error);

    fuzz_check (raw != NULL || error == NULL, error);
    if (raw == NULL)
      break;
    n_consumed += raw->n_consumed;
    g_assert_cmpuint (n_consumed, <=, size - n);
    if (i % 4 == 1)
      check_resume (paths, &options, &before, raw);
    check_document (&document, raw, &kept);
    laurel_reader_get_position (reader, &before);
  }
  check_duplicates (&kept);
  return 0;
}
