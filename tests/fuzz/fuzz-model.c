/* fuzz-model.c: a model's folder: config.json, model.safetensors.index.json if it is not empty,
 * and the weights; with an index these are model-1.safetensors, or else model.safetensors.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/model/model.h"

#define ONE "model.safetensors"
#define SHARD "model-1.safetensors"

const FuzzFormat fuzz_format = { NULL, NULL };

static void
check_again (const LaurelModel *model)
{
  g_autofree char *dir = g_build_filename (fuzz_folder (), "again", NULL);
  g_autoptr (LaurelModel) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = laurel_model_hash_weights (model);
  g_autofree char *hash_again = NULL;

  laurel_model_save (model, dir, LAUREL_DTYPE_F32, &error);
  g_assert_no_error (error);
  again = laurel_model_load (dir, &error);
  g_assert_no_error (error);
  hash_again = laurel_model_hash_weights (again);
  g_assert_cmpstr (hash_again, ==, hash);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (LaurelModel) model = NULL;
  g_autoptr (GError) error = NULL;
  FuzzPart parts[3];

  fuzz_split (data, size, parts, G_N_ELEMENTS (parts));
  fuzz_write ("config.json", parts[0].bytes, parts[0].length);
  fuzz_remove (ONE);
  if (parts[1].length > 0)
    fuzz_write ("model.safetensors.index.json", parts[1].bytes, parts[1].length);
  fuzz_write (parts[1].length > 0 ? SHARD : ONE, parts[2].bytes, parts[2].length);
  model = laurel_model_load (fuzz_folder (), &error);
  fuzz_check (model != NULL, error);
  if (model != NULL)
    check_again (model);
  return 0;
}
