/* data_exchange.h: import with a preview of what will be refused, and export by format.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/project.h"
#include "ui/page.h"

G_BEGIN_DECLS

/* Asks for a file of @what ("prompts", "demonstrations" or "rankings"), shows how many rows would be taken and which
 * refused and why, and imports on request. @done is called after an import. */
void laurel_data_import (LaurelPage *page, const char *what, void (*done) (LaurelPage *page));
/* Asks for a file and a format; prompts have one format. */
void laurel_data_export (LaurelPage *page, const char *what);

G_END_DECLS
