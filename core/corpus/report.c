/* report.c: counting, drawing samples, and both as JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/report.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/rng.h"

#include <string.h>

#define EXCERPT_LENGTH 200 /* characters */

static void
sample_free (gpointer data)
{
  LaurelCorpusSample *self = data;

  g_free (self->file);
  g_free (self->text);
  g_free (self->of_file);
  g_free (self);
}

LaurelCorpusReport *
laurel_corpus_report_new (void)
{
  LaurelCorpusReport *self = g_new0 (LaurelCorpusReport, 1);

  for (int i = 0; i < LAUREL_N_RULES; i++)
    self->removed[i].samples = g_ptr_array_new_with_free_func (sample_free);
  return self;
}

void
laurel_corpus_report_free (LaurelCorpusReport *self)
{
  if (self == NULL)
    return;
  for (int i = 0; i < LAUREL_N_RULES; i++)
    g_ptr_array_unref (self->removed[i].samples);
  g_free (self);
}

char *
laurel_corpus_excerpt (const char *text, gsize n)
{
  g_autofree char *start = g_utf8_make_valid (text, (gssize) MIN (n, 4 * EXCERPT_LENGTH));
  glong n_chars = g_utf8_strlen (start, -1);
  char *excerpt = g_utf8_substring (start, 0, MIN (n_chars, EXCERPT_LENGTH));

  for (char *at = excerpt; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  return g_strchomp (excerpt);
}

/* Keeps each of the documents so far with the same chance (reservoir sampling); which ones hangs
 * on their number alone. */
static LaurelCorpusSample *
draw_sample (LaurelCorpusCount *count, LaurelRule rule)
{
  LaurelCorpusSample *sample;
  guint64 n = count->n_documents + count->n_lines;
  LaurelRng rng;
  guint32 place;

  if (count->samples->len < LAUREL_N_SAMPLES) {
    sample = g_new0 (LaurelCorpusSample, 1);
    g_ptr_array_add (count->samples, sample);
    return sample;
  }
  laurel_rng_init (&rng, 0, LAUREL_RNG_DATA, (guint64) rule, n);
  place = laurel_rng_below (&rng, (guint32) MIN (n, G_MAXUINT32));
  if (place >= LAUREL_N_SAMPLES)
    return NULL;
  sample = g_new0 (LaurelCorpusSample, 1);
  sample_free (g_ptr_array_index (count->samples, place));
  g_ptr_array_index (count->samples, place) = sample;
  return sample;
}

LaurelCorpusSample *
laurel_corpus_report_add_removed (LaurelCorpusReport *self, LaurelRule rule, guint64 n_bytes)
{
  LaurelCorpusCount *count = &self->removed[rule];

  count->n_documents++;
  count->n_bytes += n_bytes;
  return draw_sample (count, rule);
}

static void
add_lines (LaurelCorpusReport *self, const char *file, guint64 number,
           const LaurelRemovedLines *lines)
{
  for (int i = 0; i < LAUREL_N_RULES; i++) {
    LaurelCorpusSample *sample;

    if (lines->n_lines[i] == 0)
      continue;
    self->removed[i].n_lines += lines->n_lines[i];
    sample = draw_sample (&self->removed[i], (LaurelRule) i);
    if (sample == NULL)
      continue;
    sample->file = g_strdup (file);
    sample->number = number;
    sample->text = laurel_corpus_excerpt (lines->sample[i], strlen (lines->sample[i]));
  }
}

void
laurel_corpus_report_add_document (LaurelCorpusReport *self, const char *file,
                                   const LaurelRawDocument *raw, const LaurelDocument *document)
{
  LaurelCorpusSample *sample;

  self->n_read++;
  self->n_bytes_read += raw->n_consumed;
  self->n_controls += document->cleaning.n_controls;
  self->n_replacement += document->cleaning.n_replacement;
  self->n_characters_mended += document->cleaning.n_mojibake;
  self->n_documents_mended += document->cleaning.n_mojibake > 0;
  if (document->rule != LAUREL_RULE_ENCODING)
    self->n_encodings[document->encoding]++;
  add_lines (self, file, raw->number, &document->lines);
  if (document->rule == LAUREL_RULE_NONE) {
    self->n_kept++;
    self->n_bytes_kept += document->text->len;
    return;
  }
  sample = laurel_corpus_report_add_removed (
      self, document->rule, document->text->len > 0 ? document->text->len : raw->n_consumed);
  if (sample == NULL)
    return;
  sample->file = g_strdup (file);
  sample->number = raw->number;
  sample->text = document->rule == LAUREL_RULE_ENCODING
                 ? laurel_corpus_excerpt ((const char *) raw->bytes, raw->n)
                 : laurel_corpus_excerpt (document->text->str, document->text->len);
}

/* --- JSON ---------------------------------------------------------------------------- */

/* The plain counts, for writing and for reading. */
static const struct {
  const char *member;
  gsize offset;
} counts[] = {
  { "documents_read", G_STRUCT_OFFSET (LaurelCorpusReport, n_read) },
  { "bytes_read", G_STRUCT_OFFSET (LaurelCorpusReport, n_bytes_read) },
  { "documents_kept", G_STRUCT_OFFSET (LaurelCorpusReport, n_kept) },
  { "bytes_kept", G_STRUCT_OFFSET (LaurelCorpusReport, n_bytes_kept) },
  { "tokens", G_STRUCT_OFFSET (LaurelCorpusReport, n_tokens) },
  { "documents_with_mojibake", G_STRUCT_OFFSET (LaurelCorpusReport, n_documents_mended) },
  { "mojibake_characters_mended", G_STRUCT_OFFSET (LaurelCorpusReport, n_characters_mended) },
  { "control_characters_removed", G_STRUCT_OFFSET (LaurelCorpusReport, n_controls) },
  { "replacement_characters_seen", G_STRUCT_OFFSET (LaurelCorpusReport, n_replacement) },
};

static void
build_sample (const LaurelCorpusSample *sample, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "file", sample->file);
  laurel_json_add_int (builder, "document", sample->number);
  laurel_json_add_string (builder, "text", sample->text);
  if (sample->of_file != NULL) {
    laurel_json_add_string (builder, "kept_file", sample->of_file);
    laurel_json_add_int (builder, "kept_document", sample->of_number);
    json_builder_set_member_name (builder, "similarity");
    json_builder_add_double_value (builder, sample->similarity);
  }
  json_builder_end_object (builder);
}

static void
build_removed (const LaurelCorpusCount *count, LaurelRule rule, const LaurelRules *rules,
               JsonBuilder *builder)
{
  const LaurelRuleInfo *info = laurel_rule_get_info (rule);

  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "rule", info->name);
  laurel_json_add_string (builder, "why", info->why);
  if (info->max > 0.0) {
    json_builder_set_member_name (builder, "threshold");
    json_builder_add_double_value (builder, rules->threshold[rule]);
  }
  if (info->lines) {
    laurel_json_add_int (builder, "lines", count->n_lines);
  } else {
    laurel_json_add_int (builder, "documents", count->n_documents);
    laurel_json_add_int (builder, "bytes", count->n_bytes);
  }
  json_builder_set_member_name (builder, "samples");
  json_builder_begin_array (builder);
  for (guint i = 0; i < count->samples->len; i++)
    build_sample (g_ptr_array_index (count->samples, i), builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

void
laurel_corpus_report_build (const LaurelCorpusReport *self, const LaurelRules *rules,
                            JsonBuilder *builder)
{
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    const void *count = (const char *) self + counts[i].offset;

    laurel_json_add_int (builder, counts[i].member, (gint64) *(const guint64 *) count);
  }
  json_builder_set_member_name (builder, "encodings");
  json_builder_begin_object (builder);
  for (int i = 0; i < LAUREL_N_ENCODINGS; i++)
    if (self->n_encodings[i] > 0)
      laurel_json_add_int (builder, laurel_encoding_get_name ((LaurelEncoding) i),
                           self->n_encodings[i]);
  json_builder_end_object (builder);
  json_builder_set_member_name (builder, "removed");
  json_builder_begin_array (builder);
  for (int i = 0; i < LAUREL_N_RULES; i++)
    if (rules->on[i])
      build_removed (&self->removed[i], (LaurelRule) i, rules, builder);
  json_builder_end_array (builder);
}

static gboolean
get_count (JsonObject *object, const char *name, const char *member, guint64 *out, GError **error)
{
  gint64 value = 0;

  if (!laurel_json_get_int (object, name, member, 0, G_MAXINT64, &value, error))
    return FALSE;
  *out = (guint64) value;
  return TRUE;
}

static gboolean
parse_sample (JsonObject *object, const char *name, GPtrArray *samples, GError **error)
{
  LaurelCorpusSample *sample = g_new0 (LaurelCorpusSample, 1);
  const char *file = "", *text = "", *of_file = NULL;

  g_ptr_array_add (samples, sample);
  if (!laurel_json_get_string (object, name, "file", &file, error)
      || !laurel_json_get_string (object, name, "text", &text, error)
      || !laurel_json_get_string (object, name, "kept_file", &of_file, error)
      || !get_count (object, name, "document", &sample->number, error)
      || !get_count (object, name, "kept_document", &sample->of_number, error)
      || !laurel_json_get_double (object, name, "similarity", &sample->similarity, error))
    return FALSE;
  sample->file = g_strdup (file);
  sample->text = g_strdup (text);
  sample->of_file = g_strdup (of_file);
  return TRUE;
}

/* The elements of array @member that are objects. */
static GPtrArray *
get_objects (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);
  GPtrArray *objects = g_ptr_array_new ();

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return objects;
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++) {
    JsonNode *element = json_array_get_element (json_node_get_array (node), i);

    if (JSON_NODE_HOLDS_OBJECT (element))
      g_ptr_array_add (objects, json_node_get_object (element));
  }
  return objects;
}

static gboolean
parse_removed (LaurelCorpusReport *self, JsonObject *object, const char *name, GError **error)
{
  g_autoptr (GPtrArray) samples = get_objects (object, "samples");
  const char *rule = "";
  LaurelCorpusCount *count = NULL;

  if (!laurel_json_get_string (object, name, "rule", &rule, error))
    return FALSE;
  for (int i = 0; i < LAUREL_N_RULES && count == NULL; i++)
    if (g_str_equal (rule, laurel_rule_get_info ((LaurelRule) i)->name))
      count = &self->removed[i];
  if (count == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "%s: there is no rule “%s”; correct it", name, rule);
    return FALSE;
  }
  if (!get_count (object, name, "lines", &count->n_lines, error)
      || !get_count (object, name, "documents", &count->n_documents, error)
      || !get_count (object, name, "bytes", &count->n_bytes, error))
    return FALSE;
  for (guint i = 0; i < samples->len; i++)
    if (!parse_sample (g_ptr_array_index (samples, i), name, count->samples, error))
      return FALSE;
  return TRUE;
}

LaurelCorpusReport *
laurel_corpus_report_parse (JsonObject *object, const char *name, GError **error)
{
  g_autoptr (LaurelCorpusReport) self = laurel_corpus_report_new ();
  g_autoptr (GPtrArray) removed = get_objects (object, "removed");
  JsonNode *encodings = json_object_get_member (object, "encodings");

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    if (!get_count (object, name, counts[i].member,
                    (guint64 *) (void *) ((char *) self + counts[i].offset), error))
      return NULL;
  for (int i = 0; i < LAUREL_N_ENCODINGS; i++)
    if (encodings != NULL && JSON_NODE_HOLDS_OBJECT (encodings)
        && !get_count (json_node_get_object (encodings), name,
                       laurel_encoding_get_name ((LaurelEncoding) i), &self->n_encodings[i], error))
      return NULL;
  for (guint i = 0; i < removed->len; i++)
    if (!parse_removed (self, g_ptr_array_index (removed, i), name, error))
      return NULL;
  return g_steal_pointer (&self);
}
