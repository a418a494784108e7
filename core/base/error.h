/* error.h: the one error domain of the engine.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * LaurelError:
 * @LAUREL_ERROR_FAILED: something outside Laurel failed
 * @LAUREL_ERROR_INVALID_ARGUMENT: an option or a setting is out of its range
 * @LAUREL_ERROR_INVALID_DATA: a file or a row is not what it should be
 * @LAUREL_ERROR_NOT_FOUND: there is no such thing
 * @LAUREL_ERROR_EXISTS: the name is taken
 * @LAUREL_ERROR_MISMATCH: two things do not fit together (model and tokenizer, shapes)
 * @LAUREL_ERROR_IO: reading or writing failed (full disk, read-only folder)
 * @LAUREL_ERROR_CANCELLED: the user stopped it
 * @LAUREL_ERROR_NEWER_VERSION: a newer Laurel wrote this
 * @LAUREL_ERROR_BUSY: somebody else holds it
 * @LAUREL_ERROR_NOT_FINITE: a number became NaN or infinite
 *
 * A message has three parts, “WHAT: WHY; WHAT TO DO”, and ends without a full stop.
 */
typedef enum {
  LAUREL_ERROR_FAILED,
  LAUREL_ERROR_INVALID_ARGUMENT,
  LAUREL_ERROR_INVALID_DATA,
  LAUREL_ERROR_NOT_FOUND,
  LAUREL_ERROR_EXISTS,
  LAUREL_ERROR_MISMATCH,
  LAUREL_ERROR_IO,
  LAUREL_ERROR_CANCELLED,
  LAUREL_ERROR_NEWER_VERSION,
  LAUREL_ERROR_BUSY,
  LAUREL_ERROR_NOT_FINITE,
} LaurelError;

#define LAUREL_ERROR (laurel_error_quark ())
GQuark laurel_error_quark (void);

G_END_DECLS
