/* data_files.c: what tells a file of training data from any other, for snapshots.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/project/data.h"

static gboolean
check_file (LaurelStage stage, const char *path, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;

  if (stage == LAUREL_STAGE_PRETRAIN)
    return laurel_data_check_pretrain (path, error);
  rows = laurel_data_read_rows (stage, path, error);
  return rows != NULL;
}

/* A token file says itself what it is, and is not read twice for it. */
static char *
identify_file (LaurelStage stage, const char *path, gboolean *out_is_tokens, GError **error)
{
  *out_is_tokens = stage == LAUREL_STAGE_PRETRAIN && laurel_data_is_token_file (path);
  if (*out_is_tokens)
    return laurel_data_identify_token_file (path, error);
  return check_file (stage, path, error) ? laurel_file_sha256 (path, error) : NULL;
}

JsonObject *
laurel_data_fix_file (LaurelStage stage, const char *file, GError **error)
{
  g_autofree char *path = g_canonicalize_filename (file, NULL);
  gboolean is_tokens;
  g_autofree char *identity = identify_file (stage, path, &is_tokens, error);
  JsonObject *object;

  if (identity == NULL)
    return NULL;
  object = json_object_new ();
  json_object_set_string_member (object, "path", path);
  json_object_set_string_member (object, is_tokens ? "checksum" : "sha256", identity);
  return object;
}
