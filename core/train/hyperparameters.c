/* hyperparameters.c: reading, writing and checking settings by the one table.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/hyperparameters.h"

#include "core/base/error.h"
#include "core/train/settings_table.h"

#include <errno.h>
#include <math.h>
#include <string.h>

const char *
laurel_stage_name (LaurelStage stage)
{
  static const char *const names[LAUREL_N_STAGES] = { "pretrain", "sft", "reward",
                                                       "ppo",      "dpo", "rloo" };

  g_return_val_if_fail ((int) stage >= 0 && stage < LAUREL_N_STAGES, NULL);
  return names[stage];
}

gboolean
laurel_stage_is_online (LaurelStage stage)
{
  return stage == LAUREL_STAGE_PPO || stage == LAUREL_STAGE_RLOO;
}

gboolean
laurel_stage_takes_rankings (LaurelStage stage)
{
  return stage == LAUREL_STAGE_REWARD || stage == LAUREL_STAGE_DPO;
}

const LaurelSetting *
laurel_settings (int *out_n)
{
  *out_n = laurel_n_settings;
  return laurel_settings_table;
}

const LaurelSetting *
laurel_setting_find (const char *key)
{
  for (int i = 0; i < laurel_n_settings; i++)
    if (g_str_equal (laurel_settings_table[i].key, key))
      return &laurel_settings_table[i];
  return NULL;
}

double
laurel_hyperparameters_get (const LaurelHyperparameters *self, const LaurelSetting *setting)
{
  const char *field = (const char *) self + setting->offset;

  switch (setting->type) {
  case LAUREL_SETTING_INT: return *(const int *) field;
  case LAUREL_SETTING_INT64: return (double) *(const gint64 *) field;
  case LAUREL_SETTING_DOUBLE: return *(const double *) field;
  case LAUREL_SETTING_BOOLEAN: return *(const gboolean *) field;
  case LAUREL_SETTING_CHOICE: return *(const guint *) field;
  }
  g_return_val_if_reached (0);
}

static void
store (LaurelHyperparameters *self, const LaurelSetting *setting, double value)
{
  char *field = (char *) self + setting->offset;

  switch (setting->type) {
  case LAUREL_SETTING_INT: *(int *) field = (int) value; break;
  case LAUREL_SETTING_INT64: *(gint64 *) field = (gint64) value; break;
  case LAUREL_SETTING_DOUBLE: *(double *) field = value; break;
  case LAUREL_SETTING_BOOLEAN: *(gboolean *) field = value != 0; break;
  case LAUREL_SETTING_CHOICE: *(guint *) field = (guint) value; break;
  }
}

void
laurel_hyperparameters_init (LaurelHyperparameters *self, LaurelStage stage)
{
  g_return_if_fail ((int) stage >= 0 && stage < LAUREL_N_STAGES);

  memset (self, 0, sizeof *self);
  for (int i = 0; i < laurel_n_settings; i++)
    store (self, &laurel_settings_table[i], laurel_settings_table[i].defaults[stage]);
}

char *
laurel_setting_format (const LaurelSetting *setting, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  switch (setting->type) {
  case LAUREL_SETTING_INT:
  case LAUREL_SETTING_INT64:
    return g_strdup_printf ("%.0f", value);
  case LAUREL_SETTING_BOOLEAN:
    return g_strdup (value != 0 ? "true" : "false");
  case LAUREL_SETTING_CHOICE:
    return g_strdup (setting->choices[(int) value]);
  case LAUREL_SETTING_DOUBLE:
    break;
  }
  /* The shortest of the usual precisions that reads back as the same number. */
  for (int digits = 6; digits < 17; digits++) {
    char format[8];

    g_snprintf (format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd (buffer, sizeof buffer, format, value);
    if (g_ascii_strtod (buffer, NULL) == value)
      return g_strdup (buffer);
  }
  return g_strdup (g_ascii_dtostr (buffer, sizeof buffer, value));
}

/* What @setting takes, in words: “a whole number from 1 to 64”. */
static char *
describe_range (const LaurelSetting *setting)
{
  g_autofree char *min = NULL;
  g_autofree char *max = NULL;

  if (setting->type == LAUREL_SETTING_BOOLEAN)
    return g_strdup ("true or false");
  if (setting->type == LAUREL_SETTING_CHOICE) {
    g_autofree char *names = g_strjoinv (", ", (char **) setting->choices);

    return g_strdup_printf ("one of %s", names);
  }
  min = laurel_setting_format (setting, setting->min);
  max = laurel_setting_format (setting, setting->max);
  return g_strdup_printf ("a %snumber from %s to %s",
                          setting->type == LAUREL_SETTING_DOUBLE ? "" : "whole ", min, max);
}

static gboolean
refuse_value (const LaurelSetting *setting, const char *value, GError **error)
{
  g_autofree char *range = describe_range (setting);

  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not set “%s”: “%s” is out of its range; give %s", setting->key, value, range);
  return FALSE;
}

/* Levenshtein distance of two short names. */
static int
edit_distance (const char *a, const char *b)
{
  int n_b = (int) strlen (b);
  g_autofree int *row = g_new (int, n_b + 1);

  for (int j = 0; j <= n_b; j++)
    row[j] = j;
  for (int i = 1; a[i - 1] != '\0'; i++) {
    int diagonal = row[0];

    row[0] = i;
    for (int j = 1; j <= n_b; j++) {
      int changed = diagonal + (a[i - 1] != b[j - 1]);

      diagonal = row[j];
      row[j] = MIN (changed, MIN (row[j], row[j - 1]) + 1);
    }
  }
  return row[n_b];
}

static const char *
find_nearest (const char *key, LaurelStage stage)
{
  const char *nearest = NULL;
  int best = G_MAXINT;

  for (int i = 0; i < laurel_n_settings; i++) {
    const LaurelSetting *setting = &laurel_settings_table[i];
    int distance;

    if ((setting->stages & (1u << stage)) == 0)
      continue;
    distance = edit_distance (key, setting->key);
    if (distance < best) {
      best = distance;
      nearest = setting->key;
    }
  }
  return nearest;
}

/* Why @stage has no @key, where there is more to say than that; else NULL. */
static const char *
find_refusal (const char *key, LaurelStage stage)
{
  for (const LaurelRefusedSetting *refused = laurel_refused_settings; refused->key != NULL;
       refused++)
    if ((refused->stages & (1u << stage)) != 0 && g_str_equal (refused->key, key))
      return refused->why;
  return NULL;
}

static const LaurelSetting *
find_for_stage (const char *key, LaurelStage stage, GError **error)
{
  const LaurelSetting *setting = laurel_setting_find (key);
  const char *refusal = find_refusal (key, stage);

  if (refusal != NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT, "Could not set “%s”: %s", key,
                 refusal);
    return NULL;
  }
  if (setting == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not set “%s”: there is no such setting; did you mean “%s”", key,
                 find_nearest (key, stage));
    return NULL;
  }
  if ((setting->stages & (1u << stage)) == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not set “%s”: the stage “%s” has no such setting; leave it out", key,
                 laurel_stage_name (stage));
    return NULL;
  }
  return setting;
}

static gboolean
is_in_range (const LaurelSetting *setting, double value)
{
  if (!isfinite (value) || value < setting->min || value > setting->max)
    return FALSE;
  return setting->type == LAUREL_SETTING_DOUBLE || value == floor (value);
}

static gboolean
parse_choice (const LaurelSetting *setting, const char *text, double *out)
{
  for (int i = 0; setting->choices[i] != NULL; i++) {
    if (g_str_equal (setting->choices[i], text)) {
      *out = i;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
parse_value (const LaurelSetting *setting, const char *text, double *out)
{
  char *end;

  switch (setting->type) {
  case LAUREL_SETTING_CHOICE:
    return parse_choice (setting, text, out);
  case LAUREL_SETTING_BOOLEAN:
    *out = g_str_equal (text, "true") || g_str_equal (text, "1");
    return *out != 0 || g_str_equal (text, "false") || g_str_equal (text, "0");
  default:
    break;
  }
  errno = 0;
  *out = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && errno == 0;
}

gboolean
laurel_hyperparameters_set (LaurelHyperparameters *self,
                            LaurelStage stage,
                            const char *key,
                            const char *value,
                            GError **error)
{
  const LaurelSetting *setting = find_for_stage (key, stage, error);
  double number;

  if (setting == NULL)
    return FALSE;
  if (!parse_value (setting, value, &number) || !is_in_range (setting, number))
    return refuse_value (setting, value, error);
  store (self, setting, number);
  return TRUE;
}

gboolean
laurel_hyperparameters_validate (const LaurelHyperparameters *self,
                                 LaurelStage stage,
                                 GError **error)
{
  for (int i = 0; i < laurel_n_settings; i++) {
    const LaurelSetting *setting = &laurel_settings_table[i];
    double value = laurel_hyperparameters_get (self, setting);

    if ((setting->stages & (1u << stage)) != 0 && !is_in_range (setting, value)) {
      char text[G_ASCII_DTOSTR_BUF_SIZE];

      return refuse_value (setting, g_ascii_dtostr (text, sizeof text, value), error);
    }
  }
  if (laurel_stage_is_online (stage) && self->batch_size < self->num_mini_batches) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not use “num_mini_batches” %d: a batch has only %d rollouts; "
                 "give at most as many mini-batches as rollouts",
                 self->num_mini_batches, self->batch_size);
    return FALSE;
  }
  if (stage == LAUREL_STAGE_DPO && self->loss_type == LAUREL_DPO_IPO
      && self->label_smoothing > 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not use “label_smoothing” %g: loss_type ipo knows none; set it to 0 or "
                 "take loss_type sigmoid",
                 self->label_smoothing);
    return FALSE;
  }
  if (stage == LAUREL_STAGE_RLOO && self->batch_size % self->num_generations != 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not use “num_generations” %d: a batch of %d rollouts is no whole number of "
                 "prompts; give a divisor of batch_size",
                 self->num_generations, self->batch_size);
    return FALSE;
  }
  return TRUE;
}

JsonNode *
laurel_hyperparameters_to_json (const LaurelHyperparameters *self, LaurelStage stage)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  for (int i = 0; i < laurel_n_settings; i++) {
    const LaurelSetting *setting = &laurel_settings_table[i];
    double value = laurel_hyperparameters_get (self, setting);

    if ((setting->stages & (1u << stage)) == 0)
      continue;
    switch (setting->type) {
    case LAUREL_SETTING_INT:
    case LAUREL_SETTING_INT64:
      json_object_set_int_member (object, setting->key, (gint64) value);
      break;
    case LAUREL_SETTING_DOUBLE:
      json_object_set_double_member (object, setting->key, value);
      break;
    case LAUREL_SETTING_BOOLEAN:
      json_object_set_boolean_member (object, setting->key, value != 0);
      break;
    case LAUREL_SETTING_CHOICE:
      json_object_set_string_member (object, setting->key, setting->choices[(int) value]);
      break;
    }
  }
  json_node_set_object (node, object);
  return node;
}

/* The member as the text that laurel_hyperparameters_set() reads, or NULL when it is no plain
 * value. */
static char *
member_to_text (JsonNode *node)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (!JSON_NODE_HOLDS_VALUE (node))
    return NULL;
  switch (json_node_get_value_type (node)) {
  case G_TYPE_INT64: return g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (node));
  case G_TYPE_DOUBLE:
    return g_strdup (g_ascii_dtostr (buffer, sizeof buffer, json_node_get_double (node)));
  case G_TYPE_BOOLEAN: return g_strdup (json_node_get_boolean (node) ? "true" : "false");
  case G_TYPE_STRING: return json_node_dup_string (node);
  default: return NULL;
  }
}

gboolean
laurel_hyperparameters_from_json (LaurelHyperparameters *self,
                                  LaurelStage stage,
                                  JsonObject *object,
                                  GError **error)
{
  LaurelHyperparameters read = *self;
  JsonObjectIter iter;
  const char *key;
  JsonNode *node;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &key, &node)) {
    const LaurelSetting *setting = find_for_stage (key, stage, error);
    g_autofree char *text = member_to_text (node);

    if (setting == NULL)
      return FALSE;
    if (text == NULL)
      return refuse_value (setting, "null, an array or an object", error);
    if (!laurel_hyperparameters_set (&read, stage, key, text, error))
      return FALSE;
  }
  *self = read;
  return TRUE;
}
