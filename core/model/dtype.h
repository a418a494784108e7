/* dtype.h: the number types that weights are stored in, to and from float32.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum { LAUREL_DTYPE_F32, LAUREL_DTYPE_BF16, LAUREL_DTYPE_F16 } LaurelDtype;

/* "f32", "bf16" or "f16", in either case. */
gboolean laurel_dtype_from_string (const char *name, LaurelDtype *out_dtype, GError **error);
const char *laurel_dtype_get_name (LaurelDtype dtype); /* as safetensors spells it: "BF16" */
gsize laurel_dtype_get_size (LaurelDtype dtype);       /* bytes of one number */

/* @n little-endian numbers at @in, aligned or not, to @out; exact. Returns whether all are finite. */
gboolean laurel_dtype_to_float (LaurelDtype dtype, const guchar *in, float *out, gsize n);
/* Rounds to nearest, ties to even; what F16 cannot hold becomes infinite, NaN stays NaN. Returns whether all that
 * was written is finite. */
gboolean laurel_dtype_from_float (LaurelDtype dtype, const float *in, guchar *out, gsize n);

G_END_DECLS
