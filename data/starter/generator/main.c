/* main.c: laurel-starter-generate, which writes the starter project's texts from its tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "data/starter/generator/outputs.h"

#include <locale.h>

static gint64 option_seed = 1;
static int option_megabytes = 24;
static char *option_world = NULL;
static gboolean option_no_corpus = FALSE;
static char **option_folders = NULL;

static const GOptionEntry options[] = {
  { "seed", 0, 0, G_OPTION_ARG_INT64, &option_seed, "Seed of the random choices (1)", "N" },
  { "corpus-megabytes", 0, 0, G_OPTION_ARG_INT, &option_megabytes, "Size of corpus.txt (24)", "N" },
  { "no-corpus", 0, 0, G_OPTION_ARG_NONE, &option_no_corpus, "Leave corpus.txt out", NULL },
  { "world", 0, 0, G_OPTION_ARG_FILENAME, &option_world, "The world's tables", "FILE" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &option_folders, NULL, "OUTPUT_DIR" },
  { NULL }
};

/* Takes @text. */
static gboolean
write_text (const char *folder, const char *name, GString *text, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  gboolean written = laurel_file_write (path, text->str, text->len, error);

  g_string_free (text, TRUE);
  return written;
}

static gboolean
generate (const char *folder, GError **error)
{
  const char *tables = option_world != NULL ? option_world : LAUREL_STARTER_WORLD;
  g_autoptr (JsonNode) node = laurel_json_load (tables, error);
  g_autoptr (GHashTable) heldout = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint64 seed = (guint64) option_seed;
  LaurelCorpusCounts counts;
  JsonObject *world;
  GString *demonstrations;
  GString *corpus;

  if (node == NULL || !laurel_file_make_directory (folder, error))
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read the world “%s”: it is no JSON object; compare it with world.json",
                 tables);
    return FALSE;
  }
  world = json_node_get_object (node);
  if (!write_text (folder, "prompts.jsonl", laurel_make_prompts (world, seed, heldout), error))
    return FALSE;
  demonstrations = laurel_make_demonstrations (world, seed, heldout);
  if (!write_text (folder, "demonstrations.jsonl", demonstrations, error)
      || !write_text (folder, "judge.json", laurel_make_judge (world), error))
    return FALSE;
  if (option_no_corpus)
    return TRUE;
  corpus = laurel_make_corpus (world, seed, (gsize) option_megabytes * 1000000, heldout, &counts);
  g_print ("corpus.txt: %u documents, %u sentences, %u of them distinct\n", counts.n_documents,
           counts.n_sentences, counts.n_distinct);
  return write_text (folder, "corpus.txt", corpus, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || option_folders == NULL
      || option_folders[1] != NULL || option_megabytes < 1) {
    g_printerr ("laurel-starter-generate: %s\n",
                error != NULL ? error->message : "name one output folder; see --help");
    return 2;
  }
  if (!generate (option_folders[0], &error)) {
    g_printerr ("laurel-starter-generate: %s\n", error->message);
    return 1;
  }
  return 0;
}
