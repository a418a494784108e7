/* prepare.h: from files of text to a token file: read, clean, filter, rid of duplicates, encode.
 *
 * The work goes on beside the output in “OUTPUT.work”: texts, hashes, signatures and ids of what is
 * done, and a state that says how far that is good. Whoever stops it, or kills it, loses the last
 * seconds: called again with the same inputs and settings it goes on from there, and ends in the
 * same bytes. With others it starts over. The folder is gone when all is done.
 *
 * Memory: six to ten times the text that is worked on at once (batch_bytes, or one document of
 * up to 16 MiB; one that is all words of a letter takes forty times its length while Gopher's
 * repetition is measured), and 64 bytes a document while duplicates are looked for, whatever the
 * size of the inputs. Signatures, 512 bytes a document, are mapped from the disk. Disk: the clean
 * text, 560 bytes a document, and 4 bytes a token.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/corpus/report.h"
#include "core/text/tokenizer.h"

G_BEGIN_DECLS

typedef enum {
  LAUREL_CORPUS_READ,    /* files to clean texts */
  LAUREL_CORPUS_COMPARE, /* duplicates */
  LAUREL_CORPUS_ENCODE,  /* texts to ids */
  LAUREL_CORPUS_WRITE,   /* ids to the token file */
} LaurelCorpusPhase;

/* All called from the thread that prepares. */
typedef struct {
  gpointer user_data;
  /* @share of the phase; @seconds_left of all phases, −1 when that cannot be told yet. */
  void (*progress) (gpointer user_data, LaurelCorpusPhase phase, double share, double seconds_left);
  gboolean (*go_on) (gpointer user_data); /* FALSE to stop within a batch */
} LaurelCorpusMonitor;

typedef enum {
  LAUREL_DUPLICATES_NEAR,  /* and exact */
  LAUREL_DUPLICATES_EXACT,
  LAUREL_DUPLICATES_KEEP,
} LaurelDuplicatesMode;

typedef struct {
  const char *const *inputs; /* NULL at the end; read in this order */
  const char *output;        /* the token file; its report is OUTPUT.report.json */
  const LaurelTokenizer *tokenizer;
  LaurelReaderOptions reader;
  LaurelDocumentOptions document; /* its signatures follow from @duplicates */
  LaurelDuplicatesMode duplicates;
  gsize batch_bytes;         /* of text worked on at once by all threads */
  double checkpoint_seconds; /* between two states */
} LaurelCorpusOptions;

/* Text by file, field “text”, Gopher's rules, near duplicates, 8 MiB, 5 seconds. */
void laurel_corpus_options_init (LaurelCorpusOptions *self);

/* (transfer full): the report. LAUREL_ERROR_CANCELLED when the monitor said stop,
 * LAUREL_ERROR_INVALID_DATA when nothing is left, LAUREL_ERROR_BUSY when another process prepares
 * the same output. @out_resumed (may be NULL) is whether it went on from an earlier run. @monitor
 * and its members may be NULL. */
LaurelCorpusReport *laurel_corpus_prepare (const LaurelCorpusOptions *options, const LaurelCorpusMonitor *monitor, gboolean *out_resumed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer full): the report's place. */
char *laurel_corpus_get_report_path (const char *output) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
