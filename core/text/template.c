/* template.c: chat templates in files, and what they make of prompts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/template.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <string.h>

#define FILE_NAME "chat_template.json"
#define PROMPT_SLOT "{prompt}"
#define COMPLETION_SLOT "{completion}"
#define SYSTEM_SLOT "{system}"

static LaurelTemplate *
template_new (const char *prompt_before, const char *prompt_after, const char *completion_before)
{
  LaurelTemplate *self = g_new0 (LaurelTemplate, 1);

  self->prompt_before = g_strdup (prompt_before);
  self->prompt_after = g_strdup (prompt_after);
  self->completion_before = g_strdup (completion_before);
  return self;
}

LaurelTemplate *
laurel_template_copy (const LaurelTemplate *self)
{
  LaurelTemplate *copy = template_new (self->prompt_before, self->prompt_after,
                                       self->completion_before);

  copy->system_before = g_strdup (self->system_before);
  copy->system_after = g_strdup (self->system_after);
  return copy;
}

void
laurel_template_free (LaurelTemplate *self)
{
  if (self == NULL)
    return;
  g_free (self->prompt_before);
  g_free (self->prompt_after);
  g_free (self->completion_before);
  g_free (self->system_before);
  g_free (self->system_after);
  g_free (self);
}

/* Where @slot stands in @text, or NULL when it does not stand there exactly once. */
static const char *
find_only (const char *text, const char *slot)
{
  const char *found = strstr (text, slot);

  return found != NULL && strstr (found + strlen (slot), slot) == NULL ? found : NULL;
}

/* The template of the three texts of a file, or NULL and an error. */
static LaurelTemplate *
template_from_texts (const char *prefix, const char *prompt, const char *completion,
                     const char *path, GError **error)
{
  const char *prompt_slot = find_only (prompt, PROMPT_SLOT);
  const char *completion_slot = find_only (completion, COMPLETION_SLOT);
  g_autofree char *before = NULL;
  g_autofree char *lead = NULL;

  if (prompt_slot == NULL || strstr (prefix, PROMPT_SLOT) != NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use the template “%s”: its prompt must hold {prompt} exactly once; "
                 "correct it",
                 path);
    return NULL;
  }
  if (completion_slot == NULL || completion_slot[strlen (COMPLETION_SLOT)] != '\0') {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use the template “%s”: its completion must hold {completion} exactly "
                 "once, at its end; correct it",
                 path);
    return NULL;
  }
  lead = g_strndup (prompt, (gsize) (prompt_slot - prompt));
  before = g_strconcat (prefix, lead, NULL);
  g_free (lead);
  lead = g_strndup (completion, (gsize) (completion_slot - completion));
  return template_new (before, prompt_slot + strlen (PROMPT_SLOT), lead);
}

/* @system is NULL when the file has none. */
static gboolean
set_system (LaurelTemplate *self, const char *system, const char *path, GError **error)
{
  const char *slot = system != NULL ? find_only (system, SYSTEM_SLOT) : NULL;

  if (system == NULL)
    return TRUE;
  if (slot == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use the template “%s”: its system must hold {system} exactly once; "
                 "correct it",
                 path);
    return FALSE;
  }
  self->system_before = g_strndup (system, (gsize) (slot - system));
  self->system_after = g_strdup (slot + strlen (SYSTEM_SLOT));
  return TRUE;
}

/* A misspelt member would otherwise change what a model sees without a word. */
static gboolean
check_members (JsonObject *object, const char *path, GError **error)
{
  static const char *const known[] = { "prefix", "prompt", "completion", "system", NULL };
  JsonObjectIter iter;
  const char *member;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &member, NULL)) {
    if (!g_strv_contains (known, member)) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not use the template “%s”: it has no member “%s”; "
                   "use prefix, prompt, completion and system",
                   path, member);
      return FALSE;
    }
  }
  return TRUE;
}

static LaurelTemplate *
read_template (const char *path, GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_load (path, error);
  g_autoptr (LaurelTemplate) self = NULL;
  const char *prefix = "", *prompt = "", *completion = "", *system = NULL;
  JsonObject *object;

  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use the template “%s”: it is not a JSON object; correct it", path);
    return NULL;
  }
  object = json_node_get_object (node);
  if (!check_members (object, path, error)
      || !laurel_json_get_string (object, path, "prefix", &prefix, error)
      || !laurel_json_get_string (object, path, "prompt", &prompt, error)
      || !laurel_json_get_string (object, path, "completion", &completion, error)
      || !laurel_json_get_string (object, path, "system", &system, error))
    return NULL;
  self = template_from_texts (prefix, prompt, completion, path, error);
  if (self == NULL || !set_system (self, system, path, error))
    return NULL;
  return g_steal_pointer (&self);
}

LaurelTemplate *
laurel_template_load (const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, FILE_NAME, NULL);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return template_new ("", "", "");
  return read_template (path, error);
}

gboolean
laurel_template_save (const LaurelTemplate *self, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, FILE_NAME, NULL);
  g_autofree char *prompt = g_strconcat (self->prompt_before, PROMPT_SLOT, self->prompt_after,
                                         NULL);
  g_autofree char *completion = g_strconcat (self->completion_before, COMPLETION_SLOT, NULL);
  g_autoptr (LaurelTemplate) again = template_from_texts ("", prompt, completion, path, error);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;

  if (again == NULL)
    return FALSE;
  json_node_take_object (node, json_object_new ());
  json_object_set_string_member (json_node_get_object (node), "prefix", "");
  json_object_set_string_member (json_node_get_object (node), "prompt", prompt);
  json_object_set_string_member (json_node_get_object (node), "completion", completion);
  if (self->system_before != NULL) {
    g_autofree char *system = g_strconcat (self->system_before, SYSTEM_SLOT, self->system_after,
                                           NULL);

    if (!set_system (again, system, path, error))
      return FALSE;
    json_object_set_string_member (json_node_get_object (node), "system", system);
  }
  text = laurel_json_to_string (node, TRUE);
  return laurel_file_make_directory (dir, error)
         && laurel_file_write (path, text, strlen (text), error);
}

gboolean
laurel_template_encode_system (const LaurelTemplate *self, const LaurelTokenizer *tokenizer,
                               const char *system, GArray *ids, GError **error)
{
  g_autofree char *text = NULL;

  if (self->system_before == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not encode the system message: the model's template has no place for one; "
                 "add “system” with {system} in it to its chat_template.json");
    return FALSE;
  }
  text = g_strconcat (self->system_before, system, self->system_after, NULL);
  return laurel_tokenizer_encode (tokenizer, text, -1, ids, error);
}

gboolean
laurel_template_encode_prompt (const LaurelTemplate *self, const LaurelTokenizer *tokenizer,
                               const char *prompt, GArray *ids, GError **error)
{
  g_autofree char *text = g_strconcat (self->prompt_before, prompt, self->prompt_after, NULL);

  return laurel_tokenizer_encode (tokenizer, text, -1, ids, error);
}

gboolean
laurel_template_encode_completion (const LaurelTemplate *self, const LaurelTokenizer *tokenizer,
                                   const char *completion, GArray *ids, GError **error)
{
  g_autofree char *text = g_strconcat (self->completion_before, completion, NULL);
  gint32 end_of_text = laurel_tokenizer_get_end_of_text (tokenizer);

  if (end_of_text < 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not encode the completion: the tokenizer has no " LAUREL_END_OF_TEXT
                 "; use a tokenizer that has it");
    return FALSE;
  }
  if (!laurel_tokenizer_encode (tokenizer, text, -1, ids, error))
    return FALSE;
  g_array_append_val (ids, end_of_text);
  return TRUE;
}

char *
laurel_template_decode_completion (const LaurelTemplate *self, const LaurelTokenizer *tokenizer,
                                   const gint32 *ids, gsize n)
{
  g_autofree char *text = laurel_tokenizer_decode (tokenizer, ids, n, FALSE);

  if (g_str_has_prefix (text, self->completion_before))
    return g_strdup (text + strlen (self->completion_before));
  return g_steal_pointer (&text);
}
