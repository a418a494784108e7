/* store.c: opening and closing the database, transactions, check and backup.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/process.h"
#include "core/store/schema.h"
#include "core/store/store_private.h"

#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS \
  5000 /* a write is milliseconds; five seconds of waiting means that something hangs */

static gboolean
set_up_connection (LaurelStore *self, GError **error)
{
  g_autofree char *mode = NULL;
  gint64 foreign_keys;

  mode = laurel_database_query_text (self->db, "PRAGMA journal_mode = WAL", "set up the database",
                                     error);
  if (mode == NULL)
    return FALSE;
  if (!g_str_equal (mode, "wal")) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
                 "Could not open “%s”: its folder does not allow a write-ahead log; "
                 "move the project to a local disk",
                 self->path);
    return FALSE;
  }
  if (!laurel_database_execute (self->db, "PRAGMA foreign_keys = ON", "set up the database",
                                error) ||
      !laurel_database_query_int (self->db, "PRAGMA foreign_keys", "set up the database",
                                  &foreign_keys, error))
    return FALSE;
  if (foreign_keys != 1) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not open “%s”: this SQLite has no foreign keys; install Debian's",
                 self->path);
    return FALSE;
  }
  return laurel_database_execute (self->db, "PRAGMA synchronous = NORMAL", "set up the database",
                                  error);
}

LaurelStore *
laurel_store_open (const char *path, GError **error)
{
  g_autoptr (LaurelStore) self = g_new0 (LaurelStore, 1);

  self->thread = g_thread_self ();
  self->path = g_strdup (path);
  self->process = laurel_process_dup_identity ();
  self->db = laurel_database_open (path, BUSY_MS, error);
  /* The schema first: a file that is not ours stays as it is, journal mode included. */
  if (self->db == NULL ||
      !laurel_schema_migrate (self->db, path, laurel_migrations, laurel_n_migrations, error) ||
      !set_up_connection (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
laurel_store_close (LaurelStore *self)
{
  if (self == NULL)
    return;
  g_assert (self->thread == g_thread_self ());
  laurel_database_close (self->db);
  g_free (self->path);
  g_free (self->process);
  g_free (self);
}

/* --- Transactions --------------------------------------------------------- */

/* Has an effect only between transactions, so it is called just before each. */
static gboolean
set_durable (LaurelStore *self, gboolean durable, GError **error)
{
  if (self->is_durable == durable)
    return TRUE;
  if (!laurel_database_execute (self->db,
                                durable ? "PRAGMA synchronous = FULL"
                                        : "PRAGMA synchronous = NORMAL",
                                "begin to write", error))
    return FALSE;
  self->is_durable = durable;
  return TRUE;
}

gboolean
laurel_store_begin_transaction (LaurelStore *self, gboolean durable, GError **error)
{
  g_autofree char *savepoint = NULL;

  g_assert (self->thread == g_thread_self ());
  if (self->depth == 0) {
    if (!set_durable (self, durable, error) ||
        !laurel_database_execute (self->db, "BEGIN IMMEDIATE", "begin to write", error))
      return FALSE;
  } else {
    savepoint = g_strdup_printf ("SAVEPOINT level_%d", self->depth);
    if (!laurel_database_execute (self->db, savepoint, "begin to write", error))
      return FALSE;
  }
  self->depth++;
  return TRUE;
}

gboolean
laurel_store_sync (LaurelStore *self, GError **error)
{
  g_assert (self->thread == g_thread_self ());
  return laurel_database_sync (self->db, error);
}

gboolean
laurel_store_begin (LaurelStore *self, GError **error)
{
  /* What is inside is not known yet: it may be a labeler's submission. */
  return laurel_store_begin_transaction (self, TRUE, error);
}

gboolean
laurel_store_commit (LaurelStore *self, GError **error)
{
  g_autofree char *release = NULL;

  g_assert (self->thread == g_thread_self ());
  g_return_val_if_fail (self->depth > 0, FALSE);

  if (laurel_database_is_idle (self->db)) {
    self->depth--;
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
                 "Could not save to “%s”: an error before has undone the transaction; try again",
                 self->path);
    return FALSE;
  }
  if (self->depth == 1) {
    if (!laurel_database_execute (self->db, "COMMIT", "save", error)) {
      laurel_store_rollback (self);
      return FALSE;
    }
  } else {
    release = g_strdup_printf ("RELEASE level_%d", self->depth - 1);
    if (!laurel_database_execute (self->db, release, "save", error)) {
      laurel_store_rollback (self);
      return FALSE;
    }
  }
  self->depth--;
  return TRUE;
}

void
laurel_store_rollback (LaurelStore *self)
{
  g_assert (self->thread == g_thread_self ());
  g_return_if_fail (self->depth > 0);

  self->depth--;
  if (laurel_database_is_idle (self->db))
    return; /* SQLite has done it already */
  if (self->depth == 0) {
    laurel_database_execute (self->db, "ROLLBACK", "undo", NULL);
  } else {
    g_autofree char *undo =
      g_strdup_printf ("ROLLBACK TO level_%d; RELEASE level_%d", self->depth, self->depth);

    laurel_database_execute (self->db, undo, "undo", NULL);
  }
}

/* --- Check and backup ----------------------------------------------------- */

static gboolean
check_rows (LaurelStore *self, const char *sql, const char *good, const char *what, GError **error)
{
  g_autoptr (LaurelStatement) statement =
    laurel_store_prepare (self, sql, "check the database", error);
  g_autoptr (GError) local = NULL;

  if (statement == NULL)
    return FALSE;
  while (laurel_statement_next (statement, &local)) {
    const char *text = laurel_statement_get_text (statement, 0);

    if (g_strcmp0 (text, good) == 0)
      continue;
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not trust “%s”: %s (%s); restore a backup", self->path, what,
                 text != NULL ? text : "");
    return FALSE;
  }
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return TRUE;
}

gboolean
laurel_store_check (LaurelStore *self, GError **error)
{
  return check_rows (self, "PRAGMA quick_check", "ok", "it is damaged", error) &&
         check_rows (self, "PRAGMA foreign_key_check", NULL, "a row names one that is missing",
                     error) &&
         check_rows (self,
                     "SELECT 'ranking ' || r.id FROM rankings AS r"
                     " WHERE n_ranks <> (SELECT count (*) FROM ranks WHERE ranking_id = r.id)",
                     NULL, "a ranking lacks ranks", error) &&
         check_rows (self,
                     "SELECT 'task ' || t.id FROM tasks AS t"
                     " WHERE n_rankings <> (SELECT count (*) FROM rankings_in_force AS r"
                     " WHERE r.task_id = t.id AND skip_reason IS NULL)",
                     NULL, "a task's rankings are miscounted", error);
}

static gboolean
refuse_backup (const char *path, GError **error)
{
  int saved = errno;

  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
               "Could not write the backup “%s”: %s; check the disk and the path", path,
               g_strerror (saved));
  return FALSE;
}

static gboolean
sync_file (const char *path)
{
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  int result = fd >= 0 ? fsync (fd) : -1;

  if (fd >= 0)
    g_close (fd, NULL);
  return result == 0;
}

gboolean
laurel_store_backup (LaurelStore *self, const char *path, GError **error)
{
  g_autofree char *partial = g_strconcat (path, ".part", NULL);
  g_autoptr (LaurelStatement) statement = NULL;

  if (g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
                 "Could not write the backup “%s”: the file is there already; choose another name",
                 path);
    return FALSE;
  }
  g_unlink (partial); /* of a backup that was cut short */
  statement =
    laurel_store_prepare (self, "VACUUM INTO ?", "write the backup of the database", error);
  if (statement == NULL)
    return FALSE;
  laurel_statement_bind_text (statement, partial);
  if (!laurel_statement_run (statement, error)) {
    g_unlink (partial);
    return FALSE;
  }
  if (!sync_file (partial) || g_rename (partial, path) != 0) {
    refuse_backup (path, error);
    g_unlink (partial);
    return FALSE;
  }
  return TRUE;
}

/* --- For the other files -------------------------------------------------- */

LaurelStatement *
laurel_store_prepare (LaurelStore *self, const char *sql, const char *purpose, GError **error)
{
  g_assert (self->thread == g_thread_self ());

  return laurel_statement_new (self->db, sql, purpose, error);
}

LaurelStatement *
laurel_store_prepare_write (LaurelStore *self, const char *sql, const char *purpose, GError **error)
{
  g_assert (self->thread == g_thread_self ());

  if (self->depth == 0 && !set_durable (self, FALSE, error))
    return NULL;
  return laurel_statement_new (self->db, sql, purpose, error);
}

GPtrArray *
laurel_store_collect (LaurelStatement *statement,
                      LaurelReadRow read,
                      GDestroyNotify free_item,
                      GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (free_item);
  g_autoptr (GError) local = NULL;

  while (laurel_statement_next (statement, &local))
    g_ptr_array_add (items, read (statement));
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  return g_steal_pointer (&items);
}

GArray *
laurel_store_collect_ids (LaurelStatement *rows, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GError) local = NULL;

  while (laurel_statement_next (rows, &local)) {
    gint64 id = laurel_statement_get_int (rows, 0);

    g_array_append_val (ids, id);
  }
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  return g_steal_pointer (&ids);
}

gint64
laurel_store_count (LaurelStatement *statement, GError **error)
{
  return laurel_statement_next (statement, error) ? laurel_statement_get_int (statement, 0) : -1;
}

void *
laurel_store_pack_words (const void *words, int n)
{
  guint32 *packed = n > 0 && words != NULL ? g_memdup2 (words, (gsize) n * 4) : NULL;

  for (int i = 0; packed != NULL && i < n; i++)
    packed[i] = GUINT32_TO_LE (packed[i]);
  return packed;
}

void *
laurel_store_unpack_words (LaurelStatement *statement, int column, int *out_n)
{
  gsize n_bytes;
  const void *bytes = laurel_statement_get_bytes (statement, column, &n_bytes);
  guint32 *words = n_bytes >= 4 ? g_memdup2 (bytes, n_bytes) : NULL;

  *out_n = (int) (n_bytes / 4);
  for (int i = 0; i < *out_n; i++)
    words[i] = GUINT32_FROM_LE (words[i]);
  return words;
}

const char *
laurel_finish_to_string (LaurelFinish finish)
{
  return finish == LAUREL_FINISH_STOP ? "stop" : "length";
}

LaurelFinish
laurel_finish_from_string (const char *text)
{
  return g_strcmp0 (text, "stop") == 0 ? LAUREL_FINISH_STOP : LAUREL_FINISH_LENGTH;
}

static const char *const labeler_kinds[] = {
  [LAUREL_LABELER_PERSON] = "person",
  [LAUREL_LABELER_RULES] = "rules",
  [LAUREL_LABELER_REWARD_MODEL] = "reward_model",
};

const char *
laurel_labeler_kind_to_string (LaurelLabelerKind kind)
{
  g_return_val_if_fail ((guint) kind < G_N_ELEMENTS (labeler_kinds), "person");

  return labeler_kinds[kind];
}

LaurelLabelerKind
laurel_labeler_kind_from_string (const char *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (labeler_kinds); i++)
    if (g_strcmp0 (text, labeler_kinds[i]) == 0)
      return (LaurelLabelerKind) i;
  return LAUREL_LABELER_PERSON;
}

gint64
laurel_store_now (void)
{
  return g_get_real_time ();
}

const char *
laurel_store_get_sqlite_version (void)
{
  return sqlite3_libversion ();
}
