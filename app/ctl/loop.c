/* loop.c: laurelctl loop …: sample, rank, reward model, PPO, and what it brought.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/evaluate.h"
#include "app/ctl/loop.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/label/simulate.h"
#include "core/project/rater.h"
#include "core/project/report.h"

#include <math.h>
#include <stdio.h>

/* Enough rankings for a reward model of this world, few enough to be done in minutes. */
#define N_PROMPTS 300
#define N_COMPLETIONS 4
#define NOISE 0.1
#define N_STAGES 5

/* The model that the starter project comes with. */
#define SFT_MODEL "sft"

typedef struct {
  LaurelCtl *ctl;
  LaurelStore *store;
  LaurelRater *rater; /* the starter's rules */
  char *judge_path;
  char *reward_name;
  char *policy_name;
  gint64 seed;
  gint64 reward_run;
  gint64 ppo_run;
  gint64 started;
  int stage;
  LaurelReport report;
} Loop;

static void
loop_clear (Loop *loop)
{
  g_clear_pointer (&loop->rater, laurel_rater_free);
  g_clear_pointer (&loop->judge_path, g_free);
  g_clear_pointer (&loop->reward_name, g_free);
  g_clear_pointer (&loop->policy_name, g_free);
  g_clear_pointer (&loop->report.judged[0], g_ptr_array_unref);
  g_clear_pointer (&loop->report.judged[1], g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Loop, loop_clear)

static void
announce (Loop *loop, const char *what)
{
  loop->stage++;
  if (loop->ctl->json || loop->ctl->quiet)
    return;
  printf ("%d/%d  %s\n", loop->stage, N_STAGES, what);
  fflush (stdout);
}

/* --- The project ------------------------------------------------------------------- */

static gboolean
open_or_create (LaurelCtl *self, GError **error)
{
  g_autofree char *path = g_strdup (laurel_ctl_get (self, "project"));
  g_autofree char *database = NULL;
  g_autofree char *starter = NULL;

  if (path == NULL)
    path = g_build_filename (g_get_user_data_dir (), "laurel", "loop.laurel", NULL);
  database = g_build_filename (path, "project.sqlite", NULL);
  if (g_file_test (database, G_FILE_TEST_EXISTS)) {
    self->project = laurel_project_open (path, error);
    return self->project != NULL;
  }
  starter = laurel_project_find_starter ();
  if (starter == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not run the loop: the starter project's data is not installed; install it "
                 "or name a project");
    return FALSE;
  }
  self->project = laurel_project_create (path, starter, error);
  return self->project != NULL;
}

/* Without the file a rater would look for a reward model of that name. */
static gboolean
require_judge (const char *path, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
               "Could not run the loop: the starter's judge “%s” is not there; put the file there "
               "or name a project that was made of the starter",
               path);
  return FALSE;
}

static gboolean
prepare (Loop *loop, GError **error)
{
  const char *folder;

  if (!open_or_create (loop->ctl, error))
    return FALSE;
  folder = laurel_project_get_path (loop->ctl->project);
  loop->judge_path = g_build_filename (folder, "judge.json", NULL);
  loop->store = laurel_project_get_store (loop->ctl->project);
  if (!require_judge (loop->judge_path, error))
    return FALSE;
  loop->rater = laurel_rater_load (loop->store, folder, loop->judge_path, error);
  if (loop->rater == NULL)
    return FALSE;
  loop->reward_name = laurel_project_choose_name (loop->ctl->project, "reward", error);
  loop->policy_name = loop->reward_name != NULL
                          ? laurel_project_choose_name (loop->ctl->project, "ppo", error)
                          : NULL;
  return loop->policy_name != NULL;
}

/* --- Sampling, ranking, training ------------------------------------------------------ */

static gboolean
sample (Loop *loop, GError **error)
{
  const LaurelSampleRequest request = { .model = SFT_MODEL,
                                        .n_prompts = N_PROMPTS,
                                        .n_completions = N_COMPLETIONS,
                                        .temperature = 1.0,
                                        .top_p = 1.0,
                                        .max_tokens = 64,
                                        .seed = (guint64) loop->seed };
  gint64 run_id;

  announce (loop, "sampling 4 completions for each of 300 prompts");
  run_id = laurel_project_start_sampling (loop->ctl->project, &request, error);
  return run_id != 0 && laurel_ctl_wait_run (loop->ctl, run_id, "sample", error);
}

static double
score_cb (const char *prompt, const LaurelCompletion *completion, gpointer user_data)
{
  return laurel_judge_score (user_data, prompt, completion->text,
                             completion->finish == LAUREL_FINISH_STOP, NULL);
}

static gboolean
rank (Loop *loop, GError **error)
{
  gint64 labeler = laurel_rater_ensure_labeler (loop->rater, error);

  announce (loop, "ranking them by the starter's rules, one ranking in ten with a mistake");
  return labeler != 0
         && laurel_label_simulate (loop->store, labeler, score_cb, loop->rater->judge, NOISE,
                                   (guint64) loop->seed, 0, error)
                >= 0;
}

/* The starter's recipe for a stage, over the defaults. */
static gboolean
load_recipe (LaurelStage stage, LaurelHyperparameters *hp, GError **error)
{
  g_autofree char *starter = laurel_project_find_starter ();
  g_autofree char *name = g_strdup_printf ("%s.json", laurel_stage_name (stage));
  g_autofree char *path = starter != NULL ? g_build_filename (starter, "recipe", name, NULL) : NULL;
  g_autoptr (JsonNode) node = NULL;

  laurel_hyperparameters_init (hp, stage);
  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  node = laurel_json_load (path, error);
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
         && laurel_hyperparameters_from_json (hp, stage, json_node_get_object (node), error);
}

static gboolean
train (Loop *loop, LaurelStage stage, const char *output, gint64 *out_run, GError **error)
{
  LaurelTrainRequest request = { .stage = stage, .model = SFT_MODEL, .output = output };

  if (!load_recipe (stage, &request.hyperparameters, error))
    return FALSE;
  request.hyperparameters.seed = loop->seed;
  if (stage == LAUREL_STAGE_PPO) {
    request.reward_model = loop->reward_name;
    request.gold = loop->judge_path; /* which the policy is not trained on, here as ever */
  }
  announce (loop,
            stage == LAUREL_STAGE_PPO ? "tuning the policy by PPO" : "training the reward model");
  *out_run = laurel_project_start_training (loop->ctl->project, &request, error);
  return *out_run != 0
         && laurel_ctl_wait_run (loop->ctl, *out_run, laurel_stage_name (stage), error);
}

/* --- What it brought -------------------------------------------------------------------- */

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "evaluate", (double) n_done / MAX (n_all, 1), -1.0);
  return TRUE;
}

static gboolean
evaluate (Loop *loop, GError **error)
{
  g_autoptr (LaurelModel) sft = laurel_ctl_load_model (loop->ctl, SFT_MODEL, error);
  g_autoptr (LaurelModel) policy =
      sft != NULL ? laurel_ctl_load_model (loop->ctl, loop->policy_name, error) : NULL;
  g_autoptr (GPtrArray) prompts =
      laurel_store_list_prompts (loop->store, "heldout", NULL, -1, 0, error);
  LaurelEvaluationRequest request = { .reference = sft,
                                      .judge = loop->rater->judge,
                                      .prompts = prompts,
                                      .options = LAUREL_SAMPLING_DEFAULTS,
                                      .progress = progress_cb,
                                      .user_data = loop->ctl };
  const LaurelModel *models[2] = { sft, policy };

  if (policy == NULL || prompts == NULL)
    return FALSE;
  announce (loop, "judging both models' answers to the held-out prompts");
  request.options.seed =
      (guint64) loop->seed + 1; /* not the numbers that the training samples were drawn with */
  for (int i = 0; i < 2; i++) {
    request.model = models[i];
    loop->report.judged[i] = laurel_evaluate_sample (&request, error);
    if (loop->report.judged[i] == NULL)
      return FALSE;
    laurel_evaluate_summarise (loop->report.judged[i], &loop->report.evaluations[i]);
  }
  laurel_ctl_hide_progress (loop->ctl);
  return laurel_evaluate_win_rate (loop->report.judged[1], loop->report.judged[0],
                                   &loop->report.wins, error);
}

static char *
write_report (Loop *loop, GError **error)
{
  const char *dir = laurel_ctl_get (loop->ctl, "report");
  g_autofree char *folder = dir != NULL
                                ? g_strdup (dir)
                                : g_build_filename (laurel_project_get_path (loop->ctl->project),
                                                    "exports", loop->policy_name, NULL);
  g_autofree char *path = g_build_filename (folder, "report.html", NULL);

  loop->report.title = "Laurel: the loop on the starter project";
  loop->report.names[0] = SFT_MODEL;
  loop->report.names[1] = loop->policy_name;
  loop->report.ppo_run = loop->ppo_run;
  if (!laurel_file_make_directory (folder, error)
      || !laurel_report_write (loop->store, &loop->report, path, error))
    return NULL;
  return g_steal_pointer (&path);
}

static void
print_json (Loop *loop, const char *report, double seconds)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "project", laurel_project_get_path (loop->ctl->project));
  laurel_json_add_string (builder, "report", report);
  laurel_json_add_int (builder, "reward_run", loop->reward_run);
  laurel_json_add_int (builder, "ppo_run", loop->ppo_run);
  laurel_json_add_double (builder, "seconds", seconds);
  for (int i = 0; i < 2; i++) {
    json_builder_set_member_name (builder, i == 0 ? "sft" : "ppo");
    json_builder_begin_object (builder);
    laurel_json_add_string (builder, "model", loop->report.names[i]);
    laurel_json_add_evaluation (builder, &loop->report.evaluations[i]);
    json_builder_end_object (builder);
  }
  laurel_json_add_interval (builder, "win_rate", &loop->report.wins.win_rate);
  json_builder_end_object (builder);
  laurel_ctl_print_builder (builder);
}

static void
print_result (Loop *loop, const char *report)
{
  double seconds = (double) (g_get_monotonic_time () - loop->started) / G_USEC_PER_SEC;
  g_autofree char *rate = laurel_interval_format (&loop->report.wins.win_rate, TRUE);

  if (loop->ctl->json) {
    print_json (loop, report, seconds);
    return;
  }
  printf ("\n");
  laurel_ctl_print_evaluations (loop->report.names, loop->report.evaluations, 2);
  printf ("\n%s beats %s: %s; %d wins, %d losses, %d ties left out\n", loop->policy_name, SFT_MODEL,
          rate, loop->report.wins.n_wins, loop->report.wins.n_losses, loop->report.wins.n_ties);
  printf (
      "%d completions each on held-out prompts; %.0f seconds in all\nreport   %s\nproject  %s\n",
      loop->report.evaluations[0].score.n, seconds, report,
      laurel_project_get_path (loop->ctl->project));
}

static gboolean
run_run (LaurelCtl *self, GError **error)
{
  g_auto (Loop) loop = { .ctl = self, .started = g_get_monotonic_time () };
  g_autofree char *report = NULL;

  if (!laurel_ctl_get_int (self, "seed", 0, G_MAXINT, &loop.seed, error) || !prepare (&loop, error)
      || !sample (&loop, error) || !rank (&loop, error)
      || !train (&loop, LAUREL_STAGE_REWARD, loop.reward_name, &loop.reward_run, error)
      || !train (&loop, LAUREL_STAGE_PPO, loop.policy_name, &loop.ppo_run, error)
      || !evaluate (&loop, error))
    return FALSE;
  report = write_report (&loop, error);
  if (report == NULL)
    return FALSE;
  print_result (&loop, report);
  return TRUE;
}

static const LaurelCtlOption run_options[] = {
  { "report", "DIR", "Where report.html goes (the project's exports)", FALSE },
  { "seed", "N", "Of everything in it (0)", FALSE },
  { NULL }
};

static const LaurelCtlOption status_options[] = {
  { "judge", "J", "Show what this judge's rules made of the policies in “loop online”", FALSE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "run", "", 0, 0, run_options,
    "Run the whole loop; makes the starter project when there is none", run_run },
  { "online", "", 0, 0, laurel_ctl_loop_online_options,
    "Go through it in rounds: mixed tasks, rankings, a new reward model, PPO",
    laurel_ctl_loop_online, laurel_ctl_loop_help_online },
  { "retrain", "", 0, 0, laurel_ctl_loop_retrain_options,
    "Train a reward model anew on all rankings, and measure what it gained",
    laurel_ctl_loop_retrain },
  { "status", "", 0, 0, status_options,
    "List the loop's reward models and policies with accuracy and wins", laurel_ctl_loop_status },
  { "settings", "", 0, 0, laurel_ctl_loop_settings_options,
    "Show or change when Laurel's window retrains, samples and tunes by itself",
    laurel_ctl_loop_settings, laurel_ctl_loop_help_settings },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_loop = {
  "loop", "The loop: sample, rank, reward model, PPO, in one go or in rounds", verbs
};
