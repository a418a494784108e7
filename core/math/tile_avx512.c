/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/tile_private.h"

#define WIDTH 16
#define SUB_ROWS 12
#define SET laurel_tile_set_avx512
#define SET_NAME "AVX-512"
#include "core/math/tile_kernel.h"
