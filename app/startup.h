/* startup.h: what the command line asks for, and what the first window opens.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/window.h"

G_BEGIN_DECLS

typedef struct {
  char *page;
  char **actions;        /* to activate after the start, in turn */
  char *screenshot;
  char *latency_path;
  int width, height;     /* 0: as the last time */
  AdwColorScheme scheme; /* ADW_COLOR_SCHEME_DEFAULT: as the settings say */
  gint64 inspect_run;    /* 0: none */
  gboolean exits;        /* after the first paint */

  LaurelWindow *window;
  gboolean made_starter;
  guint n_activated;
} LaurelStartup;

extern const GOptionEntry laurel_startup_options[];

/* −1: go on; else the exit code, with the reason printed. */
int laurel_startup_read_options (LaurelStartup *self, GApplication *application, GVariantDict *options);
void laurel_startup_clear (LaurelStartup *self);

/* Shows @window on the project at @path; NULL: on the last project, else on the starter project, which is made after
 * the first paint when it is not there. */
void laurel_startup_open (LaurelStartup *self, LaurelWindow *window, const char *path);

/* "laurel 0.1.0\nGTK 4.8.3\n…": what runs, not what was compiled against. */
char *laurel_startup_describe_versions (void) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
