/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cli/command.h"

#include "core/base/json.h"

#include <string.h>
#include <sys/wait.h>

void
result_clear (Result *self)
{
  g_clear_pointer (&self->out, g_free);
  g_clear_pointer (&self->err, g_free);
}

const char *
get_program (void)
{
  const char *program = g_getenv ("LAURELCTL");

  g_assert_nonnull (program);
  return program;
}

void
run (Result *result, ...)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  va_list words;
  char *word;
  int status;

  result_clear (result);
  g_ptr_array_add (argv, (char *) get_program ());
  va_start (words, result);
  while ((word = va_arg (words, char *)) != NULL)
    g_ptr_array_add (argv, word);
  va_end (words);
  g_ptr_array_add (argv, NULL);
  g_spawn_sync (NULL, (char **) argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &result->out,
                &result->err, &status, &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  result->code = WEXITSTATUS (status);
}

void
assert_error (const Result *result, int code, const char *needle)
{
  g_test_message ("%s", result->err);
  g_assert_cmpint (result->code, ==, code);
  g_assert_true (g_str_has_prefix (result->err, "laurelctl: Could not "));
  g_assert_nonnull (strchr (result->err, ';'));
  g_assert_true (strchr (result->err, '\n') == result->err + strlen (result->err) - 1);
  g_assert_nonnull (strstr (result->err, needle));
}

JsonNode *
parse_output (const Result *result)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node;

  g_test_message ("%s%s", result->out, result->err);
  g_assert_cmpint (result->code, ==, 0);
  node = laurel_json_parse (result->out, "output", &error);
  g_assert_no_error (error);
  return node;
}
