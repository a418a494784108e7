/* config_fields.h: which of config.json's fields change GPT-2's arithmetic, for config.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* TRUE when config.c reads every field that counts; else an error that names the one it does not. */
gboolean laurel_config_check_fields (JsonObject *object, const char *name, GError **error);

G_END_DECLS
