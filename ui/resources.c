/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/resources.h"

#include "ui/resources-data.h"

void
laurel_ui_register_resources (void)
{
  static gsize registered;

  if (g_once_init_enter (&registered)) {
    laurel_data_register_resource ();
    g_once_init_leave (&registered, 1);
  }
}
