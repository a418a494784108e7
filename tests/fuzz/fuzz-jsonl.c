/* fuzz-jsonl.c: files of rows for a project's database, named by their first line: prompts.jsonl,
 * prompts.csv, prompts.txt, demonstrations.jsonl or rankings.jsonl.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/base/file.h"
#include "core/label/exchange.h"

#include <stdlib.h>
#include <string.h>

const FuzzFormat fuzz_format = { NULL, NULL };

#define EXPORTS "exports"

/* One database for the whole run: what an input puts in is taken out again. */
static LaurelStore *store;

static void
close_store (void)
{
  laurel_store_close (store);
}

static void
open_store (void)
{
  g_autofree char *path = g_build_filename (fuzz_folder (), "project.sqlite", NULL);
  g_autoptr (GError) error = NULL;

  store = laurel_store_open (path, &error);
  g_assert_no_error (error);
  atexit (close_store);
  g_free (path);
  path = g_build_filename (fuzz_folder (), EXPORTS, NULL);
  laurel_file_make_directory (path, &error);
  g_assert_no_error (error);
}

/* Tokens as a model's would be, without a model. */
static gboolean
encode (const char *text, GArray *ids, gpointer user_data, GError **error)
{
  for (; *text != '\0'; text++) {
    gint32 id = (guint8) *text;

    g_array_append_val (ids, id);
  }
  return TRUE;
}

static LaurelImportResult *
import (const char *path, GError **error)
{
  if (g_str_has_suffix (path, "/rankings.jsonl"))
    return laurel_import_rankings (store, path, encode, NULL, error);
  if (g_str_has_suffix (path, "/demonstrations.jsonl"))
    return laurel_import_demonstrations (store, path, error);
  return laurel_import_prompts (store, path, error);
}

static void
check_result (const LaurelImportResult *result)
{
  g_autofree char *words = laurel_import_result_describe (result);

  g_assert_nonnull (words);
  for (guint i = 0; i < result->row_errors->len; i++) {
    const LaurelRowError *row = g_ptr_array_index (result->row_errors, i);

    g_assert_cmpuint (row->row, >=, 1);
    g_assert_cmpstr (row->reason, !=, "");
    g_assert_true (g_utf8_validate (row->reason, -1, NULL));
  }
}

/* What is exported can be imported where it is new, without losing a row. */
static void
check_export (const char *name, const LaurelImportResult *result)
{
  g_autofree char *path = g_build_filename (fuzz_folder (), EXPORTS, name, NULL);
  g_autoptr (LaurelImportResult) again = NULL;
  g_autoptr (GError) error = NULL;
  int n;

  if (g_str_has_prefix (name, "rankings"))
    n = laurel_export_rankings (store, path, LAUREL_EXPORT_LAUREL, LAUREL_LABELERS_ALL, &error);
  else
    n = laurel_export_prompts (store, path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (n, >=, 0);
  laurel_store_rollback (store);
  laurel_store_begin (store, &error);
  g_assert_no_error (error);
  again = import (path, &error);
  g_assert_no_error (error);
  if (again->row_errors->len > 0)
    g_error ("exported row %u: %s",
             ((LaurelRowError *) g_ptr_array_index (again->row_errors, 0))->row,
             ((LaurelRowError *) g_ptr_array_index (again->row_errors, 0))->reason);
  g_assert_cmpuint (again->n_imported, ==, (guint) n);
}

static void
run (const char *name, const FuzzPart *rows)
{
  g_autofree char *path = g_strdup (fuzz_write (name, rows->bytes, rows->length));
  g_autoptr (LaurelImportResult) result = NULL;
  g_autoptr (GError) error = NULL;

  result = import (path, &error);
  fuzz_check (result != NULL, error);
  if (result == NULL)
    return;
  check_result (result);
  if (g_str_equal (name, "rankings.jsonl") || g_str_equal (name, "prompts.jsonl"))
    check_export (name, result);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static const char *const names[] = { "prompts.jsonl", "prompts.csv", "prompts.txt",
                                       "demonstrations.jsonl", "rankings.jsonl" };
  const char *newline = size > 0 ? memchr (data, '\n', size) : NULL;
  gsize n = newline != NULL ? (gsize) (newline - (const char *) data) : size;
  g_autofree char *wanted = g_strndup ((const char *) data, n);
  FuzzPart rows = { (const char *) data + n, size - n };

  if (store == NULL)
    open_store ();
  if (newline != NULL) {
    rows.bytes++;
    rows.length--;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;

    if (!g_str_equal (wanted, names[i]))
      continue;
    laurel_store_begin (store, &error);
    g_assert_no_error (error);
    run (names[i], &rows);
    laurel_store_rollback (store);
  }
  return 0;
}
