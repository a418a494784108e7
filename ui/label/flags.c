/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/flags.h"

#include <glib/gi18n.h>

const LaurelFlagInfo laurel_flag_infos[LAUREL_N_FLAGS] = {
  { LAUREL_FLAG_WRONG, GDK_KEY_w, N_ ("Wrong facts") },
  { LAUREL_FLAG_HARMFUL, GDK_KEY_h, N_ ("Harmful") },
  { LAUREL_FLAG_OFF_TOPIC, GDK_KEY_t, N_ ("Off topic") },
  { LAUREL_FLAG_RUDE, GDK_KEY_r, N_ ("Rude") },
  { LAUREL_FLAG_RAMBLING, GDK_KEY_l, N_ ("Rambling or cut off") },
  { LAUREL_FLAG_OVER_REFUSAL, GDK_KEY_o, N_ ("Declines what is harmless") },
};

char *
laurel_flags_describe_keys (void)
{
  GString *text = g_string_new (NULL);

  for (int i = 0; i < LAUREL_N_FLAGS; i++) {
    g_string_append_printf (text, "%s%c %s", i > 0 ? "  ·  " : "",
                            g_ascii_toupper (laurel_flag_infos[i].keyval),
                            _(laurel_flag_infos[i].title));
  }
  return g_string_free (text, FALSE);
}
