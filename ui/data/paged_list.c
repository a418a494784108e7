/* paged_list.c: pages of rows, the least recently read one dropped first.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/paged_list.h"

#define PAGE 128
#define MAX_PAGES 32

struct _LaurelPagedList {
  GObject parent_instance;

  guint n_rows;
  LaurelFetchFunc fetch;
  gpointer user_data;
  GHashTable *pages; /* page number → GPtrArray of LaurelTextRow */
  GQueue recent;     /* page numbers, newest at the head */
};

static void laurel_paged_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (LaurelPagedList,
                               laurel_paged_list,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      laurel_paged_list_model_init))

static GType
laurel_paged_list_get_item_type (GListModel *model)
{
  return LAUREL_TYPE_TEXT_ROW;
}

static guint
laurel_paged_list_get_n_items (GListModel *model)
{
  return LAUREL_PAGED_LIST (model)->n_rows;
}

static GPtrArray *
get_page (LaurelPagedList *self, guint number)
{
  gpointer key = GUINT_TO_POINTER (number);
  GPtrArray *page = g_hash_table_lookup (self->pages, key);

  if (page != NULL) {
    g_queue_remove (&self->recent, key);
    g_queue_push_head (&self->recent, key);
    return page;
  }
  page = self->fetch (self->user_data, PAGE, (int) (number * PAGE));
  if (page == NULL)
    page = g_ptr_array_new_with_free_func (g_object_unref);
  if (g_queue_get_length (&self->recent) >= MAX_PAGES)
    g_hash_table_remove (self->pages, g_queue_pop_tail (&self->recent));
  g_hash_table_insert (self->pages, key, page);
  g_queue_push_head (&self->recent, key);
  return page;
}

static gpointer
laurel_paged_list_get_item (GListModel *model, guint position)
{
  LaurelPagedList *self = LAUREL_PAGED_LIST (model);
  GPtrArray *page;

  if (position >= self->n_rows)
    return NULL;
  page = get_page (self, position / PAGE);
  if (position % PAGE < page->len)
    return g_object_ref (page->pdata[position % PAGE]);
  /* A row that was there when they were counted and is gone now: a blank line until the next reset.
   */
  return laurel_text_row_new (0, g_new0 (char *, 1));
}

static void
laurel_paged_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = laurel_paged_list_get_item_type;
  iface->get_n_items = laurel_paged_list_get_n_items;
  iface->get_item = laurel_paged_list_get_item;
}

static void
laurel_paged_list_finalize (GObject *object)
{
  LaurelPagedList *self = LAUREL_PAGED_LIST (object);

  g_hash_table_unref (self->pages);
  g_queue_clear (&self->recent);
  G_OBJECT_CLASS (laurel_paged_list_parent_class)->finalize (object);
}

static void
laurel_paged_list_class_init (LaurelPagedListClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = laurel_paged_list_finalize;
}

static void
laurel_paged_list_init (LaurelPagedList *self)
{
  self->pages = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  g_queue_init (&self->recent);
}

LaurelPagedList *
laurel_paged_list_new (void)
{
  return g_object_new (LAUREL_TYPE_PAGED_LIST, NULL);
}

void
laurel_paged_list_reset (LaurelPagedList *self,
                         guint n_rows,
                         LaurelFetchFunc fetch,
                         gpointer user_data)
{
  guint n_before;

  g_return_if_fail (LAUREL_IS_PAGED_LIST (self));

  n_before = self->n_rows;
  g_hash_table_remove_all (self->pages);
  g_queue_clear (&self->recent);
  self->n_rows = n_rows;
  self->fetch = fetch;
  self->user_data = user_data;
  g_list_model_items_changed (G_LIST_MODEL (self), 0, n_before, n_rows);
}
