/* evaluate_page.h: one kind of evaluation: what it asks for, its work, and what it shows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>
#include <json-glib/json-glib.h>

#include "core/project/background.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_EVALUATE_PAGE (laurel_evaluate_page_get_type ())
G_DECLARE_DERIVABLE_TYPE (LaurelEvaluatePage, laurel_evaluate_page, LAUREL, EVALUATE_PAGE, AdwBin)

/**
 * LaurelEvaluatePageClass:
 * @fill: offers what @project has
 * @is_ready: whether the choices can be worked on
 * @make_task: everything but the report
 * @show: what came of such a task
 *
 * Signal "changed": is_ready() may say something else. The child is a GtkScrolledWindow. Action "page.export" asks where
 * to and writes the results there, by the name's ending as JSON or CSV.
 */
struct _LaurelEvaluatePageClass {
  AdwBinClass parent_class;

  void (*fill) (LaurelEvaluatePage *self, LaurelProject *project);
  gboolean (*is_ready) (LaurelEvaluatePage *self);
  void (*make_task) (LaurelEvaluatePage *self, LaurelBackgroundTask *out);
  void (*show) (LaurelEvaluatePage *self, gpointer result);
};

void laurel_evaluate_page_fill (LaurelEvaluatePage *self, LaurelProject *project);
/* (transfer none) (nullable): that of fill. */
LaurelProject *laurel_evaluate_page_get_project (LaurelEvaluatePage *self);
gboolean laurel_evaluate_page_is_ready (LaurelEvaluatePage *self);
void laurel_evaluate_page_make_task (LaurelEvaluatePage *self, LaurelBackgroundTask *out);
void laurel_evaluate_page_show (LaurelEvaluatePage *self, gpointer result);

/* For the pages: something else was chosen. */
void laurel_evaluate_page_changed (LaurelEvaluatePage *self);
/* For the pages: in words who judges what in the task that is made, which stands over its results whatever is chosen
 * meanwhile. Takes @asked. */
void laurel_evaluate_page_take_asked (LaurelEvaluatePage *self, char *asked);
const char *laurel_evaluate_page_get_asked (LaurelEvaluatePage *self);
/* For the pages, when results are shown: scrolls to @results once they have their size. Takes @csv and @json. */
void laurel_evaluate_page_reveal (LaurelEvaluatePage *self, GtkWidget *results, char *csv, char *json);

/* What @builder has built, for a file. */
char *laurel_evaluate_page_print (JsonBuilder *builder) G_GNUC_WARN_UNUSED_RESULT;

/* Removes all of @box's children. */
void laurel_evaluate_page_empty (GtkBox *box);

G_END_DECLS
