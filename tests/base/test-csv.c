/* test-csv.c: what is written as a field is read back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/csv.h"

static void
test_round_trip (void)
{
  static const char *const texts[] = { "plain", "", "a, b", "she said \"no\"", "\"", "two\nlines" };
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  LaurelCsv reader;
  guint number;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (i > 0)
      g_string_append_c (line, ',');
    laurel_csv_append (line, texts[i]);
  }
  g_string_append_c (line, '\n');
  laurel_csv_init (&reader, line->str, line->len);
  g_assert_true (laurel_csv_read (&reader, fields, &number, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (fields->len, ==, G_N_ELEMENTS (texts));
  for (guint i = 0; i < fields->len; i++)
    g_assert_cmpstr (g_ptr_array_index (fields, i), ==, texts[i]);
  g_assert_false (laurel_csv_read (&reader, fields, &number, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/csv/round-trip", test_round_trip);
  return g_test_run ();
}
