/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/math/tile.h"

extern const LaurelTileSet laurel_tile_set_plain;
#if defined(__x86_64__)
extern const LaurelTileSet laurel_tile_set_avx2, laurel_tile_set_avx512;
#endif
