/* sample_project.c: prompts, rankings, models, runs, metrics and rollouts out of a random stream.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/ui/sample_project.h"

#include "core/base/file.h"
#include "core/base/rng.h"

#include <math.h>

static const char *const prompts[] = {
  "How can I make my mornings less rushed?",  "What is the tallest tree in the park?",
  "Write a short note to thank a neighbour.", "Why does bread rise in the oven?",
  "Name three birds that sing at night.",
};

static void
add_model (
    LaurelStore *store, const char *name, const char *kind, const char *parent, gint64 run_id)
{
  g_autofree char *path = g_strconcat ("models/", name, NULL);
  LaurelModelRecord record = {
    .name = (char *) name,
    .kind = (char *) kind,
    .parent = (char *) parent,
    .run_id = run_id,
    .path = path,
    .sha256 = (char *) "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    .n_parameters = 3741440,
    .vocab_size = 2048,
    .n_positions = 256,
    .n_bytes = 14965760,
    .tokenizer_hash = (char *) "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
    .created = g_get_real_time ()
  };
  g_autoptr (GError) error = NULL;

  laurel_store_put_model (store, &record, &error);
  g_assert_no_error (error);
}

static gint64
add_run (LaurelStore *store,
         const char *kind,
         const char *name,
         const char *model,
         LaurelRunStatus status,
         int step)
{
  gint64 now = g_get_real_time ();
  LaurelRun run = { .kind = (char *) kind,
                    .name = (char *) name,
                    .model = (char *) model,
                    .output = (char *) name,
                    .status = LAUREL_RUN_RUNNING,
                    .seed = 7,
                    .message = (char *) "",
                    .config = (char *) "{\"learning_rate\": 5e-05, \"batch_size\": 64, "
                                       "\"kl_coef\": 0.1, \"whiten_rewards\": false}",
                    .snapshot = (char *) "{\"prompts\": [1, 2, 3]}",
                    .n_steps = SAMPLE_N_STEPS,
                    .created = now - 1000000000,
                    .started = now - 900000000,
                    .owner_pid = 0 };
  g_autoptr (GError) error = NULL;

  laurel_store_add_run (store, &run, &error);
  g_assert_no_error (error);
  laurel_store_set_run_step (store, run.id, step, SAMPLE_N_STEPS, &error);
  g_assert_no_error (error);
  laurel_store_set_run_status (store, run.id, status,
                               status == LAUREL_RUN_FAILED
                                   ? "Could not go on with “polite-1”: the loss became NaN at step "
                                     "12; lower the learning rate"
                                   : "",
                               &error);
  g_assert_no_error (error);
  laurel_store_add_log (store, run.id, "step 1: score 0.12, KL 0.00, 21.4 tokens", NULL);
  laurel_store_add_log (store, run.id, "step 2: score 0.19, KL 0.03, 21.9 tokens", NULL);
  return run.id;
}

static void
add_metrics (LaurelStore *store, gint64 run_id, int n, double level)
{
  static const struct {
    const char *key;
    double start, end, noise;
  } curves[] = {
    { "objective/scores", -.2, 1.6, .15 },      { "objective/kl", 0, 4, .2 },
    { "objective/rlhf_reward", -.2, 1.2, .15 }, { "val/ratio", 1, 1.002, .004 },
    { "loss/value_avg", .9, .12, .05 },         { "loss/policy_avg", 0, -.03, .01 },
    { "policy/clipfrac_avg", 0, .12, .02 },     { "objective/entropy", 38, 30, 1 },
    { "objective/response_length", 24, 31, 2 },
  };
  LaurelRng rng;

  laurel_rng_init (&rng, 3, LAUREL_RNG_TEST, (guint64) run_id, 0);
  for (int step = 1; step <= n; step++)
    for (guint i = 0; i < G_N_ELEMENTS (curves); i++) {
      double share = 1 - exp (-3. * step / SAMPLE_N_STEPS);
      double value = curves[i].start + level * (curves[i].end - curves[i].start) * share;

      laurel_store_add_metric (store, run_id, step, curves[i].key,
                               value + curves[i].noise * laurel_rng_normal (&rng), NULL);
    }
}

static void
fill_records (LaurelRollout *rollout, LaurelRng *rng)
{
  for (int t = 0; t < rollout->n_tokens; t++) {
    LaurelTokenRecord *r = &rollout->records[t];

    r->token = (gint32) (40 + laurel_rng_below (rng, 1500));
    r->logprob = (float) (-1.2 - .4 * laurel_rng_normal (rng));
    r->ref_logprob = (float) (r->logprob - .08 - .2 * laurel_rng_normal (rng));
    r->kl = r->logprob - r->ref_logprob;
    r->exact_kl = (float) fabs (.1 * laurel_rng_normal (rng));
    r->entropy = (float) (1.4 + .5 * laurel_rng_uniform (rng));
    r->reward =
        (float) (-rollout->kl_coef * r->kl + (t == rollout->n_tokens - 1 ? rollout->score : 0));
    r->value = (float) (.4 + .02 * t + .1 * laurel_rng_normal (rng));
    r->advantage = (float) (.6 * laurel_rng_normal (rng));
    r->return_ = r->value + r->advantage;
    r->ratio = (float) (1 + .03 * laurel_rng_normal (rng));
  }
}

static void
add_rollouts (LaurelStore *store, gint64 run_id, int step)
{
  gint32 prompt_tokens[] = { 56, 12, 873, 220, 41, 99, 731, 15 };
  LaurelRng rng;

  laurel_rng_init (&rng, 5, LAUREL_RNG_TEST, (guint64) step, 0);
  for (int row = 0; row < SAMPLE_N_ROLLOUTS; row++) {
    LaurelTokenRecord records[64] = { 0 };
    LaurelRollout rollout = { .run_id = run_id,
                              .step = step,
                              .row = row,
                              .prompt = (char *) prompts[row % G_N_ELEMENTS (prompts)],
                              .completion = (char *) "Lay your clothes out the evening before, and "
                                                     "set the table for breakfast. Then the "
                                                     "morning has one thing less to decide.",
                              .prompt_tokens = prompt_tokens,
                              .n_prompt_tokens = G_N_ELEMENTS (prompt_tokens),
                              .records = records,
                              .n_tokens = 24 + (int) laurel_rng_below (&rng, 40),
                              .finish = LAUREL_FINISH_STOP,
                              .score = 1 + laurel_rng_normal (&rng),
                              .kl_coef = .1 };
    g_autoptr (GError) error = NULL;

    fill_records (&rollout, &rng);
    if (row == 3)
      records[0].reward += .5f; /* a rollout whose sum does not hold */
    laurel_store_add_rollout (store, run_id, &rollout, &error);
    g_assert_no_error (error);
  }
}

static void
add_people (LaurelStore *store)
{
  gint64 labeler = laurel_store_ensure_labeler (store, "Ada", LAUREL_LABELER_PERSON, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (prompts); i++) {
    gint64 prompt = laurel_store_ensure_prompt (store, prompts[i], i % 3 == 2 ? "heldout" : "train",
                                                "daily,short", NULL);
    gint64 ids[3];

    for (int c = 0; c < 3; c++) {
      gint32 tokens[] = { 5, 6, 7 };
      float logprobs[] = { -1, -1, -1 };
      LaurelCompletion completion = { .prompt_id = prompt,
                                      .model = (char *) "sft",
                                      .tokens = tokens,
                                      .logprobs = logprobs,
                                      .n_tokens = 3,
                                      .text = (char *) "Put the kettle on first.",
                                      .temperature = 1,
                                      .top_p = 1,
                                      .seed = (guint64) c };
      g_autoptr (GError) error = NULL;

      laurel_store_add_completion (store, &completion, &error);
      g_assert_no_error (error);
      ids[c] = completion.id;
    }
    gint64 task = laurel_store_add_task (store, prompt, ids, 3, 1, "random", NULL);
    if (i > 2)
      continue;
    LaurelRank ranks[3] = { { ids[0], 1, 6, 0 }, { ids[1], 2, 3, 0 }, { ids[2], 2, 3, 0 } };
    LaurelRanking ranking = { .task_id = task,
                              .labeler_id = labeler,
                              .ranks = ranks,
                              .n = 3,
                              .comment = (char *) "",
                              .active_ms = 41000 };
    g_autoptr (GError) error = NULL;

    laurel_store_add_ranking (store, &ranking, &error);
    g_assert_no_error (error);
    laurel_store_add_demonstration (store, prompts[i],
                                    "Sleep early, and put your keys by the door.", NULL);
  }
}

LaurelProject *
sample_project_new (void)
{
  g_autofree char *dir = g_dir_make_tmp ("laurel-pages-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "starter.laurel", NULL);
  g_autoptr (GError) error = NULL;
  LaurelProject *project = laurel_project_create (path, NULL, &error);
  LaurelStore *store;
  gint64 old, failed, live;

  g_assert_no_error (error);
  store = laurel_project_get_store (project);
  laurel_store_begin (store, NULL);
  add_model (store, "base", "base", NULL, 0);
  add_model (store, "sft", "sft", "base",
             add_run (store, "sft", "sft", "base", LAUREL_RUN_DONE, SAMPLE_N_STEPS));
  add_model (store, "r-7", "reward", "sft",
             add_run (store, "reward", "r-7", "sft", LAUREL_RUN_DONE, SAMPLE_N_STEPS));
  failed = add_run (store, "ppo", "polite-0", "sft", LAUREL_RUN_FAILED, 12);
  old = add_run (store, "ppo", "polite-1", "sft", LAUREL_RUN_INTERRUPTED, 30);
  live = add_run (store, "ppo", "polite-2", "sft", LAUREL_RUN_DONE, SAMPLE_N_STEPS);
  add_model (store, "polite-2", "policy", "sft", live);
  add_metrics (store, failed, 12, .2);
  add_metrics (store, old, 30, .7);
  add_metrics (store, live, SAMPLE_N_STEPS, 1);
  for (int step = 1; step <= 4; step++)
    add_rollouts (store, live, step);
  add_people (store);
  laurel_store_commit (store, &error);
  g_assert_no_error (error);
  return project;
}

void
sample_project_free (LaurelProject *project)
{
  g_autofree char *path = g_strdup (laurel_project_get_path (project));
  g_autofree char *dir = g_path_get_dirname (path);

  laurel_project_close (project);
  g_object_unref (project);
  laurel_file_remove_tree (dir, NULL);
}
