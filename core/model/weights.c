/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/weights.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/model/safetensors.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PREFIX "transformer."
#define WTE "transformer.wte.weight"
#define LM_HEAD "lm_head.weight"
#define ONE_FILE "model.safetensors"
#define INDEX_FILE "model.safetensors.index.json"

typedef struct {
  const LaurelFileTensor *tensor;
  const LaurelSafetensors *file;
} Entry;

struct _LaurelWeightFiles {
  char *dir;
  GPtrArray *files;    /* LaurelSafetensors */
  GHashTable *entries; /* the layout's name → Entry */
};

static gboolean G_GNUC_PRINTF (3, 4)
refuse (GError **error, const LaurelWeightFiles *self, const char *format, ...)
{
  g_autofree char *why = NULL;
  va_list arguments;

  va_start (arguments, format);
  why = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH, "Could not open the model “%s”: %s",
               self->dir, why);
  return FALSE;
}

void
laurel_weight_files_free (LaurelWeightFiles *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->entries, g_hash_table_unref);
  g_clear_pointer (&self->files, g_ptr_array_unref);
  g_free (self->dir);
  g_free (self);
}

/* --- Opening ---------------------------------------------------------------- */

/* GPT-2's first checkpoint names the trunk's tensors without the prefix. */
static char *
full_name (const char *name)
{
  if (g_str_has_prefix (name, PREFIX) || g_str_equal (name, LM_HEAD)
      || g_str_equal (name, "score.weight"))
    return g_strdup (name);
  return g_strconcat (PREFIX, name, NULL);
}

/* transformer.h.N.attn.bias and .attn.masked_bias: the causal mask and what it masks with, which
 * old versions of transformers stored beside the weights. */
static gboolean
is_mask_buffer (const char *name)
{
  const char *at = name + strlen (PREFIX "h.");

  if (!g_str_has_prefix (name, PREFIX "h.") || !g_ascii_isdigit (*at))
    return FALSE;
  at += strspn (at, "0123456789");
  return g_str_equal (at, ".attn.bias") || g_str_equal (at, ".attn.masked_bias");
}

static gboolean
add_tensors (LaurelWeightFiles *self, const LaurelSafetensors *file, GError **error)
{
  GHashTableIter iter;
  gpointer name, tensor;

  g_hash_table_iter_init (&iter, file->tensors);
  while (g_hash_table_iter_next (&iter, &name, &tensor)) {
    g_autofree char *full = full_name (name);
    const Entry *other = g_hash_table_lookup (self->entries, full);
    Entry *entry;

    if (is_mask_buffer (full))
      continue;
    if (other != NULL)
      return refuse (error, self, "it has the tensor %s twice, as “%s” in “%s” and “%s” in “%s”; "
                     "remove one of them or get the files again", full, other->tensor->name,
                     other->file->path, (const char *) name, file->path);
    entry = g_new0 (Entry, 1);
    *entry = (Entry) { tensor, file };
    g_hash_table_insert (self->entries, g_steal_pointer (&full), entry);
  }
  return TRUE;
}

static const LaurelSafetensors *
open_file (LaurelWeightFiles *self, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (self->dir, name, NULL);
  LaurelSafetensors *file = laurel_safetensors_open (path, error);

  if (file == NULL)
    return NULL;
  g_ptr_array_add (self->files, file);
  return add_tensors (self, file, error) ? file : NULL;
}

static gboolean
refuse_index (GError **error, const char *path, const char *why)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not read “%s”: %s; get the file again", path, why);
  return FALSE;
}

static JsonObject *
get_weight_map (JsonNode *root, const char *path, GError **error)
{
  JsonNode *map = NULL;

  if (JSON_NODE_HOLDS_OBJECT (root))
    map = json_object_get_member (json_node_get_object (root), "weight_map");
  if (map != NULL && JSON_NODE_HOLDS_OBJECT (map))
    return json_node_get_object (map);
  refuse_index (error, path, "it has no weight_map");
  return NULL;
}

/* A file beside the index, never one elsewhere. */
static gboolean
is_file_name (const char *name)
{
  return *name != '\0' && strchr (name, '/') == NULL && !g_str_equal (name, ".")
         && !g_str_equal (name, "..");
}

static gboolean
open_index (LaurelWeightFiles *self, const char *path, GError **error)
{
  g_autoptr (JsonNode) root = laurel_json_load (path, error);
  g_autoptr (GHashTable) shards = g_hash_table_new (g_str_hash, g_str_equal); /* name → file */
  JsonObject *map;
  JsonObjectIter iter;
  const char *tensor;
  JsonNode *node;

  map = root != NULL ? get_weight_map (root, path, error) : NULL;
  if (map == NULL)
    return FALSE;
  json_object_iter_init (&iter, map);
  while (json_object_iter_next (&iter, &tensor, &node)) {
    const char *name = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
    const LaurelSafetensors *file;

    if (name == NULL)
      return refuse_index (error, path, "its weight_map names no files");
    if (!is_file_name (name))
      return refuse_index (error, path, "its weight_map names a file outside the folder");
    file = g_hash_table_lookup (shards, name);
    if (file == NULL) {
      file = open_file (self, name, error);
      if (file == NULL)
        return FALSE;
      g_hash_table_insert (shards, (gpointer) name, (gpointer) file);
    }
    if (!g_hash_table_contains (file->tensors, tensor))
      return refuse (error, self, "its index has the tensor %s in “%s”, which has it not; get the "
                     "files again", tensor, name);
  }
  return TRUE;
}

/* What people have who have no safetensors file. */
static gboolean
refuse_other_format (const LaurelWeightFiles *self, GError **error)
{
  static const char *const others[] = { "pytorch_model.bin", "pytorch_model.bin.index.json",
                                        "tf_model.h5", "flax_model.msgpack" };

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *path = g_build_filename (self->dir, others[i], NULL);

    if (g_file_test (path, G_FILE_TEST_EXISTS))
      return refuse (error, self, "its weights are in %s, and only safetensors can be read; save "
                     "it with transformers' save_pretrained (…, safe_serialization=True)",
                     others[i]);
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
               "Could not open the model “%s”: it has neither " ONE_FILE " nor " INDEX_FILE
               "; get the files again", self->dir);
  return FALSE;
}

/* One file first, as transformers does: whoever saves a model over a sharded one leaves the
 * index of the old one behind. */
static gboolean
open_all (LaurelWeightFiles *self, GError **error)
{
  g_autofree char *one = g_build_filename (self->dir, ONE_FILE, NULL);
  g_autofree char *index = g_build_filename (self->dir, INDEX_FILE, NULL);

  if (g_file_test (one, G_FILE_TEST_EXISTS))
    return open_file (self, ONE_FILE, error) != NULL;
  if (g_file_test (index, G_FILE_TEST_EXISTS))
    return open_index (self, index, error);
  return refuse_other_format (self, error);
}

LaurelWeightFiles *
laurel_weight_files_open (const char *dir, GError **error)
{
  g_autoptr (LaurelWeightFiles) self = g_new0 (LaurelWeightFiles, 1);

  self->dir = g_strdup (dir);
  self->files = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_safetensors_free);
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return open_all (self, error) ? g_steal_pointer (&self) : NULL;
}

/* --- Checking --------------------------------------------------------------- */

static char *
describe_shape (const gsize *shape, int n_dims)
{
  GString *text = g_string_new ("(");

  for (int i = 0; i < n_dims; i++)
    g_string_append_printf (text, "%s%" G_GSIZE_FORMAT, i > 0 ? ", " : "", shape[i]);
  g_string_append (text, ")");
  return g_string_free (text, FALSE);
}

/* Of a tied pair, a file may keep either. */
static const Entry *
find_entry (const LaurelWeightFiles *self, const char *name, gboolean tied)
{
  const Entry *entry = g_hash_table_lookup (self->entries, name);

  if (entry == NULL && tied && g_str_equal (name, WTE))
    entry = g_hash_table_lookup (self->entries, LM_HEAD);
  return entry;
}

static gboolean
check_tensor (const LaurelWeightFiles *self, const LaurelTensor *wanted,
              const LaurelFileTensor *tensor, GError **error)
{
  gsize shape[2] = { (gsize) wanted->rows, (gsize) wanted->columns };
  const gsize *wanted_shape = wanted->n_dims == 2 ? shape : shape + 1;
  g_autofree char *is = NULL, *needs = NULL;

  if (tensor->unreadable != NULL)
    return refuse (error, self, "%s has the type %s, and only F32, F16 and BF16 can be read; save "
                   "it as one of these", tensor->name, tensor->unreadable);
  if (tensor->n_dims == wanted->n_dims
      && memcmp (tensor->shape, wanted_shape, (gsize) wanted->n_dims * sizeof (gsize)) == 0)
    return TRUE;
  is = describe_shape (tensor->shape, tensor->n_dims);
  needs = describe_shape (wanted_shape, wanted->n_dims);
  return refuse (error, self, "%s is %s, its config.json needs %s; use the config.json that "
                 "belongs to these weights", wanted->name, is, needs);
}

static gboolean
is_tied (const LaurelModelConfig *config)
{
  return config->head == LAUREL_HEAD_LM && config->tie_word_embeddings;
}

/* A tensor that the configuration has no place for would be silently dropped. */
static gboolean
check_places (const LaurelWeightFiles *self, GHashTable *known, GError **error)
{
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const Entry *entry = value;

    if (!g_hash_table_contains (known, name))
      return refuse (error, self, "its config.json has no place for the tensor %s; use the "
                     "config.json that belongs to these weights", entry->tensor->name);
  }
  return TRUE;
}

gboolean
laurel_weight_files_check (LaurelWeightFiles *self, const LaurelModelConfig *config,
                           GError **error)
{
  LaurelLayout *layout = laurel_layout_new (config);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  gboolean good = TRUE;

  if (is_tied (config))
    g_hash_table_add (known, (gpointer) LM_HEAD);
  for (int i = 0; i < layout->n_tensors && good; i++) {
    const LaurelTensor *wanted = &layout->tensors[i];
    const Entry *entry = find_entry (self, wanted->name, is_tied (config));

    g_hash_table_add (known, wanted->name);
    good = entry != NULL ? check_tensor (self, wanted, entry->tensor, error)
           : refuse (error, self, "the tensor %s is missing; get the files again", wanted->name);
  }
  good = good && check_places (self, known, error);
  laurel_layout_unref (layout);
  return good;
}

/* --- Reading ----------------------------------------------------------------- */

/* So much at a time by a thread: small enough that the last does not keep the others waiting. */
#define CHUNK (1u << 20)

typedef struct {
  const Entry *entry;
  const LaurelTensor *to;
  gsize start, n; /* elements of the tensor */
} Chunk;

static GArray *
list_chunks (const LaurelWeightFiles *self, const LaurelModel *model)
{
  GArray *chunks = g_array_new (FALSE, FALSE, sizeof (Chunk));

  for (int i = 0; i < model->layout->n_tensors; i++) {
    const LaurelTensor *to = &model->layout->tensors[i];

    for (gsize start = 0; start < to->n; start += CHUNK) {
      Chunk chunk = { find_entry (self, to->name, is_tied (&model->config)), to, start,
                      MIN (CHUNK, to->n - start) };

      g_array_append_val (chunks, chunk);
    }
  }
  return chunks;
}

/* Pages of the file that were read count as this process's memory until they are let go: a model
 * would be there twice. */
static void
let_go (const guchar *from, gsize n_bytes)
{
  gsize page = (gsize) sysconf (_SC_PAGESIZE);
  guintptr start = ((guintptr) from + page - 1) / page * page;
  guintptr end = ((guintptr) from + n_bytes) / page * page;

  if (end > start)
    (void) madvise ((void *) start, end - start, MADV_DONTNEED);
}

static gboolean
read_chunk (const Chunk *chunk, float *weights)
{
  const LaurelFileTensor *tensor = chunk->entry->tensor;
  gsize size = laurel_dtype_get_size (tensor->dtype);
  const guchar *from = tensor->data + chunk->start * size;
  gboolean finite;

  finite = laurel_dtype_to_float (tensor->dtype, from, weights + chunk->to->offset + chunk->start,
                                  chunk->n);
  let_go (from, chunk->n * size);
  return finite;
}

static gboolean
refuse_number (const LaurelWeightFiles *self, const Chunk *chunk, const float *weights,
               GError **error)
{
  gsize at = chunk->start, columns = (gsize) chunk->to->columns;
  const float *w = weights + chunk->to->offset;

  while (isfinite (w[at]))
    at++;
  return refuse (error, self, "%s is %s at row %" G_GSIZE_FORMAT ", column %" G_GSIZE_FORMAT
                 ", counted from 0; no model computes with that, use an earlier checkpoint or get "
                 "the files again", chunk->entry->tensor->name,
                 isnan (w[at]) ? "not a number" : "infinite", at / columns, at % columns);
}

/* A tied model may be stored with its head, which then is the embedding. If it is not, somebody
 * meant it to be a head of its own. */
static gboolean
check_tied_head (const LaurelWeightFiles *self, const LaurelModel *model, GError **error)
{
  const Entry *head = g_hash_table_lookup (self->entries, LM_HEAD);
  const LaurelTensor *wte = laurel_layout_find (model->layout, WTE);
  const float *w = model->weights + wte->offset;
  g_autofree float *row = g_new (float, wte->columns);
  gsize columns = (gsize) wte->columns;

  if (!is_tied (&model->config) || head == NULL)
    return TRUE;
  if (!check_tensor (self, wte, head->tensor, error))
    return FALSE;
  for (gsize i = 0; i < (gsize) wte->rows; i++) {
    laurel_dtype_to_float (head->tensor->dtype, head->tensor->data
                           + i * columns * laurel_dtype_get_size (head->tensor->dtype), row,
                           columns);
    if (memcmp (row, w + i * columns, columns * sizeof (float)) != 0)
      return refuse (error, self, "its config.json ties the head to the embedding, but row %"
                     G_GSIZE_FORMAT " of " LM_HEAD " is not that of wte.weight; set "
                     "“tie_word_embeddings” to false, or remove " LM_HEAD, i);
  }
  return TRUE;
}

gboolean
laurel_weight_files_read (const LaurelWeightFiles *self, LaurelModel *model, GError **error)
{
  g_autoptr (GArray) chunks = list_chunks (self, model);
  int first_bad = G_MAXINT;

#pragma omp parallel for schedule(dynamic) reduction(min : first_bad)
  for (int i = 0; i < (int) chunks->len; i++)
    if (!read_chunk (&g_array_index (chunks, Chunk, i), model->weights) && i < first_bad)
      first_bad = i;
  if (first_bad < G_MAXINT)
    return refuse_number (self, &g_array_index (chunks, Chunk, first_bad), model->weights, error);
  return check_tied_head (self, model, error);
}
