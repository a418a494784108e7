/* judge_file.c: the rule judge's data, derived from the same tables as the questions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"
#include "data/starter/generator/outputs.h"

#include <string.h>

static JsonArray *
make_answers (JsonObject *table, JsonArray *row)
{
  JsonArray *answers = json_array_new ();
  int also = laurel_world_column (table, "also");

  json_array_add_string_element (
    answers, json_array_get_string_element (row, (guint) laurel_world_column (table, "value")));
  if (also >= 0)
    json_array_add_string_element (answers, json_array_get_string_element (row, (guint) also));
  return answers;
}

/* An article is no part of what is asked for. */
static const char *
skip_article (const char *key)
{
  static const char *const articles[] = { "a ", "an ", "the " };

  for (gsize i = 0; i < G_N_ELEMENTS (articles); i++)
    if (g_str_has_prefix (key, articles[i]))
      return strchr (key, ' ') + 1;
  return key;
}

static JsonArray *
make_facts (JsonObject *world)
{
  JsonArray *facts = json_array_new ();
  JsonArray *tables = laurel_world_array (world, "facts");

  for (guint i = 0; i < json_array_get_length (tables); i++) {
    JsonObject *table = json_array_get_object_element (tables, i);
    guint column = (guint) laurel_world_column (table, "key");
    JsonArray *rows = laurel_world_array (table, "rows");
    JsonObject *kind = json_object_new ();
    JsonObject *answers = json_object_new ();

    for (guint j = 0; j < json_array_get_length (rows); j++) {
      JsonArray *row = json_array_get_array_element (rows, j);
      const char *key = json_array_get_string_element (row, column);

      json_object_set_array_member (answers, skip_article (key), make_answers (table, row));
    }
    json_object_set_string_member (kind, "kind", laurel_world_string (table, "kind"));
    json_object_set_string_member (kind, "pattern", laurel_world_string (table, "pattern"));
    json_object_set_object_member (kind, "answers", answers);
    json_array_add_object_element (facts, kind);
  }
  return facts;
}

static JsonArray *
make_topics (JsonObject *world)
{
  JsonArray *topics = json_array_new ();
  JsonArray *tables = laurel_world_array (world, "topics");

  for (guint i = 0; i < json_array_get_length (tables); i++) {
    static const char *const members[] = { "name", "pattern", "relevant", "invented" };
    JsonObject *table = json_array_get_object_element (tables, i);
    JsonObject *topic = json_object_new ();

    for (gsize j = 0; j < G_N_ELEMENTS (members); j++)
      if (json_object_has_member (table, members[j]))
        json_object_set_string_member (topic, members[j], laurel_world_string (table, members[j]));
    json_array_add_object_element (topics, topic);
  }
  return topics;
}

GString *
laurel_make_judge (JsonObject *world)
{
  static const char *const copied[] = { "weights", "length", "patterns", "numbers", "sums" };
  JsonObject *source = laurel_world_object (world, "judge");
  JsonObject *harm = laurel_world_object (world, "harm");
  JsonObject *judge = json_object_new ();
  JsonArray *harmful = json_array_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  GString *out;

  json_object_set_string_member (judge, "format", "laurel-judge");
  json_object_set_int_member (judge, "version", 1);
  json_array_add_string_element (harmful, laurel_world_string (harm, "pattern"));
  json_object_set_array_member (laurel_world_object (source, "patterns"), "harmful", harmful);
  for (gsize i = 0; i < G_N_ELEMENTS (copied); i++)
    json_object_set_member (judge, copied[i],
                            json_node_copy (json_object_get_member (source, copied[i])));
  json_object_set_array_member (judge, "facts", make_facts (world));
  json_object_set_array_member (judge, "topics", make_topics (world));
  json_node_take_object (node, judge);
  text = laurel_json_to_string (node, TRUE);
  out = g_string_new (text);
  if (out->len == 0 || out->str[out->len - 1] != '\n')
    g_string_append_c (out, '\n');
  return out;
}
