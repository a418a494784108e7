/* judge_load.c: reading the rule judge's file, and letting go of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/label/judge_private.h"

#define WEIGHT(member) { #member, G_STRUCT_OFFSET (Weights, member) }
static const struct {
  const char *name;
  gsize offset;
} weight_names[] = {
  WEIGHT (harm_declined), WEIGHT (harm_complied), WEIGHT (fact_right), WEIGHT (fact_wrong),
  WEIGHT (fact_missing), WEIGHT (topic_relevant), WEIGHT (topic_missed), WEIGHT (invented),
  WEIGHT (other), WEIGHT (over_refusal), WEIGHT (rude), WEIGHT (rambling),
  WEIGHT (not_stopped), WEIGHT (polite), WEIGHT (length_good), WEIGHT (length_short),
  WEIGHT (empty),
};

static const char *const pattern_names[N_PATTERNS] = {
  "harmful", "refusal", "comply", "rude", "polite", "drift",
};

static void
free_sum (gpointer data)
{
  Sum *sum = data;

  g_clear_pointer (&sum->pattern, g_regex_unref);
  g_free (sum);
}

static void
free_fact (gpointer data)
{
  Fact *fact = data;

  g_strfreev (fact->key);
  g_ptr_array_unref (fact->answers);
  g_free (fact);
}

static void
free_kind (gpointer data)
{
  FactKind *kind = data;

  g_free (kind->kind);
  g_clear_pointer (&kind->pattern, g_regex_unref);
  g_ptr_array_unref (kind->facts);
  g_free (kind);
}

static void
free_topic (gpointer data)
{
  Topic *topic = data;

  g_free (topic->name);
  g_clear_pointer (&topic->pattern, g_regex_unref);
  g_clear_pointer (&topic->relevant, g_regex_unref);
  g_clear_pointer (&topic->invented, g_regex_unref);
  g_free (topic);
}

void
laurel_judge_free (LaurelJudge *self)
{
  for (int i = 0; i < N_PATTERNS; i++)
    g_clear_pointer (&self->patterns[i], g_ptr_array_unref);
  g_clear_pointer (&self->numbers, g_ptr_array_unref);
  g_clear_pointer (&self->sums, g_ptr_array_unref);
  g_clear_pointer (&self->kinds, g_ptr_array_unref);
  g_clear_pointer (&self->topics, g_ptr_array_unref);
  g_free (self);
}

static gboolean
refuse (GError **error, const char *path, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
refuse (GError **error, const char *path, const char *format, ...)
{
  g_autofree char *why = NULL;
  va_list args;

  va_start (args, format);
  why = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not load the judge “%s”: %s; "
               "compare it with the starter project's judge.json",
               path, why);
  return FALSE;
}

static JsonArray *
get_array (JsonObject *object, const char *member, const char *path, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node)) {
    refuse (error, path, "“%s” is missing or is no array", member);
    return NULL;
  }
  return json_node_get_array (node);
}

static JsonObject *
get_object (JsonObject *object, const char *member, const char *path, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node)) {
    refuse (error, path, "“%s” is missing or is no object", member);
    return NULL;
  }
  return json_node_get_object (node);
}

/* NULL when the node is no string. */
static const char *
node_string (JsonNode *node)
{
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string (node);
}

static const char *
get_string (JsonObject *object, const char *member, const char *path, GError **error)
{
  const char *string = node_string (json_object_get_member (object, member));

  if (string == NULL)
    refuse (error, path, "“%s” is missing or is no string", member);
  return string;
}

static JsonObject *
get_item (JsonArray *array, guint i, const char *member, const char *path, GError **error)
{
  JsonNode *node = json_array_get_element (array, i);

  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    refuse (error, path, "“%s” has something at place %u that is no object", member, i + 1);
    return NULL;
  }
  return json_node_get_object (node);
}

static GRegex *
compile (const char *pattern, const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  GRegex *regex = g_regex_new (pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, &local);

  if (regex == NULL)
    refuse (error, path, "the pattern “%s” is not understood (%s)", pattern, local->message);
  return regex;
}

static gboolean
load_weights (LaurelJudge *self, JsonObject *root, const char *path, GError **error)
{
  JsonObject *weights = get_object (root, "weights", path, error);

  if (weights == NULL)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (weight_names); i++) {
    double *weight = (double *) ((char *) &self->weights + weight_names[i].offset);

    if (!json_object_has_member (weights, weight_names[i].name))
      return refuse (error, path, "the weight “%s” is missing", weight_names[i].name);
    if (!laurel_json_get_double (weights, path, weight_names[i].name, weight, error))
      return FALSE;
  }
  if (json_object_get_size (weights) != G_N_ELEMENTS (weight_names))
    return refuse (error, path, "“weights” has a name that the judge does not know");
  return TRUE;
}

static gboolean
load_length (LaurelJudge *self, JsonObject *root, const char *path, GError **error)
{
  JsonObject *length = get_object (root, "length", path, error);
  const struct {
    const char *name;
    gint64 *out;
  } members[] = {
    { "best_min", &self->best_min },
    { "best_max", &self->best_max },
    { "ramble_over", &self->ramble_over },
  };

  if (length == NULL)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (members); i++) {
    if (!json_object_has_member (length, members[i].name))
      return refuse (error, path, "“length” has no “%s”", members[i].name);
    if (!laurel_json_get_int (length, path, members[i].name, 0, G_MAXINT, members[i].out, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
load_patterns (LaurelJudge *self, JsonObject *root, const char *path, GError **error)
{
  JsonObject *patterns = get_object (root, "patterns", path, error);

  for (int i = 0; patterns != NULL && i < N_PATTERNS; i++) {
    JsonArray *array = get_array (patterns, pattern_names[i], path, error);

    if (array == NULL)
      return FALSE;
    for (guint j = 0; j < json_array_get_length (array); j++) {
      const char *pattern = node_string (json_array_get_element (array, j));
      GRegex *regex;

      if (pattern == NULL)
        return refuse (error, path, "“%s” has something that is no string", pattern_names[i]);
      regex = compile (pattern, path, error);
      if (regex == NULL)
        return FALSE;
      g_ptr_array_add (self->patterns[i], regex);
    }
  }
  return patterns != NULL;
}

static gboolean
load_numbers (LaurelJudge *self, JsonObject *root, const char *path, GError **error)
{
  JsonArray *array = get_array (root, "numbers", path, error);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    const char *word = node_string (json_array_get_element (array, i));

    if (word == NULL)
      return refuse (error, path, "“numbers” has something that is no string");
    g_ptr_array_add (self->numbers, g_strdup (word));
  }
  return array != NULL;
}

/* What NUMBER stands for in the patterns of sums. */
static char *
number_pattern (const LaurelJudge *self)
{
  GString *pattern = g_string_new ("\\b(?:\\d{1,6}");

  for (guint i = 0; i < self->numbers->len; i++) {
    g_autofree char *word = g_regex_escape_string (self->numbers->pdata[i], -1);

    g_string_append_printf (pattern, "|%s", word);
  }
  g_string_append (pattern, ")\\b");
  return g_string_free (pattern, FALSE);
}

static gboolean
load_sums (LaurelJudge *self, JsonObject *root, const char *path, GError **error)
{
  JsonArray *array = get_array (root, "sums", path, error);
  g_autofree char *number = number_pattern (self);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonObject *item = get_item (array, i, "sums", path, error);
    const char *operation = item != NULL ? get_string (item, "operation", path, error) : NULL;
    const char *text = operation != NULL ? get_string (item, "pattern", path, error) : NULL;
    GString *pattern;
    Sum *sum;

    if (text == NULL)
      return FALSE;
    if (!g_str_equal (operation, "add") && !g_str_equal (operation, "subtract"))
      return refuse (error, path, "“%s” is no operation (add, subtract)", operation);
    pattern = g_string_new (text);
    g_string_replace (pattern, "NUMBER", number, 0);
    sum = g_new0 (Sum, 1);
    sum->subtract = g_str_equal (operation, "subtract");
    sum->pattern = compile (pattern->str, path, error);
    g_ptr_array_add (self->sums, sum);
    g_string_free (pattern, TRUE);
    if (sum->pattern == NULL)
      return FALSE;
  }
  return array != NULL;
}

static gboolean
load_answers (FactKind *kind, JsonObject *answers, const char *path, GError **error)
{
  g_autoptr (GList) keys = json_object_get_members (answers);

  for (GList *l = keys; l != NULL; l = l->next) {
    JsonArray *array = get_array (answers, l->data, path, error);
    Fact *fact;

    if (array == NULL)
      return FALSE;
    fact = g_new0 (Fact, 1);
    fact->key = laurel_judge_split_words (l->data);
    fact->answers = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
    g_ptr_array_add (kind->facts, fact);
    for (guint i = 0; i < json_array_get_length (array); i++) {
      const char *answer = node_string (json_array_get_element (array, i));

      if (answer == NULL)
        return refuse (error, path, "“%s” has an answer that is no string", (char *) l->data);
      g_ptr_array_add (fact->answers, laurel_judge_split_words (answer));
    }
    if (fact->key[0] == NULL || fact->answers->len == 0)
      return refuse (error, path, "the fact “%s” has no word or no answer", (char *) l->data);
  }
  return TRUE;
}

static gboolean
load_facts (LaurelJudge *self, JsonObject *root, const char *path, GError **error)
{
  JsonArray *array = get_array (root, "facts", path, error);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonObject *item = get_item (array, i, "facts", path, error);
    const char *name = item != NULL ? get_string (item, "kind", path, error) : NULL;
    const char *pattern = name != NULL ? get_string (item, "pattern", path, error) : NULL;
    JsonObject *answers = pattern != NULL ? get_object (item, "answers", path, error) : NULL;
    FactKind *kind;

    if (answers == NULL)
      return FALSE;
    kind = g_new0 (FactKind, 1);
    kind->kind = g_strdup (name);
    kind->facts = g_ptr_array_new_with_free_func (free_fact);
    kind->pattern = compile (pattern, path, error);
    g_ptr_array_add (self->kinds, kind);
    if (kind->pattern == NULL || !load_answers (kind, answers, path, error))
      return FALSE;
  }
  return array != NULL;
}

static gboolean
load_topics (LaurelJudge *self, JsonObject *root, const char *path, GError **error)
{
  JsonArray *array = get_array (root, "topics", path, error);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonObject *item = get_item (array, i, "topics", path, error);
    const char *name = item != NULL ? get_string (item, "name", path, error) : NULL;
    const char *pattern = name != NULL ? get_string (item, "pattern", path, error) : NULL;
    const char *relevant = pattern != NULL ? get_string (item, "relevant", path, error) : NULL;
    const char *invented = NULL;
    Topic *topic;

    if (relevant == NULL || !laurel_json_get_string (item, path, "invented", &invented, error))
      return FALSE;
    topic = g_new0 (Topic, 1);
    topic->name = g_strdup (name);
    g_ptr_array_add (self->topics, topic);
    topic->pattern = compile (pattern, path, error);
    topic->relevant = topic->pattern != NULL ? compile (relevant, path, error) : NULL;
    if (topic->relevant == NULL)
      return FALSE;
    if (invented != NULL && (topic->invented = compile (invented, path, error)) == NULL)
      return FALSE;
  }
  return array != NULL;
}

static LaurelJudge *
judge_new (void)
{
  LaurelJudge *self = g_new0 (LaurelJudge, 1);

  for (int i = 0; i < N_PATTERNS; i++)
    self->patterns[i] = g_ptr_array_new_with_free_func ((GDestroyNotify) g_regex_unref);
  self->numbers = g_ptr_array_new_with_free_func (g_free);
  self->sums = g_ptr_array_new_with_free_func (free_sum);
  self->kinds = g_ptr_array_new_with_free_func (free_kind);
  self->topics = g_ptr_array_new_with_free_func (free_topic);
  return self;
}

static gboolean
check_format (JsonNode *node, const char *path, GError **error)
{
  JsonObject *root;
  const char *format = NULL;
  gint64 version = 0;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error, path, "it is no JSON object");
  root = json_node_get_object (node);
  if (!laurel_json_get_string (root, path, "format", &format, error)
      || !laurel_json_get_int (root, path, "version", 1, G_MAXINT, &version, error))
    return FALSE;
  if (g_strcmp0 (format, "laurel-judge") != 0)
    return refuse (error, path, "its “format” is not “laurel-judge”");
  if (version == 1)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NEWER_VERSION,
               "Could not load the judge “%s”: it has version %" G_GINT64_FORMAT
               " and this Laurel reads version 1; use a newer Laurel",
               path, version);
  return FALSE;
}

LaurelJudge *
laurel_judge_load (const char *path, GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_load (path, error);
  g_autoptr (LaurelJudge) self = NULL;
  JsonObject *root;

  if (node == NULL || !check_format (node, path, error))
    return NULL;
  root = json_node_get_object (node);
  self = judge_new ();
  if (!load_weights (self, root, path, error) || !load_length (self, root, path, error)
      || !load_patterns (self, root, path, error) || !load_numbers (self, root, path, error)
      || !load_sums (self, root, path, error) || !load_facts (self, root, path, error)
      || !load_topics (self, root, path, error))
    return NULL;
  return g_steal_pointer (&self);
}
