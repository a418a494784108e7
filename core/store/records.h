/* records.h: the rows of a project's database as plain structs.
 *
 * Every list is a GPtrArray that owns its items. Times are microseconds since
 * 1970 (UTC). An id of 0 means “not stored yet”.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/rollout.h"

G_BEGIN_DECLS

typedef enum { LAUREL_LABELER_PERSON, LAUREL_LABELER_RULES, LAUREL_LABELER_REWARD_MODEL } LaurelLabelerKind;

/* Whose rankings: people's, those of programs (rules and reward models), or both. */
typedef enum { LAUREL_LABELERS_ALL, LAUREL_LABELERS_PEOPLE, LAUREL_LABELERS_SIMULATED } LaurelLabelers;

/* "all", "people", "simulated"; INVALID_ARGUMENT lists them. */
gboolean laurel_labelers_from_string (const char *text, LaurelLabelers *out_labelers, GError **error);
const char *laurel_labelers_to_string (LaurelLabelers labelers);

typedef struct {
  gint64 id;
  char *name;
  LaurelLabelerKind kind;
  gint64 n_rankings; /* in force: not superseded */
  gint64 active_ms;
} LaurelLabeler;

typedef struct {
  gint64 id;
  char *text;
  char *split; /* "train" or "heldout" */
  char *tags;  /* separated by commas; "" when none */
  gint64 created;
} LaurelPrompt;

typedef struct {
  gint64 id;
  gint64 prompt_id;
  char *model; /* the model's name in the project */
  gint32 *tokens;
  float *logprobs;       /* as drawn, under all of the sampler's settings */
  float *plain_logprobs; /* softmax (logits / temperature) alone; NULL: not known */
  int n_tokens;
  char *text; /* derived from tokens when it was sampled; without the stop string and what follows it */
  LaurelFinish finish;
  double temperature;
  int top_k;
  double top_p;
  double min_p;
  double repetition_penalty; /* 1 or 0: none */
  char *stop;                /* stop strings, a JSON list; NULL: none */
  char *logit_bias;          /* "TOKEN=VALUE" texts, a JSON list; NULL: none */
  guint64 seed;
  gint64 created;
} LaurelCompletion;

typedef enum {
  LAUREL_TASK_OPEN,    /* wants more rankings */
  LAUREL_TASK_DONE,    /* has as many as it wants */
} LaurelTaskState;

typedef struct {
  gint64 id;
  gint64 prompt_id;
  char *prompt;
  GPtrArray *completions; /* (element-type LaurelCompletion), in stored order, not in blind order */
  int n_wanted;           /* labelers */
  int n_rankings;         /* in force, by people and judges */
  LaurelTaskState state;
  char *sampler;   /* which rule put it where it is in the queue: "random", "uncertainty", … */
  double priority; /* what that rule gave it, more is sooner; NaN: nothing has been asked yet */
  gint64 created;
} LaurelTask;

/* A task without its texts: what the queue and counts of it ask. */
typedef struct {
  gint64 id;
  gint64 prompt_id;
  char *sampler;   /* as the task's */
  double priority;
} LaurelTaskOutline;

/* One completion's part of a ranking. */
typedef struct {
  gint64 completion_id;
  int rank;    /* 1 is best, equal numbers are ties; 0: not ranked (drafts only) */
  int quality; /* 1–7, 0: not rated */
  guint flags; /* bits of LaurelFlag */
} LaurelRank;

typedef enum {
  LAUREL_FLAG_WRONG = 1 << 0,        /* W  factually wrong */
  LAUREL_FLAG_HARMFUL = 1 << 1,      /* H  harmful advice */
  LAUREL_FLAG_OFF_TOPIC = 1 << 2,    /* T  does not follow the instruction */
  LAUREL_FLAG_RUDE = 1 << 3,         /* R  rude */
  LAUREL_FLAG_RAMBLING = 1 << 4,     /* L  rambling or cut off */
  LAUREL_FLAG_OVER_REFUSAL = 1 << 5, /* O  declines what is harmless */
} LaurelFlag;
#define LAUREL_N_FLAGS 6

typedef struct {
  gint64 id;
  gint64 task_id;
  gint64 labeler_id;
  char *labeler; /* name */
  LaurelLabelerKind labeler_kind;
  LaurelRank *ranks; /* (n), in the order shown to the labeler */
  int n;
  gboolean all_bad;    /* “none of these” */
  char *skip_reason;   /* NULL unless skipped; then ranks are all 0 */
  char *comment;       /* "" when none */
  guint64 order_seed;  /* of the blind order */
  gint64 active_ms;
  gint64 idle_ms;
  gint64 supersedes; /* 0, or the ranking that this one replaces */
  gint64 created;
} LaurelRanking;

/* A labeler's work on a task before it is submitted: kept as JSON, survives kill −9. */
typedef struct {
  gint64 task_id;
  gint64 labeler_id;
  char *json;
  gint64 updated;
} LaurelDraft;

/* One row of the comparisons view: strictly better in one ranking in force. */
typedef struct {
  gint64 ranking_id;
  gint64 task_id;
  gint64 prompt_id;
  gint64 chosen_id;
  gint64 rejected_id;
} LaurelComparisonRow;

typedef struct {
  char *name;
  char *kind; /* "base", "sft", "reward", "policy" */
  char *parent; /* model name or NULL */
  gint64 run_id; /* the run that made it, 0 for imported ones */
  char *path;    /* relative to the project's folder */
  char *sha256;  /* of model.safetensors */
  gint64 n_parameters;
  int vocab_size;
  int n_positions;
  gint64 n_bytes; /* on disk */
  char *tokenizer_hash;
  gint64 created;
} LaurelModelRecord;

typedef enum {
  LAUREL_RUN_QUEUED,
  LAUREL_RUN_RUNNING,
  LAUREL_RUN_PAUSED,
  LAUREL_RUN_DONE,
  LAUREL_RUN_STOPPED,     /* by the user; can be resumed */
  LAUREL_RUN_INTERRUPTED, /* the program ended under it; can be resumed */
  LAUREL_RUN_FAILED,
} LaurelRunStatus;

const char *laurel_run_status_to_string (LaurelRunStatus status);
gboolean laurel_run_status_from_string (const char *text, LaurelRunStatus *out_status);

typedef struct {
  gint64 id;
  char *kind;   /* "pretrain", "sft", "reward", "ppo", "dpo", "rloo", "sample" */
  char *name;   /* what people call it: the output model's name */
  char *model;  /* what it starts from */
  char *output; /* the model it makes */
  LaurelRunStatus status;
  char *config;   /* JSON: hyperparameters by name, and the inputs (models, files) */
  char *snapshot; /* JSON: the exact data: file hashes, ranking ids, prompt ids */
  guint64 seed;
  int step;
  int n_steps;
  char *message; /* why it failed, or "" */
  gint64 created;
  gint64 started;
  gint64 finished;
  gint64 owner_pid; /* of the process that runs it, 0 when none does */
} LaurelRun;

typedef struct {
  int step;
  char *key;
  double value;
  gint64 time;
} LaurelMetric;

typedef struct {
  char *prompt;
  char *completion;
  gint64 id;
} LaurelDemonstration;

void laurel_labeler_free (LaurelLabeler *self);
void laurel_prompt_free (LaurelPrompt *self);
void laurel_completion_free (LaurelCompletion *self);
void laurel_task_free (LaurelTask *self);
void laurel_task_outline_free (LaurelTaskOutline *self);
/* One of the task's completions, which stays its own; NULL: it has none of that id. */
const LaurelCompletion *laurel_task_find_completion (const LaurelTask *self, gint64 id);
void laurel_ranking_free (LaurelRanking *self);
void laurel_draft_free (LaurelDraft *self);
void laurel_model_record_free (LaurelModelRecord *self);
void laurel_run_free (LaurelRun *self);
void laurel_metric_free (LaurelMetric *self);
void laurel_demonstration_free (LaurelDemonstration *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelLabeler, laurel_labeler_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelPrompt, laurel_prompt_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelCompletion, laurel_completion_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelTask, laurel_task_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRanking, laurel_ranking_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelDraft, laurel_draft_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelModelRecord, laurel_model_record_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRun, laurel_run_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelMetric, laurel_metric_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelDemonstration, laurel_demonstration_free)

G_END_DECLS
