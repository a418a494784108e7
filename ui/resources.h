/* resources.h: templates, styles and icons that are built into the program.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LAUREL_RESOURCE_PATH "/io/github/laurel_rlhf/Laurel"

/* Call before any widget class of Laurel is used. The linker drops what a static
 * library would register by itself, so this is done by hand. */
void laurel_ui_register_resources (void);

G_END_DECLS
