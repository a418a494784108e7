/* look.c: eyes for the tests of dialogs, and rankings of three models.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/ui/look.h"

#include "ui/resources.h"

#include <string.h>

void
look_init (void)
{
  g_autoptr (GtkCssProvider) css = gtk_css_provider_new ();

  adw_init ();
  laurel_ui_register_resources ();
  gtk_css_provider_load_from_resource (css, LAUREL_RESOURCE_PATH "/style.css");
  gtk_style_context_add_provider_for_display (gdk_display_get_default (), GTK_STYLE_PROVIDER (css),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

void
look_spin (int ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000;

  while (g_get_monotonic_time () < end)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (2000);
}

GtkWidget *
look_for (GtkWidget *widget, GType type)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = look_for (child, type);

    if (found != NULL)
      return found;
  }
  return NULL;
}

int
look_count (GtkWidget *widget, GType type)
{
  int n = G_TYPE_CHECK_INSTANCE_TYPE (widget, type);

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    n += look_count (child, type);
  return n;
}

/* NULL: it is no text. */
static const char *
get_text (GtkWidget *widget)
{
  if (GTK_IS_INSCRIPTION (widget))
    return gtk_inscription_get_text (GTK_INSCRIPTION (widget));
  return GTK_IS_LABEL (widget) ? gtk_label_get_text (GTK_LABEL (widget)) : NULL;
}

gboolean
look_shows (GtkWidget *widget, const char *text)
{
  const char *own = get_text (widget);

  if (!gtk_widget_get_visible (widget))
    return FALSE;
  if (own != NULL && strstr (own, text) != NULL)
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (look_shows (child, text))
      return TRUE;
  return FALSE;
}

/* NULL until it has been laid out. */
static GskRenderNode *
draw (GtkWidget *window)
{
  int width = gtk_widget_get_width (window), height = gtk_widget_get_height (window);
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (window);
  GtkSnapshot *snapshot = gtk_snapshot_new ();

  gdk_paintable_snapshot (paintable, snapshot, width, height);
  return gtk_snapshot_free_to_node (snapshot);
}

static void
take_picture (GtkWidget *window, const char *path)
{
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GdkTexture) texture = NULL;

  while ((node = draw (window)) == NULL)
    look_spin (100);
  texture = gsk_renderer_render_texture (gtk_native_get_renderer (gtk_widget_get_native (window)),
                                         node,
                                         &GRAPHENE_RECT_INIT (0, 0,
                                                              gtk_widget_get_width (window),
                                                              gtk_widget_get_height (window)));
  g_assert_true (gdk_texture_save_to_png (texture, path));
}

void
look_take_pictures (GtkWidget *window, const char *name)
{
  const char *folder = g_getenv ("LAUREL_SCREENSHOTS");

  for (int dark = 0; dark < 2 && folder != NULL; dark++) {
    g_autofree char *picture =
        g_strdup_printf ("%s/%s-%s.png", folder, name, dark ? "dark" : "light");

    adw_style_manager_set_color_scheme (adw_style_manager_get_default (),
                                        dark ? ADW_COLOR_SCHEME_FORCE_DARK
                                             : ADW_COLOR_SCHEME_FORCE_LIGHT);
    look_spin (500);
    take_picture (window, picture);
  }
}

/* --- Rankings of three models -------------------------------------------------------- */

static const char *const models[] = { "polite-2", "sft", "base" };

static gint64
add_completion (LaurelStore *store, gint64 prompt, int model, int n_tokens)
{
  gint32 tokens[64] = { model };
  g_autofree char *text = g_strdup_printf ("An answer, go %d miles by road %d.", n_tokens, model);
  LaurelCompletion completion = { .prompt_id = prompt,
                                  .model = (char *) models[model],
                                  .text = text,
                                  .tokens = tokens,
                                  .n_tokens = n_tokens };

  g_assert_true (laurel_store_add_completion (store, &completion, NULL));
  return completion.id;
}

/* polite-2 loses every fourth to sft and ties every eighth. */
void
look_add_rankings (LaurelProject *project)
{
  LaurelStore *store = laurel_project_get_store (project);
  gint64 ada = laurel_store_ensure_labeler (store, "Ada", LAUREL_LABELER_PERSON, NULL);
  gint64 model = laurel_store_ensure_labeler (store, "r-7", LAUREL_LABELER_REWARD_MODEL, NULL);

  g_assert_true (laurel_store_begin (store, NULL));
  for (int i = 0; i < 48; i++) {
    g_autofree char *text = g_strdup_printf ("How do I get to town, road %d?", i);
    gint64 prompt = laurel_store_ensure_prompt (store, text, "train", "", NULL);
    const gint64 ids[] = { add_completion (store, prompt, 0, 8 + i % 13),
                           add_completion (store, prompt, 1, 9 + i % 3),
                           add_completion (store, prompt, 2, 7 + i % 5) };
    gint64 task = laurel_store_add_task (store, prompt, ids, 3, 1, "random", NULL);
    LaurelRank ranks[] = { { ids[0], i % 4 == 0 ? 2 : 1, 0, 0 },
                           { ids[1], i % 4 == 0 || i % 8 == 1 ? 1 : 2, 0, 0 },
                           { ids[2], i % 5 == 0 ? 1 : 3, 0, 0 } };
    LaurelRanking ranking = { .task_id = task, .labeler_id = ada, .ranks = ranks, .n = 3 };

    g_assert_true (laurel_store_add_ranking (store, &ranking, NULL));
    ranking.id = 0;
    ranking.labeler_id = model;
    if (i % 3 == 0)
      g_assert_true (laurel_store_add_ranking (store, &ranking, NULL));
  }
  g_assert_true (laurel_store_commit (store, NULL));
}

GtkWidget *
look_for_dialog (GtkWidget *window)
{
  g_autoptr (GList) windows = gtk_window_list_toplevels ();

  for (GList *l = windows; l != NULL; l = l->next)
    if (gtk_window_get_transient_for (l->data) == GTK_WINDOW (window))
      return l->data;
  return NULL;
}

GtkWidget *
look_make_window (void)
{
  GtkWidget *window = adw_window_new ();

  gtk_window_set_default_size (GTK_WINDOW (window), 1000, 700);
  gtk_window_present (GTK_WINDOW (window));
  return window;
}

void
look_add_open_task (LaurelProject *project)
{
  LaurelStore *store = laurel_project_get_store (project);
  gint64 prompt = laurel_store_ensure_prompt (store, "Why, again?", "train", "", NULL);
  const gint64 ids[] = { add_completion (store, prompt, 0, 8),
                         add_completion (store, prompt, 1, 9) };

  g_assert_cmpint (laurel_store_add_task (store, prompt, ids, 2, 1, "random", NULL), >, 0);
}
