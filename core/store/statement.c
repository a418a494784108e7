/* statement.c: SQLite connections, prepared statements and their errors.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/statement.h"

#include "core/base/error.h"

#include <math.h>
#include <sqlite3.h>

struct _LaurelDatabase {
  sqlite3 *handle;
  char *name;
  GHashTable *cache; /* SQL (a constant's address) → sqlite3_stmt, those not in use */
};

struct _LaurelStatement {
  LaurelDatabase *db;
  const char *sql;
  const char *purpose;
  sqlite3_stmt *stmt;
  int n_bound;
  int bind_result; /* the first bind that failed */
};

typedef struct {
  int result;
  LaurelError code;
  const char *why; /* NULL: SQLite's own words */
  const char *what_to_do;
} Explanation;

/* Extended results before the primary ones that they refine. */
static const Explanation explanations[] = {
  { SQLITE_CONSTRAINT_FOREIGNKEY, LAUREL_ERROR_NOT_FOUND,
    "it names something that is not in the project", "check the ids" },
  { SQLITE_CONSTRAINT_UNIQUE, LAUREL_ERROR_EXISTS, "it is there already", "choose another name" },
  { SQLITE_CONSTRAINT_PRIMARYKEY, LAUREL_ERROR_EXISTS, "it is there already",
    "choose another name" },
  { SQLITE_CONSTRAINT, LAUREL_ERROR_INVALID_ARGUMENT, NULL, "check the values" },
  { SQLITE_FULL, LAUREL_ERROR_IO, "the disk is full", "free some space and try again" },
  { SQLITE_READONLY, LAUREL_ERROR_IO, "it cannot be written",
    "make the project's folder and its files writable, or copy the project" },
  { SQLITE_CANTOPEN, LAUREL_ERROR_IO, "the file cannot be opened or made",
    "check the path and that its folder is writable" },
  { SQLITE_PERM, LAUREL_ERROR_IO, "the system refuses access",
    "check the permissions of the project's folder" },
  { SQLITE_IOERR, LAUREL_ERROR_IO, NULL, "check the disk and its free space" },
  { SQLITE_BUSY, LAUREL_ERROR_BUSY, "another program is writing to it",
    "close that program or try again" },
  { SQLITE_LOCKED, LAUREL_ERROR_BUSY, "another program is writing to it",
    "close that program or try again" },
  { SQLITE_CORRUPT, LAUREL_ERROR_INVALID_DATA, "the file is damaged", "restore a backup" },
  { SQLITE_NOTADB, LAUREL_ERROR_INVALID_DATA, "it is no database", "choose a Laurel project" },
  { SQLITE_TOOBIG, LAUREL_ERROR_INVALID_DATA, "a text or an array is too large", "shorten it" },
};

static gboolean
fail (LaurelDatabase *self, int result, const char *purpose, GError **error)
{
  const Explanation *found = NULL;
  const char *why;

  for (guint i = 0; i < G_N_ELEMENTS (explanations) && found == NULL; i++)
    if (explanations[i].result == result || explanations[i].result == (result & 0xff))
      found = &explanations[i];
  why = found != NULL && found->why != NULL ? found->why
        : self->handle != NULL              ? sqlite3_errmsg (self->handle)
                                            : sqlite3_errstr (result);
  g_set_error (error, LAUREL_ERROR, found != NULL ? found->code : LAUREL_ERROR_FAILED,
               "Could not %s in “%s”: %s; %s", purpose, self->name, why,
               found != NULL ? found->what_to_do : "check the project");
  return FALSE;
}

static void
finalize_statement (gpointer stmt)
{
  sqlite3_finalize (stmt);
}

LaurelDatabase *
laurel_database_open (const char *path, int busy_ms, GError **error)
{
  g_autoptr (LaurelDatabase) self = g_new0 (LaurelDatabase, 1);
  int result;

  self->name = g_strdup (path);
  self->cache = g_hash_table_new_full (NULL, NULL, NULL, finalize_statement);
  result = sqlite3_open_v2 (path, &self->handle,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
  if (result == SQLITE_OK)
    result = sqlite3_extended_result_codes (self->handle, 1);
  if (result == SQLITE_OK)
    result = sqlite3_busy_timeout (self->handle, busy_ms);
  if (result == SQLITE_OK && sqlite3_db_readonly (self->handle, "main") == 1)
    result = SQLITE_READONLY; /* SQLite falls back to reading without a word */
  if (result != SQLITE_OK) {
    fail (self, result, "open the database", error);
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
laurel_database_close (LaurelDatabase *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->cache);
  sqlite3_close_v2 (self->handle);
  g_free (self->name);
  g_free (self);
}

gboolean
laurel_database_execute (LaurelDatabase *self, const char *sql, const char *purpose, GError **error)
{
  int result = sqlite3_exec (self->handle, sql, NULL, NULL, NULL);

  return result == SQLITE_OK || fail (self, result, purpose, error);
}

static LaurelStatement *
query_row (LaurelDatabase *self, const char *sql, const char *purpose, GError **error)
{
  g_autoptr (LaurelStatement) statement = laurel_statement_new (self, sql, purpose, error);
  g_autoptr (GError) local = NULL;

  if (statement == NULL)
    return NULL;
  if (laurel_statement_next (statement, &local))
    return g_steal_pointer (&statement);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not %s in “%s”: there is no answer; check the project", purpose,
                 self->name);
  return NULL;
}

gboolean
laurel_database_query_int (LaurelDatabase *self,
                           const char *sql,
                           const char *purpose,
                           gint64 *out,
                           GError **error)
{
  g_autoptr (LaurelStatement) statement = query_row (self, sql, purpose, error);

  if (statement == NULL)
    return FALSE;
  *out = laurel_statement_get_int (statement, 0);
  return TRUE;
}

char *
laurel_database_query_text (LaurelDatabase *self,
                            const char *sql,
                            const char *purpose,
                            GError **error)
{
  g_autoptr (LaurelStatement) statement = query_row (self, sql, purpose, error);

  return statement != NULL ? laurel_statement_dup_text (statement, 0) : NULL;
}

gint64
laurel_database_last_id (LaurelDatabase *self)
{
  return sqlite3_last_insert_rowid (self->handle);
}

int
laurel_database_n_changes (LaurelDatabase *self)
{
  return sqlite3_changes (self->handle);
}

gboolean
laurel_database_sync (LaurelDatabase *self, GError **error)
{
  sqlite3_file *file = NULL;
  int result;

  /* SQLite itself syncs the log before it is copied into the database, and that before the log
   * begins again: what is no more in the log is on the disk already. */
  result = sqlite3_file_control (self->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  if (result == SQLITE_OK && file != NULL && file->pMethods != NULL)
    result = file->pMethods->xSync (file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
  return result == SQLITE_OK || fail (self, result, "save", error);
}

gboolean
laurel_database_is_idle (LaurelDatabase *self)
{
  return sqlite3_get_autocommit (self->handle) != 0;
}

LaurelStatement *
laurel_statement_new (LaurelDatabase *db, const char *sql, const char *purpose, GError **error)
{
  sqlite3_stmt *stmt = g_hash_table_lookup (db->cache, sql);
  LaurelStatement *self;

  if (stmt != NULL) {
    g_hash_table_steal (db->cache,
                        sql); /* a second use while this one lives gets a statement of its own */
  } else {
    int result = sqlite3_prepare_v3 (db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);

    if (result != SQLITE_OK) {
      fail (db, result, purpose, error);
      return NULL;
    }
  }
  self = g_new0 (LaurelStatement, 1);
  self->db = db;
  self->sql = sql;
  self->purpose = purpose;
  self->stmt = stmt;
  return self;
}

void
laurel_statement_free (LaurelStatement *self)
{
  if (self == NULL)
    return;
  sqlite3_reset (self->stmt);
  sqlite3_clear_bindings (self->stmt);
  g_hash_table_replace (self->db->cache, (gpointer) self->sql, self->stmt);
  g_free (self);
}

static void
note_bind (LaurelStatement *self, int result)
{
  if (self->bind_result == SQLITE_OK)
    self->bind_result = result;
}

void
laurel_statement_bind_int (LaurelStatement *self, gint64 value)
{
  note_bind (self, sqlite3_bind_int64 (self->stmt, ++self->n_bound, value));
}

void
laurel_statement_bind_double (LaurelStatement *self, double value)
{
  note_bind (self, sqlite3_bind_double (self->stmt, ++self->n_bound, value));
}

void
laurel_statement_bind_text (LaurelStatement *self, const char *value)
{
  note_bind (self, sqlite3_bind_text (self->stmt, ++self->n_bound, value, -1, SQLITE_STATIC));
}

void
laurel_statement_bind_bytes (LaurelStatement *self, const void *bytes, gsize n_bytes)
{
  note_bind (self,
             sqlite3_bind_blob64 (self->stmt, ++self->n_bound, bytes, n_bytes, SQLITE_STATIC));
}

void
laurel_statement_bind_id (LaurelStatement *self, gint64 id)
{
  if (id != 0)
    laurel_statement_bind_int (self, id);
  else
    note_bind (self, sqlite3_bind_null (self->stmt, ++self->n_bound));
}

gboolean
laurel_statement_next (LaurelStatement *self, GError **error)
{
  int result = self->bind_result;

  if (result == SQLITE_OK)
    result = sqlite3_step (self->stmt);
  if (result == SQLITE_ROW)
    return TRUE;
  if (result != SQLITE_DONE)
    fail (self->db, result, self->purpose, error);
  return FALSE;
}

gboolean
laurel_statement_run (LaurelStatement *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  while (laurel_statement_next (self, &local))
    ;
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

gint64
laurel_statement_get_int (LaurelStatement *self, int column)
{
  return sqlite3_column_int64 (self->stmt, column);
}

double
laurel_statement_get_double (LaurelStatement *self, int column)
{
  if (sqlite3_column_type (self->stmt, column) == SQLITE_NULL)
    return NAN;
  return sqlite3_column_double (self->stmt, column);
}

const char *
laurel_statement_get_text (LaurelStatement *self, int column)
{
  return (const char *) sqlite3_column_text (self->stmt, column);
}

char *
laurel_statement_dup_text (LaurelStatement *self, int column)
{
  return g_strdup (laurel_statement_get_text (self, column));
}

const void *
laurel_statement_get_bytes (LaurelStatement *self, int column, gsize *out_n)
{
  const void *bytes = sqlite3_column_blob (self->stmt, column);

  *out_n = (gsize) sqlite3_column_bytes (self->stmt, column);
  return bytes;
}
