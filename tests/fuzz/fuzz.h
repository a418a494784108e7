/* fuzz.h: what the fuzz targets share.
 *
 * A target is one function of bytes. Built with Clang's libFuzzer it is driven
 * by mutation (`./dev fuzz`); built with replay.c it runs the inputs of
 * corpus/NAME once, which makes a test. Whatever the bytes are, a target must
 * return: it fails by crashing, by a sanitizer's report, by a GLib warning, or
 * by an assertion about what was read.
 *
 * An input for a reader of several files is these files in turn, with a line
 * “%%” between them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The engine's names for the target: it calls them. */
int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

typedef struct {
  const char *bytes;
  gsize length;
} FuzzPart;

/* Cuts an input in at most @max parts; the last one takes the rest, missing ones are empty. */
void fuzz_split (const guint8 *data, gsize size, FuzzPart *parts, int max);
/* (transfer full): a part as a string; what follows a zero byte is not seen. */
char *fuzz_string (const FuzzPart *part) G_GNUC_WARN_UNUSED_RESULT;

/* A folder of this process, removed at its end. On a memory file system when $TMPDIR is one. */
const char *fuzz_folder (void);
/* Writes @name there, over what it was; the path is borrowed until the next call. */
const char *fuzz_write (const char *name, const void *bytes, gsize length);
void fuzz_remove (const char *name);

/* A reader's promise: either it succeeds and sets no error, or it says in UTF-8 what was wrong. */
void fuzz_check (gboolean succeeded, const GError *error);

/* Where the JSON of an input begins and ends, for the mutator. FALSE: it has none. */
typedef gboolean (*FuzzFindJson) (const guint8 *data, gsize size, gsize *out_start, gsize *out_end);
/* Makes lengths and digests fit the bytes again, after a change. */
typedef void (*FuzzRepair) (guint8 *data, gsize size, gsize json_start, gsize json_end);

/* What a format gives the mutator. Without find_json an input is JSON, or parts that are; with repair
 * alone, it has none. */
typedef struct {
  FuzzFindJson find_json;
  FuzzRepair repair;
} FuzzFormat;

extern const FuzzFormat fuzz_format;

G_END_DECLS
