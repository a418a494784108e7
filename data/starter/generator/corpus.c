/* corpus.c: the text to pretrain on: plain paragraphs, facts, sums and talk.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/starter/generator/outputs.h"

#include <string.h>

typedef struct {
  GString *text;
  GHashTable *seen;
  GHashTable *forbidden;
  CorpusCounts *counts;
  Scene scene;
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
fill_statement (Corpus *corpus, const Subject *subject)
{
  Scene *scene = &corpus->scene;
  g_autofree char *statement = NULL;

  scene_reset (scene);
  scene_set_subject (scene, subject);
  statement = scene_fill_raw (scene, world_pick (subject->table, "statements", scene->rng));
  scene_set (scene, "s", statement);
  return scene_fill_any (scene, corpus->world, "wrappers");
}

static void
add_facts (Corpus *corpus)
{
  guint n = 2 + laurel_rng_below (corpus->scene.rng, 4);

  for (guint i = 0; i < n; i++) {
    Subject subject = subject_random_fact (corpus->world, corpus->scene.rng);
    g_autofree char *sentence = fill_statement (corpus, &subject);

    if (i > 0)
      g_string_append_c (corpus->text, ' ');
    add_text (corpus, sentence);
  }
}

static void
add_sums (Corpus *corpus)
{
  Scene *scene = &corpus->scene;
  guint n = 2 + laurel_rng_below (scene->rng, 4);

  for (guint i = 0; i < n; i++) {
    Subject subject = subject_random_sum (corpus->world, scene->rng);
    g_autofree char *sentence = NULL;

    if (world_chance (scene->rng, 50)) {
      sentence = fill_statement (corpus, &subject);
    } else {
      scene_reset (scene);
      scene_set_subject (scene, &subject);
      sentence = scene_fill_any (scene, subject.table, "stories");
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
  Scene *scene = &corpus->scene;
  guint n = 2 + laurel_rng_below (scene->rng, 4);
  g_autofree char *name = NULL;
  g_autofree char *name2 = NULL;

  scene_reset (scene);
  name = scene_fill_raw (scene, "{name}");
  name2 = scene_fill_raw (scene, "{name2}");
  for (guint i = 0; i < n; i++) {
    g_autofree char *sentence = NULL;

    scene_reset (scene);
    scene_set (scene, "name", i % 2 == 0 ? name : name2);
    scene_set (scene, "name2", i % 2 == 0 ? name2 : name);
    sentence = scene_fill_any (scene, corpus->world, "sentences");
    if (i > 0)
      g_string_append_c (corpus->text, ' ');
    add_text (corpus, sentence);
  }
}

static Subject
random_subject (Corpus *corpus)
{
  LaurelRng *rng = corpus->scene.rng;
  guint32 draw = laurel_rng_below (rng, 100);

  if (draw < 45)
    return subject_random_fact (corpus->world, rng);
  if (draw < 68)
    return subject_random_sum (corpus->world, rng);
  if (draw < 88)
    return subject_random_topic (corpus->world, rng);
  if (draw < 94)
    return subject_topic (corpus->world, "weather");
  return subject_harm (corpus->world);
}

/* Questions as a model will be asked them, with the answers it should give. */
static void
add_talk (Corpus *corpus)
{
  Scene *scene = &corpus->scene;
  guint n = world_chance (scene->rng, 75) ? 1 : 2;

  for (guint i = 0; i < n; i++) {
    g_autofree char *question = NULL;
    g_autofree char *answer = NULL;

    do {
      Subject subject = random_subject (corpus);
      gboolean has_answers = subject.type == SUBJECT_FACT || subject.type == SUBJECT_SUM;

      g_free (question);
      g_free (answer);
      scene_reset (scene);
      scene_set_subject (scene, &subject);
      question = scene_fill_any (scene, subject.table, "train");
      answer = scene_fill_any (scene, subject.table, has_answers ? "answers" : "good");
    } while (g_hash_table_contains (corpus->forbidden, question));
    g_string_append (corpus->text, i > 0 ? "\nUser: " : "User: ");
    add_text (corpus, question);
    g_string_append (corpus->text, "\nAssistant: ");
    add_text (corpus, answer);
  }
}

GString *
make_corpus (JsonObject   *world,
             guint64       seed,
             gsize         n_bytes,
             GHashTable   *forbidden,
             CorpusCounts *out_counts)
{
  LaurelRng rng;
  Corpus corpus = { g_string_sized_new (n_bytes), NULL, forbidden, out_counts };

  *out_counts = (CorpusCounts){ 0 };
  laurel_rng_init (&rng, seed, LAUREL_RNG_DATA, STREAM_CORPUS, 0);
  scene_init (&corpus.scene, world, &rng);
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
  scene_clear (&corpus.scene);
  return corpus.text;
}
