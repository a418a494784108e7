/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/checkpoint.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <glib/gstdio.h>
#include <string.h>

#define MAGIC "LAURELCK"
#define MAGIC_LENGTH 8
#define PREFIX_LENGTH 16
#define DIGEST_LENGTH 32
#define CHUNK ((gsize) 1 << 24) /* bytes handed to the digest at a time */

struct _LaurelCheckpointWriter {
  LaurelFileWriter *writer;
  GThread *thread;
  int is_done; /* atomic */
  GError *error; /* the thread's, for whoever joins it */
};

static gboolean
put_word (LaurelFileWriter *writer, gsize value, GError **error)
{
  guint32 word = GUINT32_TO_LE ((guint32) value);

  return laurel_file_writer_write (writer, &word, sizeof word, error);
}

static char *
make_header (const char *run, JsonObject *state, const LaurelBlock *blocks, int n_blocks)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonObject) header = json_object_new ();
  JsonArray *list = json_array_new ();

  for (int i = 0; i < n_blocks; i++) {
    JsonObject *block = json_object_new ();

    json_object_set_string_member (block, "name", blocks[i].name);
    json_object_set_int_member (block, "floats", (gint64) blocks[i].n);
    json_array_add_object_element (list, block);
  }
  json_object_set_string_member (header, "run", run);
  json_object_set_object_member (header, "state", json_object_ref (state));
  json_object_set_array_member (header, "blocks", list);
  json_node_set_object (node, header);
  return laurel_json_to_string (node, FALSE);
}

static gboolean
put_everything (LaurelFileWriter *writer,
                const char *header,
                const LaurelBlock *blocks,
                int n_blocks,
                GError **error)
{
  if (!laurel_file_writer_write (writer, MAGIC, MAGIC_LENGTH, error)
      || !put_word (writer, LAUREL_CHECKPOINT_VERSION, error)
      || !put_word (writer, strlen (header), error)
      || !laurel_file_writer_write (writer, header, strlen (header), error))
    return FALSE;
  for (int i = 0; i < n_blocks; i++)
    if (!laurel_file_writer_write (writer, blocks[i].floats, blocks[i].n * sizeof (float), error))
      return FALSE;
  return TRUE;
}

static gpointer
finish_file (gpointer data)
{
  LaurelCheckpointWriter *self = data;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[DIGEST_LENGTH];
  gsize length = sizeof digest;

  if (laurel_file_writer_digest (self->writer, checksum, &self->error)) {
    g_checksum_get_digest (checksum, digest, &length);
    if (laurel_file_writer_write (self->writer, digest, sizeof digest, &self->error))
      (void) laurel_file_writer_commit (self->writer, &self->error);
  }
  /* Here already, so that a file that failed gives its room back at once. */
  g_clear_pointer (&self->writer, laurel_file_writer_free);
  g_atomic_int_set (&self->is_done, 1);
  return NULL;
}

LaurelCheckpointWriter *
laurel_checkpoint_begin (const char *path,
                         const char *run,
                         JsonObject *state,
                         const LaurelBlock *blocks,
                         int n_blocks,
                         GError **error)
{
  g_autoptr (LaurelFileWriter) writer = laurel_file_writer_open (path, error);
  g_autofree char *header = make_header (run, state, blocks, n_blocks);
  LaurelCheckpointWriter *self;

  if (writer == NULL || !put_everything (writer, header, blocks, n_blocks, error))
    return NULL;
  self = g_new0 (LaurelCheckpointWriter, 1);
  self->writer = g_steal_pointer (&writer);
  self->thread = g_thread_new ("laurel-checkpoint", finish_file, self);
  return self;
}

gboolean
laurel_checkpoint_is_done (LaurelCheckpointWriter *self)
{
  return g_atomic_int_get (&self->is_done);
}

gboolean
laurel_checkpoint_finish (LaurelCheckpointWriter *self, GError **error)
{
  GError *local;

  g_thread_join (self->thread);
  local = self->error;
  g_free (self);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

void
laurel_checkpoint_remove_leftovers (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *prefix = g_strconcat (base, ".", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *leftover = g_build_filename (folder, name, NULL);

    if (g_str_has_prefix (name, prefix) && strlen (name) == strlen (prefix) + 6)
      (void) g_unlink (leftover);
  }
}

static gboolean
refuse (GError **error, LaurelError code, const char *path, const char *why)
{
  g_set_error (error, LAUREL_ERROR, code,
               "Could not read the checkpoint “%s”: %s; put back what it was, "
               "or remove it and resume, and the run starts from its beginning",
               path, why);
  return FALSE;
}

static guint32
get_word (const guchar *at)
{
  guint32 word;

  memcpy (&word, at, sizeof word);
  return GUINT32_FROM_LE (word);
}

/* @n may be 0, with @bytes NULL. */
static gboolean
check_prefix (const guchar *bytes, gsize n, const char *path, GError **error)
{
  if (n < PREFIX_LENGTH || memcmp (bytes, MAGIC, MAGIC_LENGTH) != 0)
    return refuse (error, LAUREL_ERROR_INVALID_DATA, path, "it is no checkpoint of Laurel");
  if (get_word (bytes + MAGIC_LENGTH) > LAUREL_CHECKPOINT_VERSION) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NEWER_VERSION,
                 "Could not read the checkpoint “%s”: a newer Laurel wrote it; update Laurel",
                 path);
    return FALSE;
  }
  if (n < PREFIX_LENGTH + DIGEST_LENGTH)
    return refuse (error, LAUREL_ERROR_INVALID_DATA, path, "it is cut short");
  return TRUE;
}

/* After this the bytes are what was written. */
static gboolean
check_digest (const guchar *bytes, gsize n, const char *path, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[DIGEST_LENGTH];
  gsize length = sizeof digest;

  for (gsize at = 0; at < n - DIGEST_LENGTH; at += CHUNK)
    g_checksum_update (checksum, bytes + at, (gssize) MIN (CHUNK, n - DIGEST_LENGTH - at));
  g_checksum_get_digest (checksum, digest, &length);
  if (memcmp (digest, bytes + n - DIGEST_LENGTH, DIGEST_LENGTH) != 0)
    return refuse (error, LAUREL_ERROR_INVALID_DATA, path, "it is damaged or cut short");
  return TRUE;
}

static gboolean
check_block (JsonNode *node, const LaurelBlock *block, const char *path, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *name = "";
  gint64 n = -1;

  if (object == NULL || !laurel_json_get_string (object, path, "name", &name, NULL)
      || !laurel_json_get_int (object, path, "floats", 0, G_MAXINT64, &n, NULL))
    return refuse (error, LAUREL_ERROR_INVALID_DATA, path, "its list of blocks is malformed");
  if (!g_str_equal (name, block->name) || n != (gint64) block->n) {
    g_autofree char *why = g_strdup_printf ("it holds “%s” of %" G_GINT64_FORMAT
                                            " numbers where this run needs "
                                            "“%s” of %" G_GSIZE_FORMAT,
                                            name, n, block->name, block->n);

    return refuse (error, LAUREL_ERROR_MISMATCH, path, why);
  }
  return TRUE;
}

static gboolean
check_run (JsonObject *header, const char *run, const char *path, GError **error)
{
  const char *written = NULL;

  if (!laurel_json_get_string (header, path, "run", &written, error))
    return FALSE;
  if (g_strcmp0 (written, run) == 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not resume from “%s”: settings, data or starting model are not those it was "
               "made with; "
               "start a new run",
               path);
  return FALSE;
}

static gboolean
check_blocks (JsonObject *header,
              gsize n_floats_bytes,
              const LaurelBlock *blocks,
              int n_blocks,
              const char *path,
              GError **error)
{
  JsonNode *list = json_object_get_member (header, "blocks");
  JsonNode *state = json_object_get_member (header, "state");
  gsize wanted = 0;

  if (list == NULL || !JSON_NODE_HOLDS_ARRAY (list) || state == NULL
      || !JSON_NODE_HOLDS_OBJECT (state))
    return refuse (error, LAUREL_ERROR_INVALID_DATA, path, "its header is malformed");
  if ((int) json_array_get_length (json_node_get_array (list)) != n_blocks)
    return refuse (error, LAUREL_ERROR_MISMATCH, path, "it belongs to another kind of run");
  for (int i = 0; i < n_blocks; i++) {
    if (!check_block (json_array_get_element (json_node_get_array (list), (guint) i), &blocks[i],
                      path, error))
      return FALSE;
    wanted += blocks[i].n * sizeof (float);
  }
  if (wanted != n_floats_bytes)
    return refuse (error, LAUREL_ERROR_INVALID_DATA, path,
                   "its blocks are not as long as its header says");
  return TRUE;
}

/* Its root is an object. */
static JsonNode *
parse_header (const guchar *bytes, gsize n, const char *path, GError **error)
{
  gsize length = get_word (bytes + MAGIC_LENGTH + 4);
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (length > n - PREFIX_LENGTH - DIGEST_LENGTH) {
    refuse (error, LAUREL_ERROR_INVALID_DATA, path, "its header is longer than the file");
    return NULL;
  }
  text = g_strndup ((const char *) bytes + PREFIX_LENGTH, length);
  node = laurel_json_parse (text, path, NULL);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return g_steal_pointer (&node);
  refuse (error, LAUREL_ERROR_INVALID_DATA, path, "its header is malformed");
  return NULL;
}

static gboolean
find_step (JsonObject *header, const char *path, int *out_step, GError **error)
{
  JsonNode *state = json_object_get_member (header, "state");
  gint64 step = -1;

  if (state == NULL || !JSON_NODE_HOLDS_OBJECT (state)
      || !laurel_json_get_int (json_node_get_object (state), path, "step", 0, G_MAXINT, &step,
                               NULL)
      || step < 0)
    return refuse (error, LAUREL_ERROR_INVALID_DATA, path, "it does not say its step");
  *out_step = (int) step;
  return TRUE;
}

gboolean
laurel_checkpoint_read_step (const char *path, gboolean whole, int *out_step, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GMappedFile) map = g_mapped_file_new (path, FALSE, &local);
  g_autoptr (JsonNode) header = NULL;
  const guchar *bytes;
  gsize n;

  *out_step = 0;
  if (map == NULL)
    return g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT)
           || refuse (error, LAUREL_ERROR_IO, path, local->message);
  bytes = (const guchar *) g_mapped_file_get_contents (map);
  n = g_mapped_file_get_length (map);
  if (!check_prefix (bytes, n, path, error)
      || (whole && !check_digest (bytes, n, path, error)))
    return FALSE;
  header = parse_header (bytes, n, path, error);
  return header != NULL && find_step (json_node_get_object (header), path, out_step, error);
}

JsonObject *
laurel_checkpoint_read (const char *path,
                        const char *run,
                        const LaurelBlock *blocks,
                        int n_blocks,
                        GError **error)
{
  g_autoptr (GMappedFile) map = NULL;
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) node = NULL;
  const guchar *bytes;
  gsize n, header_length;

  map = g_mapped_file_new (path, FALSE, &local);
  if (map == NULL) {
    refuse (error, LAUREL_ERROR_IO, path, local->message);
    return NULL;
  }
  bytes = (const guchar *) g_mapped_file_get_contents (map);
  n = g_mapped_file_get_length (map);
  if (!check_prefix (bytes, n, path, error) || !check_digest (bytes, n, path, error))
    return NULL;
  node = parse_header (bytes, n, path, error);
  if (node == NULL)
    return NULL;
  header_length = get_word (bytes + MAGIC_LENGTH + 4);
  if (!check_run (json_node_get_object (node), run, path, error)
      || !check_blocks (json_node_get_object (node),
                        n - PREFIX_LENGTH - header_length - DIGEST_LENGTH, blocks, n_blocks, path,
                        error))
    return NULL;
  bytes += PREFIX_LENGTH + header_length;
  for (int i = 0; i < n_blocks; i++) {
    memcpy (blocks[i].floats, bytes, blocks[i].n * sizeof (float));
    bytes += blocks[i].n * sizeof (float);
  }
  return json_object_ref (json_object_get_object_member (json_node_get_object (node), "state"));
}
