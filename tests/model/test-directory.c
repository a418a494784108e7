/* test-directory.c: the forms a model's folder has, and what is said of broken ones.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/model/safetensors.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* --- Making folders --------------------------------------------------------------- */

static const LaurelModelConfig small = {
  .vocab_size = 11, .n_positions = 6, .n_embd = 8, .n_layer = 2, .n_head = 2, .n_inner = 20,
  .layer_norm_epsilon = 1e-5, .initializer_range = 0.2, .tie_word_embeddings = TRUE,
  .bos_token_id = -1, .eos_token_id = 10, .head = LAUREL_HEAD_LM, .reward_gain = 1,
};

/* A tensor to be written, with everything open to lies. */
typedef struct {
  char *name;
  const char *dtype;
  GArray *shape; /* gsize */
  GByteArray *bytes;
} Part;

static void
part_free (gpointer data)
{
  Part *part = data;

  g_free (part->name);
  g_array_unref (part->shape);
  g_byte_array_unref (part->bytes);
  g_free (part);
}

static Part *
add_part (GPtrArray *parts, const char *name, const char *dtype, const gsize *shape, guint n_dims,
          const void *bytes, gsize n_bytes)
{
  Part *part = g_new0 (Part, 1);

  part->name = g_strdup (name);
  part->dtype = dtype;
  part->shape = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_array_append_vals (part->shape, shape, n_dims);
  part->bytes = g_byte_array_new ();
  g_byte_array_append (part->bytes, bytes, (guint) n_bytes);
  g_ptr_array_add (parts, part);
  return part;
}

static GPtrArray *
new_parts (void)
{
  return g_ptr_array_new_with_free_func (part_free);
}

static GPtrArray *
parts_of_model (const LaurelModel *model, gboolean prefix, LaurelDtype dtype)
{
  GPtrArray *parts = new_parts ();

  for (int i = 0; i < model->layout->n_tensors; i++) {
    const LaurelTensor *tensor = &model->layout->tensors[i];
    gsize shape[] = { (gsize) tensor->rows, (gsize) tensor->columns };
    gsize n_bytes = tensor->n * laurel_dtype_get_size (dtype);
    g_autofree guchar *bytes = g_malloc (n_bytes);
    gboolean bare = !prefix && g_str_has_prefix (tensor->name, "transformer.");

    laurel_dtype_from_float (dtype, model->weights + tensor->offset, bytes, tensor->n);
    add_part (parts, tensor->name + (bare ? strlen ("transformer.") : 0),
              laurel_dtype_get_name (dtype), shape + (tensor->n_dims == 1), (guint) tensor->n_dims,
              bytes, n_bytes);
  }
  return parts;
}

static Part *
find_part (GPtrArray *parts, const char *name)
{
  for (guint i = 0; i < parts->len; i++) {
    Part *part = parts->pdata[i];

    if (g_str_has_suffix (part->name, name))
      return part;
  }
  g_assert_not_reached ();
}

static void
write_bytes (const char *dir, const char *name, const void *bytes, gsize n)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, (gssize) n, NULL));
}

/* 8 bytes of length, @header, @data. */
static void
write_raw (const char *dir, const char *name, const char *header, gsize n_header, const void *data,
           gsize n_data)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  guint64 length = GUINT64_TO_LE (n_header);

  g_byte_array_append (file, (const guint8 *) &length, 8);
  g_byte_array_append (file, (const guint8 *) header, (guint) n_header);
  g_byte_array_append (file, data, (guint) n_data);
  write_bytes (dir, name, file->data, file->len);
}

/* The parts from @first, every @step th, one after the other. */
static void
write_parts (const char *dir, const char *name, GPtrArray *parts, guint first, guint step)
{
  g_autoptr (GString) header = g_string_new ("{\"__metadata__\":{\"format\":\"pt\"}");
  g_autoptr (GByteArray) data = g_byte_array_new ();

  for (guint i = first; i < parts->len; i += step) {
    const Part *part = parts->pdata[i];

    g_string_append_printf (header, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", part->name,
                            part->dtype);
    for (guint d = 0; d < part->shape->len; d++)
      g_string_append_printf (header, "%s%" G_GSIZE_FORMAT, d > 0 ? "," : "",
                              g_array_index (part->shape, gsize, d));
    g_string_append_printf (header, "],\"data_offsets\":[%u,%u]}", data->len,
                            data->len + part->bytes->len);
    g_byte_array_append (data, part->bytes->data, part->bytes->len);
  }
  g_string_append_c (header, '}');
  write_raw (dir, name, header->str, header->len, data->data, data->len);
}

static void
write_shards (const char *dir, GPtrArray *parts)
{
  g_autoptr (GString) index = g_string_new ("{\"metadata\":{\"total_size\":1},\"weight_map\":{");

  write_parts (dir, "model-00001-of-00002.safetensors", parts, 0, 2);
  write_parts (dir, "model-00002-of-00002.safetensors", parts, 1, 2);
  for (guint i = 0; i < parts->len; i++) {
    const Part *part = parts->pdata[i];

    g_string_append_printf (index, "%s\"%s\":\"model-%05u-of-00002.safetensors\"",
                            i > 0 ? "," : "", part->name, 1 + i % 2);
  }
  g_string_append (index, "}}");
  write_bytes (dir, "model.safetensors.index.json", index->str, index->len);
}

typedef struct {
  char *dir;
  LaurelModel *model;
  GPtrArray *parts; /* of the model, to be changed before they are written */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->dir = g_dir_make_tmp ("laurel-directory-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->model = laurel_model_new (&small, NULL, NULL, 5, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_model_save (fixture->model, fixture->dir, LAUREL_DTYPE_F32, &error));
  fixture->parts = parts_of_model (fixture->model, TRUE, LAUREL_DTYPE_F32);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  laurel_file_remove_tree (fixture->dir, NULL);
  g_free (fixture->dir);
  laurel_model_free (fixture->model);
  g_ptr_array_unref (fixture->parts);
}

static void
write_one (const Fixture *fixture)
{
  write_parts (fixture->dir, "model.safetensors", fixture->parts, 0, 1);
}

/* Loading fails, and says @word. */
static void
assert_refused (const Fixture *fixture, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (laurel_model_load (fixture->dir, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == LAUREL_ERROR);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, word));
  g_assert_nonnull (strstr (error->message, fixture->dir));
  g_assert_nonnull (strstr (error->message, "; "));
}

/* --- Forms that load -------------------------------------------------------------- */

static void
add_buffers (GPtrArray *parts, gboolean prefix)
{
  static const guint8 zeros[6 * 6 * 4];
  const gsize square[] = { 1, 1, 6, 6 };
  const char *start = prefix ? "transformer." : "";

  for (int layer = 0; layer < 2; layer++) {
    g_autofree char *mask = g_strdup_printf ("%sh.%d.attn.bias", start, layer);
    g_autofree char *number = g_strdup_printf ("%sh.%d.attn.masked_bias", start, layer);

    if (layer == 0)
      add_part (parts, mask, "BOOL", square, 4, zeros, 36);
    else
      add_part (parts, mask, "F32", square, 4, zeros, 144);
    add_part (parts, number, "F32", NULL, 0, "\0\x40\x1c\xc6", 4);
  }
}

enum { PREFIX = 1, SHARDS = 2, BUFFERS = 4, HEAD = 8, UNTIED = 16, SCORE = 32, N_FORMS = 64 };

/* Of two tied names a file may have both, or either. */
static void
shape_head (GPtrArray *parts, guint form)
{
  Part *wte = find_part (parts, "wte.weight");

  if (form & UNTIED || form & SCORE || !(form & HEAD))
    return;
  if (form & BUFFERS)
    add_part (parts, "lm_head.weight", wte->dtype, (const gsize *) (gpointer) wte->shape->data, 2,
              wte->bytes->data, wte->bytes->len);
  else {
    g_free (wte->name);
    wte->name = g_strdup ("lm_head.weight");
  }
}

static void
assert_loads (const char *dir, const LaurelModel *model, guint form)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelModel) loaded = laurel_model_load (dir, &error);

  g_test_message ("form %u", form);
  g_assert_no_error (error);
  g_assert_cmpmem (loaded->weights, loaded->layout->n_floats * sizeof (float), model->weights,
                   model->layout->n_floats * sizeof (float));
}

static void
test_forms (void)
{
  for (guint form = 0; form < N_FORMS; form++) {
    g_autofree char *dir = g_dir_make_tmp ("laurel-directory-XXXXXX", NULL);
    g_autofree char *one = g_build_filename (dir, "model.safetensors", NULL);
    LaurelModelConfig config = small;
    g_autoptr (LaurelModel) model = NULL;
    g_autoptr (GPtrArray) parts = NULL;

    config.tie_word_embeddings = !(form & UNTIED);
    config.head = form & SCORE ? LAUREL_HEAD_SCORE : LAUREL_HEAD_LM;
    model = laurel_model_new (&config, NULL, NULL, form, NULL);
    g_assert_true (laurel_model_save (model, dir, LAUREL_DTYPE_F32, NULL));
    assert_loads (dir, model, form);
    parts = parts_of_model (model, form & PREFIX, LAUREL_DTYPE_F32);
    if (form & BUFFERS)
      add_buffers (parts, form & PREFIX);
    shape_head (parts, form);
    if (form & SHARDS) {
      g_unlink (one);
      write_shards (dir, parts);
    } else {
      write_parts (dir, "model.safetensors", parts, 0, 1);
    }
    assert_loads (dir, model, form);
    laurel_file_remove_tree (dir, NULL);
  }
}

/* Tensors of one file may differ in type. */
static void
test_mixed_types (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) halves = parts_of_model (fixture->model, TRUE, LAUREL_DTYPE_BF16);
  g_autoptr (GPtrArray) f16 = parts_of_model (fixture->model, TRUE, LAUREL_DTYPE_F16);
  g_autoptr (LaurelModel) loaded = NULL;

  for (guint i = 0; i < fixture->parts->len; i++) {
    gpointer *part = &fixture->parts->pdata[i];
    gpointer *other = &(i % 3 == 1 ? halves : f16)->pdata[i];
    gpointer kept = *part;

    if (i % 3 == 0)
      continue;
    *part = *other;
    *other = kept;
  }
  write_one (fixture);
  loaded = laurel_model_load (fixture->dir, NULL);
  g_assert_nonnull (loaded);
  /* BF16 keeps 8 bits */
  for (gsize i = 0; i < loaded->layout->n_floats; i++)
    g_assert_cmpfloat (fabsf (loaded->weights[i] - fixture->model->weights[i]), <=,
                       fabsf (fixture->model->weights[i]) * 0x1p-8f + 0x1p-25f);
}

/* Saving over a sharded model leaves the old index behind. */
static void
test_stale_index (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelModel) other = laurel_model_new (&small, NULL, NULL, 99, NULL);
  g_autoptr (GPtrArray) parts = parts_of_model (other, TRUE, LAUREL_DTYPE_F32);

  write_shards (fixture->dir, parts);
  assert_loads (fixture->dir, fixture->model, 0);
}

/* --- Numbers ---------------------------------------------------------------------- */

/* All 65536 of F16, which IEEE 754 gives as sign · 2^(e − 25) · (1024 + fraction). */
static void
test_every_half (void)
{
  for (guint bits = 0; bits < 0x10000; bits++) {
    guint16 little = GUINT16_TO_LE ((guint16) bits), back;
    int exponent = (int) (bits >> 10 & 31), fraction = (int) (bits & 1023);
    double value = exponent == 0 ? ldexp (fraction, -24) : ldexp (1024 + fraction, exponent - 25);
    gboolean finite;
    float out;

    finite = laurel_dtype_to_float (LAUREL_DTYPE_F16, (const guchar *) &little, &out, 1);
    g_assert_true (finite == (exponent < 31));
    g_assert_true ((signbit (out) != 0) == (bits >> 15 == 1));
    if (exponent < 31)
      g_assert_true (out == (bits >> 15 ? -value : value));
    else
      g_assert_true (fraction == 0 ? isinf (out) : isnan (out));
    laurel_dtype_from_float (LAUREL_DTYPE_F16, &out, (guchar *) &back, 1);
    if (!isnan (out))
      g_assert_cmphex (GUINT16_FROM_LE (back), ==, bits);
  }
}

/* Half way between two neighbours to the even one, a little to either side to that side. */
static void
test_rounding (void)
{
  static const struct {
    LaurelDtype dtype;
    guint last; /* the largest finite one */
  } types[] = { { LAUREL_DTYPE_F16, 0x7bff }, { LAUREL_DTYPE_BF16, 0x7f7f } };

  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    for (guint low = 0; low < types[t].last; low++) {
      guint16 pair[] = { GUINT16_TO_LE ((guint16) low), GUINT16_TO_LE ((guint16) (low + 1)) };
      float ends[2], values[3];
      guint16 found[3];

      laurel_dtype_to_float (types[t].dtype, (const guchar *) pair, ends, 2);
      values[1] = (float) (((double) ends[0] + ends[1]) / 2);
      values[0] = nextafterf (values[1], ends[0]);
      values[2] = nextafterf (values[1], ends[1]);
      laurel_dtype_from_float (types[t].dtype, values, (guchar *) found, 3);
      g_assert_cmphex (GUINT16_FROM_LE (found[0]), ==, low);
      g_assert_cmphex (GUINT16_FROM_LE (found[1]), ==, low + (low & 1));
      g_assert_cmphex (GUINT16_FROM_LE (found[2]), ==, low + 1);
    }
}

/* Wherever one number of a long row is not finite, vector code and its tail see it. */
static void
test_finite (void)
{
  static const float bad[] = { NAN, -NAN, INFINITY, -INFINITY };
  float in[67] = { 0 }, out[67];
  guchar bytes[67 * 4 + 1];

  for (int dtype = 0; dtype < 3; dtype++)
    for (int at = -1; at < 67; at++)
      for (gsize b = 0; b < G_N_ELEMENTS (bad); b++) {
        in[MAX (at, 0)] = at >= 0 ? bad[b] : 65504.0f;
        laurel_dtype_from_float ((LaurelDtype) dtype, in, bytes + 1, 67); /* not aligned */
        g_assert_true (laurel_dtype_to_float ((LaurelDtype) dtype, bytes + 1, out, 67)
                       == (at < 0));
        g_assert_true (at < 0 || !isfinite (out[at]));
        in[MAX (at, 0)] = 0;
      }
}

static void
test_not_finite (Fixture *fixture, gconstpointer data)
{
  Part *part = find_part (fixture->parts, "h.1.attn.c_attn.weight");
  guint8 *number = part->bytes->data + (5 * 24 + 7) * sizeof (float);
  float value = NAN;

  memcpy (number, &value, sizeof value);
  write_one (fixture);
  assert_refused (fixture, "h.1.attn.c_attn.weight is not a number at row 5, column 7");
  value = -INFINITY;
  memcpy (number, &value, sizeof value);
  write_one (fixture);
  assert_refused (fixture, "h.1.attn.c_attn.weight is infinite at row 5, column 7");
}

/* What would not be read again is not written, and what was there stays. */
static void
test_not_written (Fixture *fixture, gconstpointer data)
{
  float *number = fixture->model->weights + fixture->model->at.lnf_b + 3, kept = *number;

  for (int dtype = 0; dtype < 3; dtype++) {
    g_autoptr (GError) error = NULL;

    *number = dtype == LAUREL_DTYPE_F32 ? NAN : dtype == LAUREL_DTYPE_F16 ? 65520.0f : 3.4e38f;
    g_assert_false (laurel_model_save (fixture->model, fixture->dir, (LaurelDtype) dtype, &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    g_assert_nonnull (strstr (error->message, "transformer.ln_f.bias has a number that"));
    *number = kept;
    assert_loads (fixture->dir, fixture->model, 0);
  }
}

/* --- Files that lie --------------------------------------------------------------- */

static void
test_headers (Fixture *fixture, gconstpointer data)
{
#define T(dtype, shape, offsets) \
  "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
  static const struct {
    const char *header, *word;
  } cases[] = {
    { "", "empty" },
    { "[]", "no JSON object" },
    { "{\"a\"", "JSON" },
    { "{\"a\xff\":1}", "UTF-8" },
    { "{\"a\":5}", "described by no object" },
    { "{\"a\":{}}", "no type" },
    { "{\"a\":" T ("F32", "[1]", "[0,4]") ",\"a\":" T ("F32", "[1]", "[4,8]") "}", "“a” twice" },
    { "{\"a\":" T ("F32", "[2]", "[0,8]") ",\"b\":" T ("F32", "[1]", "[4,8]") "}", "overlap" },
    { "{\"a\":" T ("F32", "[1]", "[0,4]") ",\"b\":" T ("F32", "[1]", "[0,4]") "}", "overlap" },
    { "{\"a\":" T ("F32", "[1]", "[4,8]") "}", "4 bytes before “a”" },
    { "{\"a\":" T ("F32", "[1]", "[0,4]") "}", "last 4 bytes" },
    { "{\"a\":" T ("F32", "[2]", "[8,0]") "}", "data_offsets" },
    { "{\"a\":" T ("F32", "[2]", "[0]") "}", "data_offsets" },
    { "{\"a\":" T ("F32", "[2]", "[0,8,9]") "}", "data_offsets" },
    { "{\"a\":" T ("F32", "[3]", "[0,12]") "}", "past the end" },
    { "{\"a\":" T ("F32", "[1]", "[9223372036854775800,9223372036854775804]") "}", "past the end" },
    { "{\"a\":" T ("F32", "[3]", "[0,8]") "}", "does not fit" },
    { "{\"a\":" T ("F32", "[-2]", "[0,8]") "}", "shape" },
    { "{\"a\":" T ("F32", "[2.0]", "[0,8]") "}", "shape" },
    { "{\"a\":" T ("F32", "\"2\"", "[0,8]") "}", "shape" },
    { "{\"a\":" T ("F32", "[4294967296,4294967296,16]", "[0,8]") "}", "larger than any memory" },
    { "{\"a\":" T ("F32", "[1,1,1,1,1,1,1,1,1,2]", "[0,8]") "}", "shape" },
    { "{\"a\":" T ("FP32", "[2]", "[0,8]") "}", "unknown type “FP32”" },
    { "{\"a\":" T ("I64", "[1]", "[0,8]") "}", "wte.weight is missing" },
    { "{\"a\":" T ("I64", "[2]", "[0,8]") "}", "does not fit" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%s", cases[i].header);
    write_raw (fixture->dir, "model.safetensors", cases[i].header, strlen (cases[i].header),
               "12345678", 8);
    assert_refused (fixture, cases[i].word);
  }
  write_raw (fixture->dir, "model.safetensors", "{\"a\0\":1}", 8, "", 0);
  assert_refused (fixture, "UTF-8");
  write_bytes (fixture->dir, "model.safetensors", "", 0);
  assert_refused (fixture, "first 8 bytes");
  write_bytes (fixture->dir, "model.safetensors", "\0\0\0\x03\0\0\0\0{}", 10);
  assert_refused (fixture, "more than any real one");
#undef T
}

/* Every byte that a header may end at. */
static void
test_cut_short (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->dir, "model.safetensors", NULL);
  g_autofree char *good = NULL;
  gsize n;

  g_assert_true (g_file_get_contents (path, &good, &n, NULL));
  for (gsize length = 0; length < n; length += 97) {
    write_bytes (fixture->dir, "model.safetensors", good, length);
    assert_refused (fixture, "get the file again");
  }
}

static void
test_tensors (Fixture *fixture, gconstpointer data)
{
  Part *part = find_part (fixture->parts, "h.0.mlp.c_fc.weight");
  gsize shape[] = { 11, 8 };
  g_autofree float *head = g_new0 (float, 88);
  char *name = part->name;

  part->name = (char *) "transformer.h.2.mlp.c_fc.weight";
  write_one (fixture);
  assert_refused (fixture, "h.0.mlp.c_fc.weight is missing");
  part->name = name;
  part->dtype = "I32";
  write_one (fixture);
  assert_refused (fixture, "h.0.mlp.c_fc.weight has the type I32");
  part->dtype = "F32";
  g_array_index (part->shape, gsize, 0) = 20;
  g_array_index (part->shape, gsize, 1) = 8;
  write_one (fixture);
  assert_refused (fixture, "is (20, 8), its config.json needs (8, 20)");
  g_array_index (part->shape, gsize, 0) = 8;
  g_array_index (part->shape, gsize, 1) = 20;
  add_part (fixture->parts, "v_head.summary.weight", "F32", shape + 1, 1, head, 32);
  write_one (fixture);
  assert_refused (fixture, "no place for the tensor v_head.summary.weight");
  g_ptr_array_remove_index (fixture->parts, fixture->parts->len - 1);
  add_part (fixture->parts, "h.0.ln_1.bias", "F32", shape + 1, 1, head, 32);
  write_one (fixture);
  assert_refused (fixture, "transformer.h.0.ln_1.bias twice");
  g_ptr_array_remove_index (fixture->parts, fixture->parts->len - 1);
  add_part (fixture->parts, "lm_head.weight", "F32", shape, 2, head, 88 * sizeof (float));
  write_one (fixture);
  assert_refused (fixture, "“tie_word_embeddings” to false");
  part = find_part (fixture->parts, "lm_head.weight");
  g_free (part->name);
  part->name = g_strdup ("score.weight");
  write_one (fixture);
  assert_refused (fixture, "no place for the tensor score.weight");
}

static void
test_index (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *text, *word;
  } cases[] = {
    { "{}", "weight_map" },
    { "[]", "weight_map" },
    { "{\"weight_map\":[]}", "weight_map" },
    { "{\"weight_map\":{\"a\":5}}", "names no files" },
    { "{\"weight_map\":{\"a\":\"../model.safetensors\"}}", "outside the folder" },
    { "{\"weight_map\":{\"a\":\"..\"}}", "outside the folder" },
    { "{\"weight_map\":{\"a\":\"\"}}", "outside the folder" },
    { "{\"weight_map\":{\"a\":\"absent.safetensors\"}}", "absent.safetensors" },
    { "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\"}}", "which has it not" },
    { "{\"weight_map\":{\"transformer.wte.weight\":\"model-00001-of-00002.safetensors\"}}",
      "wpe.weight is missing" },
    { "{\"weight_map\":{\"transformer.wte.weight\":\"model-00001-of-00002.safetensors\","
      "\"transformer.wpe.weight\":\"again.safetensors\"}}", "twice" }, /* it has them all */
  };
  g_autofree char *one = g_build_filename (fixture->dir, "model.safetensors", NULL);
  g_autofree char *again = g_build_filename (fixture->dir, "again.safetensors", NULL);

  write_shards (fixture->dir, fixture->parts);
  g_assert_cmpint (g_rename (one, again), ==, 0);
  assert_loads (fixture->dir, fixture->model, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    write_bytes (fixture->dir, "model.safetensors.index.json", cases[i].text,
                 strlen (cases[i].text));
    assert_refused (fixture, cases[i].word);
  }
}

static void
test_other_files (Fixture *fixture, gconstpointer data)
{
  g_autofree char *one = g_build_filename (fixture->dir, "model.safetensors", NULL);

  g_unlink (one);
  assert_refused (fixture, "neither");
  write_bytes (fixture->dir, "pytorch_model.bin", "PK", 2);
  assert_refused (fixture, "safe_serialization");
  g_assert_cmpint (g_mkdir (one, 0700), ==, 0);
  assert_refused (fixture, "no ordinary file");
}

static void
test_config_file (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *text;
    gsize n;
    const char *word;
  } cases[] = {
    { "\xff\xfe{\0}\0", 6, "UTF-8" },
    { "{\"model_type\": \"gpt2\xe9\"}", 23, "UTF-8" },
    { "{\"n_layer\": 2, \"n_layer\": 3}", 28, "“n_layer” twice" },
    { "[1]", 3, "no JSON object" },
    { "", 0, "empty" },
    { "{\"vocab_size\": 9, \"n_embd\": 8, \"n_head\": 2}", 43, "needs (9, 8)" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    write_bytes (fixture->dir, "config.json", cases[i].text, cases[i].n);
    assert_refused (fixture, cases[i].word);
  }
}

static void
add (const char *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/directory/forms", test_forms);
  add ("/model/directory/mixed-types", test_mixed_types);
  add ("/model/directory/stale-index", test_stale_index);
  g_test_add_func ("/model/dtype/every-half", test_every_half);
  g_test_add_func ("/model/dtype/rounding", test_rounding);
  g_test_add_func ("/model/dtype/finite", test_finite);
  add ("/model/directory/not-finite", test_not_finite);
  add ("/model/directory/not-written", test_not_written);
  add ("/model/directory/headers", test_headers);
  add ("/model/directory/cut-short", test_cut_short);
  add ("/model/directory/tensors", test_tensors);
  add ("/model/directory/index", test_index);
  add ("/model/directory/other-files", test_other_files);
  add ("/model/directory/config-file", test_config_file);
  return g_test_run ();
}
