/* string_table.c: an open-addressing hash table over one block of bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/string_table.h"

#include <string.h>

typedef struct {
  gsize offset;
  gsize length;
  guint32 hash;
} Entry;

struct _LaurelStringTable {
  char *bytes; /* all strings, each followed by a zero byte */
  gsize n_bytes;
  gsize capacity_bytes;
  Entry *entries;
  guint32 n_entries;
  gsize capacity_entries;
  guint32 *slots; /* number + 1, or 0 for a free slot */
  gsize n_slots;  /* a power of two */
};

LaurelStringTable *
laurel_string_table_new (void)
{
  LaurelStringTable *self = g_new0 (LaurelStringTable, 1);

  self->n_slots = 1024;
  self->slots = g_new0 (guint32, self->n_slots);
  return self;
}

void
laurel_string_table_free (LaurelStringTable *self)
{
  if (self == NULL)
    return;
  g_free (self->bytes);
  g_free (self->entries);
  g_free (self->slots);
  g_free (self);
}

/* FNV-1a, folded so that the low bits, which choose the slot, see all of it. */
static guint32
hash_bytes (const char *bytes, gsize length)
{
  guint64 hash = G_GUINT64_CONSTANT (14695981039346656037);

  for (gsize i = 0; i < length; i++)
    hash = (hash ^ (guint8) bytes[i]) * G_GUINT64_CONSTANT (1099511628211);
  return (guint32) (hash ^ (hash >> 32));
}

/* The slot that holds the string, or the free slot where it would go. */
static gsize
find_slot (const LaurelStringTable *self, const char *bytes, gsize length, guint32 hash)
{
  gsize mask = self->n_slots - 1;
  gsize slot = hash & mask;

  while (self->slots[slot] != 0) {
    const Entry *entry = &self->entries[self->slots[slot] - 1];

    if (entry->hash == hash && entry->length == length
        && memcmp (self->bytes + entry->offset, bytes, length) == 0)
      break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

static void
grow_slots (LaurelStringTable *self)
{
  self->n_slots *= 2;
  g_free (self->slots);
  self->slots = g_new0 (guint32, self->n_slots);
  for (guint32 i = 0; i < self->n_entries; i++) {
    gsize slot = self->entries[i].hash & (self->n_slots - 1);

    while (self->slots[slot] != 0)
      slot = (slot + 1) & (self->n_slots - 1);
    self->slots[slot] = i + 1;
  }
}

static void
append_entry (LaurelStringTable *self, const char *bytes, gsize length, guint32 hash)
{
  if (self->n_bytes + length + 1 > self->capacity_bytes) {
    self->capacity_bytes = MAX (self->capacity_bytes * 2, self->n_bytes + length + 1);
    self->bytes = g_realloc (self->bytes, self->capacity_bytes);
  }
  if (self->n_entries == self->capacity_entries) {
    self->capacity_entries = MAX (self->capacity_entries * 2, 256);
    self->entries = g_renew (Entry, self->entries, self->capacity_entries);
  }
  memcpy (self->bytes + self->n_bytes, bytes, length);
  self->bytes[self->n_bytes + length] = '\0';
  self->entries[self->n_entries++] = (Entry) {
    .offset = self->n_bytes,
    .length = length,
    .hash = hash,
  };
  self->n_bytes += length + 1;
}

guint32
laurel_string_table_add (LaurelStringTable *self, const char *bytes, gsize length)
{
  guint32 hash = hash_bytes (bytes, length);
  gsize slot = find_slot (self, bytes, length, hash);

  if (self->slots[slot] != 0)
    return self->slots[slot] - 1;
  append_entry (self, bytes, length, hash);
  self->slots[slot] = self->n_entries;
  if ((gsize) self->n_entries * 2 > self->n_slots)
    grow_slots (self);
  return self->n_entries - 1;
}

gint64
laurel_string_table_find (const LaurelStringTable *self, const char *bytes, gsize length)
{
  gsize slot = find_slot (self, bytes, length, hash_bytes (bytes, length));

  return (gint64) self->slots[slot] - 1;
}

const char *
laurel_string_table_get (const LaurelStringTable *self, guint32 number, gsize *out_length)
{
  const Entry *entry;

  g_return_val_if_fail (number < self->n_entries, NULL);

  entry = &self->entries[number];
  if (out_length != NULL)
    *out_length = entry->length;
  return self->bytes + entry->offset;
}

gsize
laurel_string_table_get_total_length (const LaurelStringTable *self)
{
  return self->n_bytes - self->n_entries;
}
