/* demonstrations.c: what the supervised model learns to say: mostly right, and wrong
 * in every way that ranking and PPO should be able to mend.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/starter/generator/outputs.h"

#include <string.h>

/* A completion that does not stop goes on for at least so many bytes: more
 * tokens than are sampled, so that a model that learnt it meets the limit. */
#define DRIFT_BYTES 330
#define RAMBLE_WORDS 44

typedef enum { GOOD, WRONG, RUDE, RAMBLE, REFUSAL, NO_STOP } Manner;

typedef struct {
  JsonObject *world;
  JsonObject *mistakes;
  LaurelScene scene;
} Writer;

static Manner
draw_manner (JsonObject *shares, LaurelRng *rng)
{
  static const char *const members[] = { "wrong", "rude", "ramble", "refusal", "no_stop" };
  int draw = (int) laurel_rng_below (rng, 100);

  for (int i = 0; i < 5; i++) {
    int share = laurel_world_int (shares, members[i]);

    if (draw < share)
      return (Manner) (WRONG + i);
    draw -= share;
  }
  return GOOD;
}

static LaurelSubject
draw_subject (Writer *writer, JsonObject *settings, JsonObject **out_shares)
{
  static const char *const parts[] = { "facts", "sums", "harm", "weather", "topics" };
  LaurelRng *rng = writer->scene.rng;
  int draw = (int) laurel_rng_below (rng, 100);
  int part = 0;

  for (; part < 4; part++) {
    int share = laurel_world_int (laurel_world_object (settings, "share"), parts[part]);

    if (draw < share)
      break;
    draw -= share;
  }
  *out_shares = laurel_world_object (settings, parts[part]);
  switch (part) {
    case 0:
      return laurel_subject_random_fact (writer->world, rng);
    case 1:
      return laurel_subject_random_sum (writer->world, rng);
    case 2:
      return laurel_subject_harm (writer->world);
    case 3:
      return laurel_subject_topic (writer->world, "weather");
    default:
      return laurel_subject_random_topic (writer->world, rng);
  }
}

static const char *
good_member (const LaurelSubject *subject)
{
  if (subject->type == LAUREL_SUBJECT_FACT || subject->type == LAUREL_SUBJECT_SUM)
    return "answers";
  return "good";
}

/* Puts the answer of another row of the table, or another number, in the scene. */
static void
falsify (Writer *writer, const LaurelSubject *subject)
{
  LaurelRng *rng = writer->scene.rng;

  if (subject->type == LAUREL_SUBJECT_FACT) {
    JsonArray *rows = laurel_world_array (subject->table, "rows");
    int column = laurel_world_column (subject->table, "value");
    int key = laurel_world_column (subject->table, "key");
    const char *right = json_array_get_string_element (subject->row, (guint) column);
    const char *wrong;

    do {
      guint32 row = laurel_rng_below (rng, json_array_get_length (rows));

      wrong = json_array_get_string_element (json_array_get_array_element (rows, row),
                                             (guint) column);
    } while (g_str_equal (wrong, right)
             || g_str_equal (wrong, json_array_get_string_element (subject->row, (guint) key)));
    laurel_scene_set (&writer->scene, "value", wrong);
  } else {
    int off = 1 + (int) laurel_rng_below (rng, 4);

    if (subject->c >= off && laurel_world_chance (rng, 50))
      off = -off;
    laurel_scene_set_int (&writer->scene, "c", subject->c + off);
  }
}

static char *
write_wrong (Writer *writer, const LaurelSubject *subject)
{
  LaurelScene *scene = &writer->scene;

  if (subject->type == LAUREL_SUBJECT_FACT || subject->type == LAUREL_SUBJECT_SUM) {
    falsify (writer, subject);
    return laurel_scene_fill_any (scene, subject->table, "answers");
  }
  if (json_object_has_member (subject->table, "bad"))
    return laurel_scene_fill_any (scene, subject->table, "bad");
  for (;;) {
    LaurelSubject other = laurel_subject_random_topic (writer->world, scene->rng);

    if (other.table != subject->table)
      return laurel_scene_fill_any (scene, other.table, "good");
  }
}

static char *
write_rude (Writer *writer, const LaurelSubject *subject)
{
  LaurelScene *scene = &writer->scene;
  g_autofree char *answer = NULL;
  g_autofree char *tail = NULL;

  if (subject->type == LAUREL_SUBJECT_HARM || laurel_world_chance (scene->rng, 50))
    return laurel_scene_fill_any (scene, writer->mistakes, "rude");
  answer = laurel_scene_fill_any (scene, subject->table, good_member (subject));
  tail = laurel_scene_fill_any (scene, writer->mistakes, "rude_tail");
  return g_strconcat (answer, " ", tail, NULL);
}

static int
count_words (const char *text)
{
  int n = 1;

  for (; *text != '\0'; text++)
    n += *text == ' ';
  return n;
}

static char *
write_ramble (Writer *writer, const LaurelSubject *subject)
{
  LaurelScene *scene = &writer->scene;
  g_autofree char *answer = laurel_scene_fill_any (scene, subject->table, good_member (subject));
  GString *text = g_string_new (answer);

  while (count_words (text->str) < RAMBLE_WORDS) {
    g_autofree char *more = NULL;

    laurel_scene_reset (scene);
    more = laurel_scene_fill_any (scene, writer->mistakes, "ramble");
    g_string_append_printf (text, " %s", more);
  }
  return g_string_free (text, FALSE);
}

/* A good answer that goes on: with the same words again, or with the user's part. */
static char *
write_no_stop (Writer *writer, const LaurelSubject *subject)
{
  LaurelScene *scene = &writer->scene;
  g_autofree char *answer = laurel_scene_fill_any (scene, subject->table, good_member (subject));
  GString *text = g_string_new (answer);
  gboolean repeat = laurel_world_chance (scene->rng, 35);

  while (text->len < DRIFT_BYTES) {
    LaurelSubject next = laurel_subject_random_fact (writer->world, scene->rng);
    g_autofree char *question = NULL;
    g_autofree char *reply = NULL;

    if (repeat) {
      g_string_append_printf (text, " %s", answer);
      continue;
    }
    laurel_scene_reset (scene);
    laurel_scene_set_subject (scene, &next);
    question = laurel_scene_fill_any (scene, next.table, "train");
    reply = laurel_scene_fill_any (scene, next.table, "answers");
    g_string_append_printf (text, "\nUser: %s\nAssistant: %s", question, reply);
  }
  return g_string_free (text, FALSE);
}

static char *
write_completion (Writer *writer, const LaurelSubject *subject, Manner manner)
{
  switch (manner) {
    case WRONG:
      return write_wrong (writer, subject);
    case RUDE:
      return write_rude (writer, subject);
    case RAMBLE:
      return write_ramble (writer, subject);
    case REFUSAL:
      return laurel_scene_fill_any (&writer->scene, writer->mistakes, "refusal");
    case NO_STOP:
      return write_no_stop (writer, subject);
    case GOOD:
    default:
      return laurel_scene_fill_any (&writer->scene, subject->table, good_member (subject));
  }
}

GString *
laurel_make_demonstrations (JsonObject *world, guint64 seed, GHashTable *forbidden)
{
  static const char *const members[] = { "prompt", "completion" };
  JsonObject *settings = laurel_world_object (world, "demonstrations");
  GString *text = g_string_new (NULL);
  Writer writer = { world, laurel_world_object (world, "mistakes") };
  int n_rows = laurel_world_int (settings, "rows");
  LaurelRng rng;

  laurel_scene_init (&writer.scene, world, &rng);
  for (int i = 0; i < n_rows; i++) {
    JsonObject *shares;
    LaurelSubject subject;
    Manner manner;
    g_autofree char *question = NULL;
    g_autofree char *completion = NULL;

    /* A row that draws a held-out question is drawn again from its own stream. */
    laurel_rng_init (&rng, seed, LAUREL_RNG_DATA, LAUREL_STREAM_DEMONSTRATIONS, (guint64) i);
    do {
      g_clear_pointer (&question, g_free);
      subject = draw_subject (&writer, settings, &shares);
      laurel_scene_reset (&writer.scene);
      laurel_scene_set_subject (&writer.scene, &subject);
      question = laurel_scene_fill_any (&writer.scene, subject.table, "train");
    } while (g_hash_table_contains (forbidden, question));
    manner = draw_manner (shares, &rng);
    completion = write_completion (&writer, &subject, manner);
    laurel_append_row (text, members, (const char *const[]){ question, completion }, 2);
  }
  laurel_scene_clear (&writer.scene);
  return text;
}
