/* unicode_normalize.h: Unicode's normalisation forms, in linear time.
 *
 * GLib's g_utf8_normalize() orders a run of marks by swapping neighbours, which
 * a hostile text of marks alone makes quadratic; its character data is used.
 *
 * Unicode Standard Annex #15, Unicode Normalization Forms.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  LAUREL_FORM_NFD = 0,
  LAUREL_FORM_NFC = 1,
  LAUREL_FORM_NFKD = 2,
  LAUREL_FORM_NFKC = 3,
} LaurelNormalForm;

/* Brings valid UTF-8 into @form, in place. */
void laurel_unicode_normalize (GString *text, LaurelNormalForm form);

G_END_DECLS
