/* fixture.h: the starter project's folder, and what the generator makes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The starter project as it is committed. */
char *fixture_starter_folder (void);

/* Runs the generator into a new folder, whose name this is; without a corpus when @megabytes is 0. */
char *fixture_generate (const char *seed, int megabytes);

char *fixture_read_file (const char *dir, const char *name, gsize *out_length);
void fixture_assert_same_file (const char *dir, const char *other, const char *name);

/* @splits: training and held-out prompts, new sets of strings. */
void fixture_load_splits (const char *dir, GHashTable **splits);

/* Checks what holds for a corpus of any size: documents between blank lines, the form in which a
 * model will be asked, and none of the held-out questions. Counts what depends on the size. */
void fixture_check_corpus (const char *dir, guint *out_n_sentences, guint *out_n_questions);

G_END_DECLS
