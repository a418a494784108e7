/* exchange.h: prompts, demonstrations and rankings from files and into files.
 *
 * Prompts       .txt    one a line
 *               .csv    a header with a column “prompt”, and “split” and “tags” if they are there
 *               .jsonl  {"prompt", "split"?, "tags"?: "a,b" or ["a", "b"]}
 * Demonstrations .jsonl {"prompt", "completion"} or {"messages": [{"role": "user", "content"},
 *                        {"role": "assistant", "content"}]}
 * Rankings      .jsonl  {"prompt", "completions": [TEXT, …], "ranks": [1, 2, 2], "labeler",
 *                        "labeler_kind"?, "comment"?, "all_bad"?, "quality"?: [0…7, …], "flags"?: [BITS, …]}
 *                       An export adds "group_id", the task, and the "sampler" that put it in the queue with the
 *                       "priority" that it gave it (null: none); an import takes the sampler alone, for tasks that are new.
 *                       1 is best, equal numbers are ties; ranks of 0 only with "all_bad".
 *
 * An import is one transaction: every row that can be used is imported, every
 * other one is reported with its line and reason, and when the import itself
 * fails (a full disk, an unreadable file) nothing is.
 *
 * Threads: that of the store.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/json.h"
#include "core/store/store.h"

G_BEGIN_DECLS

typedef struct {
  guint n_imported;      /* new rows */
  guint n_known;         /* prompts and demonstrations that the project had already */
  GPtrArray *row_errors; /* (element-type LaurelRowError): refused rows, by line of the file from 1 */
} LaurelImportResult;

void laurel_import_result_free (LaurelImportResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelImportResult, laurel_import_result_free)
/* “12 imported, 3 there already, 2 refused” */
char *laurel_import_result_describe (const LaurelImportResult *self) G_GNUC_WARN_UNUSED_RESULT;

/* A completion's text to the ids (gint32, appended) that a model would have sampled, end-of-text included. */
typedef gboolean (*LaurelEncodeFunc) (const char *text, GArray *ids, gpointer user_data, GError **error);

/* NULL and an error when nothing was imported because the import failed; refused rows are no such failure. */
LaurelImportResult *laurel_import_prompts (LaurelStore *store, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
LaurelImportResult *laurel_import_demonstrations (LaurelStore *store, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Without @encode the completions have no tokens. A row on the same prompt and texts as a task of the project
 * is a ranking of that task, so a labeler's row cannot be imported twice. */
LaurelImportResult *laurel_import_rankings (LaurelStore *store, const char *path, LaurelEncodeFunc encode, gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum {
  LAUREL_EXPORT_LAUREL,  /* one row a ranking, as laurel_import_rankings() reads it */
  LAUREL_EXPORT_TRL,     /* {"prompt", "chosen", "rejected"}, one row a strict pair */
  LAUREL_EXPORT_HH_RLHF, /* {"chosen", "rejected"} as “\n\nHuman: … \n\nAssistant: …” */
} LaurelExportFormat;

/* "laurel", "trl", "hh-rlhf"; INVALID_ARGUMENT lists them. */
gboolean laurel_export_format_from_string (const char *text, LaurelExportFormat *out_format, GError **error);
/* Rankings in force by @labelers, without skips. The file is written whole or not at all. Returns the number of rows, −1 on error. */
int laurel_export_rankings (LaurelStore *store, const char *path, LaurelExportFormat format, LaurelLabelers labelers, GError **error);
/* Completions of tasks, each once, by task: {"id", "prompt", "model", "completion", "finish", "tokens",
 * "logprobs": as drawn, "plain_logprobs": of the softmax at the temperature alone, and the sampler's settings}.
 * Lists that are not known, of imported texts, are missing. */
int laurel_export_completions (LaurelStore *store, const char *path, GError **error);
/* {"prompt", "split", "tags"} rows. */
int laurel_export_prompts (LaurelStore *store, const char *path, GError **error);

G_END_DECLS
