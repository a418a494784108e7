/* fuzz-template.c: chat_template.json, a prompt and a completion.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/text/template.h"

#include <stdlib.h>
#include <string.h>

const FuzzFormat fuzz_format = { NULL, NULL };

static LaurelTokenizer *tokenizer;

static void
free_tokenizer (void)
{
  laurel_tokenizer_unref (tokenizer);
}

static void
make_tokenizer (void)
{
  const char *const texts[] = { "User: hello there\nAssistant: hello, hello to you there" };
  g_autoptr (GError) error = NULL;

  tokenizer = laurel_tokenizer_train_bpe (texts, NULL, 1, 280, NULL, NULL, &error);
  g_assert_no_error (error);
  atexit (free_tokenizer);
}

static void
check_prompt (const LaurelTemplate *chat_template, const char *prompt)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  gboolean encoded = laurel_template_encode_prompt (chat_template, tokenizer, prompt, ids, &error);

  fuzz_check (encoded, error);
}

/* A completion comes back from its ids, end-of-text apart. */
static void
check_completion (const LaurelTemplate *chat_template, const char *completion)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  gboolean encoded = laurel_template_encode_completion (chat_template, tokenizer, completion, ids,
                                                        &error);
  g_autofree char *decoded = NULL;

  fuzz_check (encoded, error);
  if (!encoded)
    return;
  decoded = laurel_template_decode_completion (chat_template, tokenizer,
                                               (const gint32 *) (const void *) ids->data, ids->len);
  g_assert_cmpstr (decoded, ==, completion);
}

static void
check_again (const LaurelTemplate *chat_template)
{
  g_autofree char *dir = g_build_filename (fuzz_folder (), "again", NULL);
  g_autoptr (LaurelTemplate) again = NULL;
  g_autoptr (GError) error = NULL;

  laurel_template_save (chat_template, dir, &error);
  g_assert_no_error (error);
  again = laurel_template_load (dir, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (again->prompt_before, ==, chat_template->prompt_before);
  g_assert_cmpstr (again->prompt_after, ==, chat_template->prompt_after);
  g_assert_cmpstr (again->completion_before, ==, chat_template->completion_before);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (LaurelTemplate) chat_template = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *prompt = NULL;
  g_autofree char *completion = NULL;
  FuzzPart parts[3];

  if (tokenizer == NULL)
    make_tokenizer ();
  fuzz_split (data, size, parts, G_N_ELEMENTS (parts));
  fuzz_write ("chat_template.json", parts[0].bytes, parts[0].length);
  prompt = fuzz_string (&parts[1]);
  completion = fuzz_string (&parts[2]);
  chat_template = laurel_template_load (fuzz_folder (), &error);
  fuzz_check (chat_template != NULL, error);
  if (chat_template != NULL) {
    check_prompt (chat_template, prompt);
    check_completion (chat_template, completion);
    check_again (chat_template);
  }
  return 0;
}
