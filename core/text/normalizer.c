/* normalizer.c: the steps of a normaliser, one after the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/normalizer.h"

#include "core/base/json.h"
#include "core/text/characters.h"
#include "core/text/tokenizer_files.h"
#include "core/text/unicode_normalize.h"

#include <string.h>

#define MAX_DEPTH 16
#define MAX_GROWTH 1000

typedef enum {
  STEP_NFC,
  STEP_NFD,
  STEP_NFKC,
  STEP_NFKD,
  STEP_LOWERCASE,
  STEP_STRIP_ACCENTS,
  STEP_BERT,
  STEP_REPLACE,
  STEP_PREPEND,
  STEP_STRIP,
  N_STEPS,
} StepKind;

static const char *const step_names[N_STEPS] = {
  "NFC",     "NFD",     "NFKC",  "NFKD", "Lowercase", "StripAccents", "BertNormalizer",
  "Replace", "Prepend", "Strip",
};

/* The switches of BertNormalizer and Strip. strip_accents null means: as lowercase. */
typedef enum {
  FLAG_CLEAN_TEXT = 1 << 0,
  FLAG_CHINESE = 1 << 1,
  FLAG_STRIP_ACCENTS = 1 << 2,
  FLAG_LOWERCASE = 1 << 3,
  FLAG_ACCENTS_AS_LOWERCASE = 1 << 4,
  FLAG_LEFT = 1 << 5,
  FLAG_RIGHT = 1 << 6,
} StepFlags;

typedef struct {
  StepKind kind;
  guint flags;
  char *old; /* what Replace takes out */
  char *new; /* what it or Prepend puts in */
} Step;

struct _LaurelNormalizer {
  GArray *steps;
};

static void
clear_step (gpointer data)
{
  Step *step = data;

  g_free (step->old);
  g_free (step->new);
}

static LaurelNormalizer *
normalizer_new (void)
{
  LaurelNormalizer *self = g_new (LaurelNormalizer, 1);

  self->steps = g_array_new (FALSE, TRUE, sizeof (Step));
  g_array_set_clear_func (self->steps, clear_step);
  return self;
}

LaurelNormalizer *
laurel_normalizer_new_bert (gboolean lowercase)
{
  LaurelNormalizer *self = normalizer_new ();
  Step step = { .kind = STEP_BERT,
                .flags = FLAG_CLEAN_TEXT | FLAG_CHINESE | FLAG_ACCENTS_AS_LOWERCASE };

  if (lowercase)
    step.flags |= FLAG_LOWERCASE | FLAG_STRIP_ACCENTS;
  g_array_append_val (self->steps, step);
  return self;
}

void
laurel_normalizer_free (LaurelNormalizer *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->steps);
  g_free (self);
}

/* --- Applying ---------------------------------------------------------------- */

static gboolean
is_space (gunichar c)
{
  return laurel_character_classes ()[c] == LAUREL_CHARACTER_SPACE;
}

/* What BERT takes out: control, format and private characters, and U+FFFD. */
static gboolean
is_junk (gunichar c)
{
  if (c == '\t' || c == '\n' || c == '\r')
    return FALSE;
  switch (g_unichar_type (c)) {
  case G_UNICODE_CONTROL:
  case G_UNICODE_FORMAT:
  case G_UNICODE_PRIVATE_USE: return TRUE;
  default: return c == 0xfffd;
  }
}

/* The blocks that tokenizer.json's readers take for Chinese (0x2b920 is theirs). */
static gboolean
is_chinese (gunichar c)
{
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf)
         || (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b81f)
         || (c >= 0x2b920 && c <= 0x2ceaf) || (c >= 0xf900 && c <= 0xfaff)
         || (c >= 0x2f800 && c <= 0x2fa1f);
}

static void
append_lower (GString *out, gunichar c)
{
  g_string_append_unichar (out, g_unichar_tolower (c));
  /* The one character whose lower case is two. */
  if (c == 0x130) {
    g_string_truncate (out, out->len - (gsize) g_unichar_to_utf8 (g_unichar_tolower (c), NULL));
    g_string_append (out, "i\xcc\x87");
  }
}

static gboolean
is_mark (gunichar c, gboolean any)
{
  GUnicodeType type = c < 0x300 ? G_UNICODE_CONTROL : g_unichar_type (c);

  return type == G_UNICODE_NON_SPACING_MARK
         || (any && (type == G_UNICODE_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK));
}

/* One pass over the characters; @map appends what one becomes. */
static void
map_characters (GString *text, void (*map) (GString *out, gunichar c))
{
  g_autoptr (GString) out = g_string_sized_new (text->len + 1);

  for (gsize at = 0, n; at < text->len; at += n)
    map (out, laurel_read_character (text->str + at, &n));
  g_string_truncate (text, 0);
  g_string_append_len (text, out->str, (gssize) out->len);
}

static void
map_clean (GString *out, gunichar c)
{
  if (is_space (c) && (c < 0x80 ? c == ' ' || c == '\t' || c == '\n' || c == '\r' : c != 0x85))
    g_string_append_c (out, ' ');
  else if (!is_junk (c))
    g_string_append_unichar (out, c);
}

static void
map_chinese (GString *out, gunichar c)
{
  if (is_chinese (c)) {
    g_string_append_c (out, ' ');
    g_string_append_unichar (out, c);
    g_string_append_c (out, ' ');
  } else {
    g_string_append_unichar (out, c);
  }
}

static void
map_without_accents (GString *out, gunichar c)
{
  if (!is_mark (c, FALSE))
    g_string_append_unichar (out, c);
}

static void
map_without_marks (GString *out, gunichar c)
{
  if (!is_mark (c, TRUE))
    g_string_append_unichar (out, c);
}

static void
apply_bert_to_other (const Step *step, GString *text)
{
  if ((step->flags & FLAG_CLEAN_TEXT) != 0)
    map_characters (text, map_clean);
  if ((step->flags & FLAG_CHINESE) != 0)
    map_characters (text, map_chinese);
  if ((step->flags & FLAG_STRIP_ACCENTS) != 0) {
    laurel_unicode_normalize (text, LAUREL_FORM_NFD);
    map_characters (text, map_without_accents);
  }
  if ((step->flags & FLAG_LOWERCASE) != 0)
    map_characters (text, append_lower);
}

/* ASCII becomes ASCII, at most as long: returns the end of what was written at @to. */
static char *
apply_bert_to_ascii (const Step *step, const char *from, const char *end, char *to)
{
  gboolean clean = (step->flags & FLAG_CLEAN_TEXT) != 0;
  gboolean lower = (step->flags & FLAG_LOWERCASE) != 0;

  for (; from < end; from++) {
    char c = lower ? g_ascii_tolower (*from) : *from;

    if (clean && (c < ' ' || c == 0x7f)) {
      if (c != '\t' && c != '\n' && c != '\r')
        continue;
      c = ' ';
    }
    *to++ = c;
  }
  return to;
}

/* No step looks from a stretch of ASCII into one of other characters or back,
 * and most text is the former. */
static void
apply_bert (const Step *step, GString *text)
{
  g_autoptr (GString) out = g_string_sized_new (text->len);
  g_autoptr (GString) other = g_string_new (NULL);

  for (gsize at = 0, end; at < text->len; at = end) {
    gsize before = out->len;

    for (end = at; end < text->len && (guint8) text->str[end] < 0x80; end++)
      continue;
    g_string_set_size (out, before + (end - at));
    g_string_truncate (
        out, (gsize) (apply_bert_to_ascii (step, text->str + at, text->str + end, out->str + before)
                      - out->str));
    for (at = end; end < text->len && (guint8) text->str[end] >= 0x80; end++)
      continue;
    g_string_truncate (other, 0);
    g_string_append_len (other, text->str + at, (gssize) (end - at));
    apply_bert_to_other (step, other);
    g_string_append_len (out, other->str, (gssize) other->len);
  }
  g_string_truncate (text, 0);
  g_string_append_len (text, out->str, (gssize) out->len);
}

static void
apply_strip (const Step *step, GString *text)
{
  gsize from = 0, to = text->len, n;

  while ((step->flags & FLAG_LEFT) != 0 && from < to
         && is_space (laurel_read_character (text->str + from, &n)))
    from += n;
  while ((step->flags & FLAG_RIGHT) != 0 && from < to) {
    const char *last = g_utf8_prev_char (text->str + to);

    if (!is_space (laurel_read_character (last, &n)))
      break;
    to = (gsize) (last - text->str);
  }
  g_string_truncate (text, to);
  g_string_erase (text, 0, (gssize) from);
}

/* GString's own replacing moves the rest of the text every time. */
static void
apply_replace (const Step *step, GString *text)
{
  g_autoptr (GString) out = g_string_sized_new (text->len);
  const char *at = text->str, *found;

  while ((found = strstr (at, step->old)) != NULL) {
    g_string_append_len (out, at, found - at);
    g_string_append (out, step->new);
    at = found + strlen (step->old);
  }
  g_string_append (out, at);
  g_string_truncate (text, 0);
  g_string_append_len (text, out->str, (gssize) out->len);
}

static void
apply_step (const Step *step, GString *text, gboolean first)
{
  static const LaurelNormalForm forms[] = { LAUREL_FORM_NFC, LAUREL_FORM_NFD, LAUREL_FORM_NFKC,
                                            LAUREL_FORM_NFKD };

  switch (step->kind) {
  case STEP_LOWERCASE: map_characters (text, append_lower); break;
  case STEP_STRIP_ACCENTS: map_characters (text, map_without_marks); break;
  case STEP_BERT: apply_bert (step, text); break;
  case STEP_REPLACE: apply_replace (step, text); break;
  case STEP_STRIP: apply_strip (step, text); break;
  case STEP_PREPEND:
    if (first && text->len > 0)
      g_string_prepend (text, step->new);
    break;
  default: laurel_unicode_normalize (text, forms[step->kind]); break;
  }
}

void
laurel_normalizer_apply (const LaurelNormalizer *self, GString *text, gboolean first)
{
  for (guint i = 0; i < self->steps->len; i++)
    apply_step (&g_array_index (self->steps, Step, i), text, first);
}

gboolean
laurel_normalizer_has_seams (const LaurelNormalizer *self, gboolean has_added)
{
  for (guint i = 0; i < self->steps->len; i++) {
    StepKind kind = g_array_index (self->steps, Step, i).kind;

    if (kind == STEP_REPLACE || kind == STEP_STRIP || (kind == STEP_PREPEND && has_added))
      return FALSE;
  }
  return TRUE;
}

/* --- Reading and writing ------------------------------------------------------- */

typedef struct {
  const char *name;
  guint flag;
} Switch;

static const Switch bert_switches[] = {
  { "clean_text", FLAG_CLEAN_TEXT },
  { "handle_chinese_chars", FLAG_CHINESE },
  { "lowercase", FLAG_LOWERCASE },
  { NULL },
};

static const Switch strip_switches[] = {
  { "strip_left", FLAG_LEFT },
  { "strip_right", FLAG_RIGHT },
  { NULL },
};

static gboolean
read_switches (JsonObject *object, const Switch *switches, const char *path, guint *flags,
               GError **error)
{
  for (; switches->name != NULL; switches++) {
    gboolean on = TRUE;

    if (!laurel_json_get_boolean (object, path, switches->name, &on, error))
      return FALSE;
    if (on)
      *flags |= switches->flag;
  }
  return TRUE;
}

static gboolean
read_bert (JsonObject *object, const char *path, Step *step, GError **error)
{
  JsonNode *accents = json_object_get_member (object, "strip_accents");
  gboolean strip;

  if (!read_switches (object, bert_switches, path, &step->flags, error))
    return FALSE;
  strip = (step->flags & FLAG_LOWERCASE) != 0;
  if (accents == NULL || JSON_NODE_HOLDS_NULL (accents))
    step->flags |= FLAG_ACCENTS_AS_LOWERCASE;
  else if (!laurel_json_get_boolean (object, path, "strip_accents", &strip, error))
    return FALSE;
  if (strip)
    step->flags |= FLAG_STRIP_ACCENTS;
  return TRUE;
}

static gboolean
read_replace (JsonObject *object, const char *path, Step *step, GError **error)
{
  JsonNode *node = json_object_get_member (object, "pattern");
  const char *old = NULL, *new = NULL;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node)
      && json_object_has_member (json_node_get_object (node), "Regex"))
    return laurel_tokenizer_refuse (error, path,
                                    "its normalizer Replace has a Regex pattern and only a String "
                                    "is supported; use a tokenizer without one");
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node)
      && !laurel_json_get_string (json_node_get_object (node), path, "String", &old, error))
    return FALSE;
  if (!laurel_json_get_string (object, path, "content", &new, error))
    return FALSE;
  if (old == NULL || *old == '\0' || new == NULL)
    return laurel_tokenizer_refuse (
        error, path, "its normalizer Replace lacks its pattern or content; add it");
  step->old = g_strdup (old);
  step->new = g_strdup (new);
  return TRUE;
}

static gboolean
read_prepend (JsonObject *object, const char *path, Step *step, GError **error)
{
  const char *new = NULL;

  if (!laurel_json_get_string (object, path, "prepend", &new, error))
    return FALSE;
  if (new == NULL)
    return laurel_tokenizer_refuse (error, path, "its normalizer Prepend lacks prepend; add it");
  step->new = g_strdup (new);
  return TRUE;
}

static gboolean
read_step (JsonObject *object, const char *type, const char *path, Step *step, GError **error)
{
  for (step->kind = 0; step->kind < N_STEPS; step->kind++)
    if (g_str_equal (type, step_names[step->kind]))
      break;
  switch (step->kind) {
  case STEP_BERT: return read_bert (object, path, step, error);
  case STEP_REPLACE: return read_replace (object, path, step, error);
  case STEP_PREPEND: return read_prepend (object, path, step, error);
  case STEP_STRIP: return read_switches (object, strip_switches, path, &step->flags, error);
  case N_STEPS:
    return laurel_tokenizer_refuse (error, path,
                                    "its normalizer of type “%s” is not supported; use a "
                                    "tokenizer without one",
                                    type);
  default: return TRUE;
  }
}

static gboolean
read_node (LaurelNormalizer *self, JsonNode *node, const char *path, int depth, GError **error);

static gboolean
read_sequence (LaurelNormalizer *self, JsonObject *object, const char *path, int depth,
               GError **error)
{
  JsonNode *node = json_object_get_member (object, "normalizers");
  JsonArray *array =
      node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (array == NULL || depth == MAX_DEPTH)
    return laurel_tokenizer_refuse (
        error, path, "its normalizer Sequence %s; correct it",
        array == NULL ? "lacks its normalizers" : "is nested too deep");
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!read_node (self, json_array_get_element (array, i), path, depth + 1, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_node (LaurelNormalizer *self, JsonNode *node, const char *path, int depth, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *type = NULL;
  Step step = { 0 };
  gboolean done;

  if (object != NULL && !laurel_json_get_string (object, path, "type", &type, error))
    return FALSE;
  if (type == NULL)
    return laurel_tokenizer_refuse (error, path, "its normalizer has no type; correct it");
  if (g_str_equal (type, "Sequence"))
    return read_sequence (self, object, path, depth, error);
  done = read_step (object, type, path, &step, error);
  if (done)
    g_array_append_val (self->steps, step);
  else
    clear_step (&step);
  return done;
}

/* How many times longer a step may make a text: U+FDFA decomposes from 3 bytes to 33, U+0390 from
 * 2 to 6, U+023A has a lower case of 3 bytes, a Chinese character of 3 gets two spaces. */
static double
get_growth (const Step *step)
{
  switch (step->kind) {
  case STEP_NFKC:
  case STEP_NFKD: return 11.0;
  case STEP_NFC:
  case STEP_NFD: return 3.0;
  case STEP_LOWERCASE: return 1.5;
  case STEP_BERT: return 5.0 / 3.0 * 3.0 * 1.5;
  case STEP_REPLACE: return MAX (1.0, (double) strlen (step->new) / (double) strlen (step->old));
  default: return 1.0;
  }
}

double
laurel_normalizer_get_growth (const LaurelNormalizer *self)
{
  double growth = 1.0;

  for (guint i = 0; i < self->steps->len; i++)
    growth *= get_growth (&g_array_index (self->steps, Step, i));
  return growth;
}

/* Growth multiplies from step to step: a small file could make any text too large for memory. */
static gboolean
check_growth (const LaurelNormalizer *self, const char *path, GError **error)
{
  if (laurel_normalizer_get_growth (self) <= MAX_GROWTH)
    return TRUE;
  return laurel_tokenizer_refuse (error, path,
                                  "its normalizers could make a text more than %d times as long; "
                                  "use a tokenizer with fewer of them",
                                  MAX_GROWTH);
}

LaurelNormalizer *
laurel_normalizer_parse (JsonNode *node, const char *path, GError **error)
{
  g_autoptr (LaurelNormalizer) self = normalizer_new ();

  return read_node (self, node, path, 0, error) && check_growth (self, path, error)
             ? g_steal_pointer (&self)
             : NULL;
}

static void
write_switches (JsonObject *object, const Switch *switches, guint flags)
{
  for (; switches->name != NULL; switches++)
    json_object_set_boolean_member (object, switches->name, (flags & switches->flag) != 0);
}

static JsonObject *
write_step (const Step *step)
{
  JsonObject *object = json_object_new (), *pattern;

  json_object_set_string_member (object, "type", step_names[step->kind]);
  if (step->kind == STEP_BERT) {
    write_switches (object, bert_switches, step->flags);
    if ((step->flags & FLAG_ACCENTS_AS_LOWERCASE) != 0)
      json_object_set_null_member (object, "strip_accents");
    else
      json_object_set_boolean_member (object, "strip_accents",
                                      (step->flags & FLAG_STRIP_ACCENTS) != 0);
  } else if (step->kind == STEP_STRIP) {
    write_switches (object, strip_switches, step->flags);
  } else if (step->kind == STEP_PREPEND) {
    json_object_set_string_member (object, "prepend", step->new);
  } else if (step->kind == STEP_REPLACE) {
    pattern = json_object_new ();
    json_object_set_string_member (pattern, "String", step->old);
    json_object_set_object_member (object, "pattern", pattern);
    json_object_set_string_member (object, "content", step->new);
  }
  return object;
}

JsonNode *
laurel_normalizer_to_json (const LaurelNormalizer *self)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *sequence = json_object_new ();
  JsonArray *steps = json_array_new ();

  for (guint i = 0; i < self->steps->len; i++)
    json_array_add_object_element (steps, write_step (&g_array_index (self->steps, Step, i)));
  if (self->steps->len == 1) {
    json_node_set_object (node, json_array_get_object_element (steps, 0));
    json_array_unref (steps);
    json_object_unref (sequence);
    return node;
  }
  json_object_set_string_member (sequence, "type", "Sequence");
  json_object_set_array_member (sequence, "normalizers", steps);
  json_node_take_object (node, sequence);
  return node;
}
