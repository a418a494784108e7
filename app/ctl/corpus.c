/* corpus.c: laurelctl corpus …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/corpus/prepare.h"
#include "core/corpus/token_file.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* --- Options ------------------------------------------------------------------------- */

static gboolean
refuse_word (const char *option, const char *value, const char *allowed, GError **error)
{
  g_set_error (error, LAUREL_CTL_USAGE, 0,
               "Could not understand “--%s %s”: it must be %s; see --help", option, value, allowed);
  return FALSE;
}

/* *@out becomes the place of --@option's value among @words; unchanged when it is not given. */
static gboolean
get_word (LaurelCtl *self, const char *option, const char *const *words, int *out, GError **error)
{
  const char *value = laurel_ctl_get (self, option);
  g_autofree char *allowed = NULL;

  if (value == NULL)
    return TRUE;
  for (int i = 0; words[i] != NULL; i++)
    if (g_str_equal (value, words[i])) {
      *out = i;
      return TRUE;
    }
  allowed = g_strjoinv (", ", (char **) words);
  return refuse_word (option, value, allowed, error);
}

static gboolean
get_reader (LaurelCtl *self, LaurelCorpusOptions *options, GError **error)
{
  static const char *const formats[] = { "auto", "text", "jsonl", NULL };
  static const char *const rules[] = { "file", "blank-line", "line", NULL };
  const char *encoding = laurel_ctl_get (self, "encoding");
  const char *separator = laurel_ctl_get (self, "separator");
  int format = LAUREL_FORMAT_AUTO, rule = LAUREL_DOCUMENT_FILE;

  if (!get_word (self, "format", formats, &format, error)
      || !get_word (self, "document", rules, &rule, error))
    return FALSE;
  options->reader.format = (LaurelInputFormat) format;
  options->reader.rule = separator != NULL ? LAUREL_DOCUMENT_SEPARATOR : (LaurelDocumentRule) rule;
  options->reader.separator = separator;
  if (separator != NULL && laurel_ctl_has (self, "document"))
    return refuse_word ("document", laurel_ctl_get (self, "document"), "left out with --separator",
                        error);
  if (encoding == NULL)
    return TRUE;
  options->reader.encoding = laurel_encoding_from_name (encoding);
  options->reader.encoding_name = encoding;
  options->document.encoding_name = encoding;
  if (options->reader.encoding == LAUREL_N_ENCODINGS)
    return refuse_word ("encoding", encoding,
                        "one that the system converts from, such as windows-1252 or koi8-r", error);
  return TRUE;
}

static gboolean
get_rules (LaurelCtl *self, LaurelRules *rules, GError **error)
{
  GPtrArray *sets = laurel_ctl_get_all (self, "rules");
  GPtrArray *thresholds = laurel_ctl_get_all (self, "threshold");

  if (sets == NULL && !laurel_rules_add_set (rules, "gopher", error))
    return FALSE;
  for (guint i = 0; sets != NULL && i < sets->len; i++) {
    g_auto (GStrv) names = g_strsplit (g_ptr_array_index (sets, i), ",", -1);

    for (int j = 0; names[j] != NULL; j++)
      if (!laurel_rules_add_set (rules, g_strstrip (names[j]), error))
        return FALSE;
  }
  for (guint i = 0; thresholds != NULL && i < thresholds->len; i++)
    if (!laurel_rules_set (rules, g_ptr_array_index (thresholds, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
get_options (LaurelCtl *self, LaurelCorpusOptions *options, GError **error)
{
  static const char *const modes[] = { "near", "exact", "keep", NULL };
  gint64 batch = 8;
  int mode = LAUREL_DUPLICATES_NEAR;

  laurel_corpus_options_init (options);
  options->output = laurel_ctl_require (self, "output", error);
  if (options->output == NULL || !get_reader (self, options, error)
      || !get_rules (self, &options->document.rules, error)
      || !get_word (self, "duplicates", modes, &mode, error)
      || !laurel_ctl_get_int (self, "batch", 1, 1024, &batch, error)
      || !laurel_ctl_get_double (self, "checkpoint", 0.0, 86400.0, &options->checkpoint_seconds,
                                 error))
    return FALSE;
  options->duplicates = (LaurelDuplicatesMode) mode;
  options->batch_bytes = (gsize) batch << 20;
  if (laurel_ctl_has (self, "field"))
    options->document.field = laurel_ctl_get (self, "field");
  return TRUE;
}

/* --- Progress ------------------------------------------------------------------------ */

static volatile sig_atomic_t interrupted;

static void
interrupt_cb (int number)
{
  interrupted = 1;
}

static gboolean
go_on_cb (gpointer user_data)
{
  return !interrupted;
}

static void
progress_cb (gpointer user_data, LaurelCorpusPhase phase, double share, double seconds_left)
{
  static const char *const names[] = { "reading", "comparing", "encoding", "writing" };

  laurel_ctl_show_progress (user_data, names[phase], share, seconds_left);
}

/* The second Ctrl+C ends the process as ever; the work is safe then too. */
static void
watch_signals (void)
{
  struct sigaction action = { .sa_handler = interrupt_cb, .sa_flags = (int) SA_RESETHAND };

  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
}

/* --- What went and why --------------------------------------------------------------- */

static void
add_removed (LaurelCtlTable *table, LaurelRule rule, const LaurelCorpusReport *report,
             const LaurelRules *rules)
{
  const LaurelRuleInfo *info = laurel_rule_get_info (rule);
  const LaurelCorpusCount *count = &report->removed[rule];
  g_autofree char *why = laurel_rule_describe (rule, rules->threshold[rule]);

  if (count->n_documents > 0)
    laurel_ctl_table_add (table, "%s\t%" G_GUINT64_FORMAT "\t%.1f\t%.2f\t%s", info->name,
                          count->n_documents,
                          100.0 * (double) count->n_documents / (double) MAX (report->n_read, 1),
                          (double) count->n_bytes / 1e6, why);
  if (count->n_lines > 0)
    laurel_ctl_table_add (table, "%s\t%" G_GUINT64_FORMAT " lines\t\t\t%s", info->name,
                          count->n_lines, why);
}

static void
print_samples (const LaurelCorpusReport *report)
{
  for (int i = 0; i < LAUREL_N_RULES; i++) {
    const LaurelCorpusCount *count = &report->removed[i];
    const LaurelCorpusSample *sample =
        count->samples->len > 0 ? g_ptr_array_index (count->samples, 0) : NULL;
    g_autofree char *text = NULL;

    if (sample == NULL)
      continue;
    text = g_utf8_substring (sample->text, 0, MIN (g_utf8_strlen (sample->text, -1), 60));
    printf ("  %s: “%s”, %s document %" G_GUINT64_FORMAT,
            laurel_rule_get_info ((LaurelRule) i)->name, text, sample->file, sample->number);
    if (sample->of_file != NULL)
      printf (", as %s document %" G_GUINT64_FORMAT " (%.2f)", sample->of_file, sample->of_number,
              sample->similarity);
    printf ("\n");
  }
}

static void
print_report (const LaurelCorpusReport *report, const LaurelCorpusOptions *options,
              const char *report_path)
{
  LaurelCtlTable *table = laurel_ctl_table_new ("rule", "removed", "%", "MB", "why", NULL);

  for (int i = 0; i < LAUREL_N_RULES; i++)
    add_removed (table, (LaurelRule) i, report, &options->document.rules);
  if (table->cells->len > (guint) table->n_columns) {
    laurel_ctl_table_print (table);
    printf ("\nfor example:\n");
    print_samples (report);
    printf ("\n");
  } else {
    laurel_ctl_table_free (table);
  }
  printf ("read %" G_GUINT64_FORMAT " documents, %.2f MB", report->n_read,
          (double) report->n_bytes_read / 1e6);
  for (int i = 0; i < LAUREL_N_ENCODINGS; i++)
    if (report->n_encodings[i] > 0)
      printf ("; %" G_GUINT64_FORMAT " in %s", report->n_encodings[i],
              laurel_encoding_get_name ((LaurelEncoding) i));
  printf ("\nmended %" G_GUINT64_FORMAT " characters of mojibake in %" G_GUINT64_FORMAT
          " documents, removed %" G_GUINT64_FORMAT " control characters\n",
          report->n_characters_mended, report->n_documents_mended, report->n_controls);
  printf ("kept %" G_GUINT64_FORMAT " documents, %.2f MB, %" G_GUINT64_FORMAT " tokens\n",
          report->n_kept, (double) report->n_bytes_kept / 1e6, report->n_tokens);
  printf ("wrote %s and %s\n", options->output, report_path);
}

static gboolean
print_json_report (const char *path, GError **error)
{
  JsonNode *node = laurel_json_load (path, error);

  if (node != NULL)
    laurel_ctl_print_json (node);
  return node != NULL;
}

/* --- Verbs --------------------------------------------------------------------------- */

static gboolean
run_prepare (LaurelCtl *self, GError **error)
{
  LaurelCorpusMonitor monitor = { self, progress_cb, go_on_cb };
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (LaurelCorpusReport) report = NULL;
  g_autoptr (GPtrArray) inputs = g_ptr_array_new ();
  g_autofree char *report_path = NULL;
  const char *dir = laurel_ctl_require (self, "tokenizer", error);
  LaurelCorpusOptions options;
  gboolean resumed = FALSE;

  if (dir == NULL || !get_options (self, &options, error))
    return FALSE;
  tokenizer = laurel_tokenizer_load (dir, error);
  if (tokenizer == NULL)
    return FALSE;
  for (int i = 0; laurel_ctl_argument (self, i) != NULL; i++)
    g_ptr_array_add (inputs, (char *) laurel_ctl_argument (self, i));
  g_ptr_array_add (inputs, NULL);
  options.inputs = (const char *const *) inputs->pdata;
  options.tokenizer = tokenizer;
  watch_signals ();
  report = laurel_corpus_prepare (&options, &monitor, &resumed, error);
  laurel_ctl_hide_progress (self);
  if (report == NULL)
    return FALSE;
  report_path = laurel_corpus_get_report_path (options.output);
  if (self->json)
    return print_json_report (report_path, error);
  if (resumed)
    printf ("went on from work that was done before\n");
  print_report (report, &options, report_path);
  return TRUE;
}

static gboolean
print_document (LaurelCtl *self, const LaurelTokenFile *file, const char *dir, GError **error)
{
  g_autoptr (LaurelTokenizer) tokenizer = laurel_tokenizer_load (dir, error);
  g_autofree gint32 *ids = NULL;
  g_autofree char *text = NULL;
  gint64 number = 1;
  guint64 n, first;

  if (tokenizer == NULL
      || !laurel_ctl_get_int (self, "document", 1,
                              (gint64) laurel_token_file_get_n_documents (file), &number, error))
    return FALSE;
  n = laurel_token_file_get_document (file, (guint64) number - 1, &first);
  ids = g_new (gint32, n);
  laurel_token_file_read (file, first, n, ids);
  text = laurel_tokenizer_decode (tokenizer, ids, n, TRUE);
  if (self->json)
    laurel_ctl_print_json (json_node_init_string (json_node_alloc (), text));
  else
    printf ("%s\n", text);
  return TRUE;
}

static void
print_facts (LaurelCtl *self, const char *path, const LaurelTokenFile *file)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!self->json) {
    printf ("%s: %" G_GUINT64_FORMAT " documents, %" G_GUINT64_FORMAT
            " tokens of a vocabulary of %d\ntokenizer %s\n",
            path, laurel_token_file_get_n_documents (file), laurel_token_file_get_n_tokens (file),
            laurel_token_file_get_vocab_size (file), laurel_token_file_get_tokenizer_hash (file));
    return;
  }
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "file", path);
  laurel_json_add_int (builder, "documents", (gint64) laurel_token_file_get_n_documents (file));
  laurel_json_add_int (builder, "tokens", (gint64) laurel_token_file_get_n_tokens (file));
  laurel_json_add_int (builder, "vocab_size", laurel_token_file_get_vocab_size (file));
  laurel_json_add_int (builder, "end_of_text", laurel_token_file_get_end_of_text (file));
  laurel_json_add_string (builder, "tokenizer", laurel_token_file_get_tokenizer_hash (file));
  json_builder_end_object (builder);
  laurel_ctl_print_builder (builder);
}

static gboolean
run_show (LaurelCtl *self, GError **error)
{
  const char *path = laurel_ctl_argument (self, 0), *dir = laurel_ctl_get (self, "tokenizer");
  g_autoptr (LaurelTokenizer) tokenizer = dir != NULL ? laurel_tokenizer_load (dir, error) : NULL;
  g_autoptr (LaurelTokenFile) file = NULL;

  if (dir != NULL && tokenizer == NULL)
    return FALSE;
  file = laurel_token_file_open (
      path, tokenizer != NULL ? laurel_tokenizer_get_hash (tokenizer) : NULL, error);
  if (file == NULL)
    return FALSE;
  if (laurel_ctl_has (self, "document")) {
    dir = laurel_ctl_require (self, "tokenizer", error);
    return dir != NULL && print_document (self, file, dir, error);
  }
  print_facts (self, path, file);
  return TRUE;
}

static void
describe_rules (GString *text)
{
  g_string_append (
      text,
      "\nEvery document is decoded (UTF-8, UTF-16 and UTF-32 with or without their mark,\n"
      "Windows-1252; what is neither is removed), its mojibake mended, its control characters\n"
      "removed and its line ends made “\\n”. Then come the rules, and last the duplicates.\n"
      "C4's are Raffel et al. 2020, Gopher's Rae et al. 2021; both are made for English prose.\n"
      "The rules and their thresholds, which --threshold changes:\n");
  for (int i = 0; i < LAUREL_N_RULES; i++) {
    const LaurelRuleInfo *info = laurel_rule_get_info ((LaurelRule) i);

    if (info->max > 0.0)
      g_string_append_printf (text, "  %-32s %-7g %s\n", info->name, info->threshold, info->why);
    else
      g_string_append_printf (text, "  %-40s %s\n", info->name, info->why);
  }
}

static const LaurelCtlOption prepare_options[] = {
  { "tokenizer", "DIR", "A folder with tokenizer.json, or vocab.json and merges.txt", FALSE },
  { "output", "FILE", "The token file; its report goes to FILE.report.json", FALSE },
  { "format", "NAME", "auto (.jsonl and .ndjson are rows, the rest text), text or jsonl", FALSE },
  { "field", "NAME", "The member of a row that has its text (text)", FALSE },
  { "document", "RULE", "What a document of a text file is: file, blank-line, line (file)", FALSE },
  { "separator", "LINE", "Documents of text files are parted by lines that say LINE", FALSE },
  { "encoding", "NAME", "All inputs are in this encoding, instead of finding out", FALSE },
  { "rules", "SETS", "gopher, gopher-quality, gopher-repetition, c4, all, none (gopher)", TRUE },
  { "threshold", "RULE=VALUE", "Another threshold for a rule; see below", TRUE },
  { "duplicates", "NAME", "What to remove: near (and exact), exact; or keep all (near)", FALSE },
  { "batch", "MIB", "Text worked on at once; memory is about ten times that (8)", FALSE },
  { "checkpoint", "SECONDS", "How much work a killed run may lose (5)", FALSE },
  { NULL }
};

static const LaurelCtlOption show_options[] = {
  { "tokenizer", "DIR", "Refuse the file if it was not made with this one", FALSE },
  { "document", "N", "Print the text of document N, from 1", FALSE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "prepare", "FILE…", 1, -1, prepare_options,
    "Clean, filter and deduplicate text, and write its tokens; goes on where it was stopped",
    run_prepare, describe_rules },
  { "show", "FILE", 1, 1, show_options, "Check a token file and say what is in it", run_show },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_corpus = { "corpus", "Corpora: from text to token files", verbs };
