/* laurel.c: the program for people.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/application.h"
#include "config.h"
#include "core/project/project.h"
#include "ui/resources.h"

#include <glib/gi18n.h>
#include <locale.h>

/* Without a graphics device OpenGL is emulated on the very cores that train; drawing with Cairo
 * costs a tenth of that (a key press is on the screen after 15 ms instead of 170 ms on a busy
 * two-core machine). GSK_RENDERER overrides. */
static void
choose_renderer (void)
{
  if (!g_file_test ("/dev/dri", G_FILE_TEST_IS_DIR)) {
    g_setenv ("GSK_RENDERER", "cairo", FALSE);
  }
}

int
main (int argc, char **argv)
{
  g_autoptr (LaurelApplication) application = NULL;

  laurel_engine_prepare (argc, argv);
  choose_renderer ();

  setlocale (LC_ALL, "");
  bindtextdomain (LAUREL_GETTEXT_DOMAIN, LAUREL_LOCALE_DIR);
  bind_textdomain_codeset (LAUREL_GETTEXT_DOMAIN, "UTF-8");
  textdomain (LAUREL_GETTEXT_DOMAIN);

  laurel_ui_register_resources ();
  application = laurel_application_new ();
  return g_application_run (G_APPLICATION (application), argc, argv);
}
