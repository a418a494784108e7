/* store.h: a project's database, project.sqlite.
 *
 * A LaurelStore is one connection and belongs to the thread that opened it
 * (asserted). The window and the trainer thread each open their own: SQLite in
 * WAL mode lets readers go on while one of them writes, and every write here is
 * one short transaction. Foreign keys are on, statements are prepared once.
 * What a labeler submits is synced to the disk before the call returns
 * (synchronous=FULL); drafts, metrics and rollouts survive a crash of the
 * program, and at worst lose in a power cut what came after laurel_store_sync().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/records.h"

G_BEGIN_DECLS

typedef struct _LaurelStore LaurelStore;

/* Creates the database when it is missing, migrates it when it is older; a database from a newer
 * Laurel is LAUREL_ERROR_NEWER_VERSION, one that cannot be written LAUREL_ERROR_IO. */
LaurelStore *laurel_store_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_store_close (LaurelStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelStore, laurel_store_close)

/* Of the SQLite library that runs, like "3.40.1". */
const char *laurel_store_get_sqlite_version (void);

/* What was committed so far outlives a power cut: costs one fdatasync of the write-ahead log. */
gboolean laurel_store_sync (LaurelStore *self, GError **error);

/* Groups many writes in one transaction; nests. */
gboolean laurel_store_begin (LaurelStore *self, GError **error);
gboolean laurel_store_commit (LaurelStore *self, GError **error);
void laurel_store_rollback (LaurelStore *self);

gboolean laurel_store_check (LaurelStore *self, GError **error); /* quick_check, foreign_key_check */
gboolean laurel_store_backup (LaurelStore *self, const char *path, GError **error); /* VACUUM INTO */

/* Labelers. Gets the labeler of that name and kind, making it when it is new. */
gint64 laurel_store_ensure_labeler (LaurelStore *self, const char *name, LaurelLabelerKind kind, GError **error); /* 0 on error */
GPtrArray *laurel_store_list_labelers (LaurelStore *self, GError **error);

/* Prompts. The same text twice is one prompt. */
gint64 laurel_store_ensure_prompt (LaurelStore *self, const char *text, const char *split, const char *tags, GError **error);
GPtrArray *laurel_store_list_prompts (LaurelStore *self, const char *split /* NULL: all */, const char *search /* NULL: all */, int limit /* −1: all */, int offset, GError **error);
gint64 laurel_store_count_prompts (LaurelStore *self, const char *split, const char *search, GError **error); /* −1 on error */

/* Completions and tasks. */
gboolean laurel_store_add_completion (LaurelStore *self, LaurelCompletion *completion, GError **error); /* sets its id */
gint64 laurel_store_add_task (LaurelStore *self, gint64 prompt_id, const gint64 *completion_ids, int n, int n_wanted, const char *sampler, GError **error);
LaurelTask *laurel_store_get_task (LaurelStore *self, gint64 id, GError **error);
/* The oldest task on @prompt_id whose completions have exactly these texts in this order; 0 when there is none, and on error. */
gint64 laurel_store_find_task (LaurelStore *self, gint64 prompt_id, const char *const *texts, int n, GError **error);
/* The next task for @labeler: one with a draft of theirs first, then the first open one of the queue (the oldest, unless
 * laurel_store_order_tasks() says otherwise) that they have neither ranked, skipped nor find leased to another process. Takes a lease of @lease_seconds on it. NULL without error: none is left. */
LaurelTask *laurel_store_next_task (LaurelStore *self, gint64 labeler_id, int lease_seconds, GError **error);
GPtrArray *laurel_store_list_tasks (LaurelStore *self, int limit, int offset, GError **error); /* completions not loaded */
gint64 laurel_store_count_tasks (LaurelStore *self, gboolean open_only, GError **error);
/* (element-type gint64 LaurelTaskOutline): all tasks by their ids. */
GHashTable *laurel_store_map_tasks (LaurelStore *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* (element-type gint64): tasks whose prompts are of @split. */
GArray *laurel_store_list_tasks_of_split (LaurelStore *self, const char *split, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* (element-type gint64): in the order of the queue, the open tasks, or with @all every task, which @labeler (0: nobody)
 * has neither ranked nor skipped and no other process works on. */
GArray *laurel_store_list_task_ids (LaurelStore *self, gint64 labeler_id, gboolean all, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where a task comes in the queue, and why. */
typedef struct {
  gint64 task_id;
  const char *sampler;
  double priority; /* NaN: none */
} LaurelQueueEntry;

/* Puts these tasks before all others, in this order: all or nothing. */
gboolean laurel_store_order_tasks (LaurelStore *self, const LaurelQueueEntry *entries, int n, GError **error);

/* Rankings: rows never change. A ranking that supersedes another takes its place in every list and view. */
gboolean laurel_store_add_ranking (LaurelStore *self, LaurelRanking *ranking, GError **error); /* sets its id; deletes the draft; all or nothing */
LaurelRanking *laurel_store_get_ranking (LaurelStore *self, gint64 id, GError **error);
GPtrArray *laurel_store_list_rankings (LaurelStore *self, gint64 task_id /* 0: all */, GError **error); /* those in force, without skips */
/* The same of some labelers alone, oldest first, a page at a time. */
GPtrArray *laurel_store_list_rankings_by (LaurelStore *self, LaurelLabelers labelers, int limit /* −1: all */, int offset, GError **error);
gint64 laurel_store_count_rankings_by (LaurelStore *self, LaurelLabelers labelers, GError **error);
/* The labeler's last submission (in force), to reopen it: NULL without error when there is none before @before_id (0: newest). */
LaurelRanking *laurel_store_previous_ranking (LaurelStore *self, gint64 labeler_id, gint64 before_id, GError **error);
GPtrArray *laurel_store_list_comparisons (LaurelStore *self, LaurelLabelers labelers, GError **error);
gint64 laurel_store_count_rankings (LaurelStore *self, gint64 labeler_id /* 0: all */, gint64 since, GError **error);
/* The newest row's id, 0 when there is none; how many in force, without skips, are newer than @ranking_id. −1 on error. */
gint64 laurel_store_last_ranking (LaurelStore *self, GError **error);
gint64 laurel_store_count_rankings_after (LaurelStore *self, gint64 ranking_id, GError **error);

gboolean laurel_store_put_draft (LaurelStore *self, gint64 task_id, gint64 labeler_id, const char *json, GError **error);
LaurelDraft *laurel_store_get_draft (LaurelStore *self, gint64 task_id, gint64 labeler_id, GError **error); /* NULL without error: none */
gboolean laurel_store_delete_draft (LaurelStore *self, gint64 task_id, gint64 labeler_id, GError **error);

/* Models. */
gboolean laurel_store_put_model (LaurelStore *self, const LaurelModelRecord *model, GError **error); /* EXISTS when the name is taken */
LaurelModelRecord *laurel_store_get_model (LaurelStore *self, const char *name, GError **error);     /* NOT_FOUND lists the names there are */
GPtrArray *laurel_store_list_models (LaurelStore *self, GError **error);
gboolean laurel_store_remove_model (LaurelStore *self, const char *name, GError **error); /* BUSY while completions, runs or children name it */

/* Runs, metrics, rollouts. */
gboolean laurel_store_add_run (LaurelStore *self, LaurelRun *run, GError **error); /* sets its id */
gboolean laurel_store_set_run_status (LaurelStore *self, gint64 id, LaurelRunStatus status, const char *message, GError **error);
/* Fixes the data of a run that was queued without it. */
gboolean laurel_store_set_run_snapshot (LaurelStore *self, gint64 id, const char *json, GError **error);
gboolean laurel_store_set_run_step (LaurelStore *self, gint64 id, int step, int n_steps, GError **error);
/* Runs that say “running” or “paused” but whose process is gone become “interrupted”. Returns how many, −1 on error. */
int laurel_store_mark_interrupted (LaurelStore *self, GError **error);
LaurelRun *laurel_store_get_run (LaurelStore *self, gint64 id, GError **error);
/* A run of that kind that is queued, running or paused, in whatever process; 0 when there is none, and on error. */
gint64 laurel_store_find_live_run (LaurelStore *self, const char *kind, GError **error);
GPtrArray *laurel_store_list_runs (LaurelStore *self, GError **error); /* newest first */
gboolean laurel_store_add_metric (LaurelStore *self, gint64 run_id, int step, const char *key, double value, GError **error);
/* What a resumed run will write again: metrics and rollouts after @step are removed. */
gboolean laurel_store_truncate_run (LaurelStore *self, gint64 run_id, int step, GError **error);
GPtrArray *laurel_store_list_metrics (LaurelStore *self, gint64 run_id, const char *key /* NULL: all */, int after_step /* −1: all */, GError **error);
char **laurel_store_list_metric_keys (LaurelStore *self, gint64 run_id, GError **error);
gboolean laurel_store_add_rollout (LaurelStore *self, gint64 run_id, const LaurelRollout *rollout, GError **error);
GPtrArray *laurel_store_list_rollouts (LaurelStore *self, gint64 run_id, int step /* 0: all */, int limit, int offset, GError **error); /* with records */
int laurel_store_last_rollout_step (LaurelStore *self, gint64 run_id, GError **error); /* 0: none */
gboolean laurel_store_add_log (LaurelStore *self, gint64 run_id, const char *line, GError **error);
GPtrArray *laurel_store_list_log (LaurelStore *self, gint64 run_id, GError **error); /* (element-type utf8) */

/* Demonstrations for SFT. */
gboolean laurel_store_add_demonstration (LaurelStore *self, const char *prompt, const char *completion, GError **error);
GPtrArray *laurel_store_list_demonstrations (LaurelStore *self, int limit, int offset, GError **error);
gint64 laurel_store_count_demonstrations (LaurelStore *self, GError **error);
/* (element-type gint64): those whose prompt is one of @split, but for white space at its ends; by their age. */
GArray *laurel_store_list_demonstrations_of_split (LaurelStore *self, const char *split, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Small facts of the project: "guidelines", "labeler", … NULL without error when absent. */
char *laurel_store_get_fact (LaurelStore *self, const char *key, GError **error);
gboolean laurel_store_set_fact (LaurelStore *self, const char *key, const char *value, GError **error);

G_END_DECLS
