/* fixture.h: a folder with a tiny tokenizer, a model's shape and a little data.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/project.h"

G_BEGIN_DECLS

typedef struct {
  char *folder;    /* removed with everything in it */
  char *tokenizer; /* a directory with a tokenizer and a chat template */
  char *config;    /* config.json of a random model of two layers */
  char *corpus;    /* text for pretraining */
  char *rows;      /* prompts and completions */
  char *prompts;   /* prompts of both splits */
} Fixture;

void fixture_set_up (Fixture *self, gconstpointer unused);
void fixture_tear_down (Fixture *self, gconstpointer unused);
char *fixture_path (Fixture *self, const char *name);
void fixture_write (const char *path, const char *text);

/* An empty project with a random model “blank” and the prompts. */
LaurelProject *fixture_make_project (Fixture *self, const char *name);

/* A request for @stage that takes about a second. */
LaurelTrainRequest fixture_request (LaurelStage stage, const char *model, const char *output);

/* Starts a run; the second also waits for its end. */
gint64 fixture_start (LaurelProject *project, const LaurelTrainRequest *request);
gint64 fixture_train (LaurelProject *project, const LaurelTrainRequest *request);
/* Of the run that is on. */
void fixture_wait_for_step (LaurelProject *project, int step);

/* What a run measured; NaN where it did not. */
double fixture_metric (LaurelProject *project, gint64 run_id, const char *key, int step);
void fixture_assert_same_weights (LaurelProject *project, const char *a, const char *b);

G_END_DECLS
