/* test-durability.c: what outlives a kill, a full disk, a second process, another version.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/fixture.h"

#include "core/base/error.h"
#include "core/store/schema.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs SQL on the file behind the store's back. Returns SQLite's result. */
static int
run_sql (const char *path, const char *sql)
{
  sqlite3 *db;
  int result;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  sqlite3_busy_timeout (db, 1000);
  result = sqlite3_exec (db, sql, NULL, NULL, NULL);
  sqlite3_close (db);
  return result;
}

static void
test_rankings_never_change (Fixture *self, gconstpointer data)
{
  static const char *const attempts[] = {
    "UPDATE rankings SET comment = 'x'",
    "DELETE FROM rankings",
    "UPDATE ranks SET rank = 1",
    "DELETE FROM ranks",
    "INSERT OR REPLACE INTO ranks"
    " SELECT ranking_id, position, completion_id, 2, quality, flags FROM ranks",
    "INSERT INTO ranks VALUES (1, 9, 1, 1, 0, 0)",
  };
  g_autoptr (LaurelTask) task = add_task (self->store, 2, 1);
  gint64 anna = laurel_store_ensure_labeler (self->store, "Anna", LAUREL_LABELER_PERSON, NULL);

  add_ranking (self->store, task, anna, (int[]){ 1, 2 }, 0);
  for (guint i = 0; i < G_N_ELEMENTS (attempts); i++)
    g_assert_cmpint (run_sql (self->path, attempts[i]), ==, SQLITE_CONSTRAINT);
}

static void
test_newer_version (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->store, laurel_store_close);
  g_assert_cmpint (run_sql (self->path, "PRAGMA user_version = 9999"), ==, SQLITE_OK);
  g_assert_null (laurel_store_open (self->path, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NEWER_VERSION);
}

static void
test_foreign_files (Fixture *self, gconstpointer data)
{
  g_autofree char *text = g_build_filename (self->dir, "text", NULL);
  g_autofree char *other = g_build_filename (self->dir, "other", NULL);
  g_autofree char *nowhere = g_build_filename (self->dir, "none", "project.sqlite", NULL);
  g_autofree char *long_text = g_strnfill (4096, 'x');
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;
  gsize n_before, n_after;

  g_assert_true (g_file_set_contents (text, long_text, -1, NULL));
  g_assert_null (laurel_store_open (text, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_clear_error (&error);
  g_assert_cmpint (run_sql (other, "CREATE TABLE accounts (id INTEGER)"), ==, SQLITE_OK);
  g_assert_true (g_file_get_contents (other, &before, &n_before, NULL));
  g_assert_null (laurel_store_open (other, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_clear_error (&error);
  g_assert_true (g_file_get_contents (other, &after, &n_after, NULL));
  g_assert_cmpmem (before, n_before, after, n_after);
  g_assert_null (laurel_store_open (nowhere, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
}

/* A step that fails leaves the version before it, whole; mended, it goes on from there
 * with all the rows. */
static void
test_migration (Fixture *self, gconstpointer data)
{
  int n = laurel_n_migrations;
  g_autofree LaurelMigration *broken = g_new (LaurelMigration, n + 1);
  g_autofree LaurelMigration *good = g_new (LaurelMigration, n + 1);
  g_autoptr (LaurelDatabase) db = NULL;
  g_autoptr (GError) error = NULL;
  gint64 value = 0;

  for (int i = 0; i < n; i++)
    broken[i] = good[i] = laurel_migrations[i];
  broken[n] = "CREATE TABLE extra (id INTEGER); INSERT INTO missing VALUES (1)";
  good[n] = "ALTER TABLE prompts ADD COLUMN note TEXT NOT NULL DEFAULT 'none'";
  g_assert_cmpint (laurel_store_ensure_prompt (self->store, "kept", "train", "", NULL), >, 0);
  g_clear_pointer (&self->store, laurel_store_close);
  db = laurel_database_open (self->path, 1000, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_schema_migrate (db, self->path, laurel_migrations, n, &error));
  g_assert_false (laurel_schema_migrate (db, self->path, broken, n + 1, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_true (laurel_database_query_int (db, "PRAGMA user_version", "look", &value, NULL));
  g_assert_cmpint (value, ==, n);
  g_assert_true (laurel_database_query_int (
    db, "SELECT count (*) FROM sqlite_master WHERE name = 'extra'", "look", &value, NULL));
  g_assert_cmpint (value, ==, 0);
  g_assert_true (laurel_schema_migrate (db, self->path, good, n + 1, &error));
  g_assert_no_error (error);
  g_assert_true (laurel_database_query_int (db, "PRAGMA user_version", "look", &value, NULL));
  g_assert_cmpint (value, ==, n + 1);
  g_assert_true (laurel_database_query_int (
    db, "SELECT count (*) FROM prompts WHERE text = 'kept' AND note = 'none'", "look", &value,
    NULL));
  g_assert_cmpint (value, ==, 1);
}

/* A project of the first version: its completions keep what they had, and those that were drawn
 * from the plain softmax get their log-probabilities under it. */
static void
test_first_version (Fixture *self, gconstpointer data)
{
  static const char rows[] =
    "INSERT INTO prompts VALUES (1, 'why?', 'train', '', 1);"
    "INSERT INTO completions VALUES"
    " (1, 1, 'sft', x'01000000', x'000080bf', 'so', 'stop', 0.7, 0, 1, 0, 5, 1),"
    " (2, 1, 'sft', x'01000000', x'000080bf', 'so', 'stop', 0.7, 9, 1, 0, 5, 1);"
    "INSERT INTO tasks (id, prompt_id, n_wanted, sampler, created) VALUES"
    " (7, 1, 1, 'random', 1), (8, 1, 1, 'random', 1);"
    "INSERT INTO task_completions (task_id, position, completion_id) VALUES (7, 0, 1), (7, 1, 2);";
  g_autofree char *path = g_build_filename (self->dir, "old.sqlite", NULL);
  g_autoptr (LaurelDatabase) db = laurel_database_open (path, 1000, NULL);
  g_autoptr (LaurelStore) store = NULL;
  g_autoptr (LaurelTask) task = NULL;
  const LaurelCompletion *plain, *filtered;
  g_autoptr (GArray) queue = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_schema_migrate (db, path, laurel_migrations, 1, &error));
  g_assert_true (laurel_database_execute (db, rows, "fill", &error));
  g_clear_pointer (&db, laurel_database_close);
  store = laurel_store_open (path, &error);
  g_assert_no_error (error);
  task = laurel_store_get_task (store, 7, &error);
  g_assert_no_error (error);
  plain = laurel_task_find_completion (task, 1);
  filtered = laurel_task_find_completion (task, 2);
  g_assert_cmpfloat (plain->logprobs[0], ==, -1);
  g_assert_cmpfloat (plain->plain_logprobs[0], ==, -1);
  g_assert_cmpfloat (plain->repetition_penalty, ==, 1);
  g_assert_cmpstr (plain->stop, ==, "[]");
  g_assert_cmpfloat (filtered->logprobs[0], ==, -1);
  g_assert_null (filtered->plain_logprobs);
  queue = laurel_store_list_task_ids (store, 0, FALSE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (queue->len, ==, 2); /* by age, as it was before there were places */
  g_assert_cmpint (g_array_index (queue, gint64, 0), ==, 7);
}

static void
test_read_only (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  if (geteuid () == 0) {
    /* Root writes through permissions: only a read-only mount stops it. */
    g_clear_pointer (&self->store, laurel_store_close);
    if (mount (self->dir, self->dir, NULL, MS_BIND, NULL) != 0 ||
        mount (NULL, self->dir, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0) {
      umount (self->dir);
      g_test_skip ("root without the right to mount cannot make a folder read-only");
      return;
    }
  } else {
    g_clear_pointer (&self->store, laurel_store_close);
    g_assert_cmpint (g_chmod (self->path, 0400), ==, 0);
  }
  g_assert_null (laurel_store_open (self->path, &error));
  if (geteuid () == 0)
    umount (self->dir);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
}

static void
fill_up (LaurelStore *store, GError **error)
{
  g_autofree char *text = g_strnfill (20000, 'x');

  for (int i = 0; i < 200; i++) {
    g_autofree char *prompt = g_strdup_printf ("%d %s", i, text);

    if (laurel_store_ensure_prompt (store, prompt, "train", "", error) == 0)
      return;
  }
}

/* SQLite's limit on pages gives the same error as a disk without space. */
static void
test_full (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) task = add_task (self->store, 2, 1);
  gint64 anna = laurel_store_ensure_labeler (self->store, "Anna", LAUREL_LABELER_PERSON, NULL);
  g_autoptr (LaurelStore) full = NULL;
  g_autoptr (LaurelRanking) ranking = make_ranking (task, anna, (int[]){ 1, 2 });
  g_autoptr (GError) error = NULL;
  g_autofree char *mount_dir = g_build_filename (self->dir, "small", NULL);
  g_autofree char *path = g_build_filename (mount_dir, "project.sqlite", NULL);
  gint64 n;

  g_assert_cmpint (g_mkdir (mount_dir, 0700), ==, 0);
  if (mount ("tmpfs", mount_dir, "tmpfs", 0, "size=1m") != 0) {
    g_test_skip ("a small file system needs the right to mount");
    return;
  }
  full = laurel_store_open (path, &error);
  g_assert_no_error (error);
  fill_up (full, &error);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
  g_clear_error (&error);
  n = laurel_store_count_prompts (full, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (n, >, 0); /* what was saved is there */
  g_assert_true (laurel_store_check (full, &error));
  g_clear_pointer (&full, laurel_store_close);
  full = laurel_store_open (path, &error);
  if (full != NULL) /* the log could be folded in */
    g_assert_cmpint (laurel_store_count_prompts (full, NULL, NULL, NULL), ==, n);
  g_clear_pointer (&full, laurel_store_close);
  umount (mount_dir);
}

static void
test_busy (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelDatabase) impatient = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_store_begin (self->store, &error));
  impatient = laurel_database_open (self->path, 10, &error);
  g_assert_no_error (error);
  g_assert_false (laurel_database_execute (impatient, "BEGIN IMMEDIATE", "begin to write", &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_BUSY);
  laurel_store_rollback (self->store);
}

/* Children are killed in the middle of a transaction, after a draft and a ranking of
 * their own were saved. */
static void
test_killed (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) task = add_task (self->store, 2, 1);
  g_autoptr (LaurelTask) other = add_task (self->store, 2, 1);
  gint64 anna = laurel_store_ensure_labeler (self->store, "Anna", LAUREL_LABELER_PERSON, NULL);
  g_autoptr (LaurelDraft) draft = NULL;
  g_autoptr (LaurelTask) again = NULL;
  g_autoptr (GError) error = NULL;
  pid_t child;

  g_clear_pointer (&self->store, laurel_store_close);
  child = fork ();
  if (child == 0) {
    LaurelStore *store = laurel_store_open (self->path, NULL);
    g_autoptr (LaurelTask) first = laurel_store_next_task (store, anna, 3600, NULL);

    add_ranking (store, first, anna, (int[]){ 2, 1 }, 0);
    laurel_task_free (laurel_store_next_task (store, anna, 3600, NULL));
    laurel_store_put_draft (store, other->id, anna, "{\"lanes\":[1,0]}", NULL);
    laurel_store_begin (store, NULL);
    for (int i = 0; i < 500; i++)
      laurel_store_ensure_labeler (store, g_strdup_printf ("ghost %d", i), LAUREL_LABELER_PERSON,
                                   NULL);
    kill (getpid (), SIGKILL);
  }
  g_assert_true (WIFSIGNALED (wait_for (child)));
  self->store = laurel_store_open (self->path, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_store_check (self->store, &error));
  g_assert_cmpint (laurel_store_count_rankings (self->store, anna, 0, NULL), ==, 1);
  draft = laurel_store_get_draft (self->store, other->id, anna, NULL);
  g_assert_cmpstr (draft->json, ==, "{\"lanes\":[1,0]}");
  {
    g_autoptr (GPtrArray) labelers = laurel_store_list_labelers (self->store, NULL);

    g_assert_cmpint (labelers->len, ==, 1); /* no ghost */
  }
  again = laurel_store_next_task (self->store, anna, 60,
                                  &error); /* the dead one's lease is no obstacle */
  g_assert_cmpint (again->id, ==, other->id);
}

/* Two live processes take tasks as fast as they can: none is taken twice. */
static void
test_leases (Fixture *self, gconstpointer data)
{
  enum { N_TASKS = 30 };
  gint64 labelers[2];
  int pipes[2], seen[N_TASKS + 1] = { 0 };
  pid_t children[2];
  gint64 id;
  int n = 0;

  for (int i = 0; i < N_TASKS; i++)
    laurel_task_free (add_task (self->store, 2, 1));
  labelers[0] = laurel_store_ensure_labeler (self->store, "Anna", LAUREL_LABELER_PERSON, NULL);
  labelers[1] = laurel_store_ensure_labeler (self->store, "Ben", LAUREL_LABELER_PERSON, NULL);
  g_clear_pointer (&self->store, laurel_store_close);
  g_assert_cmpint (pipe (pipes), ==, 0);
  for (int k = 0; k < 2; k++) {
    children[k] = fork ();
    if (children[k] == 0) {
      LaurelStore *store = laurel_store_open (self->path, NULL);

      close (pipes[0]);
      while (TRUE) {
        g_autoptr (LaurelTask) task = laurel_store_next_task (store, labelers[k], 3600, NULL);

        if (task == NULL)
          break;
        if (write (pipes[1], &task->id, sizeof task->id) != sizeof task->id)
          _exit (1);
        add_ranking (store, task, labelers[k], (int[]){ 1, 2 }, 0);
      }
      laurel_store_close (store);
      _exit (0);
    }
  }
  close (pipes[1]);
  while (read (pipes[0], &id, sizeof id) == sizeof id) {
    g_assert_cmpint (id, <=, N_TASKS);
    seen[id]++;
    n++;
  }
  close (pipes[0]);
  for (int k = 0; k < 2; k++)
    g_assert_cmpint (wait_for (children[k]), ==, 0);
  g_assert_cmpint (n, ==, N_TASKS);
  for (int i = 1; i <= N_TASKS; i++)
    g_assert_cmpint (seen[i], ==, 1);
}

/* A live process's lease keeps others away until it runs out. */
static void
test_lease_expires (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) task = add_task (self->store, 2, 1);
  gint64 anna = laurel_store_ensure_labeler (self->store, "Anna", LAUREL_LABELER_PERSON, NULL);
  g_autoptr (LaurelTask) held = NULL;
  g_autoptr (LaurelTask) freed = NULL;
  g_autoptr (GError) error = NULL;

  /* The owner is a process that started the machine: alive, and not us. */
  g_assert_cmpint (run_sql (self->path,
                            "INSERT INTO leases VALUES (1, '1:0:elsewhere', 9000000000000000)"),
                   ==, SQLITE_OK);
  held = laurel_store_next_task (self->store, anna, 60, &error);
  g_assert_no_error (error);
  g_assert_null (held);
  g_assert_cmpint (run_sql (self->path, "UPDATE leases SET until = 5"), ==, SQLITE_OK);
  freed = laurel_store_next_task (self->store, anna, 60, &error);
  g_assert_cmpint (freed->id, ==, task->id);
}

static void
test_transactions (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_store_begin (self->store, &error));
  laurel_store_ensure_prompt (self->store, "outer", "train", "", NULL);
  g_assert_true (laurel_store_begin (self->store, &error));
  laurel_store_ensure_prompt (self->store, "inner", "train", "", NULL);
  laurel_store_rollback (self->store);
  g_assert_true (laurel_store_commit (self->store, &error));
  g_assert_cmpint (laurel_store_count_prompts (self->store, NULL, NULL, NULL), ==, 1);
  g_assert_true (laurel_store_begin (self->store, &error));
  laurel_store_ensure_prompt (self->store, "gone", "train", "", NULL);
  laurel_store_rollback (self->store);
  g_assert_cmpint (laurel_store_count_prompts (self->store, NULL, NULL, NULL), ==, 1);
}

static void
test_backup (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->dir, "backup.sqlite", NULL);
  g_autoptr (LaurelStore) copy = NULL;
  g_autoptr (GError) error = NULL;

  laurel_store_ensure_prompt (self->store, "kept", "train", "", NULL);
  g_assert_true (laurel_store_backup (self->store, path, &error));
  g_assert_no_error (error);
  copy = laurel_store_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (laurel_store_count_prompts (copy, NULL, NULL, NULL), ==, 1);
  g_assert_false (laurel_store_backup (self->store, path, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/store/durability/rankings-never-change", test_rankings_never_change);
  ADD_TEST ("/store/durability/newer-version", test_newer_version);
  ADD_TEST ("/store/durability/foreign-files", test_foreign_files);
  ADD_TEST ("/store/durability/migration", test_migration);
  ADD_TEST ("/store/durability/first-version", test_first_version);
  ADD_TEST ("/store/durability/read-only", test_read_only);
  ADD_TEST ("/store/durability/full", test_full);
  ADD_TEST ("/store/durability/busy", test_busy);
  ADD_TEST ("/store/durability/killed", test_killed);
  ADD_TEST ("/store/durability/leases", test_leases);
  ADD_TEST ("/store/durability/lease-expires", test_lease_expires);
  ADD_TEST ("/store/durability/transactions", test_transactions);
  ADD_TEST ("/store/durability/backup", test_backup);
  return g_test_run ();
}
