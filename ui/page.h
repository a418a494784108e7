/* page.h: what every page of the window is: a widget that shows one project.
 *
 * A page derives from LaurelPage, builds itself from a template and overrides
 * project_changed() to bind to the project (or to let go of the last one: the
 * project is NULL then). The window sets the “project” property.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_PAGE (laurel_page_get_type ())
G_DECLARE_DERIVABLE_TYPE (LaurelPage, laurel_page, LAUREL, PAGE, GtkWidget)

struct _LaurelPageClass {
  GtkWidgetClass parent_class;

  /* The “project” property has a new value: read it with laurel_page_get_project(). */
  void (*project_changed) (LaurelPage *self);
};

LaurelProject *laurel_page_get_project (LaurelPage *self); /* (transfer none) (nullable) */
void laurel_page_set_project (LaurelPage *self, LaurelProject *project);

/* Shows @text for a moment at the bottom of the window that holds @widget. */
void laurel_page_show_toast (GtkWidget *widget, const char *text);

G_END_DECLS
