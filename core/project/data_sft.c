/* data_sft.c: conversations to ids and a mask of what is learned.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

#include "core/base/error.h"

/* So many rows that are left out for one reason are named before “and N more”. */
#define MAX_NAMED 8

GPtrArray *
laurel_data_list_demonstrations (LaurelStore *store,
                                 int n,
                                 const GArray *to_measure,
                                 GError **error)
{
  g_autoptr (GPtrArray) demonstrations = laurel_store_list_demonstrations (store, n, 0, error);
  g_autoptr (GPtrArray) rows =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_data_row_free);

  guint at = 0;

  if (demonstrations == NULL)
    return NULL;
  for (guint i = 0; i < demonstrations->len; i++) {
    const LaurelDemonstration *demonstration = g_ptr_array_index (demonstrations, i);
    LaurelDataRow *row = laurel_data_row_new (i + 1);

    laurel_data_row_add_message (row, LAUREL_ROLE_USER, g_strdup (demonstration->prompt));
    laurel_data_row_add_message (row, LAUREL_ROLE_ASSISTANT, g_strdup (demonstration->completion));
    g_ptr_array_add (rows, row);
    while (at < to_measure->len && g_array_index (to_measure, gint64, at) < demonstration->id)
      at++;
    row->is_to_measure =
        at < to_measure->len && g_array_index (to_measure, gint64, at) == demonstration->id;
  }
  return g_steal_pointer (&rows);
}

/* --- One row ---------------------------------------------------------------------- */

static gboolean
is_blank (const char *text)
{
  for (; *text != '\0'; text++)
    if (!g_ascii_isspace (*text))
      return FALSE;
  return TRUE;
}

/* The first message that says nothing; NULL: they all say something. */
static const LaurelMessage *
find_blank (const LaurelDataRow *row, guint *out_index)
{
  for (guint i = 0; i < row->messages->len; i++) {
    const LaurelMessage *message = &g_array_index (row->messages, LaurelMessage, i);

    *out_index = i;
    if (is_blank (message->text))
      return message;
  }
  return NULL;
}

static gboolean
encode_message (const LaurelTemplate *template,
                const LaurelTokenizer *tokenizer,
                const LaurelMessage *message,
                GArray *ids,
                GError **error)
{
  switch (message->role) {
  case LAUREL_ROLE_SYSTEM:
    return laurel_template_encode_system (template, tokenizer, message->text, ids, error);
  case LAUREL_ROLE_USER:
    return laurel_template_encode_prompt (template, tokenizer, message->text, ids, error);
  case LAUREL_ROLE_ASSISTANT:
    break;
  }
  return laurel_template_encode_completion (template, tokenizer, message->text, ids, error);
}

gboolean
laurel_data_encode_sft (const LaurelTemplate *template,
                        const LaurelTokenizer *tokenizer,
                        const LaurelDataRow *row,
                        int max_length,
                        GArray *ids,
                        GArray *learned,
                        LaurelRowVerdict *out_verdict,
                        GError **error)
{
  guint start = ids->len;
  guint blank;

  *out_verdict = LAUREL_ROW_EMPTY;
  if (find_blank (row, &blank) != NULL)
    return TRUE;
  for (guint i = 0; i < row->messages->len; i++) {
    const LaurelMessage *message = &g_array_index (row->messages, LaurelMessage, i);
    guint8 is_learned = message->role == LAUREL_ROLE_ASSISTANT;

    if (!encode_message (template, tokenizer, message, ids, error))
      return FALSE;
    while (learned->len < ids->len)
      g_array_append_val (learned, is_learned);
  }
  *out_verdict = ids->len - start > (guint) max_length ? LAUREL_ROW_LONG : LAUREL_ROW_GOOD;
  return TRUE;
}

char *
laurel_row_verdict_describe (LaurelRowVerdict verdict,
                             const LaurelDataRow *row,
                             int n_tokens,
                             int max_length)
{
  guint blank = 0;

  switch (verdict) {
  case LAUREL_ROW_EMPTY:
    (void) find_blank (row, &blank);
    return g_strdup_printf ("there is nothing to learn from: message %u is empty", blank + 1);
  case LAUREL_ROW_LONG:
    return g_strdup_printf ("its %d tokens are more than the %d of a sequence", n_tokens,
                            max_length);
  case LAUREL_ROW_GOOD:
    break;
  }
  return NULL;
}

/* --- All rows --------------------------------------------------------------------- */

/* “2 longer than 256 tokens (rows 3, 17)”, after a comma when it is not the first. */
static void
describe_rows (GString *note, const GArray *rows, const char *what)
{
  if (rows->len == 0)
    return;
  g_string_append_printf (note, "%s %u %s (row%s", note->str[note->len - 1] == ')' ? "," : "",
                          rows->len, what, rows->len > 1 ? "s" : "");
  for (guint i = 0; i < MIN (rows->len, MAX_NAMED); i++)
    g_string_append_printf (note, "%s %u", i > 0 ? "," : "", g_array_index (rows, guint, i));
  if (rows->len > MAX_NAMED)
    g_string_append_printf (note, " and %u more", rows->len - MAX_NAMED);
  g_string_append_c (note, ')');
}

static void
note_left_out (LaurelTrainData *out,
               const char *what,
               guint n_rows,
               const GArray *empty,
               const GArray *longer,
               int max_length)
{
  g_autofree char *too_long = g_strdup_printf ("longer than %d tokens", max_length);
  GString *note;

  if (empty->len + longer->len == 0)
    return;
  note = g_string_new (NULL);
  g_string_append_printf (note, "Left out %u of %u rows of %s:", empty->len + longer->len, n_rows,
                          what);
  describe_rows (note, empty, "with nothing to learn from");
  describe_rows (note, longer, too_long);
  g_ptr_array_add (out->notes, g_string_free (note, FALSE));
}

/* What is asked before the assistant first speaks. */
static char *
join_prompt (const LaurelDataRow *row)
{
  GString *prompt = g_string_new (NULL);

  for (guint i = 0; i < row->messages->len; i++) {
    const LaurelMessage *message = &g_array_index (row->messages, LaurelMessage, i);

    if (message->role == LAUREL_ROLE_ASSISTANT)
      break;
    g_string_append_printf (prompt, "%d %s\n", message->role, message->text);
  }
  return g_string_free (prompt, FALSE);
}

/* The number of the first row with this one's prompt: all of them are held out, or none. */
static guint64
find_first (GHashTable *first_rows, const LaurelDataRow *row, guint64 index)
{
  char *prompt = join_prompt (row);
  const guint64 *first = g_hash_table_lookup (first_rows, prompt);

  if (first == NULL) {
    g_hash_table_insert (first_rows, prompt, g_memdup2 (&index, sizeof index));
    return index;
  }
  g_free (prompt);
  return *first;
}

guint
laurel_data_count_held_out (GPtrArray *rows,
                            const LaurelHyperparameters *hp,
                            guint64 first,
                            GHashTable *first_rows)
{
  guint n = 0;

  for (guint i = 0; i < rows->len; i++) {
    const LaurelDataRow *row = g_ptr_array_index (rows, i);

    n += !row->is_to_measure
         && laurel_data_is_held_out (hp, find_first (first_rows, row, first + i));
  }
  return n;
}

static void
keep_row (const LaurelHyperparameters *hp,
          guint64 index,
          const GArray *ids,
          const GArray *learned,
          LaurelTrainData *out)
{
  g_ptr_array_add (laurel_data_is_held_out (hp, index) ? out->eval_sequences : out->sequences,
                   laurel_sequence_new_masked ((const gint32 *) (const void *) ids->data,
                                               (const guint8 *) learned->data, (int) ids->len));
}

gboolean
laurel_data_load_sft (GPtrArray *rows,
                      const char *what,
                      const LaurelModel *model,
                      const LaurelHyperparameters *hp,
                      guint64 first,
                      LaurelTrainData *out,
                      GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) learned = g_array_new (FALSE, FALSE, sizeof (guint8));
  g_autoptr (GArray) empty = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) longer = g_array_new (FALSE, FALSE, sizeof (guint));
  int max_length = laurel_data_max_length (model, hp);

  if (!laurel_require_tokenizer (model, NULL, error))
    return FALSE;
  if (out->first_rows == NULL)
    out->first_rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < rows->len; i++) {
    const LaurelDataRow *row = g_ptr_array_index (rows, i);
    LaurelRowVerdict verdict;

    if (row->is_to_measure)
      continue;
    g_array_set_size (ids, 0);
    g_array_set_size (learned, 0);
    if (!laurel_data_encode_sft (model->chat_template, model->tokenizer, row, max_length, ids,
                                 learned, &verdict, error)) {
      g_prefix_error (error, "%s, row %u: ", what, row->number);
      return FALSE;
    }
    if (verdict == LAUREL_ROW_GOOD)
      keep_row (hp, find_first (out->first_rows, row, first + i), ids, learned, out);
    else
      g_array_append_val (verdict == LAUREL_ROW_EMPTY ? empty : longer, row->number);
  }
  note_left_out (out, what, rows->len, empty, longer, max_length);
  return TRUE;
}
