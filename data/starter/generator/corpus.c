/* corpus.c: the text to pretrain on: plain paragraphs, facts, sums and talk.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/starter/generator/outputs.h"

#include <string.h>

typedef struct {
  GString *text;
  GHashTable *seen;
  GHashTable *forbidden;
  LaurelCorpusCounts *counts;
  LaurelScene scene;
  JsonObject *world;
} Corpus;

static void
count_sentence (Corpus *corpus, const char *sentence)
{
  corpus->counts->n_sentences++;
  if (!g_hash_table_contains (corpus->seen, sentence))
    g_hash_table_add (corpus->seen, g_strdup (sentence));
  corpus->counts->n_distinct = g_hash_table_size (corpus->seen);
}

/* Adds @text, which may be several sentences, and counts them. */
static void
add_text (Corpus *corpus, const char *text)
{
  const char *begin = text;

  g_string_append (corpus->text, text);
  for (const char *p = text; *p != '\0'; p++) {
    if (strchr (".!?", *p) != NULL && (p[1] == ' ' || p[1] == '\0')) {
      g_autofree char *sentence = g_strndup (begin, (gsize) (p - begin) + 1);

      count_sentence (corpus, sentence);
      begin = p[1] == ' ' ? p + 2 : p + 1;
    }
  }
}

static char *
fill_statement (Corpus *corpus, const LaurelSubject *subject)
{
  LaurelScene *scene = &corpus->scene;
  g_autofree char *statement = NULL;

  laurel_scene_reset (scene);
  laurel_scene_set_subject (scene, subject);
  statement = laurel_scene_fill_raw (
    scene, laurel_world_pick (subject->table, "statements", scene->rng));
  laurel_scene_set (scene, "s", statement);
  return laurel_scene_fill_any (scene, corpus->world, "wrappers");
}

static void
add_facts (Corpus *corpus)
{
  guint n = 2 + laurel_rng_below (corpus->scene.rng, 4);

  for (guint i = 0; i < n; i++) {
    LaurelSubject subject = laurel_subject_random_fact (corpus->world, corpus->scene.rng);
    g_autofree char *sentence = fill_statement (corpus, &subject);

    if (i > 0)
      g_string_append_c (corpus->text, ' ');
    add_text (corpus, sentence);
  }
}

static void
add_sums (Corpus *corpus)
{
  LaurelScene *scene = &corpus->scene;
  guint n = 2 + laurel_rng_below (scene->rng, 4);

  for (guint i = 0; i < n; i++) {
    LaurelSubject subject = laurel_subject_random_sum (corpus->world, scene->rng);
    g_autofree char *sentence = NULL;

    if (laurel_world_chance (scene->rng, 50)) {
      sentence = fill_statement (corpus, &subject);
    } else {
      laurel_scene_reset (scene);
      laurel_scene_set_subject (scene, &subject);
      sentence = laurel_scene_fill_any (scene, subject.table, "stories");
    }
    if (i > 0)
      g_string_append_c (corpus->text, ' ');
    add_text (corpus, sentence);
  }
}

/* A paragraph about the same people. */
static void
add_story (Corpus *corpus)
{
  LaurelScene *scene = &corpus->scene;
  guint n = 2 + laurel_rng_below (scene->rng, 4);
  g_autofree char *name = NULL;
  g_autofree char *name2 = NULL;

  laurel_scene_reset (scene);
  name = laurel_scene_fill_raw (scene, "{name}");
  name2 = laurel_scene_fill_raw (scene, "{name2}");
  for (guint i = 0; i < n; i++) {
    g_autofree char *sentence = NULL;

    laurel_scene_reset (scene);
    laurel_scene_set (scene, "name", i % 2 == 0 ? name : name2);
    laurel_scene_set (scene, "name2", i % 2 == 0 ? name2 : name);
    sentence = laurel_scene_fill_any (scene, corpus->world, "sentences");
    if (i > 0)
      g_string_append_c (corpus->text, ' ');
    add_text (corpus, sentence);
  }
}

static LaurelSubject
random_subject (Corpus *corpus)
{
  LaurelRng *rng = corpus->scene.rng;
  guint32 draw = laurel_rng_below (rng, 100);

  if (draw < 45)
    return laurel_subject_random_fact (corpus->world, rng);
  if (draw < 68)
    return laurel_subject_random_sum (corpus->world, rng);
  if (draw < 88)
    return laurel_subject_random_topic (corpus->world, rng);
  if (draw < 94)
    return laurel_subject_topic (corpus->world, "weather");
  return laurel_subject_harm (corpus->world);
}

/* Questions as a model will be asked them, with the answers it should give. */
static void
add_talk (Corpus *corpus)
{
  LaurelScene *scene = &corpus->scene;
  guint n = laurel_world_chance (scene->rng, 75) ? 1 : 2;

  for (guint i = 0; i < n; i++) {
    g_autofree char *question = NULL;
    g_autofree char *answer = NULL;

    do {
      LaurelSubject subject = random_subject (corpus);
      gboolean has_answers =
        subject.type == LAUREL_SUBJECT_FACT || subject.type == LAUREL_SUBJECT_SUM;

      g_free (question);
      g_free (answer);
      laurel_scene_reset (scene);
      laurel_scene_set_subject (scene, &subject);
      question = laurel_scene_fill_any (scene, subject.table, "train");
      answer = laurel_scene_fill_any (scene, subject.table, has_answers ? "answers" : "good");
    } while (g_hash_table_contains (corpus->forbidden, question));
    g_string_append (corpus->text, i > 0 ? "\nUser: " : "User: ");
    add_text (corpus, question);
    g_string_append (corpus->text, "\nAssistant: ");
    add_text (corpus, answer);
  }
}

GString *
laurel_make_corpus (JsonObject *world,
                    guint64 seed,
                    gsize n_bytes,
                    GHashTable *forbidden,
                    LaurelCorpusCounts *out_counts)
{
  LaurelRng rng;
  Corpus corpus = { g_string_sized_new (n_bytes), NULL, forbidden, out_counts };

  *out_counts = (LaurelCorpusCounts){ 0 };
  laurel_rng_init (&rng, seed, LAUREL_RNG_DATA, LAUREL_STREAM_CORPUS, 0);
  laurel_scene_init (&corpus.scene, world, &rng);
  corpus.world = world;
  corpus.seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  while (corpus.text->len < n_bytes) {
    guint32 draw = laurel_rng_below (&rng, 100);

    if (corpus.text->len > 0)
      g_string_append (corpus.text, "\n\n");
    if (draw < 30)
      add_talk (&corpus);
    else if (draw < 52)
      add_facts (&corpus);
    else if (draw < 63)
      add_sums (&corpus);
    else
      add_story (&corpus);
    out_counts->n_documents++;
  }
  g_string_append_c (corpus.text, '\n');
  g_hash_table_unref (corpus.seen);
  laurel_scene_clear (&corpus.scene);
  return corpus.text;
}
