/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/best.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "best-"
#define TEMPORARY "best.new"

void
laurel_best_clear (LaurelBest *self)
{
  g_clear_pointer (&self->scores, g_array_unref);
  self->step = -1;
}

/* The steps that have a folder (element-type int), in no order. */
static GArray *
list_steps (const char *folder)
{
  GArray *steps = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    guint64 step;

    if (g_str_has_prefix (name, PREFIX)
        && g_ascii_string_to_unsigned (name + strlen (PREFIX), 10, 0, G_MAXINT, &step, NULL)) {
      int number = (int) step;

      g_array_append_val (steps, number);
    }
  }
  return steps;
}

static char *
name_folder (const char *folder, int step)
{
  g_autofree char *name = g_strdup_printf (PREFIX "%06d", step);

  return g_build_filename (folder, name, NULL);
}

/* The newest of @steps up to @max_step, −1: none. */
static int
find_newest (const GArray *steps, int max_step)
{
  int newest = -1;

  for (guint i = 0; i < steps->len; i++) {
    int step = g_array_index (steps, int, i);

    if (step <= max_step)
      newest = MAX (newest, step);
  }
  return newest;
}

static gboolean
read_scores (const char *path, LaurelBest *out)
{
  g_autoptr (JsonNode) node = laurel_json_load (path, NULL);
  JsonObject *object;
  JsonArray *scores;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;
  object = json_node_get_object (node);
  if (!json_object_has_member (object, "scores")
      || !JSON_NODE_HOLDS_ARRAY (json_object_get_member (object, "scores"))
      || !laurel_json_get_double (object, path, "gold", &out->gold, NULL))
    return FALSE;
  scores = json_object_get_array_member (object, "scores");
  out->scores = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < json_array_get_length (scores); i++) {
    double score = json_array_get_double_element (scores, i);

    g_array_append_val (out->scores, score);
  }
  return TRUE;
}

void
laurel_best_find (const char *folder, int max_step, LaurelBest *out)
{
  g_autoptr (GArray) steps = list_steps (folder);
  int newest = find_newest (steps, max_step);
  g_autofree char *model = name_folder (folder, MAX (newest, 0));
  g_autofree char *path = g_build_filename (model, "gold.json", NULL);

  *out = (LaurelBest) { .step = -1 };
  if (newest >= 0 && read_scores (path, out))
    out->step = newest;
}

char *
laurel_best_get_model (const LaurelBest *self, const char *folder)
{
  return name_folder (folder, self->step);
}

static gboolean
write_scores (const LaurelBest *self, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "gold.json", NULL);
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_alloc ();
  JsonArray *scores = json_array_new ();
  g_autofree char *text = NULL;

  for (guint i = 0; i < self->scores->len; i++)
    json_array_add_double_element (scores, g_array_index (self->scores, double, i));
  json_object_set_int_member (object, "step", self->step);
  json_object_set_double_member (object, "gold", self->gold);
  json_object_set_array_member (object, "scores", scores);
  json_node_init_object (node, object);
  text = laurel_json_to_string (node, FALSE);
  return laurel_file_write (path, text, strlen (text), error);
}

static void
remove_steps (const char *folder, int from, int to)
{
  g_autoptr (GArray) steps = list_steps (folder);

  for (guint i = 0; i < steps->len; i++) {
    int step = g_array_index (steps, int, i);
    g_autofree char *path = name_folder (folder, step);

    if (step >= from && step <= to)
      (void) laurel_file_remove_tree (path, NULL);
  }
}

gboolean
laurel_best_save (const LaurelBest *self,
                  const LaurelModel *model,
                  const char *folder,
                  int checkpoint_step,
                  GError **error)
{
  g_autofree char *temporary = g_build_filename (folder, TEMPORARY, NULL);
  g_autofree char *path = name_folder (folder, self->step);
  g_autoptr (GArray) steps = NULL;

  if (g_file_test (temporary, G_FILE_TEST_EXISTS)
      && !laurel_file_remove_tree (temporary, error))
    return FALSE;
  if (!laurel_file_make_directory (temporary, error)
      || !laurel_model_save (model, temporary, LAUREL_DTYPE_F32, error)
      || !write_scores (self, temporary, error))
    return FALSE;
  if (g_file_test (path, G_FILE_TEST_EXISTS) && !laurel_file_remove_tree (path, error))
    return FALSE;
  if (g_rename (temporary, path) != 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
                 "Could not write “%s”: %s; check the folder's permissions", path,
                 g_strerror (errno));
    return FALSE;
  }
  steps = list_steps (folder);
  remove_steps (folder, 0, find_newest (steps, checkpoint_step) - 1);
  return TRUE;
}

void
laurel_best_forget (const char *folder, int step)
{
  remove_steps (folder, step + 1, G_MAXINT);
}
