/* data.h: from files or the project's tables to tokenised training data.
 *
 * A run's data is fixed when it starts: the snapshot in its row names files by
 * path and SHA-256 and rows by id. Loading goes by the snapshot alone, so that
 * a resumed run sees what it saw before, whatever was ranked since.
 *
 * Files, one row a line:
 *   pretrain  a token file (core/corpus); text, documents separated by blank lines; .jsonl: {"text"}; or .json: an array
 *             of id arrays, each used as one sequence
 *   sft       {"prompt", "completion"} or {"messages": [{"role", "content"}, …]}: system (if any) first,
 *             then user and assistant in turn; every turn of the assistant is learned from
 *   reward    {"prompt", "completions": […], "ranks": […]} or {"prompt", "chosen", "rejected"}
 *   ppo       {"prompt"}; or .txt: one prompt a line
 * A malformed row is an error that names it; then nothing of the file is used. A row of sft that has nothing to
 * learn from or is longer than a sequence may be is left out, and the notes say which and why.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/sampling.h"
#include "core/project/project.h"
#include "core/store/store.h"
#include "core/train/rows.h"
#include "core/train/sequence.h"

G_BEGIN_DECLS

/* What a stage trains on; arrays that it does not need are NULL. */
typedef struct {
  GPtrArray *sequences;      /* (element-type LaurelSequence) what is in memory of @rows */
  GPtrArray *eval_sequences; /* (element-type LaurelSequence) */
  LaurelRows *rows;          /* pretrain, sft: all of it; ppo, rloo: what is learned beside (ptx_coef) */
  LaurelRows *eval_rows;
  GPtrArray *comparisons;    /* (element-type LaurelComparison) */
  GPtrArray *prompts;        /* (element-type LaurelTrainPrompt) */
  GPtrArray *notes;          /* (element-type utf8) lines for the run's log: what was left out, and why */
  GHashTable *first_rows;    /* sft: prompt to the number of its first row (guint64), by which it is held out */
  guint64 n_rows;            /* sft, ptx: rows of the files so far, left out ones too; pretrain: documents */
  guint64 n_held_out;        /* pretrain: documents */
  guint64 n_tokens;          /* pretrain: of the documents */
  int n_cut;                 /* rows that were longer than max_length */
} LaurelTrainData;

void laurel_train_data_init (LaurelTrainData *self); /* with nothing in it */
void laurel_train_data_clear (LaurelTrainData *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LaurelTrainData, laurel_train_data_clear)

/* What a snapshot says of a file that has been found fit for @stage. */
JsonObject *laurel_data_fix_file (LaurelStage stage, const char *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Loads a file that a snapshot names, unless it has changed since. */
gboolean laurel_data_load_file (LaurelStage stage, JsonObject *file, const LaurelModel *model, const LaurelHyperparameters *hp,
                                const char *folder, const LaurelMonitor *monitor, LaurelTrainData *out, GError **error);

/* What ppo and rloo learn beside (PPO-ptx), into @snapshot, and from there into @out: nothing when ptx_coef is 0, else the
 * request's files, each as pretrain or sft takes it, or the demonstrations. Of demonstrations, also of those in files, the
 * ones that fine-tuning holds out are held out too, where they are enough to measure on. */
gboolean laurel_data_snapshot_ptx (LaurelStore *store, const LaurelTrainRequest *request, JsonObject *snapshot, GError **error);
gboolean laurel_data_load_ptx (LaurelStore *store, JsonObject *snapshot, const LaurelModel *model, const LaurelHyperparameters *hp,
                               const char *folder, const LaurelMonitor *monitor, LaurelTrainData *out, GError **error);

/* Fixes the data of a run: @files (nullable) or the project's own, of rankings those by @labelers of prompts that are not
 * held out. Fails when there is too little, or a file is bad. */
JsonNode *laurel_data_snapshot (LaurelStore *store, LaurelStage stage, char **files, LaurelLabelers labelers, GError **error);
/* The same of what a request asks for, which may be the best completion of each ranking. */
JsonNode *laurel_data_snapshot_request (LaurelStore *store, const LaurelTrainRequest *request, GError **error);
/* (element-type LaurelRanking): what a run learns from: those that compare anything, by those that @request names, not of
 * held-out prompts, which are counted. */
GPtrArray *laurel_data_list_rankings (LaurelStore *store, const LaurelTrainRequest *request, guint *out_n_held_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Loads what @snapshot names, for @model's tokenizer and template. INVALID_DATA when a file has changed since. Text to
 * pretrain on is encoded to a token file in @folder, unless it is there from before; @monitor (nullable) is asked
 * meanwhile. */
gboolean laurel_data_load (LaurelStore *store, LaurelStage stage, JsonObject *snapshot, const LaurelModel *model,
                           const LaurelHyperparameters *hp, const char *folder, const LaurelMonitor *monitor,
                           LaurelTrainData *out, GError **error);
/* Adds the prompts with these ids, as far as they are still there, to @out (element-type LaurelTrainPrompt). */
gboolean laurel_data_load_prompts (LaurelStore *store, JsonArray *ids, const LaurelModel *model, GPtrArray *out, GError **error);
/* What laurel_data_load() left in @folder, which a run that is done needs no more. */
void laurel_data_remove_encoded (const char *folder);

/* Tokens of the longest sequence that the run of @request will have, sampled responses included; 0 where finding that out
 * would take long, or where the data is not fit to run. @outline needs no weights. */
int laurel_data_measure_longest (LaurelStore *store, const LaurelTrainRequest *request, const LaurelModel *outline);

/* The same of the rows that it learns beside; 0: there are none. */
int laurel_data_measure_longest_ptx (LaurelStore *store, const LaurelTrainRequest *request, const LaurelModel *outline);

/* Appends the tokens of an answer's text, with end-of-text where it @stopped. An empty one that did not keeps it, as there
 * would be nothing left to read. */
gboolean laurel_data_encode_answer (const LaurelModel *model, const char *text, gboolean stopped, GArray *ids, GError **error);

/* Appends a completion's tokens for @model: those that were sampled when they are of its tokenizer, else the text's, so
 * that text never stands in for ids that fit. @fits (utf8 → anything, owned keys) remembers whose tokenizers are. */
gboolean laurel_data_get_completion_ids (LaurelStore *store, const LaurelModel *model, const LaurelCompletion *completion,
                                         GHashTable *fits, GArray *ids, GError **error);

/* In models.c: a Hugging Face directory may come without one, which suits id arrays alone. @name may be NULL. */
gboolean laurel_require_tokenizer (const LaurelModel *model, const char *name, GError **error);

/* --- Shared by its files --------------------------------------------------- */

typedef enum { LAUREL_ROLE_SYSTEM, LAUREL_ROLE_USER, LAUREL_ROLE_ASSISTANT } LaurelRole;

typedef struct {
  LaurelRole role;
  char *text;
} LaurelMessage;

/* One row of a file, before tokenising. A field that the stage does not use is NULL. */
typedef struct {
  guint number; /* of its line, from 1 */
  char *prompt;
  char **completions; /* reward */
  int *ranks;         /* reward: as many as completions */
  GArray *messages;   /* sft (element-type LaurelMessage): system (if any), then user and assistant in turn */
  gboolean is_to_measure; /* sft: its prompt is one of the project's held-out ones */
} LaurelDataRow;

void laurel_data_row_free (LaurelDataRow *self);

/* (element-type LaurelDataRow): all rows of @path, or an error that names the first bad one. */
GPtrArray *laurel_data_read_rows (LaurelStage stage, const char *path, GError **error);

LaurelDataRow *laurel_data_row_new (guint number);
/* Takes @text. */
void laurel_data_row_add_message (LaurelDataRow *self, LaurelRole role, char *text);

/* The project's first @n demonstrations as rows of sft (element-type LaurelDataRow); −1: all. Those with an id of
 * @to_measure (element-type gint64, in order) are so marked. */
GPtrArray *laurel_data_list_demonstrations (LaurelStore *store, int n, const GArray *to_measure, GError **error);

/* What becomes of a row of sft. */
typedef enum { LAUREL_ROW_GOOD, LAUREL_ROW_EMPTY, LAUREL_ROW_LONG } LaurelRowVerdict;

/* Appends the row's ids, and for each whether it is learned (element-type guint8): the assistant's turns with their
 * end-of-text. A row with an empty message is LAUREL_ROW_EMPTY and appends nothing, one of more than @max_length tokens
 * is LAUREL_ROW_LONG. Errors are of @template and @tokenizer. */
gboolean laurel_data_encode_sft (const LaurelTemplate *template, const LaurelTokenizer *tokenizer, const LaurelDataRow *row,
                                 int max_length, GArray *ids, GArray *learned, LaurelRowVerdict *out_verdict, GError **error);
/* Why a row is left out, in words; NULL for a good one. */
char *laurel_row_verdict_describe (LaurelRowVerdict verdict, const LaurelDataRow *row, int n_tokens, int max_length);
/* Appends sequences of @rows (element-type LaurelDataRow), which come from @what, to @out, and a note when some are left out.
 * @first: the number of rows that came before in the run's data. Rows are held out by their numbers, those of one prompt
 * together by that of the first. */
gboolean laurel_data_load_sft (GPtrArray *rows, const char *what, const LaurelModel *model, const LaurelHyperparameters *hp,
                               guint64 first, LaurelTrainData *out, GError **error);

/* How many of @rows the same would hold out, were they good. @first_rows as in LaurelTrainData. */
guint laurel_data_count_held_out (GPtrArray *rows, const LaurelHyperparameters *hp, guint64 first, GHashTable *first_rows);

/* Of each of @out's comparisons the best-ranked completions become sequences of fine-tuning, on the side of their prompt;
 * a note says what was left out, and why. Its comparisons are those of the model's whole context. */
void laurel_data_choose (const LaurelModel *model, const LaurelHyperparameters *hp, LaurelTrainData *out);

/* Takes rankings of held-out prompts out of @rankings (element-type LaurelRanking), and counts them. */
gboolean laurel_data_drop_held_out (LaurelStore *store, GPtrArray *rankings, guint *out_n, GError **error);
/* Fixes the project's demonstrations, of which there are @n, for @snapshot: those of held-out prompts will train nothing.
 * FALSE when no other is there. (element-type LaurelDataRow): they as they were then, those that train nothing marked;
 * @member is the snapshot's member with their number. */
gboolean laurel_data_fix_demonstrations (LaurelStore *store, gint64 n, JsonObject *snapshot, GError **error);
GPtrArray *laurel_data_get_demonstrations (LaurelStore *store, JsonObject *snapshot, const char *member, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Loads the others, when @snapshot has @member. */
gboolean laurel_data_load_demonstrations (LaurelStore *store, JsonObject *snapshot, const char *member, const LaurelModel *model,
                                          const LaurelHyperparameters *hp, LaurelTrainData *out, GError **error);
/* Where a snapshot says how many rankings were left out, and the notes for the log that come of what was. */
#define LAUREL_DATA_HELD_OUT_RANKINGS "n_held_out_rankings"
void laurel_data_note_held_out (JsonObject *snapshot, LaurelTrainData *out);

/* What the token files in a run's folder are called after what they were made from. */
#define LAUREL_DATA_TOKENS_SUFFIX ".tokens"

gboolean laurel_data_is_token_file (const char *path);
/* (transfer full): what tells it from any other, after checking all of it. */
char *laurel_data_identify_token_file (const char *path, GError **error);

/* Adds rows to @out. @sha256: of the text; NULL for a token file. */
gboolean laurel_data_load_pretrain (const char *path, const char *sha256, const LaurelModel *model, const LaurelHyperparameters *hp,
                                    const char *folder, const LaurelMonitor *monitor, LaurelTrainData *out, GError **error);
/* Only that @path, which is no token file, can be read as pretraining data. */
gboolean laurel_data_check_pretrain (const char *path, GError **error);

/* The longest sequence of a run: hp->max_length, or the model's context. */
int laurel_data_max_length (const LaurelModel *model, const LaurelHyperparameters *hp);
/* What the sampler is asked for, but for the logit biases, which need the model's tokenizer. Borrows from @request. */
LaurelSamplingOptions laurel_sample_request_get_options (const LaurelSampleRequest *request);

G_END_DECLS
