/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/tile_private.h"

#define WIDTH 4
#define SUB_ROWS 6
#define SET laurel_tile_set_plain
#define SET_NAME "plain"
#include "core/math/tile_kernel.h"
