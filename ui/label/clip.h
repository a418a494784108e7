/* clip.h: one child, shown up to a height.
 *
 * Long answers beside short ones would decide the eye by size; a clip shows all
 * of them at comparable heights until it is told to show everything.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LAUREL_TYPE_CLIP (laurel_clip_get_type ())
G_DECLARE_FINAL_TYPE (LaurelClip, laurel_clip, LAUREL, CLIP, GtkWidget)

/* Properties: "child" (GtkWidget), "max-height" (int, pixels), "expanded" (bool), "clipped" (bool, read only: the
 * child is or would be cut off when not expanded). */
void laurel_clip_set_expanded (LaurelClip *self, gboolean expanded);
gboolean laurel_clip_get_expanded (LaurelClip *self);
gboolean laurel_clip_get_clipped (LaurelClip *self);

G_END_DECLS
