/* fixture.h: a database in a folder of its own, and rows to put into it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/store.h"

G_BEGIN_DECLS

typedef struct {
  char *dir;
  char *path;
  LaurelStore *store;
} Fixture;

void fixture_set_up (Fixture *self, gconstpointer data);
void fixture_tear_down (Fixture *self, gconstpointer data);
#define ADD_TEST(path, func) g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

/* A completion of @n_tokens tokens whose first is @token. */
gint64 add_completion (LaurelStore *store, gint64 prompt_id, int token, int n_tokens);
/* A task on a prompt of its own with @n completions that all differ. */
LaurelTask *add_task (LaurelStore *store, int n, int n_wanted);
/* A ranking of all of the task's completions in stored order, not stored yet. */
LaurelRanking *make_ranking (const LaurelTask *task, gint64 labeler_id, const int *ranks);
gint64 add_ranking (LaurelStore *store, const LaurelTask *task, gint64 labeler_id, const int *ranks, gint64 supersedes);
/* Waits for a child and returns what waitpid() says. */
int wait_for (int pid);

G_END_DECLS
