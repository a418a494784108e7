/* tokenizer.c: laurelctl tokenizer …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <gio/gunixinputstream.h>
#include <stdio.h>
#include <unistd.h>

static void
progress_cb (int n_merges, int n_wanted, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "merges", n_wanted > 0 ? (double) n_merges / n_wanted : 1.0,
                            -1.0);
}

static gboolean
read_texts (LaurelCtl *self, GPtrArray *texts, GArray *lengths, GError **error)
{
  for (int i = 0; laurel_ctl_argument (self, i) != NULL; i++) {
    gsize length;
    char *text = laurel_ctl_read_input (laurel_ctl_argument (self, i), &length, error);

    if (text == NULL)
      return FALSE;
    g_ptr_array_add (texts, text);
    g_array_append_val (lengths, length);
  }
  return TRUE;
}

static gboolean
check_algorithm (LaurelCtl *self, GError **error)
{
  const char *algorithm = laurel_ctl_get (self, "algorithm");

  if (algorithm == NULL || g_str_equal (algorithm, "bpe"))
    return TRUE;
  g_set_error (
      error, LAUREL_CTL_USAGE, 0,
      "Could not understand “--algorithm %s”: this version trains byte-level BPE; write “bpe”",
      algorithm);
  return FALSE;
}

static gboolean
run_train (LaurelCtl *self, GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) lengths = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const char *output = laurel_ctl_require (self, "output", error);
  gint64 vocab_size = 2048;

  if (output == NULL || !check_algorithm (self, error)
      || !laurel_ctl_get_int (self, "vocab-size", 257, 1 << 20, &vocab_size, error)
      || !read_texts (self, texts, lengths, error))
    return FALSE;
  tokenizer = laurel_tokenizer_train_bpe ((const char *const *) texts->pdata,
                                          (const gsize *) (void *) lengths->data, texts->len,
                                          (int) vocab_size, progress_cb, self, error);
  laurel_ctl_hide_progress (self);
  if (tokenizer == NULL || !laurel_file_make_directory (output, error)
      || !laurel_tokenizer_save (tokenizer, output, error))
    return FALSE;
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "output", output);
  laurel_json_add_int (builder, "vocab_size", laurel_tokenizer_get_vocab_size (tokenizer));
  laurel_json_add_string (builder, "hash", laurel_tokenizer_get_hash (tokenizer));
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    printf ("wrote %d tokens to %s\n", laurel_tokenizer_get_vocab_size (tokenizer), output);
  return TRUE;
}

static LaurelTokenizer *
load_tokenizer (LaurelCtl *self, GError **error)
{
  const char *dir = laurel_ctl_require (self, "tokenizer", error);

  return dir != NULL ? laurel_tokenizer_load (dir, error) : NULL;
}

/* Standard input or a file, "-" or NULL being the former. */
static GInputStream *
open_input (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GFile) file = NULL;
  GFileInputStream *stream;

  if (path == NULL || g_str_equal (path, "-"))
    return g_unix_input_stream_new (STDIN_FILENO, FALSE);
  file = g_file_new_for_path (path);
  stream = g_file_read (file, NULL, &local);
  if (stream == NULL)
    g_set_error (error, LAUREL_ERROR,
                 g_error_matches (local, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ? LAUREL_ERROR_NOT_FOUND
                                                                           : LAUREL_ERROR_IO,
                 "Could not read “%s”: %s; check the path", path, local->message);
  return G_INPUT_STREAM (stream);
}

/* Prints as it goes: neither the text nor its ids are ever held whole. */
static gboolean
print_ids (const gint32 *ids, gsize n, gpointer user_data, GError **error)
{
  gboolean *any = user_data;

  for (gsize i = 0; i < n; i++) {
    printf (*any ? ",%d" : "[%d", ids[i]);
    *any = TRUE;
  }
  return TRUE;
}

static gboolean
run_encode (LaurelCtl *self, GError **error)
{
  g_autoptr (LaurelTokenizer) tokenizer = load_tokenizer (self, error);
  const char *path = laurel_ctl_argument (self, 0);
  g_autoptr (GInputStream) input = NULL;
  gboolean any = FALSE;

  if (tokenizer == NULL)
    return FALSE;
  input = open_input (path, error);
  if (input == NULL
      || !laurel_tokenizer_encode_stream (tokenizer, input, path != NULL ? path : "-", print_ids,
                                          &any, error))
    return FALSE;
  puts (any ? "]" : "[]");
  return TRUE;
}

static gboolean
read_ids (const char *path, const LaurelTokenizer *tokenizer, GArray *ids, GError **error)
{
  g_autofree char *text = laurel_ctl_read_input (path, NULL, error);
  g_autoptr (JsonNode) node =
      text != NULL ? laurel_json_parse (text, path != NULL ? path : "-", error) : NULL;
  JsonArray *array;

  if (node == NULL)
    return FALSE;
  array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonNode *item = json_array_get_element (array, i);
    gint64 id = JSON_NODE_HOLDS_VALUE (item) && json_node_get_value_type (item) == G_TYPE_INT64
                    ? json_node_get_int (item)
                    : -1;
    gint32 token = (gint32) id;

    if (id < 0 || id >= laurel_tokenizer_get_vocab_size (tokenizer)) {
      array = NULL;
      break;
    }
    g_array_append_val (ids, token);
  }
  if (array != NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not decode “%s”: it is no JSON array of token ids from 0 to %d; give what "
               "encode prints",
               path != NULL ? path : "-", laurel_tokenizer_get_vocab_size (tokenizer) - 1);
  return FALSE;
}

static gboolean
run_decode (LaurelCtl *self, GError **error)
{
  g_autoptr (LaurelTokenizer) tokenizer = load_tokenizer (self, error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text = NULL;

  if (tokenizer == NULL || !read_ids (laurel_ctl_argument (self, 0), tokenizer, ids, error))
    return FALSE;
  text = laurel_tokenizer_decode (tokenizer, (const gint32 *) (void *) ids->data, ids->len, TRUE);
  if (self->json)
    laurel_ctl_print_json (json_node_init_string (json_node_alloc (), text));
  else
    fputs (text, stdout);
  return TRUE;
}

static const LaurelCtlOption train_options[] = {
  { "algorithm", "NAME", "bpe", FALSE },
  { "vocab-size", "N", "Tokens in all, end-of-text included (2048)", FALSE },
  { "output", "DIR", "Where the tokenizer's files go", FALSE },
  { NULL }
};

static const LaurelCtlOption tokenizer_options[] = {
  { "tokenizer", "DIR", "A folder with tokenizer.json, or vocab.json and merges.txt", FALSE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "train", "FILE…", 1, -1, train_options, "Learn a tokenizer from text", run_train },
  { "encode", "[FILE]", 0, 1, tokenizer_options, "Print the token ids of a text as a JSON array",
    run_encode },
  { "decode", "[FILE]", 0, 1, tokenizer_options, "Print the text of a JSON array of token ids",
    run_decode },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_tokenizer = { "tokenizer", "Tokenizers: train, encode, decode",
                                             verbs };
