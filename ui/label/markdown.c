/* markdown.c: a walk over cmark's tree that writes Pango mark-up.
 *
 * Pango has no blocks, so blocks are lines: an empty line between paragraphs,
 * none between the items of a tight list. Model output is untrusted: every
 * piece of text is escaped, and links are not made clickable.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/markdown.h"

#include <cmark.h>
#include <string.h>

typedef struct {
  GString *out;
  char soft_break; /* what a line break in the source becomes */
  int quote_depth;
  gboolean after_marker; /* the next block continues the line of a list marker */
} Writer;

static void
append_escaped (Writer *writer, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text ? text : "", -1);

  g_string_append (writer->out, escaped);
}

static int
count_list_depth (cmark_node *node)
{
  int depth = 0;

  for (cmark_node *up = cmark_node_parent (node); up; up = cmark_node_parent (up)) {
    depth += cmark_node_get_type (up) == CMARK_NODE_LIST;
  }
  return depth;
}

static gboolean
is_in_tight_list (cmark_node *node)
{
  for (cmark_node *up = cmark_node_parent (node); up; up = cmark_node_parent (up)) {
    if (cmark_node_get_type (up) == CMARK_NODE_LIST) {
      return cmark_node_get_list_tight (up);
    }
  }
  return FALSE;
}

static void
start_block (Writer *writer, cmark_node *node)
{
  if (writer->after_marker) {
    writer->after_marker = FALSE;
    return;
  }
  if (writer->out->len > 0) {
    g_string_append (writer->out, is_in_tight_list (node) ? "\n" : "\n\n");
  }
  for (int i = 1; i < count_list_depth (node); i++) {
    g_string_append (writer->out, "    ");
  }
  for (int i = 0; i < writer->quote_depth; i++) {
    g_string_append (writer->out, "│ ");
  }
}

static void
start_item (Writer *writer, cmark_node *item)
{
  cmark_node *list = cmark_node_parent (item);
  gboolean first = cmark_node_previous (item) == NULL && count_list_depth (item) == 1;

  if (writer->out->len > 0) {
    g_string_append (writer->out, first || !cmark_node_get_list_tight (list) ? "\n\n" : "\n");
  }
  for (int i = 1; i < count_list_depth (item); i++) {
    g_string_append (writer->out, "    ");
  }
  if (cmark_node_get_list_type (list) == CMARK_ORDERED_LIST) {
    int number = cmark_node_get_list_start (list);

    for (cmark_node *before = cmark_node_previous (item); before;
         before = cmark_node_previous (before)) {
      number++;
    }
    g_string_append_printf (writer->out, " %d.  ", number);
  } else {
    g_string_append (writer->out, " •  ");
  }
  writer->after_marker = TRUE;
}

static void
write_code_block (Writer *writer, cmark_node *node)
{
  g_autofree char *code = g_strdup (cmark_node_get_literal (node));

  start_block (writer, node);
  g_strchomp (code);
  g_string_append (writer->out, "<tt>");
  append_escaped (writer, code);
  g_string_append (writer->out, "</tt>");
}

static void
write_heading (Writer *writer, cmark_node *node, gboolean entering)
{
  if (entering) {
    start_block (writer, node);
    g_string_append (writer->out, cmark_node_get_heading_level (node) <= 2
                                    ? "<span weight=\"bold\" size=\"larger\">"
                                    : "<span weight=\"bold\">");
  } else {
    g_string_append (writer->out, "</span>");
  }
}

static void
write_block (Writer *writer, cmark_node *node, gboolean entering)
{
  switch (cmark_node_get_type (node)) {
  case CMARK_NODE_BLOCK_QUOTE:
    writer->quote_depth += entering ? 1 : -1;
    break;
  case CMARK_NODE_ITEM:
    if (entering) {
      start_item (writer, node);
    }
    break;
  case CMARK_NODE_PARAGRAPH:
    if (entering) {
      start_block (writer, node);
    }
    break;
  case CMARK_NODE_HEADING:
    write_heading (writer, node, entering);
    break;
  case CMARK_NODE_CODE_BLOCK:
  case CMARK_NODE_HTML_BLOCK:
    write_code_block (writer, node);
    break;
  case CMARK_NODE_THEMATIC_BREAK:
    start_block (writer, node);
    g_string_append (writer->out, "———");
    break;
  default:
    break;
  }
}

static void
write_inline (Writer *writer, cmark_node *node, gboolean entering)
{
  switch (cmark_node_get_type (node)) {
  case CMARK_NODE_TEXT:
  case CMARK_NODE_HTML_INLINE:
    append_escaped (writer, cmark_node_get_literal (node));
    break;
  case CMARK_NODE_CODE:
    g_string_append (writer->out, "<tt>");
    append_escaped (writer, cmark_node_get_literal (node));
    g_string_append (writer->out, "</tt>");
    break;
  case CMARK_NODE_SOFTBREAK:
    g_string_append_c (writer->out, writer->soft_break);
    break;
  case CMARK_NODE_LINEBREAK:
    g_string_append_c (writer->out, '\n');
    break;
  case CMARK_NODE_EMPH:
    g_string_append (writer->out, entering ? "<i>" : "</i>");
    break;
  case CMARK_NODE_STRONG:
    g_string_append (writer->out, entering ? "<b>" : "</b>");
    break;
  case CMARK_NODE_LINK:
    g_string_append (writer->out, entering ? "<u>" : "</u>");
    break;
  default:
    break;
  }
}

static char *
write_document (const char *text, char soft_break)
{
  Writer writer = { .out = g_string_new (NULL), .soft_break = soft_break };
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  cmark_node *document = cmark_parse_document (valid, strlen (valid), CMARK_OPT_DEFAULT);
  cmark_iter *iter = cmark_iter_new (document);
  cmark_event_type event;

  while ((event = cmark_iter_next (iter)) != CMARK_EVENT_DONE) {
    cmark_node *node = cmark_iter_get_node (iter);

    write_block (&writer, node, event == CMARK_EVENT_ENTER);
    write_inline (&writer, node, event == CMARK_EVENT_ENTER);
  }
  cmark_iter_free (iter);
  cmark_node_free (document);
  return g_string_free (writer.out, FALSE);
}

char *
laurel_markdown_to_pango (const char *text)
{
  /* A model that breaks a line meant to: show it. */
  return write_document (text, '\n');
}

char *
laurel_markdown_document_to_pango (const char *text)
{
  return write_document (text, ' ');
}
