/* statement.h: the one place that talks to SQLite.
 *
 * A LaurelDatabase is a connection with its prepared statements; a
 * LaurelStatement is one use of such a statement: values are bound from left to
 * right, it is stepped, and freeing it gives it back to the cache. Every
 * statement knows what it is for (“save the ranking”), so that every error says
 * what could not be done, why, and what to do.
 *
 * Private to core/store. Threads: one connection, one thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LaurelDatabase LaurelDatabase;
typedef struct _LaurelStatement LaurelStatement;

/* Opens or creates the file for reading and writing; IO when it is there but cannot be written. */
LaurelDatabase *laurel_database_open (const char *path, int busy_ms, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_database_close (LaurelDatabase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelDatabase, laurel_database_close)

/* Runs SQL without parameters, several statements if need be. */
gboolean laurel_database_execute (LaurelDatabase *self, const char *sql, const char *purpose, GError **error);
/* The first column of the first row as a number or as text; NOT_FOUND when there is no row. */
gboolean laurel_database_query_int (LaurelDatabase *self, const char *sql, const char *purpose, gint64 *out, GError **error);
char *laurel_database_query_text (LaurelDatabase *self, const char *sql, const char *purpose, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gint64 laurel_database_last_id (LaurelDatabase *self);
int laurel_database_n_changes (LaurelDatabase *self); /* rows the last statement changed */
/* The write-ahead log is on the disk, and with it what was committed. */
gboolean laurel_database_sync (LaurelDatabase *self, GError **error);
/* No transaction is open: also after SQLite rolled one back by itself (a full disk). */
gboolean laurel_database_is_idle (LaurelDatabase *self);

/* @sql and @purpose must be string constants: they are kept as they are. @purpose completes “Could not …”. */
LaurelStatement *laurel_statement_new (LaurelDatabase *db, const char *sql, const char *purpose, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_statement_free (LaurelStatement *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelStatement, laurel_statement_free)

/* Each binds the next parameter. Text and bytes must live until the statement is freed. A value that
 * SQLite refuses makes the step fail. */
void laurel_statement_bind_int (LaurelStatement *self, gint64 value);
void laurel_statement_bind_double (LaurelStatement *self, double value); /* NaN becomes NULL */
void laurel_statement_bind_text (LaurelStatement *self, const char *value); /* NULL becomes NULL */
void laurel_statement_bind_bytes (LaurelStatement *self, const void *bytes, gsize n_bytes); /* NULL becomes NULL */
void laurel_statement_bind_id (LaurelStatement *self, gint64 id); /* 0 becomes NULL */

/* FALSE at the end of the rows, and on errors, which set @error. */
gboolean laurel_statement_next (LaurelStatement *self, GError **error);
/* For statements without rows. */
gboolean laurel_statement_run (LaurelStatement *self, GError **error);

/* Columns of the present row, from 0. NULL is 0, NaN or NULL. Times and ids are ints. */
gint64 laurel_statement_get_int (LaurelStatement *self, int column);
double laurel_statement_get_double (LaurelStatement *self, int column);
const char *laurel_statement_get_text (LaurelStatement *self, int column); /* until the next step */
char *laurel_statement_dup_text (LaurelStatement *self, int column) G_GNUC_WARN_UNUSED_RESULT;
const void *laurel_statement_get_bytes (LaurelStatement *self, int column, gsize *out_n); /* until the next step */

G_END_DECLS
