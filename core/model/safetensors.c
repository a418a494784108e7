/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/safetensors.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <string.h>

#define MAX_HEADER (32u << 20) /* a thousand layers need 2 */
#define LENGTH_BYTES 8

/* The format's other types, whose tensors may lie in a file but not in a model: buffers, or weights
 * of another program's making. 0: less than a byte, or unknown. */
static const struct {
  const char *name;
  gsize size;
} other_dtypes[] = {
  { "BOOL", 1 }, { "U8", 1 }, { "I8", 1 }, { "F8_E5M2", 1 }, { "F8_E4M3", 1 }, { "F8_E8M0", 1 },
  { "I16", 2 }, { "U16", 2 }, { "I32", 4 }, { "U32", 4 }, { "I64", 8 }, { "U64", 8 }, { "F64", 8 },
  { "C64", 8 }, { "F4", 0 }, { "F6_E2M3", 0 }, { "F6_E3M2", 0 },
};

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

/* @out_size: bytes of an element, 0 when that is no whole number. */
static gboolean
read_dtype (LaurelFileTensor *tensor, gsize *out_size, JsonObject *entry, const char *path,
            GError **error)
{
  const char *name = NULL;

  if (!laurel_json_get_string (entry, path, "dtype", &name, error))
    return FALSE;
  if (name == NULL)
    return refuse (error, path, "“%s” has no type", tensor->name);
  for (int i = 0; i <= LAUREL_DTYPE_F16; i++)
    if (g_str_equal (name, laurel_dtype_get_name ((LaurelDtype) i))) {
      tensor->dtype = (LaurelDtype) i;
      *out_size = laurel_dtype_get_size (tensor->dtype);
      return TRUE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (other_dtypes); i++)
    if (g_str_equal (name, other_dtypes[i].name)) {
      tensor->unreadable = other_dtypes[i].name;
      *out_size = other_dtypes[i].size;
      return TRUE;
    }
  return refuse (error, path, "“%s” has the unknown type “%s”", tensor->name, name);
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
check_size (const LaurelFileTensor *tensor, gsize element, const char *path, GError **error)
{
  gsize length = tensor->end - tensor->begin;

  if (element == 0 || (length % element == 0 && length / element == tensor->n))
    return TRUE;
  return refuse (error, path, "the shape of “%s” does not fit its %" G_GSIZE_FORMAT " bytes",
                 tensor->name, length);
}

static gboolean
read_entry (LaurelSafetensors *self, const char *name, JsonNode *node, const guchar *data,
            gsize n_data, const char *path, GError **error)
{
  LaurelFileTensor *tensor = g_new0 (LaurelFileTensor, 1);
  gsize range[2] = { 0, 0 }, element = 0;
  int n_range = 0;
  JsonObject *entry;

  tensor->name = g_strdup (name);
  tensor->n = 1;
  g_hash_table_replace (self->tensors, tensor->name, tensor);
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error, path, "“%s” is described by no object", name);
  entry = json_node_get_object (node);
  if (!read_dtype (tensor, &element, entry, path, error)
      || !read_sizes (tensor->shape, &tensor->n_dims, LAUREL_MAX_DIMENSIONS, entry, "shape", tensor,
                      path, error)
      || !read_sizes (range, &n_range, 2, entry, "data_offsets", tensor, path, error))
    return FALSE;
  for (int i = 0; i < tensor->n_dims; i++)
    if (!g_size_checked_mul (&tensor->n, tensor->n, tensor->shape[i]))
      return refuse (error, path, "“%s” is larger than any memory", name);
  if (n_range != 2 || range[0] > range[1])
    return refuse (error, path, "“%s” has no proper data_offsets", name);
  if (range[1] > n_data)
    return refuse (error, path, "“%s” reaches past the end of the file, which is cut short", name);
  tensor->begin = range[0];
  tensor->end = range[1];
  tensor->data = data + range[0];
  return check_size (tensor, element, path, error);
}

static int
compare_tensors (gconstpointer a, gconstpointer b)
{
  const LaurelFileTensor *x = *(const LaurelFileTensor *const *) a;
  const LaurelFileTensor *y = *(const LaurelFileTensor *const *) b;

  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return x->end < y->end ? -1 : x->end > y->end;
}

/* The format has every byte of the data belong to exactly one tensor. */
static gboolean
check_coverage (const LaurelSafetensors *self, gsize n_data, const char *path, GError **error)
{
  g_autoptr (GPtrArray) tensors = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer tensor;
  gsize at = 0;
  const char *before = "the header";

  g_hash_table_iter_init (&iter, self->tensors);
  while (g_hash_table_iter_next (&iter, NULL, &tensor))
    g_ptr_array_add (tensors, tensor);
  g_ptr_array_sort (tensors, compare_tensors);
  for (guint i = 0; i < tensors->len; i++) {
    const LaurelFileTensor *next = tensors->pdata[i];

    if (next->begin < at)
      return refuse (error, path, "“%s” and “%s” overlap", before, next->name);
    if (next->begin > at)
      return refuse (error, path, "%" G_GSIZE_FORMAT " bytes before “%s” belong to no tensor",
                     next->begin - at, next->name);
    at = next->end;
    before = next->name;
  }
  if (at != n_data)
    return refuse (error, path, "the last %" G_GSIZE_FORMAT " bytes belong to no tensor",
                   n_data - at);
  return TRUE;
}

static gboolean
read_entries (LaurelSafetensors *self, const char *text, const guchar *data, gsize n_data,
              const char *path, GError **error)
{
  g_autofree char *twice = laurel_json_find_duplicate (text);
  g_autoptr (JsonNode) root = laurel_json_parse (text, path, error);
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (root == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (root))
    return refuse (error, path, "its header is no JSON object");
  if (twice != NULL)
    return refuse (error, path, "its header has “%s” twice", twice);
  json_object_iter_init (&iter, json_node_get_object (root));
  while (json_object_iter_next (&iter, &name, &node))
    if (!g_str_equal (name, "__metadata__")
        && !read_entry (self, name, node, data, n_data, path, error))
      return FALSE;
  return check_coverage (self, n_data, path, error);
}

static gboolean
read_header (LaurelSafetensors *self, const char *path, GError **error)
{
  const guchar *bytes = (const guchar *) g_mapped_file_get_contents (self->map);
  gsize size = g_mapped_file_get_length (self->map);
  g_autofree char *text = NULL;
  guint64 length;

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
  return read_entries (self, text, bytes + LENGTH_BYTES + length, size - LENGTH_BYTES - length,
                       path, error);
}

LaurelSafetensors *
laurel_safetensors_open (const char *path, GError **error)
{
  g_autoptr (LaurelSafetensors) self = g_new0 (LaurelSafetensors, 1);
  g_autoptr (GError) local = NULL;

  self->tensors = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, file_tensor_free);
  self->path = g_strdup (path);
  /* a pipe would keep whoever opens it waiting */
  if (g_file_test (path, G_FILE_TEST_EXISTS) && !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    refuse (error, path, "it is no ordinary file");
    return NULL;
  }
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
  g_free (self->path);
  g_free (self);
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
    gsize end = begin + tensor->n * laurel_dtype_get_size (dtype);

    json_builder_set_member_name (builder, tensor->name);
    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "dtype");
    json_builder_add_string_value (builder, laurel_dtype_get_name (dtype));
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

#define WRITE_BLOCK (1u << 18)

static gboolean
refuse_number (GError **error, const char *path, const LaurelTensor *tensor, LaurelDtype dtype)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not write “%s”: %s has a number that %s cannot hold; %s", path, tensor->name,
               laurel_dtype_get_name (dtype),
               dtype == LAUREL_DTYPE_F32 ? "use an earlier checkpoint" : "write f32 or bf16");
  return FALSE;
}

static gboolean
write_tensor (LaurelFileWriter *writer, const char *path, const LaurelTensor *tensor,
              const float *w, LaurelDtype dtype, guchar *buffer, GError **error)
{
  for (gsize start = 0; start < tensor->n; start += WRITE_BLOCK) {
    gsize length = MIN (WRITE_BLOCK, tensor->n - start);

    if (!laurel_dtype_from_float (dtype, w + start, buffer, length))
      return refuse_number (error, path, tensor, dtype);
    if (!laurel_file_writer_write (writer, buffer, length * laurel_dtype_get_size (dtype), error))
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
    if (!write_tensor (writer, path, &layout->tensors[i], weights + layout->tensors[i].offset,
                       dtype, buffer, error))
      return FALSE;
  return laurel_file_writer_commit (writer, error);
}
