/* json.h: json-glib with errors for people, and files of one JSON object a line.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* (transfer full): the value in @path. Errors name the file and the line. */
JsonNode *laurel_json_load (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
JsonNode *laurel_json_parse (const char *text, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* (transfer full) (nullable): a member that the object in @text has twice, which readers take differently: the
 * first, the last, or neither. Its name as written; escapes are not taken apart. */
char *laurel_json_find_duplicate (const char *text) G_GNUC_WARN_UNUSED_RESULT;
char *laurel_json_to_string (JsonNode *node, gboolean pretty) G_GNUC_WARN_UNUSED_RESULT;

/* Members by type: FALSE and an error “NAME: “member” is …” when it is there but
 * has another type or is out of range; TRUE and @out untouched when it is absent. */
gboolean laurel_json_get_int (JsonObject *object, const char *name, const char *member, gint64 min, gint64 max, gint64 *out, GError **error);
gboolean laurel_json_get_double (JsonObject *object, const char *name, const char *member, double *out, GError **error);
gboolean laurel_json_get_boolean (JsonObject *object, const char *name, const char *member, gboolean *out, GError **error);
/* @out borrows from @object. */
gboolean laurel_json_get_string (JsonObject *object, const char *name, const char *member, const char **out, GError **error);

/* A member of the object that is being built. NULL and what is not finite become null. */
void laurel_json_add_string (JsonBuilder *builder, const char *member, const char *value);
void laurel_json_add_int (JsonBuilder *builder, const char *member, gint64 value);
void laurel_json_add_double (JsonBuilder *builder, const char *member, double value);
void laurel_json_add_boolean (JsonBuilder *builder, const char *member, gboolean value);

/**
 * LaurelRowFunc:
 * @object: the row
 * @row: its number, from 1, counting every line of the file
 *
 * Returns: %FALSE and an error to refuse the row
 */
typedef gboolean (*LaurelRowFunc) (JsonObject *object, guint row, gpointer user_data, GError **error);

/* A row that was refused, and why. */
typedef struct {
  guint row;
  char *reason;
} LaurelRowError;

void laurel_row_error_free (LaurelRowError *error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRowError, laurel_row_error_free)

/* Calls @func for each non-empty line of the JSONL file @path. Rows that are no
 * JSON object or that @func refuses are added to @row_errors (element-type
 * LaurelRowError); the others go on. FALSE only when the file itself cannot be read. */
gboolean laurel_jsonl_foreach (const char *path, LaurelRowFunc func, gpointer user_data, GPtrArray *row_errors, GError **error);

G_END_DECLS
