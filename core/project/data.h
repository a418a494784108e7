/* data.h: from files or the project's tables to tokenised training data.
 *
 * A run's data is fixed when it starts: the snapshot in its row names files by
 * path and SHA-256 and rows by id. Loading goes by the snapshot alone, so that
 * a resumed run sees what it saw before, whatever was ranked since.
 *
 * Files, one row a line:
 *   pretrain  text, documents separated by blank lines; or .json: an array of id arrays
 *   sft       {"prompt", "completion"} or {"messages": [{"role", "content"}, …]}
 *   reward    {"prompt", "completions": […], "ranks": […]} or {"prompt", "chosen", "rejected"}
 *   ppo       {"prompt"}; or .txt: one prompt a line
 * A malformed row is an error that names it; then nothing of the file is used.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/store.h"
#include "core/train/train.h"

G_BEGIN_DECLS

/* What a stage trains on; arrays that it does not need are NULL. */
typedef struct {
  GPtrArray *sequences;      /* (element-type LaurelSequence) */
  GPtrArray *eval_sequences; /* (element-type LaurelSequence) */
  GPtrArray *comparisons;    /* (element-type LaurelComparison) */
  GPtrArray *prompts;        /* (element-type LaurelTrainPrompt) */
  int n_cut;                 /* rows that were longer than max_length */
} LaurelTrainData;

void laurel_train_data_clear (LaurelTrainData *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LaurelTrainData, laurel_train_data_clear)

/* Fixes the data of a run: @files (nullable) or the project's own. Fails when there is too little, or a file is bad. */
JsonNode *laurel_data_snapshot (LaurelStore *store, LaurelStage stage, char **files, GError **error);

/* Loads what @snapshot names, for @model's tokenizer and template. INVALID_DATA when a file has changed since. */
gboolean laurel_data_load (LaurelStore *store, LaurelStage stage, JsonObject *snapshot, const LaurelModel *model,
                           const LaurelHyperparameters *hp, LaurelTrainData *out, GError **error);

/* In models.c: a Hugging Face directory may come without one, which suits id arrays alone. @name may be NULL. */
gboolean laurel_require_tokenizer (const LaurelModel *model, const char *name, GError **error);

/* --- Shared by its files --------------------------------------------------- */

/* One row of a file, before tokenising. A field that the stage does not use is NULL. */
typedef struct {
  char *prompt;
  char **completions; /* sft: one */
  int *ranks;         /* reward: as many as completions */
  char **context;     /* sft, messages: user, assistant, user, … before @prompt; NULL: none */
} LaurelDataRow;

void laurel_data_row_free (LaurelDataRow *self);

/* (element-type LaurelDataRow): all rows of @path, or an error that names the first bad one. */
GPtrArray *laurel_data_read_rows (LaurelStage stage, const char *path, GError **error);

/* Appends sequences to @out->sequences and @out->eval_sequences. */
gboolean laurel_data_load_pretrain (const char *path, const LaurelModel *model, const LaurelHyperparameters *hp,
                                    LaurelTrainData *out, GError **error);
/* Only that @path can be read as pretraining data. */
gboolean laurel_data_check_pretrain (const char *path, GError **error);

/* The longest sequence of a run: hp->max_length, or the model's context. */
int laurel_data_max_length (const LaurelModel *model, const LaurelHyperparameters *hp);
/* Whether row @index is held out: the same rows whatever else is in the data. */
gboolean laurel_data_is_held_out (const LaurelHyperparameters *hp, guint64 index);

G_END_DECLS
