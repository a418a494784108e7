/* preview.c: fine-tuning data as a run would see it, token by token.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/project/data.h"
#include "core/project/internal.h"

/* What encoding needs of a model: its weights are not loaded for that. */
typedef struct {
  LaurelTokenizer *tokenizer;
  LaurelTemplate *chat_template;
  int max_length;
} Encoder;

static void
encoder_clear (Encoder *self)
{
  g_clear_pointer (&self->tokenizer, laurel_tokenizer_unref);
  g_clear_pointer (&self->chat_template, laurel_template_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Encoder, encoder_clear)

static gboolean
encoder_init (Encoder *self,
              LaurelProject *project,
              const char *model,
              const LaurelHyperparameters *hp,
              GError **error)
{
  g_autofree char *folder = laurel_project_resolve_model (project, model, error);
  LaurelModelConfig config;

  if (folder == NULL || !laurel_model_load_config (folder, &config, error))
    return FALSE;
  self->max_length =
      hp->max_length > 0 ? MIN (hp->max_length, config.n_positions) : config.n_positions;
  self->tokenizer = laurel_tokenizer_load (folder, error);
  self->chat_template = self->tokenizer != NULL ? laurel_template_load (folder, error) : NULL;
  return self->chat_template != NULL;
}

void
laurel_row_preview_free (LaurelRowPreview *self)
{
  if (self == NULL)
    return;
  g_free (self->reason);
  g_free (self->tokens);
  g_free (self->learned);
  g_strfreev (self->labels);
  g_free (self);
}

static LaurelRowPreview *
preview_row (const Encoder *encoder, const LaurelDataRow *row, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) learned = g_array_new (FALSE, FALSE, sizeof (guint8));
  LaurelRowPreview *preview;
  LaurelRowVerdict verdict;

  if (!laurel_data_encode_sft (encoder->chat_template, encoder->tokenizer, row,
                               encoder->max_length, ids, learned, &verdict, error)) {
    g_prefix_error (error, "row %u: ", row->number);
    return NULL;
  }
  preview = g_new0 (LaurelRowPreview, 1);
  preview->row = row->number;
  preview->reason =
      laurel_row_verdict_describe (verdict, row, (int) ids->len, encoder->max_length);
  if (preview->reason == NULL && row->is_to_measure)
    preview->reason = g_strdup ("its prompt is one of the held-out ones, which are to measure on");
  preview->n_tokens = (int) ids->len;
  preview->labels = g_new0 (char *, ids->len + 1);
  for (guint i = 0; i < ids->len; i++) {
    preview->n_learned += g_array_index (learned, guint8, i);
    preview->labels[i] =
        laurel_tokenizer_label (encoder->tokenizer, g_array_index (ids, gint32, i));
  }
  preview->tokens = (gint32 *) (void *) g_array_free (g_steal_pointer (&ids), FALSE);
  preview->learned = (guint8 *) g_array_free (g_steal_pointer (&learned), FALSE);
  return preview;
}

static GPtrArray *
list_demonstrations (LaurelProject *self, GError **error)
{
  g_autoptr (GArray) to_measure =
      laurel_store_list_demonstrations_of_split (self->store, "heldout", error);

  return to_measure != NULL
             ? laurel_data_list_demonstrations (self->store, -1, to_measure, error)
             : NULL;
}

static GPtrArray *
list_rows (LaurelProject *self, char **files, GError **error)
{
  g_autoptr (GPtrArray) all = NULL;

  if (files == NULL || files[0] == NULL)
    return list_demonstrations (self, error);
  all = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_data_row_free);
  for (guint i = 0; files[i] != NULL; i++) {
    GPtrArray *rows = laurel_data_read_rows (LAUREL_STAGE_SFT, files[i], error);

    if (rows == NULL)
      return NULL;
    g_ptr_array_extend_and_steal (all, rows);
  }
  return g_steal_pointer (&all);
}

GPtrArray *
laurel_project_preview_sft (LaurelProject *self,
                            const char *model,
                            char **files,
                            const LaurelHyperparameters *hp,
                            guint first,
                            guint n,
                            GError **error)
{
  g_auto (Encoder) encoder = { 0 };
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (GPtrArray) previews =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_row_preview_free);

  if (!encoder_init (&encoder, self, model, hp, error))
    return NULL;
  rows = list_rows (self, files, error);
  if (rows == NULL)
    return NULL;
  for (guint i = 0; i < rows->len && (n == 0 || previews->len < n); i++) {
    const LaurelDataRow *row = g_ptr_array_index (rows, i);
    LaurelRowPreview *preview;

    if (row->number < first)
      continue;
    preview = preview_row (&encoder, row, error);
    if (preview == NULL)
      return NULL;
    g_ptr_array_add (previews, preview);
  }
  return g_steal_pointer (&previews);
}
