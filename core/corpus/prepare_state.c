/* prepare_state.c: the work folder, and the state that says how far it is good.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/corpus/prepare_private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Changes whenever the same inputs and settings would come to something else. */
#define WORK_VERSION 1

static void
add_text (GChecksum *checksum, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
add_text (GChecksum *checksum, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  /* The zero byte too, so that “ab”, “c” is not “a”, “bc”. */
  g_checksum_update (checksum, (const guchar *) text, (gssize) strlen (text) + 1);
}

static gboolean
refuse_input (const char *path, int code, const char *why, GError **error)
{
  g_set_error (error, LAUREL_ERROR, code, "Could not read “%s”: %s", path, why);
  return FALSE;
}

static gboolean
add_input (LaurelCorpusJob *self, GChecksum *checksum, const char *path, GError **error)
{
  const LaurelReaderOptions *reader = &self->options->reader;
  struct stat status;

  if (stat (path, &status) != 0) {
    g_autofree char *why = g_strdup_printf ("%s; check the path", g_strerror (errno));

    return refuse_input (path, errno == ENOENT ? LAUREL_ERROR_NOT_FOUND : LAUREL_ERROR_IO, why,
                         error);
  }
  if (!S_ISREG (status.st_mode))
    return refuse_input (path, LAUREL_ERROR_INVALID_ARGUMENT,
                         "it is no file, and work on it could not be taken up again; give files",
                         error);
  if (reader->rule == LAUREL_DOCUMENT_FILE && !laurel_input_is_jsonl (path, reader->format)
      && (guint64) status.st_size > LAUREL_MAX_DOCUMENT_BYTES)
    return refuse_input (path, LAUREL_ERROR_INVALID_ARGUMENT,
                         "as one document it is too long (over 16 MiB); say how its documents are "
                         "told apart with --document blank-line, --document line or --separator",
                         error);
  add_text (checksum, "%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld", path,
            (gint64) status.st_size, (gint64) status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  self->n_input_bytes += (guint64) status.st_size;
  return TRUE;
}

static gboolean
make_fingerprint (LaurelCorpusJob *self, GError **error)
{
  const LaurelCorpusOptions *options = self->options;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  add_text (checksum, "%d %s %d %d %d %d %d", WORK_VERSION,
            laurel_tokenizer_get_hash (options->tokenizer), LAUREL_N_RULES, options->reader.format,
            options->reader.rule, options->reader.encoding, options->duplicates);
  add_text (checksum, "%s", options->reader.separator != NULL ? options->reader.separator : "");
  add_text (checksum, "%s", options->document.field);
  add_text (checksum, "%s",
            options->document.encoding_name != NULL ? options->document.encoding_name : "");
  for (int i = 0; i < LAUREL_N_RULES; i++) {
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_dtostr (number, sizeof number, options->document.rules.threshold[i]);
    add_text (checksum, "%d %s", options->document.rules.on[i], number);
  }
  for (int i = 0; options->inputs[i] != NULL; i++)
    if (!add_input (self, checksum, options->inputs[i], error))
      return FALSE;
  self->fingerprint = g_strdup (g_checksum_get_string (checksum));
  return TRUE;
}

/* Whether work files are called so, those under way to their name too. */
static gboolean
is_work_file (const char *name)
{
  static const char *const stems[] = { "documents",  "ids",   "kept",  "lengths", "lock",
                                       "signatures", "state", "texts", NULL };
  g_autofree char *stem = g_strndup (name, strcspn (name, "."));

  return g_strv_contains (stems, stem);
}

/* The folder is removed at the end with all that is in it, so there may be nothing else. */
static gboolean
make_folder (LaurelCorpusJob *self, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (!is_work_file (name)) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
                   "Could not prepare “%s”: work on it would be kept in “%s”, which has another "
                   "file, “%s”; move it or choose another output",
                   self->options->output, self->folder, name);
      return FALSE;
    }
  return laurel_file_make_directory (self->folder, error);
}

static gboolean
take_lock (LaurelCorpusJob *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "lock", NULL);

  self->lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (self->lock >= 0 && flock (self->lock, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, errno == EWOULDBLOCK ? LAUREL_ERROR_BUSY : LAUREL_ERROR_IO,
               "Could not work in “%s”: %s", self->folder,
               errno == EWOULDBLOCK
                 ? "another process prepares the same output; wait for it"
                 : "its lock cannot be taken; check the folder's permissions");
  return FALSE;
}

/* --- State --------------------------------------------------------------------------- */

static char *
get_state_path (const LaurelCorpusJob *self)
{
  return g_build_filename (self->folder, "state.json", NULL);
}

static gboolean
write_state (LaurelCorpusJob *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *path = get_state_path (self), *text = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "fingerprint");
  json_builder_add_string_value (builder, self->fingerprint);
  laurel_json_add_int (builder, "phase", self->phase);
  laurel_json_add_int (builder, "file", self->position.file);
  laurel_json_add_int (builder, "offset", self->position.offset);
  laurel_json_add_int (builder, "number", self->position.number);
  laurel_json_add_int (builder, "documents", self->n_documents);
  laurel_json_add_int (builder, "text_bytes", self->n_text_bytes);
  laurel_json_add_int (builder, "next_document", self->next_document);
  laurel_json_add_int (builder, "encoded", self->n_encoded);
  laurel_json_add_int (builder, "ids", self->n_ids);
  json_builder_set_member_name (builder, "report");
  json_builder_begin_object (builder);
  laurel_corpus_report_build (self->report, &self->document.rules, builder);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = laurel_json_to_string (root, FALSE);
  return laurel_file_write (path, text, strlen (text), error);
}

static gboolean
read_counts (LaurelCorpusJob *self, JsonObject *object, const char *name)
{
  gint64 phase = 0, file = 0, offset = 0, number = 0, documents = 0, text_bytes = 0;
  gint64 next = 0, encoded = 0, ids = 0;
  guint n_inputs = g_strv_length ((char **) self->options->inputs);

  if (!laurel_json_get_int (object, name, "phase", 0, LAUREL_CORPUS_WRITE, &phase, NULL)
      || !laurel_json_get_int (object, name, "file", 0, n_inputs, &file, NULL)
      || !laurel_json_get_int (object, name, "offset", 0, G_MAXINT64, &offset, NULL)
      || !laurel_json_get_int (object, name, "number", 0, G_MAXINT64, &number, NULL)
      || !laurel_json_get_int (object, name, "documents", 0, G_MAXUINT32, &documents, NULL)
      || !laurel_json_get_int (object, name, "text_bytes", 0, G_MAXINT64, &text_bytes, NULL)
      || !laurel_json_get_int (object, name, "next_document", 0, documents, &next, NULL)
      || !laurel_json_get_int (object, name, "encoded", 0, next, &encoded, NULL)
      || !laurel_json_get_int (object, name, "ids", 0, G_MAXINT64 / 4, &ids, NULL))
    return FALSE;
  self->phase = (LaurelCorpusPhase) phase;
  self->position = (LaurelReaderPosition){ (guint32) file, (guint64) offset, (guint64) number };
  self->n_documents = (guint32) documents;
  self->n_text_bytes = (guint64) text_bytes;
  self->next_document = (guint32) next;
  self->n_encoded = (guint32) encoded;
  self->n_ids = (guint64) ids;
  return TRUE;
}

/* FALSE when there is no state of these inputs and settings, or none that can be read. */
static gboolean
read_state (LaurelCorpusJob *self)
{
  g_autofree char *path = get_state_path (self);
  g_autoptr (JsonNode) node = laurel_json_load (path, NULL);
  JsonObject *object =
      node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonNode *report = object != NULL ? json_object_get_member (object, "report") : NULL;
  const char *fingerprint = NULL;

  if (report == NULL || !JSON_NODE_HOLDS_OBJECT (report)
      || !laurel_json_get_string (object, path, "fingerprint", &fingerprint, NULL)
      || g_strcmp0 (fingerprint, self->fingerprint) != 0 || !read_counts (self, object, path))
    return FALSE;
  laurel_corpus_report_free (self->report);
  self->report = laurel_corpus_report_parse (json_node_get_object (report), path, NULL);
  return self->report != NULL;
}

static void
start_over (LaurelCorpusJob *self)
{
  g_autofree char *path = get_state_path (self);

  g_unlink (path);
  self->phase = LAUREL_CORPUS_READ;
  self->position = (LaurelReaderPosition){ 0 };
  self->n_documents = self->next_document = self->n_encoded = 0;
  self->n_text_bytes = self->n_ids = 0;
  laurel_corpus_report_free (self->report);
  self->report = laurel_corpus_report_new ();
}

/* --- Files --------------------------------------------------------------------------- */

static void
close_files (LaurelCorpusJob *self)
{
  laurel_work_file_close (&self->texts);
  laurel_work_file_close (&self->documents);
  laurel_work_file_close (&self->signatures);
  laurel_work_file_close (&self->lengths);
  laurel_work_file_close (&self->ids);
}

static gboolean
open_files (LaurelCorpusJob *self, GError **error)
{
  guint64 n = self->n_documents;

  return laurel_work_file_open (&self->texts, self->folder, "texts", self->n_text_bytes, error)
         && laurel_work_file_open (&self->documents, self->folder, "documents",
                                   n * sizeof (LaurelDocumentRecord), error)
         && laurel_work_file_open (&self->signatures, self->folder, "signatures",
                                   self->document.signatures ? n * sizeof (LaurelMinhash) : 0,
                                   error)
         && laurel_work_file_open (&self->lengths, self->folder, "lengths",
                                   self->n_encoded * sizeof (guint32), error)
         && laurel_work_file_open (&self->ids, self->folder, "ids", self->n_ids * sizeof (gint32),
                                   error);
}

gboolean
laurel_corpus_job_open (LaurelCorpusJob *self, GError **error)
{
  self->lock = -1;
  self->folder = g_strconcat (self->options->output, ".work", NULL);
  self->last_saved = g_get_monotonic_time ();
  if (!make_fingerprint (self, error) || !make_folder (self, error) || !take_lock (self, error))
    return FALSE;
  self->resumed = read_state (self);
  if (self->resumed && open_files (self, NULL))
    return TRUE;
  /* Nothing there, other settings, or files that are shorter than the state says. */
  self->resumed = FALSE;
  close_files (self);
  start_over (self);
  return open_files (self, error);
}

gboolean
laurel_corpus_job_save (LaurelCorpusJob *self, GError **error)
{
  self->last_saved = g_get_monotonic_time ();
  return laurel_work_file_flush (&self->texts, error)
         && laurel_work_file_flush (&self->documents, error)
         && laurel_work_file_flush (&self->signatures, error)
         && laurel_work_file_flush (&self->lengths, error)
         && laurel_work_file_flush (&self->ids, error) && write_state (self, error);
}

void
laurel_corpus_job_close (LaurelCorpusJob *self)
{
  close_files (self);
  if (self->lock >= 0)
    close (self->lock);
  g_clear_pointer (&self->folder, g_free);
  g_clear_pointer (&self->fingerprint, g_free);
  g_clear_pointer (&self->report, laurel_corpus_report_free);
}
