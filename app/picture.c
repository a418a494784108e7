/* SPDX-License-Identifier: Apache-2.0 */
#include "app/picture.h"

#include "core/base/error.h"

static void
snapshot_dialog (GtkSnapshot *snapshot, GtkWindow *dialog, int width, int height)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (GTK_WIDGET (dialog));
  int dialog_width = gtk_widget_get_width (GTK_WIDGET (dialog));
  int dialog_height = gtk_widget_get_height (GTK_WIDGET (dialog));
  GskRoundedRect outline;

  /* As a desktop does with a modal dialog: what is behind recedes. */
  gtk_snapshot_append_color (snapshot, &(GdkRGBA) { 0, 0, 0, 0.25 },
                             &GRAPHENE_RECT_INIT (0, 0, width, height));
  gtk_snapshot_translate (snapshot,
                          &GRAPHENE_POINT_INIT ((width - dialog_width) / 2,
                                                MAX (height - dialog_height, 0) / 2));
  /* Where there is no compositor a dialog has square corners and no shadow. */
  gsk_rounded_rect_init_from_rect (&outline,
                                   &GRAPHENE_RECT_INIT (0, 0, dialog_width, dialog_height), 12);
  gtk_snapshot_append_outset_shadow (snapshot, &outline, &(GdkRGBA) { 0, 0, 0, 0.35 }, 0, 3, 0, 14);
  gtk_snapshot_push_rounded_clip (snapshot, &outline);
  gdk_paintable_snapshot (paintable, snapshot, dialog_width, dialog_height);
  gtk_snapshot_pop (snapshot);
}

gboolean
laurel_picture_save (GtkWindow *window, GtkWindow *dialog, const char *path, GError **error)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (GTK_WIDGET (window));
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  int width = gtk_widget_get_width (GTK_WIDGET (window));
  int height = gtk_widget_get_height (GTK_WIDGET (window));
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GdkTexture) texture = NULL;

  gdk_paintable_snapshot (paintable, snapshot, width, height);
  if (dialog) {
    snapshot_dialog (snapshot, dialog, width, height);
  }
  node = gtk_snapshot_free_to_node (snapshot);
  if (!node) {
    g_set_error_literal (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                         "Could not take a picture: the window has not been painted yet; wait "
                         "longer");
    return FALSE;
  }
  texture = gsk_renderer_render_texture (gtk_native_get_renderer (GTK_NATIVE (window)), node,
                                         &GRAPHENE_RECT_INIT (0, 0, width, height));
  if (!gdk_texture_save_to_png (texture, path)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
                 "Could not write “%s”: check the path and the disk", path);
    return FALSE;
  }
  return TRUE;
}
