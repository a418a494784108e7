/* store_private.h: what the files of core/store share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/statement.h"
#include "core/store/store.h"

G_BEGIN_DECLS

struct _LaurelStore {
  LaurelDatabase *db;
  GThread *thread; /* the only one that may use it */
  char *path;
  char *process;   /* see process.h */
  int depth;       /* of nested transactions */
  gboolean is_durable; /* synchronous=FULL is set now */
};

/* A transaction whose commit is on the disk before it returns (@durable), or that is merely whole. A transaction
 * inside another is a savepoint, and is as durable as the outermost one. */
gboolean laurel_store_begin_transaction (LaurelStore *self, gboolean durable, GError **error);

/* A statement that reads, and one that writes a row outside of a labeler's submission. */
LaurelStatement *laurel_store_prepare (LaurelStore *self, const char *sql, const char *purpose, GError **error) G_GNUC_WARN_UNUSED_RESULT;
LaurelStatement *laurel_store_prepare_write (LaurelStore *self, const char *sql, const char *purpose, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes one row of the result into an item. */
typedef gpointer (*LaurelReadRow) (LaurelStatement *statement);

/* All rows as items, freed with @free_item; NULL on errors. */
GPtrArray *laurel_store_collect (LaurelStatement *statement, LaurelReadRow read, GDestroyNotify free_item, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* (element-type gint64): the first column. */
GArray *laurel_store_collect_ids (LaurelStatement *statement, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The number in the first column of the only row, −1 on errors. */
gint64 laurel_store_count (LaurelStatement *statement, GError **error);

/* Arrays of 4-byte words as the database keeps them: little-endian. NULL for n = 0. */
void *laurel_store_pack_words (const void *words, int n) G_GNUC_WARN_UNUSED_RESULT;
void *laurel_store_unpack_words (LaurelStatement *statement, int column, int *out_n) G_GNUC_WARN_UNUSED_RESULT;

const char *laurel_finish_to_string (LaurelFinish finish);
LaurelFinish laurel_finish_from_string (const char *text);
const char *laurel_labeler_kind_to_string (LaurelLabelerKind kind);
LaurelLabelerKind laurel_labeler_kind_from_string (const char *text);

/* Forgets the leases that have run out and those of processes that are gone. */
gboolean laurel_store_free_leases (LaurelStore *self, GError **error);

/* Microseconds since 1970. */
gint64 laurel_store_now (void);

G_END_DECLS
