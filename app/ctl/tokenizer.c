/* tokenizer.c: laurelctl tokenizer …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/text/tokenizer_trainer.h"

#include <gio/gunixinputstream.h>
#include <stdio.h>
#include <unistd.h>

static void
progress_cb (int n_merges, int n_wanted, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "merges", n_wanted > 0 ? (double) n_merges / n_wanted : 1.0,
                            -1.0);
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

static gboolean
read_options (LaurelCtl *self, LaurelTokenizerOptions *options, GError **error)
{
  const char *algorithm = laurel_ctl_get (self, "algorithm");
  gint64 vocab_size = 2048;

  if (algorithm != NULL && g_str_equal (algorithm, "wordpiece")) {
    options->model = LAUREL_TOKENIZER_WORDPIECE;
  } else if (algorithm != NULL && !g_str_equal (algorithm, "bpe")) {
    g_set_error (error, LAUREL_CTL_USAGE, 0,
                 "Could not understand “--algorithm %s”: there are byte-level BPE and WordPiece; "
                 "write “bpe” or “wordpiece”",
                 algorithm);
    return FALSE;
  }
  options->cased = laurel_ctl_has (self, "cased");
  if (!laurel_ctl_get_int (self, "vocab-size", 7, LAUREL_MAX_VOCAB_SIZE, &vocab_size, error)
      || !laurel_ctl_get_int (self, "min-count", 1, G_MAXINT32, &options->min_count, error))
    return FALSE;
  options->vocab_size = (int) vocab_size;
  return TRUE;
}

/* The files are read in blocks and never held whole. */
static LaurelTokenizer *
train (LaurelCtl *self, const LaurelTokenizerOptions *options, GError **error)
{
  g_autoptr (LaurelTokenizerTrainer) trainer = laurel_tokenizer_trainer_new (options, error);
  LaurelTokenizer *tokenizer;

  for (int i = 0; trainer != NULL && laurel_ctl_argument (self, i) != NULL; i++) {
    const char *path = laurel_ctl_argument (self, i);
    g_autoptr (GInputStream) input = open_input (path, error);

    if (input == NULL || !laurel_tokenizer_trainer_add_stream (trainer, input, path, error))
      return NULL;
  }
  if (trainer == NULL)
    return NULL;
  tokenizer = laurel_tokenizer_trainer_train (trainer, progress_cb, self, error);
  laurel_ctl_hide_progress (self);
  if (tokenizer != NULL && laurel_tokenizer_trainer_get_count_error (trainer) > 0 && !self->quiet)
    fprintf (stderr,
             "laurelctl: there are more words than fit in memory; counts of rare ones are up to "
             "%" G_GINT64_FORMAT " too low\n",
             laurel_tokenizer_trainer_get_count_error (trainer));
  return tokenizer;
}

static gboolean
run_train (LaurelCtl *self, GError **error)
{
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const char *output = laurel_ctl_require (self, "output", error);
  LaurelTokenizerOptions options = { .model = LAUREL_TOKENIZER_BPE };

  if (output == NULL || !read_options (self, &options, error))
    return FALSE;
  tokenizer = train (self, &options, error);
  if (tokenizer == NULL || !laurel_file_make_directory (output, error)
      || !laurel_tokenizer_save (tokenizer, output, error))
    return FALSE;
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "output", output);
  laurel_json_add_string (builder, "algorithm",
                          laurel_tokenizer_get_model (tokenizer) == LAUREL_TOKENIZER_BPE
                              ? "bpe"
                              : "wordpiece");
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

/* Prints as it goes: neither the text nor its ids are ever held whole. There are
 * hundreds of millions of them in a large text, which is too many for printf(). */
static gboolean
print_ids (const gint32 *ids, gsize n, gpointer user_data, GError **error)
{
  gboolean *any = user_data;

  for (gsize i = 0; i < n; i++) {
    char digits[12];
    gsize at = sizeof digits;
    gint32 left = ids[i];

    do {
      digits[--at] = (char) ('0' + left % 10);
      left /= 10;
    } while (left > 0);
    digits[--at] = *any ? ',' : '[';
    fwrite_unlocked (digits + at, 1, sizeof digits - at, stdout);
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
  { "algorithm", "NAME", "bpe (byte-level, as GPT-2's; the default) or wordpiece (as BERT's)",
    FALSE },
  { "vocab-size", "N", "Tokens in all, end-of-text included (2048)", FALSE },
  { "min-count", "N", "Merge no pair that comes less often (2)", FALSE },
  { "cased", NULL, "wordpiece: keep capitals and accents apart", FALSE },
  { "output", "DIR", "Where the tokenizer's files go", FALSE },
  { NULL }
};

static const LaurelCtlOption tokenizer_options[] = {
  { "tokenizer", "DIR", "A folder with tokenizer.json, or vocab.json and merges.txt, or vocab.txt",
    FALSE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "train", "FILE…", 1, -1, train_options, "Learn a tokenizer from text files of any size",
    run_train },
  { "encode", "[FILE]", 0, 1, tokenizer_options, "Print the token ids of a text as a JSON array",
    run_encode },
  { "decode", "[FILE]", 0, 1, tokenizer_options, "Print the text of a JSON array of token ids",
    run_decode },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_tokenizer = { "tokenizer", "Tokenizers: train, encode, decode",
                                             verbs };
