/* application.h: the program around the window: command line, accelerators, what it opens first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define LAUREL_TYPE_APPLICATION (laurel_application_get_type ())
G_DECLARE_FINAL_TYPE (LaurelApplication, laurel_application, LAUREL, APPLICATION, AdwApplication)

LaurelApplication *laurel_application_new (void);

G_END_DECLS
