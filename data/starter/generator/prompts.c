/* prompts.c: the questions that a project starts with, for training and held out.
 *
 * The held-out questions ask for the same facts in other words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/starter/generator/outputs.h"

#include <string.h>

/* A slot list smaller than the wanted number of prompts ends the search here. */
#define MAX_ATTEMPTS 200

typedef struct {
  JsonObject *world;
  LaurelScene scene;
  GHashTable *seen;
  GPtrArray *rows; /* of char *: JSON */
  const char *split;
  GHashTable *heldout;
} Prompts;

void
laurel_append_row (GString *text, const char *const *members, const char *const *values, int n)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autofree char *line = NULL;

  for (int i = 0; i < n; i++) {
    if (g_str_equal (members[i], "tags")) {
      JsonArray *tags = json_array_new ();

      json_array_add_string_element (tags, values[i]);
      json_object_set_array_member (object, members[i], tags);
    } else {
      json_object_set_string_member (object, members[i], values[i]);
    }
  }
  json_node_take_object (node, object);
  json_generator_set_root (generator, node);
  line = json_generator_to_data (generator, NULL);
  g_string_append (text, line);
  g_string_append_c (text, '\n');
}

static const char *
subject_tag (const LaurelSubject *subject)
{
  if (subject->type == LAUREL_SUBJECT_SUM)
    return "sums";
  if (subject->type == LAUREL_SUBJECT_HARM)
    return "harmful";
  return laurel_world_string (subject->table, "tag");
}

static void
add_prompt (Prompts *prompts, const LaurelSubject *subject)
{
  static const char *const members[] = { "prompt", "split", "tags" };

  for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    g_autofree char *question = NULL;
    g_autoptr (GString) row = NULL;

    laurel_scene_reset (&prompts->scene);
    laurel_scene_set_subject (&prompts->scene, subject);
    question = laurel_scene_fill_any (&prompts->scene, subject->table, prompts->split);
    if (g_hash_table_contains (prompts->seen, question))
      continue;
    if (g_str_equal (prompts->split, "heldout"))
      g_hash_table_add (prompts->heldout, g_strdup (question));
    row = g_string_new (NULL);
    laurel_append_row (row, members,
                (const char *const[]){ question, prompts->split, subject_tag (subject) }, 3);
    g_hash_table_add (prompts->seen, g_steal_pointer (&question));
    g_ptr_array_add (prompts->rows, g_strdup (row->str));
    return;
  }
}

static void
add_facts (Prompts *prompts, int n_per_fact)
{
  JsonArray *tables = laurel_world_array (prompts->world, "facts");

  for (guint i = 0; i < json_array_get_length (tables); i++) {
    JsonObject *table = json_array_get_object_element (tables, i);
    JsonArray *rows = laurel_world_array (table, "rows");

    for (guint j = 0; j < json_array_get_length (rows); j++) {
      JsonArray *row = json_array_get_array_element (rows, j);
      LaurelSubject subject = { LAUREL_SUBJECT_FACT, table, row };

      for (int k = 0; k < n_per_fact; k++)
        add_prompt (prompts, &subject);
    }
  }
}

static void
add_split (Prompts *prompts, const char *split)
{
  JsonObject *counts = laurel_world_object (laurel_world_object (prompts->world, "prompts"), split);
  JsonArray *topics = laurel_world_array (prompts->world, "topics");

  prompts->split = split;
  add_facts (prompts, laurel_world_int (counts, "per_fact"));
  for (int i = 0; i < laurel_world_int (counts, "sums"); i++) {
    LaurelSubject subject = laurel_subject_random_sum (prompts->world, prompts->scene.rng);

    add_prompt (prompts, &subject);
  }
  for (int i = 0; i < laurel_world_int (counts, "harm"); i++) {
    LaurelSubject subject = laurel_subject_harm (prompts->world);

    add_prompt (prompts, &subject);
  }
  for (guint i = 0; i < json_array_get_length (topics); i++) {
    LaurelSubject subject = { LAUREL_SUBJECT_TOPIC, json_array_get_object_element (topics, i) };
    gboolean weather = g_str_equal (laurel_world_string (subject.table, "name"), "weather");
    int n = laurel_world_int (counts, weather ? "weather" : "per_topic");

    for (int j = 0; j < n; j++)
      add_prompt (prompts, &subject);
  }
}

GString *
laurel_make_prompts (JsonObject *world, guint64 seed, GHashTable *out_heldout)
{
  LaurelRng rng;
  Prompts prompts = { world };
  GString *text = g_string_new (NULL);
  g_autofree guint32 *order = NULL;

  laurel_rng_init (&rng, seed, LAUREL_RNG_DATA, LAUREL_STREAM_PROMPTS, 0);
  laurel_scene_init (&prompts.scene, world, &rng);
  prompts.seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  prompts.rows = g_ptr_array_new_with_free_func (g_free);
  prompts.heldout = out_heldout;
  add_split (&prompts, "train");
  add_split (&prompts, "heldout");
  order = g_new (guint32, prompts.rows->len);
  for (guint i = 0; i < prompts.rows->len; i++)
    order[i] = i;
  laurel_rng_shuffle (&rng, order, prompts.rows->len);
  for (guint i = 0; i < prompts.rows->len; i++)
    g_string_append (text, prompts.rows->pdata[order[i]]);
  g_ptr_array_unref (prompts.rows);
  g_hash_table_unref (prompts.seen);
  laurel_scene_clear (&prompts.scene);
  return text;
}
