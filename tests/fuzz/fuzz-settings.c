/* fuzz-settings.c: a file of hyper-parameters, for every stage.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/base/json.h"
#include "core/train/hyperparameters.h"

const FuzzFormat fuzz_format = { NULL, NULL };

/* What is written reads back as the same settings, in the same words. */
static void
check_again (const LaurelHyperparameters *settings, LaurelStage stage)
{
  g_autoptr (JsonNode) node = laurel_hyperparameters_to_json (settings, stage);
  g_autofree char *text = laurel_json_to_string (node, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) parsed = laurel_json_parse (text, "settings", &error);
  g_autoptr (JsonNode) second = NULL;
  g_autofree char *again = NULL;
  LaurelHyperparameters read;

  g_assert_no_error (error);
  laurel_hyperparameters_init (&read, stage);
  laurel_hyperparameters_from_json (&read, stage, json_node_get_object (parsed), &error);
  g_assert_no_error (error);
  second = laurel_hyperparameters_to_json (&read, stage);
  again = laurel_json_to_string (second, FALSE);
  g_assert_cmpstr (again, ==, text);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  const char *path = fuzz_write ("settings.json", data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = laurel_json_load (path, &error);

  fuzz_check (node != NULL, error);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return 0;
  for (int stage = 0; stage < LAUREL_N_STAGES; stage++) {
    g_autoptr (GError) refused = NULL;
    g_autoptr (GError) invalid = NULL;
    LaurelHyperparameters settings;
    gboolean read;

    laurel_hyperparameters_init (&settings, stage);
    read = laurel_hyperparameters_from_json (&settings, stage, json_node_get_object (node),
                                             &refused);
    fuzz_check (read, refused);
    read = laurel_hyperparameters_validate (&settings, stage, &invalid);
    fuzz_check (read, invalid);
    check_again (&settings, stage);
  }
  return 0;
}
