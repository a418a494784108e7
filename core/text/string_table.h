/* string_table.h: distinct byte strings, numbered in the order they came.
 *
 * A tokenizer's vocabulary is one (number = id), the distinct words of a
 * training text another. Strings may hold any byte, zero included.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LaurelStringTable LaurelStringTable;

LaurelStringTable *laurel_string_table_new (void);
void laurel_string_table_free (LaurelStringTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelStringTable, laurel_string_table_free)

/* The number of the string, which is added with the next number when it is new
 * (then the count of strings has grown). */
guint32 laurel_string_table_add (LaurelStringTable *self, const char *bytes, gsize length);

/* The number of the string, or −1. */
gint64 laurel_string_table_find (const LaurelStringTable *self, const char *bytes, gsize length);

/* Borrowed until the next addition; a zero byte follows the string. */
const char *laurel_string_table_get (const LaurelStringTable *self, guint32 number, gsize *out_length);

gsize laurel_string_table_get_total_length (const LaurelStringTable *self); /* bytes of all strings */

G_END_DECLS
