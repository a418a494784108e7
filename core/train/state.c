/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/state.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A copy of more than this is cheaper on the disk than in memory, beside what a step of such models
 * takes. */
#define MAX_KEPT_IN_MEMORY ((gsize) 256 << 20)

/* What a step changes. */
static int
list_step_blocks (const LaurelTrainState *self, LaurelBlock blocks[LAUREL_STATE_MAX_BLOCKS])
{
  gsize n = self->model->layout->n_floats;
  gsize n_value;

  blocks[0] = (LaurelBlock) { "model", self->model->weights, n };
  blocks[1] = (LaurelBlock) { "model.m", self->optimizer->m, n };
  blocks[2] = (LaurelBlock) { "model.v", self->optimizer->v, n };
  if (self->value == NULL)
    return 3;
  n_value = self->value->layout->n_floats;
  blocks[3] = (LaurelBlock) { "value", self->value->weights, n_value };
  blocks[4] = (LaurelBlock) { "value.m", self->value_optimizer->m, n_value };
  blocks[5] = (LaurelBlock) { "value.v", self->value_optimizer->v, n_value };
  return 6;
}

/* The blocks in the order of the file. */
static int
list_blocks (const LaurelTrainState *self, LaurelBlock blocks[LAUREL_STATE_MAX_BLOCKS])
{
  int n = list_step_blocks (self, blocks);

  if (self->average != NULL)
    blocks[n++] = (LaurelBlock) { "average", self->average, self->model->layout->n_floats };
  return n;
}

void
laurel_train_state_clear (LaurelTrainState *self)
{
  if (self->writer != NULL)
    (void) laurel_checkpoint_finish (g_steal_pointer (&self->writer), NULL);
  g_clear_pointer (&self->fingerprint, g_free);
  g_clear_pointer (&self->optimizer, laurel_optimizer_free);
  g_clear_pointer (&self->value_optimizer, laurel_optimizer_free);
  g_clear_pointer (&self->average, laurel_free_aligned);
  for (int i = 0; i < LAUREL_STATE_MAX_BLOCKS; i++)
    g_clear_pointer (&self->kept[i], laurel_free_aligned);
  if (self->kept_file != 0)
    close (self->kept_file);
  self->kept_file = 0;
}

GChecksum *
laurel_train_state_start_fingerprint (LaurelStage stage,
                                      const LaurelHyperparameters *hp,
                                      const LaurelModel *model)
{
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (JsonNode) settings = laurel_hyperparameters_to_json (hp, stage);
  g_autofree char *text = laurel_json_to_string (settings, FALSE);
  g_autofree char *weights = laurel_model_hash_weights (model);

  g_checksum_update (checksum, (const guchar *) laurel_stage_name (stage), -1);
  g_checksum_update (checksum, (const guchar *) text, -1);
  g_checksum_update (checksum, (const guchar *) weights, -1);
  return checksum;
}

static gboolean
read_gap (LaurelKlGap *self, JsonObject *state, const char *path, GError **error)
{
  return laurel_json_get_double (state, path, "kl_gap_n", &self->n, error)
         && laurel_json_get_double (state, path, "kl_gap_sum", &self->sum, error)
         && laurel_json_get_double (state, path, "kl_gap_squares", &self->squares, error)
         && laurel_json_get_double (state, path, "kl_gap_exact", &self->exact, error);
}

static gboolean
apply_state (LaurelTrainState *self, JsonObject *state, const char *path, GError **error)
{
  gint64 step = -1, adam = -1, value_adam = 0;

  if (!laurel_json_get_int (state, path, "step", 0, G_MAXINT, &step, error)
      || !laurel_json_get_int (state, path, "adam_steps", 0, G_MAXINT64, &adam, error)
      || !laurel_json_get_int (state, path, "value_adam_steps", 0, G_MAXINT64, &value_adam, error)
      || !laurel_json_get_double (state, path, "kl_coef", &self->kl_coef, error)
      || !read_gap (&self->kl_gap, state, path, error))
    return FALSE;
  if (step < 0 || adam < 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read the checkpoint “%s”: it does not say its step; remove it and "
                 "resume, and the run starts from its beginning",
                 path);
    return FALSE;
  }
  self->step = (int) step;
  self->saved_step = self->step;
  self->ended = json_object_get_boolean_member_with_default (state, "ended", FALSE);
  self->optimizer->n_steps = adam;
  if (self->value_optimizer != NULL)
    self->value_optimizer->n_steps = value_adam;
  return TRUE;
}

gboolean
laurel_train_state_resume (LaurelTrainState *self, GError **error)
{
  LaurelBlock blocks[LAUREL_STATE_MAX_BLOCKS];
  g_autoptr (JsonObject) state = NULL;
  g_autofree char *path = NULL;
  int n_blocks = list_blocks (self, blocks);

  self->saved_step = -1;
  if (self->monitor == NULL || self->monitor->checkpoint_dir == NULL)
    return TRUE;
  path = g_build_filename (self->monitor->checkpoint_dir, LAUREL_CHECKPOINT_NAME, NULL);
  laurel_checkpoint_remove_leftovers (path);
  if (!self->monitor->resume)
    return TRUE;
  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    laurel_monitor_log (self->monitor,
                        "There is no checkpoint yet; the run starts from its beginning.");
    return TRUE;
  }
  state = laurel_checkpoint_read (path, self->fingerprint, blocks, n_blocks, error);
  if (state == NULL || !apply_state (self, state, path, error))
    return FALSE;
  laurel_monitor_log (self->monitor, "Resumed after step %d.", self->step);
  return TRUE;
}

static JsonObject *
describe_state (const LaurelTrainState *self)
{
  JsonObject *state = json_object_new ();

  json_object_set_string_member (state, "stage", laurel_stage_name (self->stage));
  json_object_set_int_member (state, "step", self->step);
  json_object_set_int_member (state, "adam_steps", self->optimizer->n_steps);
  json_object_set_double_member (state, "kl_coef", self->kl_coef);
  json_object_set_double_member (state, "kl_gap_n", self->kl_gap.n);
  json_object_set_double_member (state, "kl_gap_sum", self->kl_gap.sum);
  json_object_set_double_member (state, "kl_gap_squares", self->kl_gap.squares);
  json_object_set_double_member (state, "kl_gap_exact", self->kl_gap.exact);
  json_object_set_boolean_member (state, "ended", self->ended);
  if (self->value_optimizer != NULL)
    json_object_set_int_member (state, "value_adam_steps", self->value_optimizer->n_steps);
  return state;
}

static gboolean
begin_save (LaurelTrainState *self, GError **error)
{
  LaurelBlock blocks[LAUREL_STATE_MAX_BLOCKS];
  g_autoptr (JsonObject) state = describe_state (self);
  g_autofree char *path = NULL;
  int n_blocks = list_blocks (self, blocks);

  path = g_build_filename (self->monitor->checkpoint_dir, LAUREL_CHECKPOINT_NAME, NULL);
  if (!laurel_file_make_directory (self->monitor->checkpoint_dir, error)
      || !laurel_monitor_sync (self->monitor, error))
    return FALSE;
  self->writer =
      laurel_checkpoint_begin (path, self->fingerprint, state, blocks, n_blocks, error);
  self->writing_step = self->step;
  return self->writer != NULL;
}

static gboolean
finish_save (LaurelTrainState *self, GError **error)
{
  if (!laurel_checkpoint_finish (g_steal_pointer (&self->writer), error))
    return FALSE;
  self->saved_step = self->writing_step;
  return TRUE;
}

static gboolean
has_folder (const LaurelTrainState *self)
{
  return self->monitor != NULL && self->monitor->checkpoint_dir != NULL;
}

static void
report_failure (LaurelTrainState *self, const GError *error)
{
  laurel_monitor_log (self->monitor,
                      "The checkpoint of step %d was not written, training goes on without it. %s.",
                      self->writing_step, error->message);
}

gboolean
laurel_train_state_save (LaurelTrainState *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  self->checkpoint_wanted = FALSE;
  if (self->writer != NULL && !finish_save (self, &local))
    report_failure (self, local);
  if (!has_folder (self) || self->saved_step == self->step)
    return TRUE;
  return begin_save (self, error) && finish_save (self, error);
}

gboolean
laurel_train_state_save_if_due (LaurelTrainState *self, gboolean last, GError **error)
{
  gboolean due = self->save_steps > 0 && self->step % self->save_steps == 0;
  g_autoptr (GError) local = NULL;

  if (last)
    return laurel_train_state_save (self, error);
  self->checkpoint_wanted |= due;
  if (self->writer != NULL && laurel_checkpoint_is_done (self->writer)
      && !finish_save (self, &local))
    report_failure (self, local);
  if (!self->checkpoint_wanted || self->writer != NULL || !has_folder (self))
    return TRUE;
  self->checkpoint_wanted = FALSE;
  g_clear_error (&local);
  if (!begin_save (self, &local))
    report_failure (self, local);
  return TRUE;
}

void
laurel_train_state_interrupted (LaurelTrainState *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (error == NULL || !g_error_matches (*error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED))
    return;
  if (laurel_train_state_save (self, &local))
    return;
  /* That the work since the last checkpoint is lost matters more than that somebody pressed Stop.
   */
  g_clear_error (error);
  g_propagate_error (error, g_steal_pointer (&local));
}

gboolean
laurel_train_state_start_average (LaurelTrainState *self, GError **error)
{
  gsize n_bytes = self->model->layout->n_floats * sizeof (float);

  self->average = laurel_alloc_aligned (n_bytes);
  if (self->average == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not start training: %" G_GSIZE_FORMAT
                 " MiB for the average of the weights are not there; "
                 "set ema_decay to 0 or close other programs",
                 n_bytes >> 20);
    return FALSE;
  }
  memcpy (self->average, self->model->weights, n_bytes);
  return TRUE;
}

/* --- The copy to go back to ----------------------------------------------------------- */

static gsize
count_bytes (const LaurelTrainState *self)
{
  LaurelBlock blocks[LAUREL_STATE_MAX_BLOCKS];
  int n_blocks = list_step_blocks (self, blocks);
  gsize n_bytes = 0;

  for (int i = 0; i < n_blocks; i++)
    n_bytes += blocks[i].n * sizeof (float);
  return n_bytes;
}

gsize
laurel_train_state_reserve_size (gsize n_bytes)
{
  return n_bytes <= MAX_KEPT_IN_MEMORY ? n_bytes : 0;
}

static gboolean
refuse_kept (GError **error, const char *what, gsize n_bytes)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
               "Could not %s: %" G_GSIZE_FORMAT " MiB for a copy of the models: %s; "
               "make room on the disk or use a smaller model",
               what, n_bytes >> 20, g_strerror (errno));
  return FALSE;
}

/* Beside the checkpoints, where a run needs as much room anyway. Its name goes at once, so that
 * nothing is left of it however the program ends. */
static gboolean
reserve_file (LaurelTrainState *self, gsize n_bytes, GError **error)
{
  const char *folder = has_folder (self) ? self->monitor->checkpoint_dir : g_get_tmp_dir ();
  g_autofree char *path = g_build_filename (folder, "kept-XXXXXX", NULL);
  int file;

  if (!laurel_file_make_directory (folder, error))
    return FALSE;
  file = g_mkstemp (path);
  if (file < 0)
    return refuse_kept (error, "start training", n_bytes);
  (void) g_unlink (path);
  self->kept_file = file;
  if (file == 0) { /* which means none; a program without a standard input gets it */
    self->kept_file = MAX (fcntl (file, F_DUPFD_CLOEXEC, 1), 0);
    (void) close (file);
    if (self->kept_file == 0)
      return refuse_kept (error, "start training", n_bytes);
  }
  errno = posix_fallocate (self->kept_file, 0, (off_t) n_bytes);
  return errno == 0 || refuse_kept (error, "start training", n_bytes);
}

gboolean
laurel_train_state_reserve (LaurelTrainState *self, GError **error)
{
  LaurelBlock blocks[LAUREL_STATE_MAX_BLOCKS];
  int n_blocks = list_step_blocks (self, blocks);
  gsize n_bytes = count_bytes (self);

  if (n_bytes > MAX_KEPT_IN_MEMORY)
    return reserve_file (self, n_bytes, error);
  for (int i = 0; i < n_blocks; i++) {
    self->kept[i] = laurel_alloc_aligned (blocks[i].n * sizeof (float));
    if (self->kept[i] == NULL) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                   "Could not start training: %" G_GSIZE_FORMAT
                   " MiB for a copy of “%s” are not there; "
                   "close other programs or use a smaller model",
                   blocks[i].n * sizeof (float) >> 20, blocks[i].name);
      return FALSE;
    }
  }
  return TRUE;
}

/* All of @n_bytes at @offset of the file, there or back; FALSE with errno set. */
static gboolean
move_bytes (int file, gboolean back, char *bytes, gsize n_bytes, off_t offset)
{
  while (n_bytes > 0) {
    gssize n =
        back ? pread (file, bytes, n_bytes, offset) : pwrite (file, bytes, n_bytes, offset);

    if (n == 0)
      errno = EIO;
    if (n == 0 || (n < 0 && errno != EINTR))
      return FALSE;
    n = MAX (n, 0);
    bytes += n;
    offset += n;
    n_bytes -= (gsize) n;
  }
  return TRUE;
}

static gboolean
copy_blocks (LaurelTrainState *self, gboolean back, GError **error)
{
  LaurelBlock blocks[LAUREL_STATE_MAX_BLOCKS];
  int n_blocks = list_step_blocks (self, blocks);
  off_t offset = 0;

  for (int i = 0; i < n_blocks; i++) {
    gsize n_bytes = blocks[i].n * sizeof (float);

    if (self->kept_file == 0)
      memcpy (back ? blocks[i].floats : self->kept[i], back ? self->kept[i] : blocks[i].floats,
              n_bytes);
    else if (!move_bytes (self->kept_file, back, (char *) blocks[i].floats, n_bytes, offset))
      return refuse_kept (error, "go on training", n_bytes);
    offset += (off_t) n_bytes;
  }
  return TRUE;
}

gboolean
laurel_train_state_keep (LaurelTrainState *self, GError **error)
{
  self->kept_steps[0] = self->optimizer->n_steps;
  self->kept_steps[1] = self->value_optimizer != NULL ? self->value_optimizer->n_steps : 0;
  return copy_blocks (self, FALSE, error);
}

gboolean
laurel_train_state_go_back (LaurelTrainState *self, GError **error)
{
  self->optimizer->n_steps = self->kept_steps[0];
  if (self->value_optimizer != NULL)
    self->value_optimizer->n_steps = self->kept_steps[1];
  return copy_blocks (self, TRUE, error);
}
