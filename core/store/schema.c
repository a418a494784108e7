/* schema.c: the tables of project.sqlite and what always holds in them.
 *
 *   prompts ──< completions          a text is stored once
 *      └──< tasks ──< task_completions >── completions
 *             ├──< rankings ──< ranks >── completions
 *             ├──< drafts              one for each labeler, overwritten as they work
 *             └──── leases             who works on it now, until when
 *   labelers ──< rankings, drafts
 *   runs ──< metrics, rollouts, log_lines
 *   models, demonstrations, facts      stand alone and are known by name
 *
 * Invariants, kept by the database itself:
 *   - A ranking and its ranks never change and are never deleted (triggers). A
 *     change of mind is a new ranking whose “supersedes” names the old one; that
 *     column is unique, so there is never a fork, and it stays within one task
 *     and one labeler. A ranking is in force when none supersedes it; a labeler
 *     has at most one in force for a task.
 *   - A ranking ranks completions of its own task only, at most n_ranks of them,
 *     and a task's completions answer the task's prompt.
 *   - tasks.n_rankings counts the rankings in force that are no skips (trigger),
 *     so that finding the next task reads one index entry instead of the queue.
 *   - comparisons is a view, never stored: the strictly ordered pairs of the
 *     rankings in force. Two completions with the same tokens (or, where one was
 *     imported as text, the same text) cannot be better than one another.
 *   - Times are microseconds since 1970. Token ids are little-endian int32, their
 *     log-probabilities float32, token records as core/base/rollout.h packs them.
 *   - owner names a process: “PID:START:BOOT”, see process.h.
 *
 * A step that was in a release is never edited again; the next change is a new
 * step at the end of the list.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/schema.h"

#include "core/base/error.h"

static const char version_1[] =
  "CREATE TABLE facts (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;"

  "CREATE TABLE labelers ("
  "  id INTEGER PRIMARY KEY,"
  "  name TEXT NOT NULL CHECK (name <> ''),"
  "  kind TEXT NOT NULL CHECK (kind IN ('person', 'rules', 'reward_model')),"
  "  created INTEGER NOT NULL,"
  "  UNIQUE (name, kind));"

  "CREATE TABLE prompts ("
  "  id INTEGER PRIMARY KEY,"
  "  text TEXT NOT NULL UNIQUE CHECK (text <> ''),"
  "  split TEXT NOT NULL CHECK (split IN ('train', 'heldout')),"
  "  tags TEXT NOT NULL,"
  "  created INTEGER NOT NULL);"
  "CREATE INDEX prompts_by_split ON prompts (split, id);"

  "CREATE TABLE completions ("
  "  id INTEGER PRIMARY KEY,"
  "  prompt_id INTEGER NOT NULL REFERENCES prompts (id),"
  "  model TEXT NOT NULL,"
  "  tokens BLOB,"
  "  logprobs BLOB,"
  "  text TEXT NOT NULL,"
  "  finish TEXT NOT NULL CHECK (finish IN ('stop', 'length')),"
  "  temperature REAL NOT NULL, top_k INTEGER NOT NULL, top_p REAL NOT NULL, min_p REAL NOT NULL,"
  "  seed INTEGER NOT NULL,"
  "  created INTEGER NOT NULL);"
  "CREATE INDEX completions_by_prompt ON completions (prompt_id);"
  "CREATE INDEX completions_by_model ON completions (model);"

  "CREATE TABLE tasks ("
  "  id INTEGER PRIMARY KEY,"
  "  prompt_id INTEGER NOT NULL REFERENCES prompts (id),"
  "  n_wanted INTEGER NOT NULL CHECK (n_wanted >= 1),"
  "  n_rankings INTEGER NOT NULL DEFAULT 0,"
  "  sampler TEXT NOT NULL,"
  "  created INTEGER NOT NULL);"
  "CREATE INDEX tasks_open ON tasks (id) WHERE n_rankings < n_wanted;"
  "CREATE INDEX tasks_by_prompt ON tasks (prompt_id);"

  "CREATE TABLE task_completions ("
  "  task_id INTEGER NOT NULL REFERENCES tasks (id),"
  "  position INTEGER NOT NULL,"
  "  completion_id INTEGER NOT NULL REFERENCES completions (id),"
  "  PRIMARY KEY (task_id, position),"
  "  UNIQUE (task_id, completion_id)) WITHOUT ROWID;"
  "CREATE INDEX task_completions_by_completion ON task_completions (completion_id);"
  "CREATE TRIGGER task_completions_answer_its_prompt BEFORE INSERT ON task_completions"
  " WHEN (SELECT prompt_id FROM tasks WHERE id = NEW.task_id)"
  "   <> (SELECT prompt_id FROM completions WHERE id = NEW.completion_id)"
  " BEGIN SELECT RAISE (ABORT, 'a completion answers another prompt'); END;"

  "CREATE TABLE leases ("
  "  task_id INTEGER PRIMARY KEY REFERENCES tasks (id),"
  "  owner TEXT NOT NULL,"
  "  until INTEGER NOT NULL);"

  "CREATE TABLE drafts ("
  "  task_id INTEGER NOT NULL REFERENCES tasks (id),"
  "  labeler_id INTEGER NOT NULL REFERENCES labelers (id),"
  "  json TEXT NOT NULL,"
  "  updated INTEGER NOT NULL,"
  "  PRIMARY KEY (task_id, labeler_id)) WITHOUT ROWID;"
  "CREATE INDEX drafts_by_labeler ON drafts (labeler_id, task_id);"

  "CREATE TABLE rankings ("
  "  id INTEGER PRIMARY KEY,"
  "  task_id INTEGER NOT NULL REFERENCES tasks (id),"
  "  labeler_id INTEGER NOT NULL REFERENCES labelers (id),"
  "  n_ranks INTEGER NOT NULL CHECK (n_ranks >= 2),"
  "  all_bad INTEGER NOT NULL CHECK (all_bad IN (0, 1)),"
  "  skip_reason TEXT CHECK (skip_reason <> ''),"
  "  comment TEXT NOT NULL,"
  "  order_seed INTEGER NOT NULL,"
  "  active_ms INTEGER NOT NULL,"
  "  idle_ms INTEGER NOT NULL,"
  "  supersedes INTEGER UNIQUE REFERENCES rankings (id),"
  "  created INTEGER NOT NULL);"
  "CREATE INDEX rankings_by_task ON rankings (task_id, labeler_id);"
  "CREATE INDEX rankings_by_labeler ON rankings (labeler_id, id);"

  "CREATE TABLE ranks ("
  "  ranking_id INTEGER NOT NULL REFERENCES rankings (id),"
  "  position INTEGER NOT NULL,"
  "  completion_id INTEGER NOT NULL REFERENCES completions (id),"
  "  rank INTEGER NOT NULL CHECK (rank >= 0),"
  "  quality INTEGER NOT NULL CHECK (quality BETWEEN 0 AND 7),"
  "  flags INTEGER NOT NULL CHECK (flags >= 0),"
  "  PRIMARY KEY (ranking_id, position),"
  "  UNIQUE (ranking_id, completion_id)) WITHOUT ROWID;"

  "CREATE VIEW rankings_in_force AS"
  "  SELECT * FROM rankings AS r"
  "  WHERE NOT EXISTS (SELECT 1 FROM rankings AS later WHERE later.supersedes = r.id);"

  "CREATE TRIGGER rankings_never_change BEFORE UPDATE ON rankings"
  " BEGIN SELECT RAISE (ABORT, 'rankings never change'); END;"
  "CREATE TRIGGER rankings_are_never_deleted BEFORE DELETE ON rankings"
  " BEGIN SELECT RAISE (ABORT, 'rankings are never deleted'); END;"
  "CREATE TRIGGER ranks_never_change BEFORE UPDATE ON ranks"
  " BEGIN SELECT RAISE (ABORT, 'ranks never change'); END;"
  "CREATE TRIGGER ranks_are_never_deleted BEFORE DELETE ON ranks"
  " BEGIN SELECT RAISE (ABORT, 'ranks are never deleted'); END;"
  "CREATE TRIGGER rankings_supersede_their_own BEFORE INSERT ON rankings"
  " WHEN NEW.supersedes IS NOT NULL AND NOT EXISTS ("
  "   SELECT 1 FROM rankings WHERE id = NEW.supersedes AND task_id = NEW.task_id"
  "   AND labeler_id = NEW.labeler_id)"
  " BEGIN SELECT RAISE (ABORT, 'it supersedes no ranking of this labeler for this task'); END;"
  "CREATE TRIGGER rankings_one_in_force BEFORE INSERT ON rankings"
  " WHEN NEW.supersedes IS NULL AND EXISTS ("
  "   SELECT 1 FROM rankings WHERE task_id = NEW.task_id AND labeler_id = NEW.labeler_id)"
  " BEGIN SELECT RAISE (ABORT, 'this labeler has ranked this task already'); END;"
  "CREATE TRIGGER rankings_are_counted AFTER INSERT ON rankings"
  " BEGIN UPDATE tasks SET n_rankings ="
  "   (SELECT count (*) FROM rankings_in_force WHERE task_id = NEW.task_id AND skip_reason IS NULL)"
  "   WHERE id = NEW.task_id; END;"
  "CREATE TRIGGER ranks_belong_to_the_task BEFORE INSERT ON ranks"
  " WHEN NOT EXISTS ("
  "   SELECT 1 FROM rankings AS r JOIN task_completions AS c ON c.task_id = r.task_id"
  "   WHERE r.id = NEW.ranking_id AND c.completion_id = NEW.completion_id)"
  " BEGIN SELECT RAISE (ABORT, 'a ranked completion is not one of the task'); END;"
  "CREATE TRIGGER ranks_are_complete BEFORE INSERT ON ranks"
  " WHEN (SELECT count (*) FROM ranks WHERE ranking_id = NEW.ranking_id)"
  "   >= (SELECT n_ranks FROM rankings WHERE id = NEW.ranking_id)"
  " BEGIN SELECT RAISE (ABORT, 'the ranking has all its ranks already'); END;"

  "CREATE VIEW comparisons AS"
  "  SELECT r.id AS ranking_id, r.task_id, t.prompt_id,"
  "    better.completion_id AS chosen_id, worse.completion_id AS rejected_id"
  "  FROM rankings_in_force AS r"
  "  JOIN tasks AS t ON t.id = r.task_id"
  "  JOIN ranks AS better ON better.ranking_id = r.id AND better.rank > 0"
  "  JOIN ranks AS worse ON worse.ranking_id = r.id AND worse.rank > better.rank"
  "  JOIN completions AS chosen ON chosen.id = better.completion_id"
  "  JOIN completions AS rejected ON rejected.id = worse.completion_id"
  "  WHERE r.skip_reason IS NULL"
  "    AND CASE WHEN chosen.tokens IS NULL OR rejected.tokens IS NULL"
  "      THEN chosen.text <> rejected.text ELSE chosen.tokens <> rejected.tokens END;"

  "CREATE TABLE models ("
  "  name TEXT PRIMARY KEY NOT NULL CHECK (name <> ''),"
  "  kind TEXT NOT NULL,"
  "  parent TEXT,"
  "  run_id INTEGER,"
  "  path TEXT NOT NULL,"
  "  sha256 TEXT NOT NULL,"
  "  n_parameters INTEGER NOT NULL, vocab_size INTEGER NOT NULL, n_positions INTEGER NOT NULL,"
  "  n_bytes INTEGER NOT NULL,"
  "  tokenizer_hash TEXT NOT NULL,"
  "  created INTEGER NOT NULL);"
  "CREATE INDEX models_by_parent ON models (parent);"

  "CREATE TABLE runs ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  kind TEXT NOT NULL, name TEXT NOT NULL, model TEXT NOT NULL, output TEXT NOT NULL,"
  "  status TEXT NOT NULL,"
  "  config TEXT NOT NULL,"
  "  snapshot TEXT NOT NULL,"
  "  seed INTEGER NOT NULL,"
  "  step INTEGER NOT NULL, n_steps INTEGER NOT NULL,"
  "  message TEXT NOT NULL,"
  "  created INTEGER NOT NULL, started INTEGER NOT NULL, finished INTEGER NOT NULL,"
  "  owner TEXT NOT NULL);"

  "CREATE TABLE metrics ("
  "  run_id INTEGER NOT NULL REFERENCES runs (id),"
  "  key TEXT NOT NULL,"
  "  step INTEGER NOT NULL,"
  "  value REAL," /* NULL: not a number */
  "  time INTEGER NOT NULL,"
  "  PRIMARY KEY (run_id, key, step)) WITHOUT ROWID;"
  "CREATE INDEX metrics_by_step ON metrics (run_id, step);"

  "CREATE TABLE rollouts ("
  "  id INTEGER PRIMARY KEY,"
  "  run_id INTEGER NOT NULL REFERENCES runs (id),"
  "  step INTEGER NOT NULL, row INTEGER NOT NULL,"
  "  prompt TEXT NOT NULL, completion TEXT NOT NULL,"
  "  prompt_tokens BLOB NOT NULL, records BLOB NOT NULL,"
  "  finish TEXT NOT NULL CHECK (finish IN ('stop', 'length')),"
  "  score REAL, kl_coef REAL,"
  "  UNIQUE (run_id, step, row));"

  "CREATE TABLE log_lines ("
  "  id INTEGER PRIMARY KEY,"
  "  run_id INTEGER NOT NULL REFERENCES runs (id),"
  "  line TEXT NOT NULL,"
  "  created INTEGER NOT NULL);"
  "CREATE INDEX log_lines_by_run ON log_lines (run_id, id);"

  "CREATE TABLE demonstrations ("
  "  id INTEGER PRIMARY KEY,"
  "  prompt TEXT NOT NULL CHECK (prompt <> ''), completion TEXT NOT NULL CHECK (completion <> ''),"
  "  created INTEGER NOT NULL,"
  "  UNIQUE (prompt, completion));";

/* Log-probabilities under the plain softmax, beside those under the sampler: the same numbers where
 * nothing was filtered. What came to the sampler's settings; stop and logit_bias are JSON lists. */
static const char version_2[] =
  "ALTER TABLE completions ADD COLUMN plain_logprobs BLOB;"
  "ALTER TABLE completions ADD COLUMN repetition_penalty REAL NOT NULL DEFAULT 1;"
  "ALTER TABLE completions ADD COLUMN stop TEXT NOT NULL DEFAULT '[]';"
  "ALTER TABLE completions ADD COLUMN logit_bias TEXT NOT NULL DEFAULT '[]';"
  "UPDATE completions SET plain_logprobs = logprobs"
  " WHERE top_k = 0 AND top_p = 1 AND min_p = 0 AND temperature > 0;";

/* A queue in another order than that of age: by place, then by age. A place is below 0 when a rule
 * chose it, whose name is the task's sampler and whose opinion is its priority. */
static const char version_3[] =
  "ALTER TABLE tasks ADD COLUMN place INTEGER NOT NULL DEFAULT 0;"
  "ALTER TABLE tasks ADD COLUMN priority REAL;"
  "DROP INDEX tasks_open;"
  "CREATE INDEX tasks_open ON tasks (place, id) WHERE n_rankings < n_wanted;";

const LaurelMigration laurel_migrations[] = { version_1, version_2, version_3 };
const int laurel_n_migrations = G_N_ELEMENTS (laurel_migrations);

/* Refuses another program's database before anything is written into it. */
static gboolean
check_identity (LaurelDatabase *db, const char *path, int n, GError **error)
{
  gint64 version, application, n_tables;

  if (!laurel_database_query_int (db, "PRAGMA user_version", "read the version", &version, error) ||
      !laurel_database_query_int (db, "PRAGMA application_id", "read the kind", &application,
                                  error) ||
      !laurel_database_query_int (db, "SELECT count (*) FROM sqlite_master", "read the schema",
                                  &n_tables, error))
    return FALSE;
  if (n_tables > 0 && application != LAUREL_APPLICATION_ID) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not open “%s”: it is another program's database; choose a Laurel project",
                 path);
    return FALSE;
  }
  if (version > n) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NEWER_VERSION,
                 "Could not open “%s”: a newer Laurel wrote it (version %" G_GINT64_FORMAT
                 ", this one knows %d); "
                 "update Laurel",
                 path, version, n);
    return FALSE;
  }
  return TRUE;
}

static gboolean
take_step (LaurelDatabase *db, const char *sql, int version, GError **error)
{
  g_autofree char *stamp =
    g_strdup_printf ("PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                     LAUREL_APPLICATION_ID, version);

  return laurel_database_execute (db, sql, "update the schema", error) &&
         laurel_database_execute (db, stamp, "update the schema", error);
}

gboolean
laurel_schema_migrate (LaurelDatabase *db,
                       const char *path,
                       const LaurelMigration *migrations,
                       int n,
                       GError **error)
{
  if (!check_identity (db, path, n, error))
    return FALSE;
  while (TRUE) {
    gint64 version;

    if (!laurel_database_query_int (db, "PRAGMA user_version", "read the version", &version, error))
      return FALSE;
    if (version >= n)
      return TRUE;
    if (!laurel_database_execute (db, "BEGIN IMMEDIATE", "update the schema", error))
      return FALSE;
    /* Another process may have taken this step between the look and the lock. */
    if (!laurel_database_query_int (db, "PRAGMA user_version", "read the version", &version,
                                    error) ||
        (version < n && !take_step (db, migrations[version], (int) version + 1, error))) {
      if (!laurel_database_is_idle (db))
        laurel_database_execute (db, "ROLLBACK", "update the schema", NULL);
      return FALSE;
    }
    if (!laurel_database_is_idle (db) &&
        !laurel_database_execute (db, "COMMIT", "update the schema", error))
      return FALSE;
  }
}
