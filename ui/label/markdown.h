/* markdown.h: Markdown to the mark-up of one Pango layout.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Headings, paragraphs, lists, quotes, code, emphasis and links of @text (CommonMark) as Pango mark-up.
 * Raw HTML is shown as it was written; images are shown as their text. The result always parses. */
char *laurel_markdown_to_pango (const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* The same of a document that somebody wrote in an editor: lines that were broken to fit are joined. */
char *laurel_markdown_document_to_pango (const char *text) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
