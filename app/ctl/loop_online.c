/* loop_online.c: laurelctl loop online, retrain and settings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/evaluate.h"
#include "app/ctl/loop.h"

#include "core/base/error.h"
#include "core/label/simulate.h"
#include "core/project/gold.h"
#include "core/project/rater.h"
#include "core/project/report.h"
#include "core/project/run_alarms.h"

#include <stdio.h>

/* How often the rankings are counted while people rank. */
#define LOOK_SECONDS 1

/* --- Options that the verbs share -------------------------------------------------- */

/* “ppo.kl_coef=0.1” into the settings of that stage; checked as it is set. */
static gboolean
apply_setting (LaurelOnlineSettings *settings, const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, "=", 2);
  const char *dot = strchr (parts[0], '.');
  g_autofree char *stage_name = dot != NULL ? g_strndup (parts[0], (gsize) (dot - parts[0])) : NULL;
  LaurelStage stage = g_strcmp0 (stage_name, "ppo") == 0 ? LAUREL_STAGE_PPO : LAUREL_STAGE_REWARD;
  JsonObject *object = stage == LAUREL_STAGE_PPO ? settings->ppo : settings->reward;
  g_autoptr (JsonNode) node = NULL;
  LaurelHyperparameters hp;

  if (dot == NULL || parts[1] == NULL
      || (stage == LAUREL_STAGE_REWARD && !g_str_equal (stage_name, "reward"))) {
    g_set_error (error, LAUREL_CTL_USAGE, 0,
                 "Could not understand “--set %s”: it is no setting of a stage; write --set "
                 "reward.KEY=VALUE or --set ppo.KEY=VALUE",
                 text);
    return FALSE;
  }
  if (!laurel_online_hyperparameters (settings, stage, &hp, error)
      || !laurel_hyperparameters_set (&hp, stage, dot + 1, parts[1], error))
    return FALSE;
  node = laurel_hyperparameters_to_json (&hp, stage);
  json_object_set_member (
      object, dot + 1,
      json_node_copy (json_object_get_member (json_node_get_object (node), dot + 1)));
  return TRUE;
}

static gboolean
read_int (LaurelCtl *self, const char *option, int min, int max, int *value, GError **error)
{
  gint64 wide = *value;

  if (!laurel_ctl_get_int (self, option, min, max, &wide, error))
    return FALSE;
  *value = (int) wide;
  return TRUE;
}

/* Looked at now, not when the first round comes to PPO. Without a name there is no judge. */
static gboolean
read_gold (LaurelCtl *self, LaurelOnlineSettings *settings, GError **error)
{
  const char *name = laurel_ctl_get (self, "gold");
  g_autoptr (LaurelGold) gold = NULL;

  if (name == NULL)
    return TRUE;
  g_clear_pointer (&settings->gold, g_free);
  if (name[0] == '\0')
    return TRUE;
  gold = laurel_gold_load (laurel_project_get_store (self->project),
                           laurel_project_get_path (self->project), name, error);
  settings->gold = g_file_test (name, G_FILE_TEST_EXISTS) ? g_canonicalize_filename (name, NULL)
                                                          : g_strdup (name);
  return gold != NULL;
}

/* The project's settings with what the command line says over them. */
static gboolean
read_settings (LaurelCtl *self, LaurelOnlineSettings *settings, GError **error)
{
  GPtrArray *texts = laurel_ctl_get_all (self, "set");

  if (!laurel_ctl_open_project (self, error)
      || !laurel_online_settings_load (laurel_project_get_store (self->project), settings, error)
      || !read_int (self, "completions", 2, 9, &settings->n_completions, error)
      || !read_gold (self, settings, error))
    return FALSE;
  if (laurel_ctl_get (self, "model") != NULL) {
    g_free (settings->model);
    settings->model = g_strdup (laurel_ctl_get (self, "model"));
  }
  for (guint i = 0; texts != NULL && i < texts->len; i++)
    if (!apply_setting (settings, texts->pdata[i], error))
      return FALSE;
  return TRUE;
}

#define SHARED_OPTIONS                                                                             \
  { "model", "M", "The SFT model that everything starts from (the project's newest)", FALSE },     \
  {                                                                                                \
    "set", "STAGE.KEY=VALUE", "A setting of the stage reward or ppo", TRUE                         \
  }

/* --- loop online ------------------------------------------------------------------- */

typedef struct {
  LaurelCtl *ctl;
  LaurelStore *store;
  LaurelOnlineSettings settings;
  char *reference;
  const char *judge_path;
  char *scores;       /* what its are kept under */
  LaurelRater *rater; /* NULL: people rank */
  double noise;
  gint64 seed;
  int n_rounds;
  int n_labels;
} Online;

static void
online_clear (Online *self)
{
  laurel_online_settings_clear (&self->settings);
  g_free (self->reference);
  g_free (self->scores);
  g_clear_pointer (&self->rater, laurel_rater_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Online, online_clear)

static void G_GNUC_PRINTF (3, 4)
announce (Online *self, int round, const char *format, ...)
{
  va_list arguments;

  if (self->ctl->json || self->ctl->quiet)
    return;
  if (round > self->n_rounds)
    printf ("after    ");
  else
    printf ("%d/%d  ", round, self->n_rounds);
  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
  putchar ('\n');
  fflush (stdout);
}

static gboolean
ranked_cb (int n_done, int n_all, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "ranking", (double) n_done / MAX (n_all, 1), -1.0);
  return TRUE;
}

static gboolean
rank_by_judge (Online *self, const LaurelRoundState *state, GError **error)
{
  LaurelSimulation simulation = { .labeler_id = laurel_rater_ensure_labeler (self->rater, error),
                                  .score = laurel_rater_score_tasks,
                                  .score_data = self->rater,
                                  .noise = self->noise,
                                  .seed = (guint64) self->seed,
                                  .count = self->n_labels - state->n_ranked,
                                  .progress = ranked_cb,
                                  .progress_data = self->ctl };
  int n;

  if (simulation.labeler_id == 0)
    return FALSE;
  announce (self, state->round, "ranking %d tasks by %s", simulation.count, self->rater->name);
  n = laurel_label_simulate_tasks (self->store, &simulation, error);
  laurel_ctl_hide_progress (self->ctl);
  if (n != 0)
    return n > 0;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
               "Could not rank for round %d: %d of %d rankings are there and no task is open for "
               "the judge; lower --labels, or sample more tasks",
               state->round, state->n_ranked, self->n_labels);
  return FALSE;
}

/* Whoever ranks does so in another process; all that is seen of it is the database. */
static gboolean
wait_for_people (Online *self, const LaurelRoundState *state, GError **error)
{
  LaurelRoundState now = *state;

  announce (self, state->round,
            "waiting for %d rankings: rank in Laurel; ended, this command goes on where it was",
            self->n_labels - state->n_ranked);
  while (now.step == LAUREL_ROUND_RANK && now.round == state->round) {
    laurel_ctl_show_progress (self->ctl, "ranked", (double) now.n_ranked / self->n_labels, -1.0);
    g_usleep (LOOK_SECONDS * G_USEC_PER_SEC);
    if (!laurel_online_find_step (self->ctl->project, self->n_rounds, self->n_labels, &now, error))
      return FALSE;
  }
  laurel_ctl_hide_progress (self->ctl);
  return TRUE;
}

/* Follows a new run (@run_id of a start function), or goes on with the one that there is. */
static gboolean
follow (Online *self, const LaurelRoundState *state, gint64 run_id, const char *what,
        GError **error)
{
  if (state->run_id != 0)
    run_id = laurel_project_resume_run (self->ctl->project, state->run_id, error);
  return run_id != 0 && laurel_ctl_wait_run (self->ctl, run_id, what, error);
}

static gboolean
sample (Online *self, const LaurelRoundState *state, GError **error)
{
  gint64 n_prompts = laurel_store_count_prompts (self->store, "train", NULL, error), run_id = 0;

  if (n_prompts < 0)
    return FALSE;
  if (n_prompts < self->n_labels) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not sample for round %d: there are %d training prompts for %d labels; "
                 "lower --labels or import prompts",
                 state->round, (int) n_prompts, self->n_labels);
    return FALSE;
  }
  announce (self, state->round, "sampling %d tasks of %d completions", self->n_labels,
            self->settings.n_completions);
  if (state->run_id == 0) {
    run_id = laurel_project_start_mixing (self->ctl->project, &self->settings, self->n_labels,
                                          (guint64) (self->seed + state->round), state->round,
                                          error);
    if (run_id == 0)
      return FALSE;
  }
  return follow (self, state, run_id, "sample", error);
}

static gboolean
retrain (Online *self, const LaurelRoundState *state, GError **error)
{
  g_autoptr (LaurelRewardGain) gain = NULL;
  g_autofree char *accuracy = NULL, *points = NULL;
  gint64 run_id = state->run_id;

  announce (self, state->round, "training the reward model anew on all rankings");
  if (run_id == 0) {
    run_id = laurel_project_start_retraining (self->ctl->project, &self->settings, state->round,
                                              error);
    if (run_id == 0)
      return FALSE;
  }
  if (!follow (self, state, run_id, "reward", error))
    return FALSE;
  gain = laurel_online_get_gain (self->store, run_id, error);
  if (gain == NULL)
    return error == NULL || *error == NULL;
  accuracy = laurel_interval_format (&gain->accuracy, TRUE);
  points = laurel_reward_gain_format (&gain->gain);
  announce (self, state->round, "held-out accuracy %s, gain %s points, %d rankings", accuracy,
            points, gain->n_rankings);
  return TRUE;
}

/* Why a policy has the weights that it has. */
static gboolean
tell_peak (Online *self, const LaurelRoundState *state, gint64 run_id, GError **error)
{
  g_autoptr (LaurelRun) run = laurel_store_get_run (self->store, run_id, error);
  g_autoptr (LaurelAlarms) alarms =
      run != NULL ? laurel_run_read_alarms (self->store, run, error) : NULL;

  if (alarms == NULL)
    return FALSE;
  if (laurel_alarms_get (alarms, LAUREL_ALARM_OVEROPTIMISATION)->state == LAUREL_LIGHT_ALARM)
    announce (self, state->round, "over-optimised at step %d: %s has the weights of step %d",
              run->step, run->output, laurel_alarms_get_peak (alarms));
  return TRUE;
}

static gboolean
tune (Online *self, const LaurelRoundState *state, GError **error)
{
  gint64 run_id = state->run_id;

  announce (self, state->round, "tuning the policy by PPO");
  if (run_id == 0) {
    run_id =
        laurel_project_start_tuning (self->ctl->project, &self->settings, state->round, error);
    if (run_id == 0)
      return FALSE;
  }
  return follow (self, state, run_id, "ppo", error) && tell_peak (self, state, run_id, error);
}

static gboolean
go_through (Online *self, GError **error)
{
  for (;;) {
    LaurelRoundState state;
    gboolean ok = FALSE;

    if (!laurel_online_find_step (self->ctl->project, self->n_rounds, self->n_labels, &state,
                                  error))
      return FALSE;
    switch (state.step) {
    case LAUREL_ROUND_SAMPLE: ok = sample (self, &state, error); break;
    case LAUREL_ROUND_RANK:
      ok = self->rater != NULL ? rank_by_judge (self, &state, error)
                               : wait_for_people (self, &state, error);
      break;
    case LAUREL_ROUND_REWARD: ok = retrain (self, &state, error); break;
    case LAUREL_ROUND_PPO: ok = tune (self, &state, error); break;
    case LAUREL_ROUND_DONE: return TRUE;
    }
    if (!ok)
      return FALSE;
  }
}

/* --- The judge's score, which no round sees ------------------------------------------ */

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "judging", (double) n_done / MAX (n_all, 1), -1.0);
  return TRUE;
}

static gboolean
judge_model (Online *self, const char *name, GPtrArray *prompts, GError **error)
{
  LaurelEvaluationRequest request = { .judge = self->rater->judge,
                                      .prompts = prompts,
                                      .options = LAUREL_SAMPLING_DEFAULTS,
                                      .progress = progress_cb,
                                      .user_data = self->ctl };
  g_autoptr (LaurelModel) model = NULL;
  g_autoptr (GPtrArray) judged = NULL;
  LaurelEvaluation evaluation;
  LaurelInterval known;

  if (!laurel_ctl_loop_get_score (self->store, name, self->scores, &known, error))
    return FALSE;
  if (known.n > 0)
    return TRUE;
  model = laurel_ctl_load_model (self->ctl, name, error);
  if (model == NULL)
    return FALSE;
  request.model = model;
  request.options.seed = (guint64) self->seed;
  judged = laurel_evaluate_sample (&request, error);
  laurel_ctl_hide_progress (self->ctl);
  if (judged == NULL)
    return FALSE;
  laurel_evaluate_summarise (judged, &evaluation);
  return laurel_ctl_loop_set_score (self->store, name, self->scores, &evaluation.score, error);
}

static gboolean
judge_models (Online *self, GError **error)
{
  g_autoptr (GPtrArray) rounds = NULL;
  g_autoptr (GPtrArray) prompts = NULL;

  if (self->rater == NULL || self->rater->judge == NULL)
    return TRUE;
  self->scores = laurel_ctl_loop_name_scores (self->judge_path);
  rounds = laurel_online_list_rounds (self->ctl->project, error);
  prompts = rounds != NULL
                ? laurel_store_list_prompts (self->store, "heldout", NULL, -1, 0, error)
                : NULL;
  if (prompts == NULL || prompts->len == 0)
    return prompts != NULL;
  if (!judge_model (self, self->reference, prompts, error))
    return FALSE;
  for (guint i = 0; i < rounds->len; i++) {
    const LaurelRoundModels *round = rounds->pdata[i];

    if (round->policy != NULL && !judge_model (self, round->policy, prompts, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
prepare (Online *self, GError **error)
{
  LaurelCtl *ctl = self->ctl;

  self->judge_path = laurel_ctl_get (ctl, "judge");
  self->n_labels = 50;
  if (laurel_ctl_require (ctl, "rounds", error) == NULL
      || !read_int (ctl, "rounds", 1, 1000, &self->n_rounds, error)
      || !read_int (ctl, "labels", 1, G_MAXINT, &self->n_labels, error)
      || !laurel_ctl_get_double (ctl, "noise", 0, 1, &self->noise, error)
      || !laurel_ctl_get_int (ctl, "seed", 0, G_MAXINT, &self->seed, error)
      || !read_settings (ctl, &self->settings, error))
    return FALSE;
  self->store = laurel_project_get_store (ctl->project);
  if (self->judge_path != NULL) {
    self->rater = laurel_rater_load (self->store, laurel_project_get_path (ctl->project),
                                     self->judge_path, error);
    if (self->rater == NULL)
      return FALSE;
  }
  self->reference = laurel_online_find_reference (self->store, &self->settings, error);
  return self->reference != NULL;
}

gboolean
laurel_ctl_loop_online (LaurelCtl *self, GError **error)
{
  g_auto (Online) online = { .ctl = self };

  return prepare (&online, error) && go_through (&online, error) && judge_models (&online, error)
         && laurel_ctl_loop_print (self, &online.settings, online.judge_path, error);
}

const LaurelCtlOption laurel_ctl_loop_online_options[] = {
  { "rounds", "R", "How many rounds there are to be in the end", FALSE },
  { "labels", "N", "Rankings a round (50)", FALSE },
  { "judge", "J", "A rule file or a reward model that ranks; without it people do", FALSE },
  { "noise", "P", "Share of the judge's rankings in which two neighbours are swapped (0)", FALSE },
  { "gold", "JUDGE", "A judge's file or a reward model that judges held-out answers during PPO",
    FALSE },
  { "completions", "K", "Completions of a task, half of them the policy's (4)", FALSE },
  { "seed", "N", "Of sampling and the judge's slips (0)", FALSE },
  SHARED_OPTIONS,
  { NULL }
};

void
laurel_ctl_loop_help_online (GString *text)
{
  g_string_append (
      text,
      "\nA round samples tasks, has them ranked, trains a reward model and tunes the policy by "
      "PPO (Ziegler et\nal. 2019). A task mixes completions of the SFT model and, from the second "
      "round on, of the newest policy,\nso that its ranking also says which of the two is better; "
      "after the last round tasks are ranked once\nmore, for the last policy. Each reward model "
      "starts from the SFT model and a fresh head and goes once\nthrough all rankings there are. "
      "The policy goes on; its KL is always measured to the SFT model.\n\n"
      "With --gold, PPO's answers to held-out prompts are judged every ppo.eval_steps iterations. "
      "Where the gold\nscore has fallen in three evaluations while the reward model's rises, that "
      "round's PPO ends there, and the\npolicy has the weights of the gold peak. The judge that "
      "ranks may be the gold judge too. PPO is then ended by\nwhat the labels were drawn from, "
      "without their noise, which no people's labels come with, and the judge's\nscores in the "
      "end are of policies that it chose: that shows how far a loop could get. What it gets to\n"
      "by labels alone is shown by another judge, such as a reward model of other rankings, or by "
      "none.\n\n"
      "Where the loop is stands in the project alone: interrupted or killed, the same command goes "
      "on, and with\na larger --rounds it adds rounds. “WINS” is the policy's share of the pairs "
      "in mixed tasks, a tie counting\none half; “ACCURACY” is on prompts that no reward model was "
      "trained on, and “GAIN” its difference to\nthe reward model before on the same rankings. "
      "Intervals are 95 % and come from drawing whole prompts\nagain.\n");
}

/* --- loop retrain -------------------------------------------------------------------- */

gboolean
laurel_ctl_loop_retrain (LaurelCtl *self, GError **error)
{
  g_auto (LaurelOnlineSettings) settings = { 0 };
  gint64 run_id;

  if (!read_settings (self, &settings, error))
    return FALSE;
  run_id = laurel_project_start_retraining (self->project, &settings, -1, error);
  return run_id != 0 && laurel_ctl_follow_run (self, run_id, error);
}

const LaurelCtlOption laurel_ctl_loop_retrain_options[] = { SHARED_OPTIONS, { NULL } };

/* --- loop settings ------------------------------------------------------------------- */

static gboolean
read_switch (LaurelCtl *self, const char *option, gboolean *value, GError **error)
{
  const char *text = laurel_ctl_get (self, option);

  if (text == NULL)
    return TRUE;
  *value = g_str_equal (text, "on");
  if (*value || g_str_equal (text, "off"))
    return TRUE;
  g_set_error (error, LAUREL_CTL_USAGE, 0,
               "Could not understand “--%s %s”: it is neither on nor off; write one of them",
               option, text);
  return FALSE;
}

static void
print_settings (LaurelCtl *self, const LaurelOnlineSettings *settings)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!self->json) {
    printf ("enabled      %s\nmodel        %s\nevery        %d rankings\nlow          %d tasks\n"
            "tasks        %d at a time\ncompletions  %d a task\ntune         %s\ngold         %s\n",
            settings->enabled ? "on" : "off",
            settings->model != NULL ? settings->model : "the newest SFT model", settings->every,
            settings->low, settings->n_tasks, settings->n_completions,
            settings->tune ? "on" : "off", settings->gold != NULL ? settings->gold : "none");
    return;
  }
  json_builder_begin_object (builder);
  laurel_json_add_boolean (builder, "enabled", settings->enabled);
  laurel_json_add_string (builder, "model", settings->model);
  laurel_json_add_int (builder, "every", settings->every);
  laurel_json_add_int (builder, "low", settings->low);
  laurel_json_add_int (builder, "tasks", settings->n_tasks);
  laurel_json_add_int (builder, "completions", settings->n_completions);
  laurel_json_add_boolean (builder, "tune", settings->tune);
  laurel_json_add_string (builder, "gold", settings->gold);
  json_builder_end_object (builder);
  laurel_ctl_print_builder (builder);
}

gboolean
laurel_ctl_loop_settings (LaurelCtl *self, GError **error)
{
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autofree char *reference = NULL;
  LaurelStore *store;

  if (!read_settings (self, &settings, error)
      || !read_switch (self, "enable", &settings.enabled, error)
      || !read_switch (self, "tune", &settings.tune, error)
      || !read_int (self, "every", 1, G_MAXINT, &settings.every, error)
      || !read_int (self, "low", 0, G_MAXINT, &settings.low, error)
      || !read_int (self, "tasks", 1, G_MAXINT, &settings.n_tasks, error))
    return FALSE;
  store = laurel_project_get_store (self->project);
  if (settings.model != NULL) {
    reference = laurel_online_find_reference (store, &settings, error);
    if (reference == NULL)
      return FALSE;
  }
  if (!laurel_online_settings_save (store, &settings, error))
    return FALSE;
  print_settings (self, &settings);
  return TRUE;
}

const LaurelCtlOption laurel_ctl_loop_settings_options[] = {
  { "enable", "on|off", "Whether Laurel's window goes through the loop by itself", FALSE },
  { "every", "N", "New rankings after which a reward model is trained", FALSE },
  { "low", "N", "New tasks are sampled when fewer are open; 0: never", FALSE },
  { "tasks", "N", "How many tasks are sampled at a time", FALSE },
  { "completions", "K", "Completions of a task, half of them the policy's", FALSE },
  { "tune", "on|off", "Whether PPO follows each reward model", FALSE },
  { "gold", "JUDGE", "Who judges PPO's held-out answers: a rule file or a reward model; “”: none",
    FALSE },
  SHARED_OPTIONS,
  { NULL }
};

void
laurel_ctl_loop_help_settings (GString *text)
{
  g_string_append (
      text,
      "\nWithout options they are printed as they are. They belong to the project, and to the "
      "window: there the\nloop goes on in the background while people rank, one job at a time and "
      "never in the way of another.\n“loop online” and “loop retrain” take the model, the number "
      "of completions, the gold judge and the\nsettings of the stages from here too.\n");
}
