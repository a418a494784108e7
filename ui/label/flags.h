/* flags.h: what can be wrong with an answer, in words and letters.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gdk/gdk.h>

#include "core/store/records.h"

G_BEGIN_DECLS

typedef struct {
  LaurelFlag flag;
  guint keyval;      /* after F */
  const char *title; /* for gettext */
} LaurelFlagInfo;

extern const LaurelFlagInfo laurel_flag_infos[LAUREL_N_FLAGS];

/* "W wrong facts · H harmful · …": the legend of the F key. */
char *laurel_flags_describe_keys (void) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
