/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/dtype.h"

#include "core/base/error.h"
#include "core/math/bf16.h"
#include "core/math/simd.h"

#include <math.h>

static const struct {
  const char *name;
  gsize size;
} dtypes[] = {
  [LAUREL_DTYPE_F32] = { "F32", 4 },
  [LAUREL_DTYPE_BF16] = { "BF16", 2 },
  [LAUREL_DTYPE_F16] = { "F16", 2 },
};

gboolean
laurel_dtype_from_string (const char *name, LaurelDtype *out_dtype, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (dtypes); i++)
    if (g_ascii_strcasecmp (name, dtypes[i].name) == 0) {
      *out_dtype = (LaurelDtype) i;
      return TRUE;
    }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not understand the type “%s”: there is no such one; write f32, bf16 or f16",
               name);
  return FALSE;
}

const char *
laurel_dtype_get_name (LaurelDtype dtype)
{
  return dtypes[dtype].name;
}

gsize
laurel_dtype_get_size (LaurelDtype dtype)
{
  return dtypes[dtype].size;
}

static inline float
float_from_bits (guint32 bits)
{
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

static inline guint32
bits_from_float (float value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

/* --- Reading ----------------------------------------------------------------
 * Plain loops over whatever alignment the file has, which compilers turn into vector code; infinite
 * numbers and NaN are those whose exponent is all ones. */

#define EXPONENT 0x7f800000u

LAUREL_CLONES static gboolean
read_f32 (const guchar *in, float *out, gsize n)
{
  guint32 not_finite = 0;

#pragma omp simd reduction(| : not_finite)
  for (gsize i = 0; i < n; i++) {
    guint32 bits;

    memcpy (&bits, in + 4 * i, 4);
    bits = GUINT32_FROM_LE (bits);
    not_finite |= (bits & EXPONENT) == EXPONENT;
    memcpy (out + i, &bits, 4);
  }
  return not_finite == 0;
}

LAUREL_CLONES static gboolean
read_bf16 (const guchar *in, float *out, gsize n)
{
  guint32 not_finite = 0;

#pragma omp simd reduction(| : not_finite)
  for (gsize i = 0; i < n; i++) {
    guint16 half;
    guint32 bits;

    memcpy (&half, in + 2 * i, 2);
    bits = (guint32) GUINT16_FROM_LE (half) << 16;
    not_finite |= (bits & EXPONENT) == EXPONENT;
    memcpy (out + i, &bits, 4);
  }
  return not_finite == 0;
}

/* Exponent and fraction, moved to where float32 has them, are the number times 2⁻¹¹²; multiplying
 * it back also gives the numbers below F16's normal range their places. What was infinite or NaN
 * comes out at 2¹⁶ or more, which no finite F16 reaches. */
LAUREL_CLONES static gboolean
read_f16 (const guchar *in, float *out, gsize n)
{
  guint32 not_finite = 0;

#pragma omp simd reduction(| : not_finite)
  for (gsize i = 0; i < n; i++) {
    guint16 half;
    guint32 bits, past;

    memcpy (&half, in + 2 * i, 2);
    half = GUINT16_FROM_LE (half);
    bits = bits_from_float (float_from_bits ((guint32) (half & 0x7fff) << 13) * 0x1p112f);
    past = bits >= bits_from_float (65536.0f);
    not_finite |= past;
    bits |= past * EXPONENT;
    bits |= (guint32) (half & 0x8000) << 16;
    memcpy (out + i, &bits, 4);
  }
  return not_finite == 0;
}

gboolean
laurel_dtype_to_float (LaurelDtype dtype, const guchar *in, float *out, gsize n)
{
  switch (dtype) {
    case LAUREL_DTYPE_F32: return read_f32 (in, out, n);
    case LAUREL_DTYPE_BF16: return read_bf16 (in, out, n);
    case LAUREL_DTYPE_F16: return read_f16 (in, out, n);
    default: g_assert_not_reached ();
  }
}

/* --- Writing ----------------------------------------------------------------- */

/* Where F16 has its normal range, its fraction is the upper ten bits of float32's, and a carry of
 * rounding goes into the exponent as it should. Below, adding ½, whose last bit is 2⁻²⁴, rounds to
 * multiples of that. */
static guint16
f16_from_float (float value)
{
  guint32 bits = bits_from_float (value), magnitude = bits & 0x7fffffff;
  guint16 sign = (guint16) (bits >> 16 & 0x8000);

  if (magnitude > EXPONENT)
    return sign | 0x7e00;
  if (magnitude >= bits_from_float (65520.0f))
    return sign | 0x7c00;
  if (magnitude < bits_from_float (0x1p-14f))
    return sign | (guint16) (bits_from_float (float_from_bits (magnitude) + 0.5f)
                             - bits_from_float (0.5f));
  return sign | (guint16) ((magnitude + 0xfff + (magnitude >> 13 & 1) - (112u << 23)) >> 13);
}

static gboolean
write_f32 (const float *in, guchar *out, gsize n)
{
  guint32 not_finite = 0;

  for (gsize i = 0; i < n; i++) {
    guint32 bits = bits_from_float (in[i]), little = GUINT32_TO_LE (bits);

    not_finite |= (bits & EXPONENT) == EXPONENT;
    memcpy (out + 4 * i, &little, 4);
  }
  return not_finite == 0;
}

static gboolean
write_halves (guint16 (*convert) (float), guint16 exponent, const float *in, guchar *out, gsize n)
{
  gboolean finite = TRUE;

  for (gsize i = 0; i < n; i++) {
    guint16 half = convert (in[i]), little = GUINT16_TO_LE (half);

    finite = finite && (half & exponent) != exponent;
    memcpy (out + 2 * i, &little, 2);
  }
  return finite;
}

gboolean
laurel_dtype_from_float (LaurelDtype dtype, const float *in, guchar *out, gsize n)
{
  switch (dtype) {
    case LAUREL_DTYPE_F32: return write_f32 (in, out, n);
    case LAUREL_DTYPE_BF16: return write_halves (laurel_bf16_from_float, 0x7f80, in, out, n);
    case LAUREL_DTYPE_F16: return write_halves (f16_from_float, 0x7c00, in, out, n);
    default: g_assert_not_reached ();
  }
}
