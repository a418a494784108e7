/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/tile_private.h"

#define WIDTH 8
#define SUB_ROWS 6
#define SET laurel_tile_set_avx2
#define SET_NAME "AVX2"
#include "core/math/tile_kernel.h"
