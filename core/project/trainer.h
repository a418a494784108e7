/* trainer.h: the one thread that trains and samples.
 *
 *   project's thread ──commands──► queue ──► trainer thread (parameters, its own LaurelStore)
 *   project's thread ◄──one idle──  latest-wins slot  ◄── snapshot, what changed
 *
 * A job is a row of the runs table: everything it needs is in the row's config
 * and snapshot, so starting it and resuming it are the same thing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/project.h"
#include "core/train/train.h"

G_BEGIN_DECLS

typedef struct _LaurelTrainer LaurelTrainer;

/* What happened since the last time it was told; lists are empty when nothing did. */
typedef struct {
  GArray *runs; /* (element-type gint64) whose row or metrics changed */
  gboolean models;
  gboolean tasks;
  GPtrArray *errors; /* (element-type utf8) */
} LaurelNews;

/* Called on the main context of the thread that made the trainer. */
typedef void (*LaurelNewsFunc) (const LaurelNews *news, gpointer user_data);

/* The thread starts with its first job. @project_path is copied. */
LaurelTrainer *laurel_trainer_new (const char *project_path, LaurelNewsFunc func, gpointer user_data);
/* Stops the job with a checkpoint and waits for the thread. */
void laurel_trainer_free (LaurelTrainer *self);

typedef enum {
  LAUREL_COMMAND_RUN,
  LAUREL_COMMAND_PAUSE,
  LAUREL_COMMAND_RESUME,
  LAUREL_COMMAND_STOP,
  LAUREL_COMMAND_QUIT,
} LaurelCommandKind;

/* @run_id: of RUN, or the job that another command is for, which does nothing to any other one; 0: whichever runs.
 * @resume matters to RUN alone. Commands about the running job do nothing when there is none. */
void laurel_trainer_send (LaurelTrainer *self, LaurelCommandKind kind, gint64 run_id, gboolean resume);
LaurelJobSnapshot *laurel_trainer_get_job (LaurelTrainer *self); /* (transfer full) (nullable) */

/* --- For the jobs, on the trainer thread --------------------------------- */

typedef struct _LaurelWatch LaurelWatch;

typedef struct {
  LaurelTrainer *trainer;
  LaurelStore *store; /* the trainer thread's own connection */
  const char *project_path;
  LaurelRun *run;
  JsonObject *config;   /* of the run's row */
  JsonObject *snapshot; /* of the run's row */
  gboolean resume;
  char *folder; /* runs/ID */
  LaurelMonitor monitor;
  LaurelWatch *watch; /* borrowed; NULL: nobody watches over the run */
  /* private to trainer.c */
  gboolean in_transaction;
  GError *error;     /* the first failure of the store */
  gint64 step_time;  /* when the last step ended */
  double step_seconds;
  gint64 next_look; /* for a stop file */
  int n_steps; /* of the run, as far as it has said */
  gboolean pause_wanted;
  char *halt; /* why it pauses or stops by itself */
} LaurelJob;

/* The first failure of what the job does beside training is the one that it ends with. Takes @error. */
void laurel_job_fail (LaurelJob *job, GError *error);
/* The run pauses at its next poll, or with @stop ends as stopped, and says @why. */
void laurel_job_halt (LaurelJob *job, gboolean stop, const char *why);
void laurel_job_show_alarms (LaurelJob *job, int n_alarms);
/* In job_train.c: by its header, of the checkpoint that is on the disk, 0 when there is none that can be read. */
int laurel_job_checkpoint_step (const char *folder);
/* There too: what a killed run wrote after the checkpoint of @folder, whose step 0 is the run's @first_step, it is to
 * write again: no step is in the plots twice. Without a checkpoint the step is 0. One that is damaged is an error, and
 * nothing is forgotten. */
gboolean laurel_job_go_back (LaurelJob *job, const char *folder, int first_step, int *out_step, GError **error);

gboolean laurel_job_train (LaurelJob *job, GError **error);
gboolean laurel_job_sample (LaurelJob *job, GError **error);

/* Tells the project's thread that models or tasks changed. */
void laurel_job_announce (LaurelJob *job, gboolean models, gboolean tasks);

G_END_DECLS
