/* project.h: the facade that the window and laurelctl bind to.
 *
 * A project is a folder NAME.laurel/ with project.sqlite, models/NAME/,
 * runs/ID/ and exports/. Copying the folder copies the project.
 *
 * Threads: a LaurelProject lives on the thread that opened it (in the window,
 * the main thread). Jobs run on the trainer thread; their signals are emitted
 * on the main context of the project's thread, at most one pending at a time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "core/label/exchange.h"
#include "core/store/store.h"
#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_PROJECT (laurel_project_get_type ())
G_DECLARE_FINAL_TYPE (LaurelProject, laurel_project, LAUREL, PROJECT, GObject)

/* Signals:
 *   "job-changed"      the running job moved on, started or ended: read laurel_project_get_job()
 *   "run-changed"      (gint64 run_id) a run's row or metrics changed
 *   "models-changed"
 *   "tasks-changed"    tasks or rankings were added
 *   "error"            (const char *message) something failed in the background
 */

/* Makes the folder; with @starter_dir (a folder like data/starter) fills it with the starter's models, prompts,
 * demonstrations, guidelines and judge. Fails with EXISTS when @path is there and is no empty folder. */
LaurelProject *laurel_project_create (const char *path, const char *starter_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
LaurelProject *laurel_project_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Stops the job (with a checkpoint), waits for the trainer thread and closes the database. */
void laurel_project_close (LaurelProject *self);

/* The starter's folder: installed data, else the source tree's. NULL when there is none. */
char *laurel_project_find_starter (void);

const char *laurel_project_get_path (LaurelProject *self);
const char *laurel_project_get_name (LaurelProject *self);
LaurelStore *laurel_project_get_store (LaurelProject *self); /* borrowed; the project's thread only */
gboolean laurel_project_check (LaurelProject *self, GPtrArray *problems /* (element-type utf8) */, GError **error);

/* --- Models ------------------------------------------------------------- */

/* A path for --model: a name in the project or a Hugging Face directory. */
char *laurel_project_resolve_model (LaurelProject *self, const char *name_or_path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean laurel_project_import_model (LaurelProject *self, const char *name, const char *dir, GError **error);
/* The same without keeping the caller waiting: the weights are read and copied on a thread of their own, the row is
 * written and @callback called on the project's thread. Use _finish() in @callback. */
void laurel_project_import_model_async (LaurelProject *self, const char *name, const char *dir, GAsyncReadyCallback callback, gpointer user_data);
gboolean laurel_project_import_model_finish (LaurelProject *self, GAsyncResult *result, GError **error);
/* @dtype: "f32", "bf16" or "f16" to store the weights so; NULL copies them as they are. */
gboolean laurel_project_export_model (LaurelProject *self, const char *name, const char *dir, const char *dtype, GError **error);
gboolean laurel_project_create_model (LaurelProject *self, const char *name, const char *config_path, const char *tokenizer_dir, guint64 seed, GError **error);
gboolean laurel_project_remove_model (LaurelProject *self, const char *name, GError **error);
/* A label for each token id of a model's vocabulary, for the inspector: (transfer full) strings, cached per model. */
char *laurel_project_label_token (LaurelProject *self, const char *model, int token);

/* --- Rankings ----------------------------------------------------------- */

/* laurel_import_rankings() with the completions in the tokens of the project's newest fine-tuned model, or of its
 * newest model when it has none; without tokens when it has no model at all. */
LaurelImportResult *laurel_project_import_rankings (LaurelProject *self, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- Jobs --------------------------------------------------------------- */

/* What a run does when the gold judge finds it over-optimised. */
typedef enum {
  LAUREL_OVEROPTIMISED_GO_ON, /* it says so and goes on */
  LAUREL_OVEROPTIMISED_PAUSE, /* somebody is there to decide */
  LAUREL_OVEROPTIMISED_STOP,  /* nobody is: it ends as stopped and can be resumed */
  LAUREL_OVEROPTIMISED_KEEP_BEST, /* something comes after it: it is done there, with the weights of the gold peak */
} LaurelOverOptimised;

/* What a training job is to do. Strings are copied. */
typedef struct {
  LaurelStage stage;
  const char *model;        /* where it starts: base (pretrain, sft), sft (reward), policy (ppo) */
  const char *reward_model; /* ppo and rloo only */
  const char *output;       /* the name of the model it makes */
  char **data_files;        /* NULL: the project's own demonstrations, rankings, prompts */
  LaurelLabelers labelers;  /* whose rankings of the project's */
  const gint64 *labeler_ids; /* (nullable) ended by 0: of @labelers these alone */
  const char *gold;         /* ppo, rloo; NULL: none. Who judges held-out answers: a judge's file or a reward model */
  LaurelOverOptimised on_overoptimisation; /* with a gold judge */
  gboolean chosen;          /* sft only: learn from the best completion of each ranking, not from demonstrations */
  char **ptx_files;         /* ppo and rloo with ptx_coef: what is learned beside; NULL: the demonstrations */
  LaurelHyperparameters hyperparameters;
  const char *reference; /* ppo: the model that the KL is measured to; NULL: where it starts */
  const char *previous;  /* reward: the model whose held-out accuracy it is compared with; NULL: none */
  gboolean late;         /* reward: its rankings are those there are when it begins, not when it is queued */
  int round;             /* of the online loop, from 1; −1: of the loop but no round; 0: not of it */
} LaurelTrainRequest;

typedef struct {
  const char *model;
  const char *prompt; /* this one alone; NULL: n_prompts of the project's */
  int n_prompts;      /* of the project's training prompts, those with the fewest completions first; 0: all */
  int n_completions;  /* K, 2–9 */
  double temperature;
  int top_k;
  double top_p;
  double min_p;
  int max_tokens;
  guint64 seed;
  double repetition_penalty;     /* 1 or 0: none */
  const char *const *stop;       /* (nullable) NULL-terminated: texts that end a completion */
  const char *const *logit_bias; /* (nullable) NULL-terminated: "TOKEN=VALUE", TOKEN an id or a text */
  int max_rows;                  /* the most completions decoded together; 0: as memory allows */
  gboolean bf16_weights;         /* decode with the weights rounded to bfloat16 */
  int best_of;                   /* each completion is the best of so many by @reward_model; 0 or 1: all are kept */
  const char *reward_model;      /* with @best_of; the samples that are not kept are not stored */
  const char *mix;               /* (nullable) a second model: so many of each prompt's completions are its own */
  int n_mix;                     /* 0: half of them */
  double shared;                 /* this share of the tasks wants two labelers, for their agreement; 0 to 1 */
  int round;                     /* as above */
} LaurelSampleRequest;

/* A stop string or logit bias as it is typed on one line: \n, \t and \\ become what they stand for. */
char *laurel_sample_unescape (const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Checks everything that can be checked (models fit, data is enough, output name is free, memory), stores the run as
 * queued and hands it to the trainer thread. Jobs run one after the other. Returns the run's id, 0 on error. */
gint64 laurel_project_start_training (LaurelProject *self, const LaurelTrainRequest *request, GError **error);
gint64 laurel_project_start_sampling (LaurelProject *self, const LaurelSampleRequest *request, GError **error);
gint64 laurel_project_resume_run (LaurelProject *self, gint64 run_id, GError **error);

/* A row of fine-tuning data as a run would see it. */
typedef struct {
  guint row;       /* its line, or the demonstration's number, from 1 */
  char *reason;    /* why it would be left out; NULL: it is learned from */
  gint32 *tokens;  /* (n_tokens) */
  guint8 *learned; /* (n_tokens) 1: the loss is on this token */
  char **labels;   /* (n_tokens) how each token reads */
  int n_tokens, n_learned;
} LaurelRowPreview;

void laurel_row_preview_free (LaurelRowPreview *self);

/* (element-type LaurelRowPreview): rows from number @first on, @n of them (0: all), of @files or the project's
 * demonstrations, in @model's tokens. Loads no weights. */
GPtrArray *laurel_project_preview_sft (LaurelProject *self, const char *model, char **files, const LaurelHyperparameters *hp, guint first, guint n, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For the dialogs, before Start: peak memory; the steps of all seeds, 0 where only the run itself will know, which it
 * does not of the project's rankings and where max_steps says it; and a guess of the time. Seconds < 0: unknown. */
gboolean laurel_project_estimate (LaurelProject *self, const LaurelTrainRequest *request, gsize *out_bytes, int *out_steps, double *out_seconds, GError **error);

/* The job now on the trainer thread; a copy of its newest snapshot. */
typedef struct {
  gint64 run_id;
  char *kind;
  char *name;
  LaurelRunStatus status;
  int step, n_steps;
  double seconds_left; /* < 0: not known yet */
  double reward, kl, loss; /* newest objective/scores, objective/kl, loss; NaN when the kind has none */
  char *message;           /* of the last log line */
  int n_alarms;            /* lit now (core/train/alarms.h) */
  gboolean halted;         /* paused by itself, over-optimised */
} LaurelJobSnapshot;

LaurelJobSnapshot *laurel_project_get_job (LaurelProject *self); /* (transfer full) (nullable): NULL when idle */
void laurel_job_snapshot_free (LaurelJobSnapshot *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelJobSnapshot, laurel_job_snapshot_free)

void laurel_project_pause_job (LaurelProject *self);
void laurel_project_resume_job (LaurelProject *self); /* from pause */
void laurel_project_stop_job (LaurelProject *self);   /* writes a checkpoint first; answered within one micro-batch */
/* Blocks until the trainer thread is idle, running the project's main context meanwhile; FALSE and the run's error
 * when @run_id did not end as done. For laurelctl and tests. */
gboolean laurel_project_wait (LaurelProject *self, gint64 run_id, GError **error);

/* --- The online loop, in the window (the rest is in online.h) -------------- */

/* From now on, while the project's settings say so: after every n new rankings a reward model is queued, when the queue
 * runs low new tasks, after a reward model PPO. Nothing is queued beside its own like, and a running job is never
 * disturbed. What the last window left undone of these goes on. For the window, not for laurelctl. */
void laurel_project_start_loop (LaurelProject *self);
/* A ranking was submitted, or the settings changed: looked at when the main loop is idle. Cheap. */
void laurel_project_note_ranking (LaurelProject *self);

/* Low priority and short spinning for the threads of the engine: call first thing in main(). Restarts the program
 * once with the OpenMP settings it needs. */
void laurel_engine_prepare (int argc, char **argv);

G_END_DECLS
