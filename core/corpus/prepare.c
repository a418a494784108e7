/* prepare.c: one phase after the other, progress and the report.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/prepare.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/corpus/prepare_private.h"

#include <string.h>

/* Less of a phase says nothing about the rest. */
#define MIN_SECONDS 1.0

void
laurel_corpus_options_init (LaurelCorpusOptions *self)
{
  memset (self, 0, sizeof *self);
  self->document.field = "text";
  laurel_rules_init (&self->document.rules);
  self->batch_bytes = (gsize) 8 << 20;
  self->checkpoint_seconds = 5.0;
}

char *
laurel_corpus_get_report_path (const char *output)
{
  return g_strconcat (output, ".report.json", NULL);
}

void
laurel_corpus_job_begin (LaurelCorpusJob *self, LaurelCorpusPhase phase, guint64 n_before)
{
  self->phase_start = g_get_monotonic_time ();
  self->n_done = self->n_done_before = n_before;
  if (self->monitor != NULL && self->monitor->progress != NULL)
    self->monitor->progress (self->monitor->user_data, phase, 0.0, -1.0);
}

/* Reading is followed by encoding, the longest of the later phases. */
static double
estimate_seconds (const LaurelCorpusJob *self, guint64 n_done, guint64 n_all)
{
  double seconds = (double) (g_get_monotonic_time () - self->phase_start) / G_USEC_PER_SEC;
  double now = (double) n_done - (double) self->n_done_before, left;

  if (seconds < MIN_SECONDS || now <= 0.0)
    return -1.0;
  left = seconds / now * ((double) n_all - (double) n_done);
  if (self->phase == LAUREL_CORPUS_READ)
    left += self->encode_seconds * (double) self->report->n_bytes_kept
            / (double) MAX (self->report->n_bytes_read, 1) * (double) n_all;
  return left;
}

gboolean
laurel_corpus_job_step (LaurelCorpusJob *self, guint64 n_done, guint64 n_all, GError **error)
{
  const LaurelCorpusMonitor *monitor = self->monitor;
  gint64 now = g_get_monotonic_time ();
  /* In the other phases there is nothing new to save before their end. */
  gboolean saves = self->phase == LAUREL_CORPUS_READ || self->phase == LAUREL_CORPUS_ENCODE;

  if (monitor != NULL && monitor->progress != NULL)
    monitor->progress (monitor->user_data, self->phase,
                       n_all > 0 ? (double) n_done / (double) n_all : 1.0,
                       estimate_seconds (self, n_done, n_all));
  if (monitor != NULL && monitor->go_on != NULL && !monitor->go_on (monitor->user_data)) {
    if (saves && !laurel_corpus_job_save (self, error))
      return FALSE;
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED,
                 "Could not finish “%s”: it was stopped; prepare it again with the same files and "
                 "settings to go on from there",
                 self->options->output);
    return FALSE;
  }
  if (saves
      && (double) (now - self->last_saved) >= self->options->checkpoint_seconds * G_USEC_PER_SEC)
    return laurel_corpus_job_save (self, error);
  return TRUE;
}

static gboolean
check_tokenizer (const LaurelCorpusOptions *options, GError **error)
{
  if (laurel_tokenizer_get_end_of_text (options->tokenizer) >= 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not prepare “%s”: the tokenizer has no %s to end documents with; use one "
               "that has",
               options->output, LAUREL_END_OF_TEXT);
  return FALSE;
}

static gboolean
write_report (const LaurelCorpusJob *self, GError **error)
{
  const LaurelCorpusOptions *options = self->options;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *path = laurel_corpus_get_report_path (options->output), *text = NULL;
  g_autofree char *lines = NULL;
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "output", options->output);
  laurel_json_add_string (builder, "tokenizer", laurel_tokenizer_get_hash (options->tokenizer));
  json_builder_set_member_name (builder, "inputs");
  json_builder_begin_array (builder);
  for (int i = 0; options->inputs[i] != NULL; i++)
    json_builder_add_string_value (builder, options->inputs[i]);
  json_builder_end_array (builder);
  laurel_corpus_report_build (self->report, &self->document.rules, builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = laurel_json_to_string (root, TRUE);
  lines = g_strconcat (text, "\n", NULL);
  return laurel_file_write (path, lines, strlen (lines), error);
}

static gboolean
run (LaurelCorpusJob *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (self->phase == LAUREL_CORPUS_READ && !laurel_corpus_job_read (self, error))
    return FALSE;
  if (self->phase == LAUREL_CORPUS_COMPARE && !laurel_corpus_job_compare (self, error))
    return FALSE;
  if (self->phase == LAUREL_CORPUS_ENCODE && !laurel_corpus_job_encode (self, &local)) {
    /* Why nothing is left is what the report is for. */
    if (self->report->n_kept == 0) {
      (void) write_report (self, NULL);
      (void) laurel_file_remove_tree (self->folder, NULL);
    }
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return laurel_corpus_job_write (self, error) && write_report (self, error)
         && laurel_file_remove_tree (self->folder, error);
}

LaurelCorpusReport *
laurel_corpus_prepare (const LaurelCorpusOptions *options,
                       const LaurelCorpusMonitor *monitor,
                       gboolean *out_resumed,
                       GError **error)
{
  LaurelCorpusJob job = { .options = options, .monitor = monitor, .document = options->document };
  LaurelCorpusReport *report = NULL;

  job.document.signatures = options->duplicates == LAUREL_DUPLICATES_NEAR;
  job.document.rules.on[LAUREL_RULE_DUPLICATE_NEAR] = job.document.signatures;
  job.document.rules.on[LAUREL_RULE_DUPLICATE_EXACT] =
      options->duplicates != LAUREL_DUPLICATES_KEEP;
  if (!check_tokenizer (options, error))
    return NULL;
  if (laurel_corpus_job_open (&job, error) && run (&job, error))
    report = g_steal_pointer (&job.report);
  if (out_resumed != NULL)
    *out_resumed = job.resumed;
  laurel_corpus_job_close (&job);
  return report;
}
