/* fixture.c: a database in a folder of its own, and rows to put into it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/fixture.h"

#include "core/base/file.h"

#include <sys/wait.h>

void
fixture_set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->dir = g_dir_make_tmp ("laurel-store-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->dir, "project.sqlite", NULL);
  self->store = laurel_store_open (self->path, &error);
  g_assert_no_error (error);
}

void
fixture_tear_down (Fixture *self, gconstpointer data)
{
  laurel_store_close (self->store);
  laurel_file_remove_tree (self->dir, NULL);
  g_free (self->dir);
  g_free (self->path);
}

gint64
add_completion (LaurelStore *store, gint64 prompt_id, int token, int n_tokens)
{
  g_autoptr (LaurelCompletion) completion = g_new0 (LaurelCompletion, 1);
  g_autoptr (GError) error = NULL;

  completion->prompt_id = prompt_id;
  completion->model = g_strdup ("sft");
  completion->n_tokens = n_tokens;
  completion->tokens = g_new0 (gint32, n_tokens);
  completion->logprobs = g_new0 (float, n_tokens);
  for (int i = 0; i < n_tokens; i++) {
    completion->tokens[i] = token + i;
    completion->logprobs[i] = -0.5f * (float) (i + 1);
  }
  completion->text = g_strdup_printf ("text %d", token);
  completion->finish = LAUREL_FINISH_STOP;
  completion->temperature = 1;
  completion->top_p = 1;
  completion->seed = G_MAXUINT64 - 3;
  laurel_store_add_completion (store, completion, &error);
  g_assert_no_error (error);
  return completion->id;
}

LaurelTask *
add_task (LaurelStore *store, int n, int n_wanted)
{
  static int number;
  g_autofree char *text = g_strdup_printf ("Prompt %d?", ++number);
  g_autoptr (GError) error = NULL;
  gint64 ids[9];
  gint64 prompt = laurel_store_ensure_prompt (store, text, "train", "", &error);
  gint64 id;
  LaurelTask *task;

  g_assert_no_error (error);
  for (int i = 0; i < n; i++)
    ids[i] = add_completion (store, prompt, 10 * i, 3);
  id = laurel_store_add_task (store, prompt, ids, n, n_wanted, "random", &error);
  g_assert_no_error (error);
  task = laurel_store_get_task (store, id, &error);
  g_assert_no_error (error);
  return task;
}

LaurelRanking *
make_ranking (const LaurelTask *task, gint64 labeler_id, const int *ranks)
{
  LaurelRanking *ranking = g_new0 (LaurelRanking, 1);

  ranking->task_id = task->id;
  ranking->labeler_id = labeler_id;
  ranking->n = (int) task->completions->len;
  ranking->ranks = g_new0 (LaurelRank, ranking->n);
  for (int i = 0; i < ranking->n; i++) {
    const LaurelCompletion *completion = g_ptr_array_index (task->completions, i);

    ranking->ranks[i].completion_id = completion->id;
    ranking->ranks[i].rank = ranks[i];
  }
  return ranking;
}

gint64
add_ranking (LaurelStore *store,
             const LaurelTask *task,
             gint64 labeler_id,
             const int *ranks,
             gint64 supersedes)
{
  g_autoptr (LaurelRanking) ranking = make_ranking (task, labeler_id, ranks);
  g_autoptr (GError) error = NULL;

  ranking->supersedes = supersedes;
  laurel_store_add_ranking (store, ranking, &error);
  g_assert_no_error (error);
  return ranking->id;
}

int
wait_for (int pid)
{
  int status = 0;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  return status;
}
