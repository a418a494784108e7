/* prompts.c: labelers, prompts, demonstrations and facts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/store_private.h"

#include "core/base/error.h"

#include <string.h>

/* The id of the row that @find finds; 0 and no error when there is none. */
static gint64
find_id (LaurelStatement *find, GError **error)
{
  return laurel_statement_next (find, error) ? laurel_statement_get_int (find, 0) : 0;
}

static gboolean
is_blank (const char *text)
{
  return text == NULL || text[strspn (text, " \t\r\n")] == '\0';
}

static gboolean
check_text (const char *text, const char *what, GError **error)
{
  if (!is_blank (text) && g_utf8_validate (text, -1, NULL))
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not save the %s: it is %s; correct it", what,
               is_blank (text) ? "empty" : "not UTF-8 text");
  return FALSE;
}

/* --- Labelers ------------------------------------------------------------- */

static gint64
find_labeler (LaurelStore *self, const char *name, LaurelLabelerKind kind, GError **error)
{
  g_autoptr (LaurelStatement) find =
    laurel_store_prepare (self, "SELECT id FROM labelers WHERE name = ? AND kind = ?",
                          "find the labeler", error);

  if (find == NULL)
    return 0;
  laurel_statement_bind_text (find, name);
  laurel_statement_bind_text (find, laurel_labeler_kind_to_string (kind));
  return find_id (find, error);
}

gint64
laurel_store_ensure_labeler (LaurelStore *self,
                             const char *name,
                             LaurelLabelerKind kind,
                             GError **error)
{
  g_autoptr (LaurelStatement) insert = NULL;
  g_autoptr (GError) local = NULL;
  gint64 id;

  if (!check_text (name, "labeler's name", error))
    return 0;
  id = find_labeler (self, name, kind, &local);
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return 0;
  }
  if (id != 0)
    return id;
  insert = laurel_store_prepare_write (self,
                                       "INSERT INTO labelers (name, kind, created) VALUES (?, ?, ?)"
                                       " ON CONFLICT DO NOTHING",
                                       "save the labeler", error);
  if (insert == NULL)
    return 0;
  laurel_statement_bind_text (insert, name);
  laurel_statement_bind_text (insert, laurel_labeler_kind_to_string (kind));
  laurel_statement_bind_int (insert, laurel_store_now ());
  if (!laurel_statement_run (insert, error))
    return 0;
  return find_labeler (self, name, kind, error);
}

static gpointer
read_labeler (LaurelStatement *row)
{
  LaurelLabeler *labeler = g_new0 (LaurelLabeler, 1);

  labeler->id = laurel_statement_get_int (row, 0);
  labeler->name = laurel_statement_dup_text (row, 1);
  labeler->kind = laurel_labeler_kind_from_string (laurel_statement_get_text (row, 2));
  labeler->n_rankings = laurel_statement_get_int (row, 3);
  labeler->active_ms = laurel_statement_get_int (row, 4);
  return labeler;
}

GPtrArray *
laurel_store_list_labelers (LaurelStore *self, GError **error)
{
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self,
                          "SELECT l.id, l.name, l.kind, count (r.id), total (r.active_ms)"
                          " FROM labelers AS l LEFT JOIN rankings_in_force AS r"
                          " ON r.labeler_id = l.id AND r.skip_reason IS NULL"
                          " GROUP BY l.id ORDER BY l.id",
                          "list the labelers", error);

  return rows != NULL
           ? laurel_store_collect (rows, read_labeler, (GDestroyNotify) laurel_labeler_free, error)
           : NULL;
}

/* --- Prompts -------------------------------------------------------------- */

static gint64
find_prompt (LaurelStore *self, const char *text, GError **error)
{
  g_autoptr (LaurelStatement) find =
    laurel_store_prepare (self, "SELECT id FROM prompts WHERE text = ?", "find the prompt", error);

  if (find == NULL)
    return 0;
  laurel_statement_bind_text (find, text);
  return find_id (find, error);
}

gint64
laurel_store_ensure_prompt (LaurelStore *self,
                            const char *text,
                            const char *split,
                            const char *tags,
                            GError **error)
{
  g_autoptr (LaurelStatement) insert = NULL;

  if (!check_text (text, "prompt", error))
    return 0;
  if (split == NULL)
    split = "train";
  if (!g_str_equal (split, "train") && !g_str_equal (split, "heldout")) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not save the prompt: there is no split “%s”; use train or heldout", split);
    return 0;
  }
  insert = laurel_store_prepare_write (
    self,
    "INSERT INTO prompts (text, split, tags, created) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING",
    "save the prompt", error);
  if (insert == NULL)
    return 0;
  laurel_statement_bind_text (insert, text);
  laurel_statement_bind_text (insert, split);
  laurel_statement_bind_text (insert, tags != NULL ? tags : "");
  laurel_statement_bind_int (insert, laurel_store_now ());
  return laurel_statement_run (insert, error) ? find_prompt (self, text, error) : 0;
}

/* The text as a LIKE pattern that finds it anywhere. */
static char *
make_pattern (const char *search)
{
  GString *pattern = g_string_new ("%");

  for (; *search != '\0'; search++) {
    if (strchr ("%_\\", *search) != NULL)
      g_string_append_c (pattern, '\\');
    g_string_append_c (pattern, *search);
  }
  g_string_append_c (pattern, '%');
  return g_string_free (pattern, FALSE);
}

static gpointer
read_prompt (LaurelStatement *row)
{
  LaurelPrompt *prompt = g_new0 (LaurelPrompt, 1);

  prompt->id = laurel_statement_get_int (row, 0);
  prompt->text = laurel_statement_dup_text (row, 1);
  prompt->split = laurel_statement_dup_text (row, 2);
  prompt->tags = laurel_statement_dup_text (row, 3);
  prompt->created = laurel_statement_get_int (row, 4);
  return prompt;
}

#define PROMPT_FILTER \
  " FROM prompts WHERE (?1 IS NULL OR split = ?1)" \
  " AND (?2 IS NULL OR text LIKE ?2 ESCAPE '\\' OR tags LIKE ?2 ESCAPE '\\')"

GPtrArray *
laurel_store_list_prompts (LaurelStore *self,
                           const char *split,
                           const char *search,
                           int limit,
                           int offset,
                           GError **error)
{
  g_autofree char *pattern = search != NULL && search[0] != '\0' ? make_pattern (search) : NULL;
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self,
                          "SELECT id, text, split, tags, created" PROMPT_FILTER
                          " ORDER BY id LIMIT ?3 OFFSET ?4",
                          "list the prompts", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_text (rows, split);
  laurel_statement_bind_text (rows, pattern);
  laurel_statement_bind_int (rows, limit);
  laurel_statement_bind_int (rows, offset);
  return laurel_store_collect (rows, read_prompt, (GDestroyNotify) laurel_prompt_free, error);
}

gint64
laurel_store_count_prompts (LaurelStore *self,
                            const char *split,
                            const char *search,
                            GError **error)
{
  g_autofree char *pattern = search != NULL && search[0] != '\0' ? make_pattern (search) : NULL;
  g_autoptr (LaurelStatement) count =
    laurel_store_prepare (self, "SELECT count (*)" PROMPT_FILTER, "count the prompts", error);

  if (count == NULL)
    return -1;
  laurel_statement_bind_text (count, split);
  laurel_statement_bind_text (count, pattern);
  return laurel_store_count (count, error);
}

/* --- Demonstrations ------------------------------------------------------- */

gboolean
laurel_store_add_demonstration (LaurelStore *self,
                                const char *prompt,
                                const char *completion,
                                GError **error)
{
  g_autoptr (LaurelStatement) insert = NULL;

  if (!check_text (prompt, "demonstration's prompt", error) ||
      !check_text (completion, "demonstration's completion", error))
    return FALSE;
  insert = laurel_store_prepare_write (
    self,
    "INSERT INTO demonstrations (prompt, completion, created) VALUES (?, ?, ?)"
    " ON CONFLICT DO NOTHING",
    "save the demonstration", error);
  if (insert == NULL)
    return FALSE;
  laurel_statement_bind_text (insert, prompt);
  laurel_statement_bind_text (insert, completion);
  laurel_statement_bind_int (insert, laurel_store_now ());
  return laurel_statement_run (insert, error);
}

static gpointer
read_demonstration (LaurelStatement *row)
{
  LaurelDemonstration *demonstration = g_new0 (LaurelDemonstration, 1);

  demonstration->id = laurel_statement_get_int (row, 0);
  demonstration->prompt = laurel_statement_dup_text (row, 1);
  demonstration->completion = laurel_statement_dup_text (row, 2);
  return demonstration;
}

GPtrArray *
laurel_store_list_demonstrations (LaurelStore *self, int limit, int offset, GError **error)
{
  g_autoptr (LaurelStatement) rows = laurel_store_prepare (
    self, "SELECT id, prompt, completion FROM demonstrations ORDER BY id LIMIT ? OFFSET ?",
    "list the demonstrations", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_int (rows, limit);
  laurel_statement_bind_int (rows, offset);
  return laurel_store_collect (rows, read_demonstration, (GDestroyNotify) laurel_demonstration_free,
                               error);
}

/* White space of ASCII, for trim(). */
#define SPACES "char (9, 10, 11, 12, 13, 32)"

GArray *
laurel_store_list_demonstrations_of_split (LaurelStore *self, const char *split, GError **error)
{
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self,
                          "SELECT id FROM demonstrations WHERE trim (prompt, " SPACES ") IN"
                          " (SELECT trim (text, " SPACES ") FROM prompts WHERE split = ?)"
                          " ORDER BY id",
                          "list the demonstrations", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_text (rows, split);
  return laurel_store_collect_ids (rows, error);
}

gint64
laurel_store_count_demonstrations (LaurelStore *self, GError **error)
{
  g_autoptr (LaurelStatement) count =
    laurel_store_prepare (self, "SELECT count (*) FROM demonstrations", "count the demonstrations",
                          error);

  return count != NULL ? laurel_store_count (count, error) : -1;
}

/* --- Facts ---------------------------------------------------------------- */

char *
laurel_store_get_fact (LaurelStore *self, const char *key, GError **error)
{
  g_autoptr (LaurelStatement) find =
    laurel_store_prepare (self, "SELECT value FROM facts WHERE key = ?", "read the setting", error);

  if (find == NULL)
    return NULL;
  laurel_statement_bind_text (find, key);
  return laurel_statement_next (find, error) ? laurel_statement_dup_text (find, 0) : NULL;
}

gboolean
laurel_store_set_fact (LaurelStore *self, const char *key, const char *value, GError **error)
{
  g_autoptr (LaurelStatement) insert =
    laurel_store_prepare_write (self,
                                "INSERT INTO facts (key, value) VALUES (?, ?)"
                                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                                "save the setting", error);

  if (insert == NULL)
    return FALSE;
  laurel_statement_bind_text (insert, key);
  laurel_statement_bind_text (insert, value);
  return laurel_statement_run (insert, error);
}
