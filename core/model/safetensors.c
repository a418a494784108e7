/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/safetensors.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <math.h>
#include <string.h>

#define MAX_HEADER (100u << 20)
#define LENGTH_BYTES 8

static const struct {
  const char *name;
  gsize size;
} dtypes[] = {
  [LAUREL_DTYPE_F32] = { "F32", 4 },
  [LAUREL_DTYPE_BF16] = { "BF16", 2 },
  [LAUREL_DTYPE_F16] = { "F16", 2 },
};

gboolean
laurel_dtype_from_string (const char *name, LaurelDtype *out_dtype, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (dtypes); i++)
    if (g_ascii_strcasecmp (name, dtypes[i].name) == 0) {
      *out_dtype = (LaurelDtype) i;
      return TRUE;
    }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not understand the type “%s”: there is no such one; write f32, bf16 or f16",
               name);
  return FALSE;
}

static gboolean G_GNUC_PRINTF (3, 4)
refuse (GError **error, const char *path, const char *format, ...)
{
  g_autofree char *why = NULL;
  va_list arguments;

  va_start (arguments, format);
  why = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not read “%s”: %s; get the file again", path, why);
  return FALSE;
}

static void
file_tensor_free (gpointer data)
{
  LaurelFileTensor *tensor = data;

  g_free (tensor->name);
  g_free (tensor);
}

static gboolean
read_dtype (LaurelFileTensor *tensor, JsonObject *entry, const char *path, GError **error)
{
  const char *name = NULL;

  if (!laurel_json_get_string (entry, path, "dtype", &name, error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (dtypes); i++)
    if (g_strcmp0 (name, dtypes[i].name) == 0) {
      tensor->dtype = (LaurelDtype) i;
      return TRUE;
    }
  return refuse (error, path, "“%s” has type %s, and only F32, F16 and BF16 can be read",
                 tensor->name, name != NULL ? name : "(none)");
}

/* A member that is an array of at most @max whole numbers ≥ 0. */
static gboolean
read_sizes (gsize *out, int *out_n, int max, JsonObject *entry, const char *member,
            const LaurelFileTensor *tensor, const char *path, GError **error)
{
  JsonNode *node = json_object_get_member (entry, member);
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node)
      || json_array_get_length (json_node_get_array (node)) > (guint) max)
    return refuse (error, path, "“%s” has no proper %s", tensor->name, member);
  array = json_node_get_array (node);
  *out_n = (int) json_array_get_length (array);
  for (int i = 0; i < *out_n; i++) {
    JsonNode *element = json_array_get_element (array, (guint) i);

    if (!JSON_NODE_HOLDS_VALUE (element) || json_node_get_value_type (element) != G_TYPE_INT64
        || json_node_get_int (element) < 0)
      return refuse (error, path, "“%s” has no proper %s", tensor->name, member);
    out[i] = (gsize) json_node_get_int (element);
  }
  return TRUE;
}

static gboolean
read_entry (LaurelSafetensors *self, const char *name, JsonNode *node, const guchar *data,
            gsize n_data, const char *path, GError **error)
{
  LaurelFileTensor *tensor = g_new0 (LaurelFileTensor, 1);
  gsize range[2] = { 0, 0 };
  int n_range = 0;

  tensor->name = g_strdup (name);
  tensor->n = 1;
  g_hash_table_replace (self->tensors, tensor->name, tensor);
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error, path, "“%s” is described by no object", name);
  /* Buffers such as attention masks have types of their own; nobody asks for them. */
  if (g_str_has_suffix (name, ".attn.bias") || g_str_has_suffix (name, ".attn.masked_bias")) {
    g_hash_table_remove (self->tensors, name);
    return TRUE;
  }
  if (!read_dtype (tensor, json_node_get_object (node), path, error)
      || !read_sizes (tensor->shape, &tensor->n_dims, G_N_ELEMENTS (tensor->shape),
                      json_node_get_object (node), "shape", tensor, path, error)
      || !read_sizes (range, &n_range, 2, json_node_get_object (node), "data_offsets", tensor, path,
                      error))
    return FALSE;
  for (int i = 0; i < tensor->n_dims; i++)
    if (!g_size_checked_mul (&tensor->n, tensor->n, tensor->shape[i]))
      return refuse (error, path, "“%s” is larger than any memory", name);
  if (n_range != 2 || range[0] > range[1] || range[1] > n_data)
    return refuse (error, path, "“%s” reaches past the end of the file, which is cut short", name);
  if ((range[1] - range[0]) % dtypes[tensor->dtype].size != 0
      || (range[1] - range[0]) / dtypes[tensor->dtype].size != tensor->n)
    return refuse (error, path, "the shape of “%s” does not fit its %" G_GSIZE_FORMAT " bytes",
                   name, range[1] - range[0]);
  tensor->data = data + range[0];
  return TRUE;
}

static gboolean
read_header (LaurelSafetensors *self, const char *path, GError **error)
{
  const guchar *bytes = (const guchar *) g_mapped_file_get_contents (self->map);
  gsize size = g_mapped_file_get_length (self->map);
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  guint64 length;
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (size < LENGTH_BYTES)
    return refuse (error, path, "it ends within its first 8 bytes");
  memcpy (&length, bytes, LENGTH_BYTES);
  length = GUINT64_FROM_LE (length);
  if (length > MAX_HEADER)
    return refuse (error, path,
                   "its header claims %" G_GUINT64_FORMAT " bytes, more than any real one has",
                   length);
  if (length > size - LENGTH_BYTES)
    return refuse (error, path,
        "its header claims %" G_GUINT64_FORMAT " bytes, but the file has %" G_GSIZE_FORMAT, length,
        size);
  text = g_strndup ((const char *) bytes + LENGTH_BYTES, length);
  if (strlen (text) != length || !g_utf8_validate (text, -1, NULL))
    return refuse (error, path, "its header is not UTF-8 text");
  root = laurel_json_parse (text, path, error);
  if (root == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (root))
    return refuse (error, path, "its header is no JSON object");
  json_object_iter_init (&iter, json_node_get_object (root));
  while (json_object_iter_next (&iter, &name, &node))
    if (!g_str_equal (name, "__metadata__")
        && !read_entry (self, name, node, bytes + LENGTH_BYTES + length,
                        size - LENGTH_BYTES - length, path, error))
      return FALSE;
  return TRUE;
}

LaurelSafetensors *
laurel_safetensors_open (const char *path, GError **error)
{
  g_autoptr (LaurelSafetensors) self = g_new0 (LaurelSafetensors, 1);
  g_autoptr (GError) local = NULL;

  self->tensors = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, file_tensor_free);
  self->map = g_mapped_file_new (path, FALSE, &local);
  if (self->map == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not read “%s”: %s; check the path", path, local->message);
    return NULL;
  }
  if (!read_header (self, path, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
laurel_safetensors_free (LaurelSafetensors *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->map, g_mapped_file_unref);
  g_clear_pointer (&self->tensors, g_hash_table_unref);
  g_free (self);
}

/* --- Storage types --------------------------------------------------------- */

static float
float_from_bits (guint32 bits)
{
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

static guint32
bits_from_float (float value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

/* To nearest, ties to even; NaN stays NaN. */
static guint16
bf16_from_float (float value)
{
  guint32 bits = bits_from_float (value);

  if (isnan (value))
    return (guint16) (bits >> 16 | 0x40);
  return (guint16) ((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float
float_from_f16 (guint16 half)
{
  guint32 sign = (guint32) (half & 0x8000) << 16;
  guint32 exponent = half >> 10 & 0x1f;
  guint32 fraction = half & 0x3ff;

  if (exponent == 0) {
    float magnitude = ldexpf ((float) fraction, -24);

    return sign != 0 ? -magnitude : magnitude;
  }
  if (exponent == 31)
    return float_from_bits (sign | 0x7f800000 | fraction << 13);
  return float_from_bits (sign | (exponent + 112) << 23 | fraction << 13);
}

static guint16
f16_from_float (float value)
{
  guint16 sign = (guint16) (bits_from_float (value) >> 16 & 0x8000);
  float magnitude = fabsf (value);
  int exponent;

  if (isnan (value))
    return sign | 0x7e00;
  if (magnitude >= 65520.0f)
    return sign | 0x7c00;
  if (magnitude < ldexpf (1.0f, -14)) /* subnormal: multiples of 2⁻²⁴ */
    return sign | (guint16) lrintf (ldexpf (magnitude, 24));
  frexpf (magnitude, &exponent);
  /* magnitude · 2^(11 − exponent) lies in [1024, 2048): rounding may carry into the exponent, as
   * it should. */
  return sign | (guint16) (lrintf (ldexpf (magnitude, 11 - exponent)) - 1024
                           + ((exponent + 14) << 10));
}

void
laurel_file_tensor_read (const LaurelFileTensor *tensor, float *out)
{
  for (gsize i = 0; i < tensor->n; i++) {
    if (tensor->dtype == LAUREL_DTYPE_F32) {
      guint32 bits;

      memcpy (&bits, tensor->data + 4 * i, 4);
      out[i] = float_from_bits (GUINT32_FROM_LE (bits));
    } else {
      guint16 half;

      memcpy (&half, tensor->data + 2 * i, 2);
      half = GUINT16_FROM_LE (half);
      out[i] = tensor->dtype == LAUREL_DTYPE_BF16 ? float_from_bits ((guint32) half << 16)
               : float_from_f16 (half);
    }
  }
}

/* --- Writing --------------------------------------------------------------- */

static char *
make_header (const LaurelLayout *layout, LaurelDtype dtype)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  gsize begin = 0, padded;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "__metadata__");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "format");
  json_builder_add_string_value (builder, "pt"); /* transformers refuses files without it */
  json_builder_end_object (builder);
  for (int i = 0; i < layout->n_tensors; i++) {
    const LaurelTensor *tensor = &layout->tensors[i];
    gsize end = begin + tensor->n * dtypes[dtype].size;

    json_builder_set_member_name (builder, tensor->name);
    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "dtype");
    json_builder_add_string_value (builder, dtypes[dtype].name);
    json_builder_set_member_name (builder, "shape");
    json_builder_begin_array (builder);
    if (tensor->n_dims == 2)
      json_builder_add_int_value (builder, tensor->rows);
    json_builder_add_int_value (builder, tensor->columns);
    json_builder_end_array (builder);
    json_builder_set_member_name (builder, "data_offsets");
    json_builder_begin_array (builder);
    json_builder_add_int_value (builder, (gint64) begin);
    json_builder_add_int_value (builder, (gint64) end);
    json_builder_end_array (builder);
    json_builder_end_object (builder);
    begin = end;
  }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = laurel_json_to_string (root, FALSE);
  padded = (strlen (text) + 7) / 8 * 8; /* data starts at a multiple of 8 */
  return g_strdup_printf ("%-*s", (int) padded, text);
}

static void
convert (guchar *out, const float *in, gsize n, LaurelDtype dtype)
{
  for (gsize i = 0; i < n; i++) {
    if (dtype == LAUREL_DTYPE_F32) {
      guint32 bits = GUINT32_TO_LE (bits_from_float (in[i]));

      memcpy (out + 4 * i, &bits, 4);
    } else {
      guint16 half = GUINT16_TO_LE (dtype == LAUREL_DTYPE_BF16 ? bf16_from_float (in[i])
                                    : f16_from_float (in[i]));

      memcpy (out + 2 * i, &half, 2);
    }
  }
}

#define WRITE_BLOCK (1u << 18)

static gboolean
write_tensor (LaurelFileWriter *writer, const float *w, gsize n, LaurelDtype dtype, guchar *buffer,
              GError **error)
{
  for (gsize start = 0; start < n; start += WRITE_BLOCK) {
    gsize length = MIN (WRITE_BLOCK, n - start);

    convert (buffer, w + start, length, dtype);
    if (!laurel_file_writer_write (writer, buffer, length * dtypes[dtype].size, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
laurel_safetensors_write (const char *path, const LaurelLayout *layout, const float *weights,
                          LaurelDtype dtype, GError **error)
{
  g_autoptr (LaurelFileWriter) writer = laurel_file_writer_open (path, error);
  g_autofree char *header = make_header (layout, dtype);
  g_autofree guchar *buffer = g_malloc (WRITE_BLOCK * sizeof (float));
  guint64 length = strlen (header);
  guint64 little = GUINT64_TO_LE (length);

  if (writer == NULL
      || !laurel_file_writer_write (writer, &little, LENGTH_BYTES, error)
      || !laurel_file_writer_write (writer, header, length, error))
    return FALSE;
  for (int i = 0; i < layout->n_tensors; i++)
    if (!write_tensor (writer, weights + layout->tensors[i].offset, layout->tensors[i].n, dtype,
                       buffer, error))
      return FALSE;
  return laurel_file_writer_commit (writer, error);
}
