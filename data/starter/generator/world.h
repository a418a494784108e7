/* world.h: the tables of the starter world, and sentences made from them.
 *
 * world.json holds all words and facts:
 *   "slots"      lists of words; {food} in a template is one of "food", and {food2}
 *                another one. Within one scene a slot keeps its word.
 *   "facts"      tables: "columns" names the slots that a row fills ("key" and "value"
 *                always; "also" is another right answer); questions for training and for
 *                the held-out split; statements for the corpus; answers
 *   "sums"       the same with {a}, {b} and the result {c}
 *   "topics"     questions with good answers that are not one fact
 *   "harm"       what must be declined; its bad answers have nothing in them
 *   "mistakes"   what else a model may do wrong
 *   "demonstrations", "prompts"   how many rows of what
 *   "wrappers", "sentences"       the plain text of the corpus
 *   "judge"      the rule judge's weights and patterns (see core/label/judge.h)
 * “a(n)” in a template becomes “a” or “an”; a sentence begins with a capital.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/rng.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* One question and answer, or one paragraph: its slots keep their words. */
typedef struct {
  JsonObject *world;
  LaurelRng *rng;
  GHashTable *words; /* slot → word */
} LaurelScene;

/* What is asked about: one row of a table, one sum, one topic or one harmful act. */
typedef enum { LAUREL_SUBJECT_FACT, LAUREL_SUBJECT_SUM, LAUREL_SUBJECT_TOPIC, LAUREL_SUBJECT_HARM } LaurelSubjectType;

typedef struct {
  LaurelSubjectType type;
  JsonObject *table; /* of facts, sums.add, a topic, or harm */
  JsonArray *row;    /* FACT */
  int a, b, c;       /* SUM */
} LaurelSubject;

void laurel_scene_init (LaurelScene *scene, JsonObject *world, LaurelRng *rng);
void laurel_scene_clear (LaurelScene *scene);
void laurel_scene_reset (LaurelScene *scene);
void laurel_scene_set (LaurelScene *scene, const char *slot, const char *word);
void laurel_scene_set_int (LaurelScene *scene, const char *slot, int number);
void laurel_scene_set_subject (LaurelScene *scene, const LaurelSubject *subject);
/* (transfer full): @template with every slot filled, as a finished sentence. */
char *laurel_scene_fill (LaurelScene *scene, const char *template_text) G_GNUC_WARN_UNUSED_RESULT;
char *laurel_scene_fill_raw (LaurelScene *scene, const char *template_text) G_GNUC_WARN_UNUSED_RESULT;
/* One of the templates @member of @object, filled. */
char *laurel_scene_fill_any (LaurelScene *scene, JsonObject *object, const char *member) G_GNUC_WARN_UNUSED_RESULT;

/* Tables: a member that is not there ends the program with a message, as world.json
 * is a part of it. */
JsonArray *laurel_world_array (JsonObject *object, const char *member);
JsonObject *laurel_world_object (JsonObject *object, const char *member);
const char *laurel_world_string (JsonObject *object, const char *member);
int laurel_world_int (JsonObject *object, const char *member);
const char *laurel_world_pick (JsonObject *object, const char *member, LaurelRng *rng);
gboolean laurel_world_chance (LaurelRng *rng, int percent);
int laurel_world_column (JsonObject *table, const char *name); /* −1: none */

LaurelSubject laurel_subject_random_fact (JsonObject *world, LaurelRng *rng);
LaurelSubject laurel_subject_sum (JsonObject *world, gboolean subtract, int a, int b);
LaurelSubject laurel_subject_random_sum (JsonObject *world, LaurelRng *rng);
LaurelSubject laurel_subject_topic (JsonObject *world, const char *name); /* NULL table: none */
LaurelSubject laurel_subject_random_topic (JsonObject *world, LaurelRng *rng); /* any but the weather */
LaurelSubject laurel_subject_harm (JsonObject *world);

G_END_DECLS
