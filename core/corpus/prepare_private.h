/* prepare_private.h: the work on one corpus, as its phases share it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/corpus/prepare.h"
#include "core/corpus/work_file.h"

G_BEGIN_DECLS

/* A document that the rules kept, in the work folder. */
typedef struct {
  guint64 text_start;
  guint32 text_length;
  guint32 file;
  guint64 number;
  LaurelDocumentKey key;
  guint32 zero;
} LaurelDocumentRecord;

G_STATIC_ASSERT (sizeof (LaurelDocumentRecord) == 48);

typedef struct {
  const LaurelCorpusOptions *options;
  const LaurelCorpusMonitor *monitor;
  LaurelDocumentOptions document;
  char *folder;
  char *fingerprint; /* of inputs and settings */
  int lock;
  gboolean resumed;

  /* What a state holds. */
  LaurelCorpusPhase phase;
  LaurelReaderPosition position; /* reading goes on here */
  guint32 n_documents;           /* kept by the rules */
  guint64 n_text_bytes;
  guint32 next_document; /* encoding goes on here */
  guint32 n_encoded;     /* documents */
  guint64 n_ids;
  LaurelCorpusReport *report;

  LaurelWorkFile texts, documents, signatures, lengths, ids;

  /* Progress, in bytes. */
  guint64 n_input_bytes;
  guint64 n_done, n_done_before; /* of the phase; what earlier runs did of it */
  gint64 phase_start;
  double encode_seconds; /* a byte of text on all threads, 0: not known */
  gint64 last_saved;
} LaurelCorpusJob;

/* --- prepare_state.c ----------------------------------------------------------------- */

/* Opens the work folder, takes its lock, and goes on from its state or starts over. */
gboolean laurel_corpus_job_open (LaurelCorpusJob *self, GError **error);
/* Brings the work files to the disk and then the state that refers to them. */
gboolean laurel_corpus_job_save (LaurelCorpusJob *self, GError **error);
void laurel_corpus_job_close (LaurelCorpusJob *self);

/* --- prepare_*.c: each phase goes on where the state says, and leaves it at the next o */

gboolean laurel_corpus_job_read (LaurelCorpusJob *self, GError **error);
gboolean laurel_corpus_job_compare (LaurelCorpusJob *self, GError **error);
gboolean laurel_corpus_job_encode (LaurelCorpusJob *self, GError **error);
gboolean laurel_corpus_job_write (LaurelCorpusJob *self, GError **error);

/* --- prepare.c ----------------------------------------------------------------------- */

/* The phase begins, @n_before of its bytes being done. */
void laurel_corpus_job_begin (LaurelCorpusJob *self, LaurelCorpusPhase phase, guint64 n_before);
/* Tells the monitor that @n_done of @n_all bytes are done, asks it whether to go on, and saves the
 * state when it is time, or when the answer is no. */
gboolean laurel_corpus_job_step (LaurelCorpusJob *self, guint64 n_done, guint64 n_all, GError **error);

G_END_DECLS
