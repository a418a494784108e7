/* test-window.c: the frame around the pages: profiles, names for screen readers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/ui/fixture.h"
#include "ui/resources.h"
#include "ui/settings.h"

typedef void (*WidgetFunc) (GtkWidget *widget, gpointer user_data);

static void
walk (GtkWidget *widget, WidgetFunc func, gpointer user_data)
{
  func (widget, user_data);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child)) {
    walk (child, func, user_data);
  }
}

/* Every text that a widget may show, whether it is visible now or not. */
static void
assert_tells_nothing (GtkWidget *widget, gpointer user_data)
{
  static const char *const properties[] = { "label", "tooltip-text", "text",
                                            "title", "subtitle",     "description" };

  for (gsize i = 0; i < G_N_ELEMENTS (properties); i++) {
    GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (widget), properties[i]);
    g_autofree char *text = NULL;

    if (pspec && pspec->value_type == G_TYPE_STRING && (pspec->flags & G_PARAM_READABLE)) {
      g_object_get (widget, properties[i], &text, NULL);
    }
    if (text && strstr (text, FIXTURE_MODEL)) {
      g_error ("A %s tells a labeler “%s”", G_OBJECT_TYPE_NAME (widget), text);
    }
  }
  ++*(int *) user_data;
}

static void
test_labeler_sees_no_model (void)
{
  LaurelProject *project = fixture_make_project (2, 3);
  LaurelWindow *window;
  GtkWidget *page;
  int n_widgets = 0;

  g_settings_set_string (laurel_settings_get (), "profile", "labeler");
  window = fixture_show_window (project);
  page = fixture_find (GTK_WIDGET (window), g_type_from_name ("LaurelLabelPage"));
  walk (page, assert_tells_nothing, &n_widgets);
  g_assert_cmpint (n_widgets, >, 50);
  g_assert_true (laurel_window_show_page (window, "label"));
  g_assert_false (laurel_window_show_page (window, "runs"));
  g_assert_false (laurel_window_show_page (window, "inspect"));
  g_settings_reset (laurel_settings_get (), "profile");
  g_assert_true (laurel_window_show_page (window, "runs"));
  fixture_close_window (window);
  fixture_remove_project (project);
}

/* A name of its own, or a label that names it. GTK's compound widgets carry the name of their inner
 * parts. */
static gboolean
has_name (GtkWidget *widget)
{
  if (gtk_test_accessible_has_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL) ||
      gtk_test_accessible_has_relation (GTK_ACCESSIBLE (widget),
                                        GTK_ACCESSIBLE_RELATION_LABELLED_BY)) {
    return TRUE;
  }
  if (GTK_IS_LABEL (widget)) {
    return *gtk_label_get_text (GTK_LABEL (widget)) != '\0';
  }
  return GTK_IS_BUTTON (widget) && gtk_button_get_label (GTK_BUTTON (widget));
}

static void
check_name (GtkWidget *widget, gpointer user_data)
{
  GtkWidget *parent = gtk_widget_get_parent (widget);

  if (!gtk_widget_get_focusable (widget) || !gtk_widget_get_mapped (widget)) {
    return;
  }
  /* The button inside a menu button, the text inside an entry; a scrolled area is a place to
   * scroll, not a control. */
  if (GTK_IS_MENU_BUTTON (parent) || GTK_IS_EDITABLE (parent) || GTK_IS_SCROLLED_WINDOW (widget) ||
      GTK_IS_SCROLLED_WINDOW (parent)) {
    if (has_name (parent) || has_name (widget) || !GTK_IS_MENU_BUTTON (parent)) {
      return;
    }
  }
  if (GTK_IS_MENU_BUTTON (parent) && gtk_menu_button_get_label (GTK_MENU_BUTTON (parent))) {
    return;
  }
  /* The window's own controls and the close button of an info bar come named by GTK. */
  if (GTK_IS_WINDOW_CONTROLS (parent) || gtk_widget_get_ancestor (widget, GTK_TYPE_INFO_BAR) ||
      gtk_widget_get_ancestor (widget, ADW_TYPE_VIEW_SWITCHER)) {
    return;
  }
  if (!has_name (widget)) {
    g_test_message ("a %s (%s) in a %s has no name", G_OBJECT_TYPE_NAME (widget),
                    gtk_widget_get_css_name (widget),
                    parent ? G_OBJECT_TYPE_NAME (parent) : "window");
    ++*(int *) user_data;
  }
}

static void
test_everything_has_a_name (void)
{
  LaurelProject *project = fixture_make_project (2, 4);
  LaurelWindow *window = fixture_show_window (project);
  int n_nameless = 0;

  walk (GTK_WIDGET (window), check_name, &n_nameless);
  g_assert_cmpint (n_nameless, ==, 0);
  fixture_close_window (window);
  fixture_remove_project (project);
}

static void
test_window_lets_go_of_the_project (void)
{
  LaurelProject *project = fixture_make_project (1, 2);
  LaurelWindow *window = fixture_show_window (project);

  g_assert_nonnull (laurel_project_get_store (project));
  fixture_close_window (window);
  g_assert_null (laurel_project_get_store (project));
  fixture_remove_project (project);
}

static void
test_errors_stay_until_closed (void)
{
  LaurelWindow *window = laurel_window_new (NULL);
  GtkInfoBar *bar = fixture_find (GTK_WIDGET (window), GTK_TYPE_INFO_BAR);
  GtkRevealer *revealer =
      GTK_REVEALER (gtk_widget_get_ancestor (GTK_WIDGET (bar), GTK_TYPE_REVEALER));

  g_assert_false (gtk_revealer_get_reveal_child (revealer));
  laurel_window_show_error (window, "Could not open “x”: it is gone; choose another");
  g_assert_true (gtk_revealer_get_reveal_child (revealer));
  gtk_info_bar_response (bar, GTK_RESPONSE_CLOSE);
  g_assert_false (gtk_revealer_get_reveal_child (revealer));
  fixture_close_window (window);
}

/* What fails in the background names models: a labeler is not told. */
static void
test_run_errors_are_for_researchers (void)
{
  LaurelProject *project = fixture_make_project (1, 2);
  LaurelWindow *window = fixture_show_window (project);
  GtkInfoBar *bar = fixture_find (GTK_WIDGET (window), GTK_TYPE_INFO_BAR);
  GtkRevealer *revealer =
      GTK_REVEALER (gtk_widget_get_ancestor (GTK_WIDGET (bar), GTK_TYPE_REVEALER));

  g_settings_set_string (laurel_settings_get (), "profile", "labeler");
  g_signal_emit_by_name (project, "error", "Could not train “" FIXTURE_MODEL "”: no; stop");
  g_assert_false (gtk_revealer_get_reveal_child (revealer));
  g_settings_reset (laurel_settings_get (), "profile");
  g_signal_emit_by_name (project, "error", "Could not train “" FIXTURE_MODEL "”: no; stop");
  g_assert_true (gtk_revealer_get_reveal_child (revealer));
  fixture_close_window (window);
  fixture_remove_project (project);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  laurel_ui_register_resources ();

  g_test_add_func ("/window/labeler-sees-no-model", test_labeler_sees_no_model);
  g_test_add_func ("/window/everything-has-a-name", test_everything_has_a_name);
  g_test_add_func ("/window/lets-go-of-the-project", test_window_lets_go_of_the_project);
  g_test_add_func ("/window/errors-stay-until-closed", test_errors_stay_until_closed);
  g_test_add_func ("/window/run-errors-are-for-researchers", test_run_errors_are_for_researchers);

  return g_test_run ();
}
