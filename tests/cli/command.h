/* command.h: laurelctl as a script runs it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct {
  int code;
  char *out;
  char *err;
} Result;

void result_clear (Result *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Result, result_clear)

/* The path of the program, which the test's environment has. */
const char *get_program (void);

/* Runs it with the words of a command line, up to a NULL, to its end; what @result has from before is freed. */
void run (Result *result, ...) G_GNUC_NULL_TERMINATED;

/* “laurelctl: WHAT: WHY; WHAT TO DO” on one line, with @needle in it. */
void assert_error (const Result *result, int code, const char *needle);

/* What a command that went well wrote as JSON. */
JsonNode *parse_output (const Result *result) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
