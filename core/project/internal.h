/* internal.h: what the files of core/project share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/project.h"
#include "core/project/trainer.h"

G_BEGIN_DECLS

struct _LaurelProject {
  GObject parent_instance;
  char *path;
  char *name;
  LaurelStore *store;
  LaurelTrainer *trainer;
  GHashTable *tokenizers; /* model name → LaurelTokenizer, for labels */
  gboolean is_looping;   /* the online loop goes on by itself */
  guint loop_source;
};

/* --- models.c, also for the trainer thread -------------------------------- */

/* Letters, digits, “-”, “_” and “.”, not first a dot, 64 bytes at most. */
gboolean laurel_model_name_validate (const char *name, GError **error);
/* PROJECT/models/NAME */
char *laurel_model_folder (const char *project_path, const char *name);
/* A project's model or a directory, by name or path; @store NULL: paths only. */
char *laurel_model_resolve (LaurelStore *store, const char *project_path, const char *name_or_path, GError **error);

/* In steps.c: as laurel_project_estimate() says them. */
int laurel_project_count_steps (LaurelProject *self, const LaurelTrainRequest *request);

/* What a model's row has as sha256. */
char *laurel_model_hash_folder (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What laurel_register_model() writes beside what it finds in the folder. */
typedef struct {
  const char *name;
  const char *kind;
  const char *parent; /* NULL: none */
  gint64 run_id;
} LaurelModelOrigin;

/* Writes @model to models/NAME, whole or not at all, and its row. */
gboolean laurel_register_model (LaurelStore *store, const char *project_path, const LaurelModel *model,
                                const LaurelModelOrigin *origin, GError **error);
/* Removes what processes that are gone have left half written in models/. */
void laurel_models_remove_leftovers (const char *project_path);
gboolean laurel_model_name_is_free (LaurelStore *store, const char *project_path, const char *name, GError **error);
/* The kind that a model made by @stage has. */
const char *laurel_stage_model_kind (LaurelStage stage);

/* Its tokenizer, read once; borrowed from the project. */
LaurelTokenizer *laurel_project_get_tokenizer (LaurelProject *self, const char *name_or_path, GError **error);

/* --- jobs.c, also for start_sampling.c ---------------------------------------- */

/* Stores @run as queued and hands it to the trainer thread; its id, 0 on error. */
gint64 laurel_project_queue_run (LaurelProject *self, LaurelRun *run, GError **error);

/* --- estimate.c ------------------------------------------------------------- */

/* The most bytes that the run of @request will hold; @config is that of the model that it starts from. */
gsize laurel_project_plan_memory (LaurelProject *self, const LaurelTrainRequest *request, const LaurelModelConfig *config);

/* --- The online loop (online.h) -------------------------------------------------- */

/* Facts: the newest ranking that a reward model was made from, the reward model that PPO was last queued with. */
#define LAUREL_ONLINE_RANKING "online/ranking"
#define LAUREL_ONLINE_TUNED "online/tuned"
/* How many tasks there were when the loop asked for more. */
#define LAUREL_ONLINE_SAMPLED "online/sampled"

/* The round that a run's configuration names; −1: of the loop but no round; 0: not of it. */
int laurel_run_get_round (const LaurelRun *run);

/* On the trainer thread. Fixes the data of a run that was queued without it. */
gboolean laurel_job_fix_snapshot (LaurelJob *job, LaurelStage stage, GError **error);
/* Measures the new reward model on the held-out ones of @comparisons, beside the one that the run's configuration
 * names, and stores what came out for laurel_online_list_gains(). */
gboolean laurel_job_measure_gain (LaurelJob *job, const LaurelModel *reward, GPtrArray *comparisons,
                                  const LaurelHyperparameters *hp, GError **error);

/* --- starter.c -------------------------------------------------------------- */

gboolean laurel_project_fill (LaurelProject *self, const char *starter_dir, GError **error);

G_END_DECLS
