/* schema.h: the steps from an empty file to the present schema.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/statement.h"

G_BEGIN_DECLS

/* One step: what takes a database from version n to n + 1, where n is its place in the list. */
typedef const char *LaurelMigration;

extern const LaurelMigration laurel_migrations[];
extern const int laurel_n_migrations;

/* Written into the file's header: tells a project's database from any other. */
#define LAUREL_APPLICATION_ID 0x4c41554c /* “LAUL” in ASCII */

/* Brings @db to version @n, each step in a transaction of its own: a step that fails leaves the version before it.
 * NEWER_VERSION when the file is beyond @n, INVALID_DATA when it is another program's. */
gboolean laurel_schema_migrate (LaurelDatabase *db, const char *path, const LaurelMigration *migrations, int n, GError **error);

G_END_DECLS
