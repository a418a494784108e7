/* test-presets.c: published settings are settings that a run can have.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/train/presets.h"

#include <string.h>

static void
test_valid (void)
{
  int n;
  const LaurelPreset *presets = laurel_presets (&n);

  g_assert_cmpint (n, >=, 10);
  for (int i = 0; i < n; i++) {
    LaurelHyperparameters hp;
    g_autoptr (GError) error = NULL;

    laurel_hyperparameters_init (&hp, presets[i].stage);
    g_assert_true (laurel_preset_apply (&presets[i], &hp, &error));
    g_assert_no_error (error);
    g_assert_true (laurel_hyperparameters_validate (&hp, presets[i].stage, &error));
    g_assert_no_error (error);
    g_assert_true (laurel_preset_find (presets[i].stage, presets[i].name, NULL) == &presets[i]);
    for (int v = 0; v < presets[i].n_values; v++) {
      const LaurelPresetValue *value = &presets[i].values[v];

      g_assert_cmpint ((int) strlen (value->source), >, 0);
      /* None is named twice. */
      g_assert_true (laurel_preset_get (&presets[i], value->key) == value);
    }
  }
}

static void
test_over_defaults (void)
{
  const LaurelPreset *preset = laurel_preset_find (LAUREL_STAGE_PPO, "ziegler", NULL);
  LaurelHyperparameters hp, defaults;

  laurel_hyperparameters_init (&defaults, LAUREL_STAGE_PPO);
  hp = defaults;
  g_assert_true (laurel_preset_apply (preset, &hp, NULL));
  g_assert_cmpfloat (hp.target_kl, ==, 6);
  g_assert_true (hp.vf_share_layers);
  g_assert_cmpint (hp.response_length, ==, defaults.response_length);
  g_assert_null (laurel_preset_get (preset, "response_length"));
}

static void
test_unknown (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (laurel_preset_find (LAUREL_STAGE_PPO, "stienon", &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "stiennon"));
  g_clear_error (&error);
  g_assert_null (laurel_preset_find (LAUREL_STAGE_SFT, "starter", &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

/* The preset “starter” and the starter's recipe make the same settings, but for the seed. */
static void
test_recipe (gconstpointer data)
{
  LaurelStage stage = GPOINTER_TO_INT (data);
  g_autofree char *file = g_strdup_printf ("%s.json", laurel_stage_name (stage));
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "..", "data", "starter", "recipe", file, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) recipe = laurel_json_load (path, &error);
  LaurelHyperparameters by_preset, by_recipe;
  int n;
  const LaurelSetting *settings = laurel_settings (&n);

  g_assert_no_error (error);
  laurel_hyperparameters_init (&by_preset, stage);
  laurel_hyperparameters_init (&by_recipe, stage);
  g_assert_true (
      laurel_preset_apply (laurel_preset_find (stage, "starter", NULL), &by_preset, NULL));
  g_assert_true (laurel_hyperparameters_from_json (&by_recipe, stage,
                                                   json_node_get_object (recipe), &error));
  g_assert_no_error (error);
  by_preset.seed = by_recipe.seed;
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat (laurel_hyperparameters_get (&by_preset, &settings[i]), ==,
                       laurel_hyperparameters_get (&by_recipe, &settings[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/presets/valid", test_valid);
  g_test_add_func ("/train/presets/over-defaults", test_over_defaults);
  g_test_add_func ("/train/presets/unknown", test_unknown);
  g_test_add_data_func ("/train/presets/recipe/ppo", GINT_TO_POINTER (LAUREL_STAGE_PPO),
                        test_recipe);
  g_test_add_data_func ("/train/presets/recipe/reward", GINT_TO_POINTER (LAUREL_STAGE_REWARD),
                        test_recipe);
  return g_test_run ();
}
