/* fuzz-config.c: config.json of a model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/base/json.h"
#include "core/model/model.h"

const FuzzFormat fuzz_format = { NULL, NULL };

/* What a small input may make us allocate. */
#define MAX_FLOATS (1u << 20)

static void
check_layout (const LaurelModelConfig *config)
{
  LaurelLayout *layout = laurel_layout_new (config);
  gsize offset = 0;

  for (int i = 0; i < layout->n_tensors; i++) {
    const LaurelTensor *tensor = &layout->tensors[i];

    g_assert_cmpuint (tensor->offset, >=, offset);
    g_assert_cmpuint (tensor->n, ==, (gsize) tensor->rows * (gsize) tensor->columns);
    offset = tensor->offset + tensor->n;
  }
  g_assert_cmpuint (offset, <=, layout->n_floats);
  if (layout->n_floats <= MAX_FLOATS) {
    g_autoptr (LaurelModel) model = laurel_model_new (config, NULL, NULL, 0, NULL);

    g_assert_nonnull (model);
  }
  laurel_layout_unref (layout);
}

/* What is written reads back as the same configuration, in the same words. */
static void
check_again (const LaurelModelConfig *config)
{
  g_autoptr (JsonNode) node = laurel_model_config_to_json (config);
  g_autofree char *text = laurel_json_to_string (node, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) parsed = laurel_json_parse (text, "config.json", &error);
  g_autoptr (JsonNode) second = NULL;
  g_autofree char *again = NULL;
  LaurelModelConfig read;

  g_assert_no_error (error);
  laurel_model_config_from_json (&read, json_node_get_object (parsed), "config.json", &error);
  g_assert_no_error (error);
  second = laurel_model_config_to_json (&read);
  again = laurel_json_to_string (second, FALSE);
  g_assert_cmpstr (again, ==, text);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  LaurelModelConfig config;
  gboolean read;

  fuzz_write ("config.json", data, size);
  read = laurel_model_load_config (fuzz_folder (), &config, &error);
  fuzz_check (read, error);
  if (read) {
    check_layout (&config);
    check_again (&config);
  }
  return 0;
}
