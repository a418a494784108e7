/* import.c: rankings from a file, their completions in the tokens of the project's own model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/project.h"

#include "core/text/template.h"

typedef struct {
  LaurelTokenizer *tokenizer;
  LaurelTemplate *chat_template;
} Encoder;

static void
encoder_clear (Encoder *self)
{
  g_clear_pointer (&self->tokenizer, laurel_tokenizer_unref);
  g_clear_pointer (&self->chat_template, laurel_template_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Encoder, encoder_clear)

static gboolean
encode (const char *text, GArray *ids, gpointer user_data, GError **error)
{
  const Encoder *self = user_data;

  return laurel_template_encode_completion (self->chat_template, self->tokenizer, text, ids, error);
}

/* The model whose tokens count: the newest that answers, else the newest of all. */
static const LaurelModelRecord *
choose_model (GPtrArray *models)
{
  const LaurelModelRecord *chosen = NULL;

  for (guint i = 0; i < models->len; i++) {
    const LaurelModelRecord *model = models->pdata[i];
    gboolean is_sft = g_str_equal (model->kind, "sft");
    gboolean was_sft = chosen != NULL && g_str_equal (chosen->kind, "sft");

    if (chosen == NULL || is_sft > was_sft
        || (is_sft == was_sft && model->created >= chosen->created))
      chosen = model;
  }
  return chosen;
}

static gboolean
encoder_init (Encoder *self, LaurelProject *project, const char *model, GError **error)
{
  g_autofree char *folder = laurel_project_resolve_model (project, model, error);

  if (folder == NULL)
    return FALSE;
  self->tokenizer = laurel_tokenizer_load (folder, error);
  self->chat_template = self->tokenizer != NULL ? laurel_template_load (folder, error) : NULL;
  return self->chat_template != NULL;
}

LaurelImportResult *
laurel_project_import_rankings (LaurelProject *self, const char *path, GError **error)
{
  LaurelStore *store = laurel_project_get_store (self);
  g_autoptr (GPtrArray) models = laurel_store_list_models (store, error);
  const LaurelModelRecord *model;
  g_auto (Encoder) encoder = { NULL, NULL };

  if (models == NULL)
    return NULL;
  model = choose_model (models);
  if (model == NULL)
    return laurel_import_rankings (store, path, NULL, NULL, error);
  if (!encoder_init (&encoder, self, model->name, error))
    return NULL;
  return laurel_import_rankings (store, path, encode, &encoder, error);
}
