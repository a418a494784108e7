/* train.c: laurelctl train …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/train/presets.h"

#include <stdio.h>
#include <string.h>

static gboolean
apply_preset (LaurelCtl *self, LaurelStage stage, LaurelHyperparameters *hp, GError **error)
{
  const char *name = laurel_ctl_get (self, "preset");
  const LaurelPreset *preset;

  if (name == NULL)
    return TRUE;
  preset = laurel_preset_find (stage, name, error);
  return preset != NULL && laurel_preset_apply (preset, hp, error);
}

static gboolean
load_config_file (LaurelCtl *self, LaurelStage stage, LaurelHyperparameters *hp, GError **error)
{
  const char *path = laurel_ctl_get (self, "config");
  g_autoptr (JsonNode) node = NULL;

  if (path == NULL)
    return TRUE;
  node = laurel_json_load (path, error);
  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: it is no JSON object; write settings by name", path);
    return FALSE;
  }
  return laurel_hyperparameters_from_json (hp, stage, json_node_get_object (node), error);
}

static gboolean
apply_settings (LaurelCtl *self, LaurelStage stage, LaurelHyperparameters *hp, GError **error)
{
  GPtrArray *settings = laurel_ctl_get_all (self, "set");

  for (guint i = 0; settings != NULL && i < settings->len; i++) {
    const char *text = g_ptr_array_index (settings, i);
    g_auto (GStrv) parts = g_strsplit (text, "=", 2);

    if (g_strv_length (parts) != 2) {
      g_set_error (error, LAUREL_CTL_USAGE, 0,
                   "Could not understand “--set %s”: it has no “=”; write --set KEY=VALUE", text);
      return FALSE;
    }
    if (!laurel_hyperparameters_set (hp, stage, parts[0], parts[1], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
apply_seeds (LaurelCtl *self, LaurelStage stage, LaurelHyperparameters *hp, GError **error)
{
  const char *n = laurel_ctl_get (self, "seeds");

  return n == NULL || laurel_hyperparameters_set (hp, stage, "num_seeds", n, error);
}

/* --data, each time it is given, and what else stands on the line. */
static char **
list_data_files (LaurelCtl *self)
{
  GPtrArray *options = laurel_ctl_get_all (self, "data");
  GPtrArray *files = g_ptr_array_new ();

  for (guint i = 0; options != NULL && i < options->len; i++)
    g_ptr_array_add (files, g_strdup (g_ptr_array_index (options, i)));
  for (int i = 0; laurel_ctl_argument (self, i) != NULL; i++)
    g_ptr_array_add (files, g_strdup (laurel_ctl_argument (self, i)));
  g_ptr_array_add (files, NULL);
  return (char **) g_ptr_array_free (files, FALSE);
}

/* The newest reward model, when none is named. */
static char *
find_reward_model (LaurelCtl *self, GError **error)
{
  g_autoptr (GPtrArray) models = NULL;
  const LaurelModelRecord *newest = NULL;

  if (laurel_ctl_get (self, "reward-model") != NULL)
    return g_strdup (laurel_ctl_get (self, "reward-model"));
  models = laurel_store_list_models (laurel_project_get_store (self->project), error);
  if (models == NULL)
    return NULL;
  for (guint i = 0; i < models->len; i++) {
    const LaurelModelRecord *record = g_ptr_array_index (models, i);

    if (g_str_equal (record->kind, "reward")
        && (newest == NULL || record->created > newest->created))
      newest = record;
  }
  if (newest != NULL)
    return g_strdup (newest->name);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
               "Could not start the run: the project has no reward model; train one with "
               "“laurelctl train reward”");
  return NULL;
}

/* --ptx-data, each time it is given; NULL: never. */
static char **
list_ptx_files (LaurelCtl *self)
{
  GPtrArray *options = laurel_ctl_get_all (self, "ptx-data");
  g_autoptr (GStrvBuilder) files = g_strv_builder_new ();

  for (guint i = 0; options != NULL && i < options->len; i++)
    g_strv_builder_add (files, g_ptr_array_index (options, i));
  return options != NULL ? g_strv_builder_end (files) : NULL;
}

/* --labeler, each time it is given, as ids that end in 0; NULL: never. */
static gboolean
find_labelers (LaurelCtl *self, GArray **out, GError **error)
{
  GPtrArray *names = laurel_ctl_get_all (self, "labeler");
  g_autoptr (GPtrArray) labelers = NULL;

  if (names == NULL)
    return TRUE;
  labelers = laurel_store_list_labelers (laurel_project_get_store (self->project), error);
  if (labelers == NULL)
    return FALSE;
  *out = g_array_new (TRUE, FALSE, sizeof (gint64));
  for (guint n = 0; n < names->len; n++) {
    guint before = (*out)->len;

    for (guint i = 0; i < labelers->len; i++) {
      const LaurelLabeler *labeler = g_ptr_array_index (labelers, i);

      if (g_str_equal (labeler->name, g_ptr_array_index (names, n)))
        g_array_append_val (*out, labeler->id);
    }
    if ((*out)->len > before)
      continue;
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not find the labeler “%s”: the project has none of that name; "
                 "“laurelctl ranking agreement” lists those who have ranked",
                 (const char *) g_ptr_array_index (names, n));
    return FALSE;
  }
  return TRUE;
}

static gboolean
train (LaurelCtl *self, LaurelStage stage, GError **error)
{
  LaurelTrainRequest request = { .stage = stage };
  g_auto (GStrv) files = list_data_files (self);
  g_auto (GStrv) ptx_files = list_ptx_files (self);
  g_autofree char *reward_model = NULL;
  g_autoptr (GArray) labeler_ids = NULL;
  gint64 run_id;

  request.model = laurel_ctl_require (self, "model", error);
  request.output = request.model != NULL ? laurel_ctl_require (self, "output", error) : NULL;
  if (request.output == NULL)
    return FALSE;
  laurel_hyperparameters_init (&request.hyperparameters, stage);
  if (!apply_preset (self, stage, &request.hyperparameters, error)
      || !load_config_file (self, stage, &request.hyperparameters, error)
      || !apply_settings (self, stage, &request.hyperparameters, error)
      || !laurel_ctl_get_labelers (self, &request.labelers, error)
      || !apply_seeds (self, stage, &request.hyperparameters, error)
      || !laurel_ctl_open_project (self, error)
      || !find_labelers (self, &labeler_ids, error))
    return FALSE;
  request.labeler_ids =
      labeler_ids != NULL ? (const gint64 *) (const void *) labeler_ids->data : NULL;
  if (laurel_stage_is_online (stage)) {
    reward_model = find_reward_model (self, error);
    if (reward_model == NULL)
      return FALSE;
    request.reward_model = reward_model;
    request.gold = laurel_ctl_get (self, "gold");
    request.on_overoptimisation = LAUREL_OVEROPTIMISED_STOP; /* nobody is there to decide */
  }
  request.data_files = files[0] != NULL ? files : NULL;
  request.chosen = stage == LAUREL_STAGE_SFT && laurel_ctl_has (self, "chosen");
  request.ptx_files = ptx_files;
  run_id = laurel_project_start_training (self->project, &request, error);
  return run_id != 0 && laurel_ctl_follow_run (self, run_id, error);
}

static gboolean
run_pretrain (LaurelCtl *self, GError **error)
{
  return train (self, LAUREL_STAGE_PRETRAIN, error);
}

static gboolean
run_sft (LaurelCtl *self, GError **error)
{
  return train (self, LAUREL_STAGE_SFT, error);
}

/* --- What a fine-tuning would learn from --------------------------------------------- */

static void
print_preview (const LaurelRowPreview *preview)
{
  LaurelCtlTable *table;

  if (preview->reason != NULL) {
    printf ("row %u: left out: %s\n\n", preview->row, preview->reason);
    return;
  }
  printf ("row %u: %d tokens, %d learned\n", preview->row, preview->n_tokens, preview->n_learned);
  table = laurel_ctl_table_new ("AT", "ID", "LEARNED", "TOKEN", NULL);
  for (int i = 0; i < preview->n_tokens; i++)
    laurel_ctl_table_add (table, "%d\t%d\t%s\t“%s”", i, preview->tokens[i],
                          preview->learned[i] ? "yes" : "·", preview->labels[i]);
  laurel_ctl_table_print (table);
  printf ("\n");
}

static void
add_preview (JsonBuilder *builder, const LaurelRowPreview *preview)
{
  json_builder_begin_object (builder);
  laurel_json_add_int (builder, "row", preview->row);
  laurel_json_add_string (builder, "left_out", preview->reason);
  json_builder_set_member_name (builder, "tokens");
  json_builder_begin_array (builder);
  for (int i = 0; i < preview->n_tokens; i++) {
    json_builder_begin_object (builder);
    laurel_json_add_int (builder, "id", preview->tokens[i]);
    laurel_json_add_string (builder, "text", preview->labels[i]);
    laurel_json_add_boolean (builder, "learned", preview->learned[i] != 0);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static gboolean
run_mask (LaurelCtl *self, GError **error)
{
  const char *model = laurel_ctl_require (self, "model", error);
  g_auto (GStrv) files = list_data_files (self);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) previews = NULL;
  gint64 first = 1, n = 1;
  LaurelHyperparameters hp;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_SFT);
  if (model == NULL || !laurel_ctl_get_int (self, "row", 1, G_MAXINT, &first, error)
      || !laurel_ctl_get_int (self, "rows", 0, G_MAXINT, &n, error)
      || !apply_settings (self, LAUREL_STAGE_SFT, &hp, error)
      || !laurel_ctl_open_project (self, error))
    return FALSE;
  previews = laurel_project_preview_sft (self->project, model, files, &hp, (guint) first,
                                         (guint) n, error);
  if (previews == NULL)
    return FALSE;
  json_builder_begin_array (builder);
  for (guint i = 0; i < previews->len; i++)
    if (self->json)
      add_preview (builder, g_ptr_array_index (previews, i));
    else
      print_preview (g_ptr_array_index (previews, i));
  json_builder_end_array (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  return TRUE;
}

static gboolean
run_reward (LaurelCtl *self, GError **error)
{
  return train (self, LAUREL_STAGE_REWARD, error);
}

static gboolean
run_ppo (LaurelCtl *self, GError **error)
{
  return train (self, LAUREL_STAGE_PPO, error);
}

static gboolean
run_dpo (LaurelCtl *self, GError **error)
{
  return train (self, LAUREL_STAGE_DPO, error);
}

static gboolean
run_rloo (LaurelCtl *self, GError **error)
{
  return train (self, LAUREL_STAGE_RLOO, error);
}

static gboolean
run_resume (LaurelCtl *self, GError **error)
{
  gint64 id;

  return laurel_ctl_parse_id (laurel_ctl_argument (self, 0), &id, error)
         && laurel_ctl_open_project (self, error)
         && laurel_project_resume_run (self->project, id, error) != 0
         && laurel_ctl_follow_run (self, id, error);
}

/* --- Presets --------------------------------------------------------------------------- */

static void
add_preset (JsonBuilder *builder, const LaurelPreset *preset)
{
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "name", preset->name);
  laurel_json_add_string (builder, "stage", laurel_stage_name (preset->stage));
  laurel_json_add_string (builder, "title", preset->title);
  laurel_json_add_string (builder, "description", preset->description);
  json_builder_set_member_name (builder, "settings");
  json_builder_begin_array (builder);
  for (int i = 0; i < preset->n_values; i++) {
    json_builder_begin_object (builder);
    laurel_json_add_string (builder, "key", preset->values[i].key);
    laurel_json_add_string (builder, "value", preset->values[i].value);
    laurel_json_add_string (builder, "source", preset->values[i].source);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
print_preset (const LaurelPreset *preset)
{
  LaurelCtlTable *table = laurel_ctl_table_new ("SETTING", "VALUE", "SOURCE", NULL);

  printf ("%s for train %s: %s\n%s\n\n", preset->name, laurel_stage_name (preset->stage),
          preset->title, preset->description);
  for (int i = 0; i < preset->n_values; i++)
    laurel_ctl_table_add (table, "%s\t%s\t%s", preset->values[i].key, preset->values[i].value,
                          preset->values[i].source);
  laurel_ctl_table_print (table);
  printf ("\n");
}

static gboolean
run_presets (LaurelCtl *self, GError **error)
{
  const char *name = laurel_ctl_argument (self, 0);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  LaurelCtlTable *table = laurel_ctl_table_new ("PRESET", "STAGE", "SETTINGS", "WHAT", NULL);
  int n, n_shown = 0;
  const LaurelPreset *presets = laurel_presets (&n);

  json_builder_begin_array (builder);
  for (int i = 0; i < n; i++) {
    if (name != NULL && !g_str_equal (name, presets[i].name))
      continue;
    n_shown++;
    add_preset (builder, &presets[i]);
    if (name != NULL && !self->json)
      print_preset (&presets[i]);
    laurel_ctl_table_add (table, "%s\t%s\t%d\t%s. %s", presets[i].name,
                          laurel_stage_name (presets[i].stage), presets[i].n_values,
                          presets[i].title, presets[i].description);
  }
  json_builder_end_array (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  if (name == NULL && !self->json)
    laurel_ctl_table_print (table);
  else
    laurel_ctl_table_free (table);
  return n_shown > 0 || laurel_preset_find (LAUREL_STAGE_PPO, name, error) != NULL;
}

/* --- Help: the settings, from the one table ------------------------------------------- */

static void
describe_setting (GString *text, const LaurelSetting *setting, LaurelStage stage)
{
  g_autofree char *value = laurel_setting_format (setting, setting->defaults[stage]);
  g_autofree char *min = laurel_setting_format (setting, setting->min);
  g_autofree char *max = laurel_setting_format (setting, setting->max);

  g_string_append_printf (text, "  %s=%s%s%s\n      %s\n", setting->key, value,
                          setting->unit[0] != '\0' ? " " : "", setting->unit, setting->description);
  if (setting->type == LAUREL_SETTING_CHOICE) {
    g_autofree char *choices = g_strjoinv (", ", (char **) setting->choices);

    g_string_append_printf (text, "      One of %s. Source: %s\n", choices, setting->source);
  } else {
    g_string_append_printf (text, "      From %s to %s. Source: %s\n", min, max, setting->source);
  }
}

static void
describe_presets (GString *text, LaurelStage stage)
{
  int n;
  const LaurelPreset *presets = laurel_presets (&n);

  g_string_append (text,
                   "\nPresets for --preset, over which --config and --set win; “train presets "
                   "NAME” shows each\nvalue with its source and how it was scaled to a small model "
                   "on a CPU:\n");
  for (int i = 0; i < n; i++)
    if (presets[i].stage == stage)
      g_string_append_printf (text, "  %-12s %s. %s\n", presets[i].name, presets[i].title,
                              presets[i].description);
}

static void
describe_stage (GString *text, LaurelStage stage)
{
  int n;
  const LaurelSetting *settings = laurel_settings (&n);

  g_string_append (text, "\nSettings for --set KEY=VALUE and --config, with their defaults:\n");
  for (int i = 0; i < n; i++)
    if (settings[i].stages & (1u << stage))
      describe_setting (text, &settings[i], stage);
}

static void
help_pretrain (GString *text)
{
  g_string_append (
      text,
      "\nData: a token file of “corpus prepare”, best for much text; text files, documents parted "
      "by empty\nlines; .jsonl files of {\"text\"}; or a .json file with an array of arrays of "
      "token ids, each used as one\nsequence, in order when shuffle=false. A sequence is one "
      "document or, where it is longer than max_length,\na part of it; a batch has batch_size rows "
      "of up to max_length tokens, each of whole sequences.\n");
  describe_stage (text, LAUREL_STAGE_PRETRAIN);
}

static void
help_sft (GString *text)
{
  g_string_append (
      text,
      "\nData: {\"prompt\", \"completion\"} or {\"messages\": [{\"role\", \"content\"}…]}, "
      "one a line; without\n--data the project's demonstrations. Messages: one of the system first "
      "if there is one, then user and\nassistant in turn. The loss is on the assistant's turns and "
      "their ends alone (see “train mask”). Rows\nwith an empty message or more tokens than "
      "max_length are left out, and of the project's own those of held-out prompts; the run's log "
      "says which.\n\n"
      "With --chosen the data are rankings, as for “train reward”, of which the best completion is "
      "learned;\nof several that are tied at the top, each. Without --data they are the project's."
      "\n");
  describe_stage (text, LAUREL_STAGE_SFT);
}

static void
help_reward (GString *text)
{
  g_string_append (
      text,
      "\nData: {\"prompt\", \"completions\": […], \"ranks\": […]} or {\"prompt\", \"chosen\", "
      "\"rejected\"}, one a\nline; without --data the project's rankings of training prompts.\n");
  describe_presets (text, LAUREL_STAGE_REWARD);
  describe_stage (text, LAUREL_STAGE_REWARD);
}

static const char online_help[] =
    "\nData: {\"prompt\"}, one a line, or a .txt file; without --data the project's training "
    "prompts.\nWith ptx_coef the policy learns other text beside: --ptx-data, which is what train "
    "sft or train pretrain takes;\nwithout it the project's demonstrations. Of demonstrations, "
    "those that the policy's fine-tuning held out are\nnot learned, and eval/ptx_loss is the loss "
    "on them, where they are 8 or more.\n"
    "\nWith --gold, answers to held-out prompts are judged every eval_steps iterations by a "
    "judge's file or a\nreward model that training never sees, and the best weights are kept. "
    "Where the gold score has fallen\nin three evaluations while the reward model's rises, the "
    "run stops with a checkpoint; “run keep-best” makes\na model of the best weights, “train "
    "resume” goes on.\n";

static void
help_dpo (GString *text)
{
  g_string_append (
      text,
      "\nData: rankings, as for “train reward”; without --data the project's. All pairs of a "
      "ranking with a\nbetter and a worse completion count, together as much as those of any "
      "other; ties do not. The\nreference is the model itself as it was; no reward model is "
      "needed.\n");
  describe_stage (text, LAUREL_STAGE_DPO);
}

static void
help_ppo (GString *text)
{
  g_string_append (text, online_help);
  describe_presets (text, LAUREL_STAGE_PPO);
  describe_stage (text, LAUREL_STAGE_PPO);
}

static void
help_rloo (GString *text)
{
  g_string_append (text, online_help);
  g_string_append (
      text,
      "\nEach prompt is answered num_generations times, each answer is paid its score − kl_coef·KL "
      "as a whole and\nmeasured against the mean of the others. There is no value network. Record, "
      "rollouts and clipping are PPO's.\n");
  describe_stage (text, LAUREL_STAGE_RLOO);
}

#define COMMON_OPTIONS                                                                             \
  { "model", "M", "Where it starts: a model's name or a Hugging Face directory", FALSE },          \
      { "output", "NAME", "The name of the model it makes", FALSE },                               \
      { "data", "FILE", "What it learns from", TRUE },                                             \
      { "config", "FILE", "Settings by name, as JSON", FALSE },                                    \
  {                                                                                                \
    "set", "KEY=VALUE", "One setting; wins over --config", TRUE                                    \
  }

static const LaurelCtlOption train_options[] = { COMMON_OPTIONS, { NULL } };

#define PRESET_OPTION                                                                              \
  {                                                                                                \
    "preset", "NAME", "A published set of settings: see “train presets”", FALSE                    \
  }

static const LaurelCtlOption reward_options[] = {
  COMMON_OPTIONS,
  PRESET_OPTION,
  { "labelers", "WHOSE", "Rankings by people, simulated ones or all (all)", FALSE },
  { "labeler", "NAME", "Of these, this labeler's alone; may be given again", TRUE },
  { "seeds", "N", "Train so many and keep the best; the same as --set num_seeds=N", FALSE },
  { NULL }
};

static const LaurelCtlOption sft_options[] = {
  COMMON_OPTIONS,
  { "labelers", "WHOSE", "With --chosen: rankings by people, simulated ones or all (all)", FALSE },
  { "labeler", "NAME", "Of these, this labeler's alone; may be given again", TRUE },
  { "chosen", NULL, "Learn from the best completion of each ranking", FALSE },
  { NULL }
};

static const LaurelCtlOption ppo_options[] = {
  COMMON_OPTIONS,
  PRESET_OPTION,
  { "reward-model", "M", "The reward model; without it the project's newest", FALSE },
  { "gold", "JUDGE", "A judge's file or a reward model that judges held-out answers", FALSE },
  { "ptx-data", "FILE", "What it learns beside, with ptx_coef", TRUE },
  { NULL }
};

static const LaurelCtlOption mask_options[] = {
  { "model", "M", "Whose tokenizer and template: a model's name or a directory", FALSE },
  { "data", "FILE", "What it would learn from; without it the project's demonstrations", TRUE },
  { "row", "N", "The first row that is shown (1)", FALSE },
  { "rows", "N", "How many are shown; 0 is all (1)", FALSE },
  { "set", "KEY=VALUE", "One setting of train sft: max_length", TRUE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "pretrain", "[FILE…]", 0, -1, train_options, "Train on plain text", run_pretrain,
    help_pretrain },
  { "sft", "[FILE…]", 0, -1, sft_options, "Fine-tune on prompts and completions", run_sft,
    help_sft },
  { "reward", "[FILE…]", 0, -1, reward_options, "Train a reward model on rankings", run_reward,
    help_reward },
  { "ppo", "[FILE…]", 0, -1, ppo_options, "Tune a policy against a reward model", run_ppo,
    help_ppo },
  { "dpo", "[FILE…]", 0, -1, reward_options, "Tune a policy on rankings, without a reward model",
    run_dpo, help_dpo },
  { "rloo", "[FILE…]", 0, -1, ppo_options, "Tune it without a value network, completions compared",
    run_rloo, help_rloo },
  { "mask", "[FILE…]", 0, -1, mask_options,
    "Show token by token what fine-tuning would learn from", run_mask },
  { "presets", "[NAME]", 0, 1, NULL,
    "List published sets of settings, or show one with its sources", run_presets },
  { "resume", "RUN", 1, 1, NULL, "Go on with a run from its last checkpoint", run_resume },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_train = {
  "train", "Training: pretrain, sft, reward, ppo, dpo, rloo, mask, presets, resume", verbs
};
