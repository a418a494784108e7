/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/label_page.h"

struct _LaurelLabelPage {
  LaurelPage parent_instance;
};

G_DEFINE_FINAL_TYPE (LaurelLabelPage, laurel_label_page, LAUREL_TYPE_PAGE)

static void
laurel_label_page_class_init (LaurelLabelPageClass *klass)
{
}

static void
laurel_label_page_init (LaurelLabelPage *self)
{
}
