/* models.c: the models of a project and who needs them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/store_private.h"

#include "core/base/error.h"

#define MODEL_COLUMNS \
  "SELECT name, kind, parent, run_id, path, sha256, n_parameters, vocab_size, n_positions," \
  " n_bytes, tokenizer_hash, created FROM models"

gboolean
laurel_store_put_model (LaurelStore *self, const LaurelModelRecord *model, GError **error)
{
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self,
    "INSERT INTO models (name, kind, parent, run_id, path, sha256, n_parameters,"
    " vocab_size, n_positions, n_bytes, tokenizer_hash, created)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
    "save the model", error);

  if (insert == NULL)
    return FALSE;
  laurel_statement_bind_text (insert, model->name);
  laurel_statement_bind_text (insert, model->kind);
  laurel_statement_bind_text (insert, model->parent);
  laurel_statement_bind_int (insert, model->run_id);
  laurel_statement_bind_text (insert, model->path);
  laurel_statement_bind_text (insert, model->sha256 != NULL ? model->sha256 : "");
  laurel_statement_bind_int (insert, model->n_parameters);
  laurel_statement_bind_int (insert, model->vocab_size);
  laurel_statement_bind_int (insert, model->n_positions);
  laurel_statement_bind_int (insert, model->n_bytes);
  laurel_statement_bind_text (insert, model->tokenizer_hash != NULL ? model->tokenizer_hash : "");
  laurel_statement_bind_int (insert, model->created != 0 ? model->created : laurel_store_now ());
  if (!laurel_statement_run (insert, error))
    return FALSE;
  if (laurel_database_n_changes (self->db) == 1)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
               "Could not save the model “%s”: the name is taken; choose another name",
               model->name);
  return FALSE;
}

static gpointer
read_model (LaurelStatement *row)
{
  LaurelModelRecord *model = g_new0 (LaurelModelRecord, 1);

  model->name = laurel_statement_dup_text (row, 0);
  model->kind = laurel_statement_dup_text (row, 1);
  model->parent = laurel_statement_dup_text (row, 2);
  model->run_id = laurel_statement_get_int (row, 3);
  model->path = laurel_statement_dup_text (row, 4);
  model->sha256 = laurel_statement_dup_text (row, 5);
  model->n_parameters = laurel_statement_get_int (row, 6);
  model->vocab_size = (int) laurel_statement_get_int (row, 7);
  model->n_positions = (int) laurel_statement_get_int (row, 8);
  model->n_bytes = laurel_statement_get_int (row, 9);
  model->tokenizer_hash = laurel_statement_dup_text (row, 10);
  model->created = laurel_statement_get_int (row, 11);
  return model;
}

GPtrArray *
laurel_store_list_models (LaurelStore *self, GError **error)
{
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self, MODEL_COLUMNS " ORDER BY created, name", "list the models", error);

  return rows != NULL ? laurel_store_collect (rows, read_model,
                                              (GDestroyNotify) laurel_model_record_free, error)
                      : NULL;
}

static void
set_not_found (LaurelStore *self, const char *verb, const char *name, GError **error)
{
  g_autoptr (GPtrArray) models = laurel_store_list_models (self, error);
  g_autoptr (GString) names = NULL;

  if (models == NULL)
    return;
  names = g_string_new (NULL);
  for (guint i = 0; i < models->len; i++) {
    const LaurelModelRecord *model = g_ptr_array_index (models, i);

    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", model->name);
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
               models->len > 0
                 ? "Could not %s the model “%s”: there is none of that name; there are %s"
                 : "Could not %s the model “%s”: the project has no models%s; import or train one",
               verb, name, names->str);
}

LaurelModelRecord *
laurel_store_get_model (LaurelStore *self, const char *name, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (LaurelStatement) find =
    laurel_store_prepare (self, MODEL_COLUMNS " WHERE name = ?", "read the model", error);

  if (find == NULL)
    return NULL;
  laurel_statement_bind_text (find, name);
  if (laurel_statement_next (find, &local))
    return read_model (find);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    set_not_found (self, "find", name, error);
  return NULL;
}

/* --- Who needs a model -------------------------------------------------------- */

/* So many runs or models are named before “and N more”. */
#define MAX_NAMED 3

static gpointer
read_name (LaurelStatement *row)
{
  return laurel_statement_dup_text (row, 0);
}

/* (element-type utf8): the first column of what @sql finds for @name. */
static GPtrArray *
list_users (LaurelStore *self, const char *sql, const char *name, GError **error)
{
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self, sql, "see who needs the model", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_text (rows, name);
  return laurel_store_collect (rows, read_name, g_free, error);
}

/* “run 3”, “runs 3 and 4”, “runs 3, 4, 5 and 7 more”. */
static char *
name_users (GPtrArray *users, const char *one, const char *many)
{
  guint n_named = users->len > MAX_NAMED + 1 ? MAX_NAMED : users->len;
  GString *text = g_string_new (users->len == 1 ? one : many);

  for (guint i = 0; i < n_named; i++)
    g_string_append_printf (text, "%s%s",
                            i == 0                                      ? " "
                            : i + 1 == n_named && n_named == users->len ? " and "
                                                                        : ", ",
                            (const char *) g_ptr_array_index (users, i));
  if (n_named < users->len)
    g_string_append_printf (text, " and %u more", users->len - n_named);
  return g_string_free (text, FALSE);
}

/* Kinds of users, with what is said of one, of many, and what to do. */
typedef struct {
  const char *sql;
  const char *one, *many;
  const char *one_verb, *many_verb;
} Users;

/* A run needs the models that it started from, also those that only its configuration names (a
 * reward model). The one that it made it needs only while it may still go on; one of the same name
 * that another run made, or that was imported, keeps it from going on at all. */
static const Users users[] = {
  { "SELECT name FROM models WHERE parent = ? ORDER BY created, name", "the model", "the models",
    "was made from it; remove that first", "were made from it; remove those first" },
  { "SELECT r.id FROM runs AS r JOIN models AS m ON m.run_id = r.id"
    " WHERE m.name = ?1 AND r.output = ?1 AND r.status NOT IN ('done', 'failed')",
    "run", "runs", "made it and is not done; let it end, or resume it",
    "made it and are not done; let them end, or resume them" },
  { "SELECT id FROM runs WHERE model = ?1 OR EXISTS (SELECT 1"
    " FROM json_each (CASE WHEN json_valid (config) THEN config ELSE '{}' END) AS j"
    " WHERE j.type = 'text' AND j.atom = ?1"
    " AND j.key IN ('model', 'reward_model', 'reference', 'mix', 'gold', 'previous')) ORDER BY id",
    "run", "runs", "worked with it; keep it, as the run would not say any more what that was",
    "worked with it; keep it, as the runs would not say any more what that was" },
};

static gboolean
check_completions (LaurelStore *self, const char *name, GError **error)
{
  g_autoptr (LaurelStatement) count = laurel_store_prepare (
    self, "SELECT count (*) FROM completions WHERE model = ?", "see who needs the model", error);
  gint64 n;

  if (count == NULL)
    return FALSE;
  laurel_statement_bind_text (count, name);
  n = laurel_store_count (count, error);
  if (n > 0)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_BUSY,
                 "Could not remove the model “%s”: %" G_GINT64_FORMAT " %s it; keep it, as its "
                 "tokenizer reads what it wrote",
                 name, n,
                 n == 1 ? "completion of the project is by" : "completions of the project are by");
  return n == 0;
}

static gboolean
check_unused (LaurelStore *self, const char *name, GError **error)
{
  if (!check_completions (self, name, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (users); i++) {
    g_autoptr (GPtrArray) found = list_users (self, users[i].sql, name, error);
    g_autofree char *names = NULL;

    if (found == NULL)
      return FALSE;
    if (found->len == 0)
      continue;
    names = name_users (found, users[i].one, users[i].many);
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_BUSY,
                 "Could not remove the model “%s”: %s %s", name, names,
                 found->len == 1 ? users[i].one_verb : users[i].many_verb);
    return FALSE;
  }
  return TRUE;
}

static gboolean
remove_model (LaurelStore *self, const char *name, GError **error)
{
  g_autoptr (LaurelStatement) forget = NULL;

  if (!check_unused (self, name, error))
    return FALSE;
  forget = laurel_store_prepare_write (self, "DELETE FROM models WHERE name = ?",
                                       "remove the model", error);
  if (forget == NULL)
    return FALSE;
  laurel_statement_bind_text (forget, name);
  if (!laurel_statement_run (forget, error))
    return FALSE;
  if (laurel_database_n_changes (self->db) > 0)
    return TRUE;
  set_not_found (self, "remove", name, error);
  return FALSE;
}

gboolean
laurel_store_remove_model (LaurelStore *self, const char *name, GError **error)
{
  if (!laurel_store_begin_transaction (self, FALSE, error))
    return FALSE;
  if (!remove_model (self, name, error)) {
    laurel_store_rollback (self);
    return FALSE;
  }
  return laurel_store_commit (self, error);
}
