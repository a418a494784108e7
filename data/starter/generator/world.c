/* world.c: filling templates from the tables of world.json.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/starter/generator/world.h"

#include <stdlib.h>
#include <string.h>

static void
fail (const char *what, const char *name)
{
  g_printerr ("laurel-starter-generate: Could not read world.json: %s “%s” is missing\n", what,
              name);
  exit (1);
}

JsonArray *
laurel_world_array (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node)
      || json_array_get_length (json_node_get_array (node)) == 0)
    fail ("the list", member);
  return json_node_get_array (node);
}

JsonObject *
laurel_world_object (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    fail ("the table", member);
  return json_node_get_object (node);
}

const char *
laurel_world_string (JsonObject *object, const char *member)
{
  if (!json_object_has_member (object, member))
    fail ("the text", member);
  return json_object_get_string_member (object, member);
}

int
laurel_world_int (JsonObject *object, const char *member)
{
  if (!json_object_has_member (object, member))
    fail ("the number", member);
  return (int) json_object_get_int_member (object, member);
}

const char *
laurel_world_pick (JsonObject *object, const char *member, LaurelRng *rng)
{
  JsonArray *array = laurel_world_array (object, member);

  return json_array_get_string_element (array,
                                        laurel_rng_below (rng, json_array_get_length (array)));
}

gboolean
laurel_world_chance (LaurelRng *rng, int percent)
{
  return laurel_rng_below (rng, 100) < (guint32) percent;
}

int
laurel_world_column (JsonObject *table, const char *name)
{
  JsonArray *columns = laurel_world_array (table, "columns");

  for (guint i = 0; i < json_array_get_length (columns); i++)
    if (g_str_equal (json_array_get_string_element (columns, i), name))
      return (int) i;
  return -1;
}

void
laurel_scene_init (LaurelScene *scene, JsonObject *world, LaurelRng *rng)
{
  scene->world = world;
  scene->rng = rng;
  scene->words = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

void
laurel_scene_clear (LaurelScene *scene)
{
  g_clear_pointer (&scene->words, g_hash_table_unref);
}

void
laurel_scene_reset (LaurelScene *scene)
{
  g_hash_table_remove_all (scene->words);
}

void
laurel_scene_set (LaurelScene *scene, const char *slot, const char *word)
{
  g_hash_table_insert (scene->words, g_strdup (slot), g_strdup (word));
}

void
laurel_scene_set_int (LaurelScene *scene, const char *slot, int number)
{
  g_hash_table_insert (scene->words, g_strdup (slot), g_strdup_printf ("%d", number));
}

void
laurel_scene_set_subject (LaurelScene *scene, const LaurelSubject *subject)
{
  if (subject->type == LAUREL_SUBJECT_FACT) {
    JsonArray *columns = laurel_world_array (subject->table, "columns");

    for (guint i = 0; i < json_array_get_length (columns); i++)
      laurel_scene_set (scene, json_array_get_string_element (columns, i),
                 json_array_get_string_element (subject->row, i));
  } else if (subject->type == LAUREL_SUBJECT_SUM) {
    laurel_scene_set_int (scene, "a", subject->a);
    laurel_scene_set_int (scene, "b", subject->b);
    laurel_scene_set_int (scene, "c", subject->c);
  } else if (subject->type == LAUREL_SUBJECT_HARM) {
    const char *pattern = laurel_world_pick (subject->table, "acts", scene->rng);
    g_autofree char *act = laurel_scene_fill_raw (scene, pattern);

    laurel_scene_set (scene, "act", act);
  }
}

/* The word of @slot, drawn now if this scene has not drawn it yet. {food2} is
 * from the list of {food} and, if that can be, another word. */
static const char *
slot_word (LaurelScene *scene, const char *slot)
{
  const char *word = g_hash_table_lookup (scene->words, slot);
  g_autofree char *list = NULL;
  JsonObject *lists = laurel_world_object (scene->world, "slots");

  if (word != NULL)
    return word;
  list = g_strdup (slot);
  list[strcspn (list, "0123456789")] = '\0';
  if (!json_object_has_member (lists, list)) {
    JsonObject *sums = laurel_world_object (scene->world, "sums");

    lists = json_object_has_member (sums, list) ? sums : lists;
  }
  for (int attempt = 0; attempt < 4; attempt++) {
    g_autofree char *second = g_strconcat (list, "2", NULL);
    const char *first_word = g_hash_table_lookup (scene->words, list);
    const char *second_word = g_hash_table_lookup (scene->words, second);

    word = laurel_world_pick (lists, list, scene->rng);
    if (g_strcmp0 (word, first_word) != 0 && g_strcmp0 (word, second_word) != 0)
      break;
  }
  laurel_scene_set (scene, slot, word);
  return g_hash_table_lookup (scene->words, slot);
}

char *
laurel_scene_fill_raw (LaurelScene *scene, const char *template_text)
{
  GString *text = g_string_new (NULL);

  for (const char *p = template_text; *p != '\0';) {
    const char *end = *p == '{' ? strchr (p, '}') : NULL;

    if (end == NULL) {
      g_string_append_c (text, *p++);
    } else {
      g_autofree char *slot = g_strndup (p + 1, (gsize) (end - p - 1));

      g_string_append (text, slot_word (scene, slot));
      p = end + 1;
    }
  }
  return g_string_free (text, FALSE);
}

static gboolean
begins_with_vowel (const char *word)
{
  return *word != '\0' && strchr ("aeiouAEIOU", *word) != NULL;
}

/* Chooses “a” or “an” and sets capitals at the beginnings of sentences. */
static char *
finish_sentence (const char *raw)
{
  GString *text = g_string_new (NULL);
  gboolean begin = TRUE;

  for (const char *p = raw; *p != '\0'; p++) {
    char c = *p;

    if (g_ascii_strncasecmp (p, "a(n) ", 5) == 0) {
      g_string_append_c (text, begin || c == 'A' ? 'A' : 'a');
      if (begins_with_vowel (p + 5))
        g_string_append_c (text, 'n');
      p += 3;
      begin = FALSE;
      continue;
    }
    g_string_append_c (text, begin ? g_ascii_toupper (c) : c);
    if (strchr (".!?", c) != NULL && (p[1] == ' ' || p[1] == '\0'))
      begin = TRUE;
    else if (!g_ascii_isspace (c))
      begin = FALSE;
  }
  return g_string_free (text, FALSE);
}

char *
laurel_scene_fill (LaurelScene *scene, const char *template_text)
{
  g_autofree char *raw = laurel_scene_fill_raw (scene, template_text);

  return finish_sentence (raw);
}

char *
laurel_scene_fill_any (LaurelScene *scene, JsonObject *object, const char *member)
{
  return laurel_scene_fill (scene, laurel_world_pick (object, member, scene->rng));
}

/* Every fact is drawn as often as any other, whatever table it stands in. */
LaurelSubject
laurel_subject_random_fact (JsonObject *world, LaurelRng *rng)
{
  JsonArray *tables = laurel_world_array (world, "facts");
  guint n = 0;
  guint chosen;

  for (guint i = 0; i < json_array_get_length (tables); i++)
    n += json_array_get_length (
      laurel_world_array (json_array_get_object_element (tables, i), "rows"));
  chosen = laurel_rng_below (rng, n);
  for (guint i = 0;; i++) {
    JsonObject *table = json_array_get_object_element (tables, i);
    JsonArray *rows = laurel_world_array (table, "rows");

    if (chosen < json_array_get_length (rows))
      return (LaurelSubject){
        LAUREL_SUBJECT_FACT, table, json_array_get_array_element (rows, chosen),
      };
    chosen -= json_array_get_length (rows);
  }
}

LaurelSubject
laurel_subject_sum (JsonObject *world, gboolean subtract, int a, int b)
{
  JsonObject *sums = laurel_world_object (world, "sums");
  JsonObject *table = laurel_world_object (sums, subtract ? "subtract" : "add");

  return (LaurelSubject){ LAUREL_SUBJECT_SUM, table, NULL, a, b, subtract ? a - b : a + b };
}

LaurelSubject
laurel_subject_random_sum (JsonObject *world, LaurelRng *rng)
{
  guint32 max = (guint32) laurel_world_int (laurel_world_object (world, "sums"), "max");
  int a = (int) laurel_rng_below (rng, max) + 1;
  int b = (int) laurel_rng_below (rng, max) + 1;

  if (laurel_world_chance (rng, 40))
    return laurel_subject_sum (world, TRUE, MAX (a, b), MIN (a, b));
  return laurel_subject_sum (world, FALSE, a, b);
}

LaurelSubject
laurel_subject_topic (JsonObject *world, const char *name)
{
  JsonArray *topics = laurel_world_array (world, "topics");

  for (guint i = 0; i < json_array_get_length (topics); i++) {
    JsonObject *topic = json_array_get_object_element (topics, i);

    if (g_str_equal (laurel_world_string (topic, "name"), name))
      return (LaurelSubject){ LAUREL_SUBJECT_TOPIC, topic };
  }
  return (LaurelSubject){ LAUREL_SUBJECT_TOPIC, NULL };
}

LaurelSubject
laurel_subject_random_topic (JsonObject *world, LaurelRng *rng)
{
  JsonArray *topics = laurel_world_array (world, "topics");
  JsonObject *topic;

  do
    topic = json_array_get_object_element (
      topics, laurel_rng_below (rng, json_array_get_length (topics)));
  while (g_str_equal (laurel_world_string (topic, "name"), "weather"));
  return (LaurelSubject){ LAUREL_SUBJECT_TOPIC, topic };
}

LaurelSubject
laurel_subject_harm (JsonObject *world)
{
  return (LaurelSubject){ LAUREL_SUBJECT_HARM, laurel_world_object (world, "harm") };
}
