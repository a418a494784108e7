/* simd.h: one source, several instruction sets.
 *
 * LAUREL_CLONES compiles a function for AVX-512, AVX2 and plain x86-64 and
 * picks at load time. Sanitizers start too late for that, so they get one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) \
  && !defined(__SANITIZE_THREAD__)
#define LAUREL_CLONES __attribute__ ((target_clones ("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LAUREL_CLONES
#endif

/* e^x for −87 ≤ x ≤ 88, clamped outside, within 2 units in the last place: x = n ln 2 + r with
 * |r| ≤ ½ ln 2, a polynomial for e^r (Taylor to r⁷), and n into the exponent's bits.
 * Plain arithmetic, so that loops around it become vector code. */
static inline float
laurel_expf (float x)
{
  const float log2e = 1.44269504088896341f;
  const float ln2_high = 0.693359375f;
  const float ln2_low = -2.12194440e-4f;
  const float round_bias = 12582912.0f; /* 1.5 · 2²³: adding it rounds to whole numbers */
  float clamped = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
  float shifted = clamped * log2e + round_bias;
  float n = shifted - round_bias;
  float r = (clamped - n * ln2_high) - n * ln2_low;
  float p = 1.0f / 5040.0f;
  unsigned bits;
  float scale;

  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  memcpy (&bits, &shifted, sizeof bits); /* its low bits are n, NaN or not */
  bits = (bits + 127u) << 23;
  memcpy (&scale, &bits, sizeof scale);
  return p * scale;
}
