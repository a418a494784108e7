/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/completion_card.h"

#include "ui/label/clip.h"
#include "ui/label/flags.h"
#include "ui/label/markdown.h"
#include "ui/label/quality_row.h"
#include "ui/label/word_diff.h"
#include "ui/resources.h"

#include <glib/gi18n.h>

struct _LaurelCompletionCard {
  GtkWidget parent_instance;

  int card;
  char *text;
  char *reference;
  gboolean raw;
  GSimpleActionGroup *actions;

  GtkWidget *content;
  GtkWidget *handle;
  GtkLabel *title;
  LaurelQualityRow *quality;
  GtkWidget *menu_button;
  LaurelClip *clip;
  GtkLabel *body;
  GtkButton *expand_button;
  GtkBox *chips;
  GtkWidget *flag_chips[LAUREL_N_FLAGS];
};

enum { FOCUSED, QUALITY_CHOSEN, FLAG_TOGGLED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (LaurelCompletionCard, laurel_completion_card, GTK_TYPE_WIDGET)

int
laurel_completion_card_get_card (LaurelCompletionCard *self)
{
  return self->card;
}

const char *
laurel_completion_card_get_text (LaurelCompletionCard *self)
{
  return self->text;
}

/* --- The text ------------------------------------------------------------ */

static PangoAttrList *
mark_differences (LaurelCompletionCard *self)
{
  PangoAttrList *attributes = pango_attr_list_new ();
  g_autoptr (GArray) spans = laurel_word_diff (self->text, self->reference);
  GtkStyleContext *style = gtk_widget_get_style_context (GTK_WIDGET (self));
  GdkRGBA color = { 0 };
  gboolean has_color = gtk_style_context_lookup_color (style, "diff_bg_color", &color);

  for (guint i = 0; i < spans->len; i++) {
    LaurelTextSpan span = g_array_index (spans, LaurelTextSpan, i);
    PangoAttribute *marks[3] = { pango_attr_underline_new (PANGO_UNDERLINE_SINGLE) };
    int n = 1;

    if (has_color) {
      marks[n++] = pango_attr_background_new (color.red * 65535, color.green * 65535,
                                              color.blue * 65535);
      marks[n++] = pango_attr_background_alpha_new (color.alpha * 65535);
    }
    for (int j = 0; j < n; j++) {
      marks[j]->start_index = span.start;
      marks[j]->end_index = span.end;
      pango_attr_list_insert (attributes, marks[j]);
    }
  }
  return attributes;
}

static void
update_body (LaurelCompletionCard *self)
{
  if (self->reference) {
    g_autoptr (PangoAttrList) attributes = mark_differences (self);

    gtk_label_set_text (self->body, self->text);
    gtk_label_set_attributes (self->body, attributes);
  } else if (self->raw) {
    gtk_label_set_attributes (self->body, NULL);
    gtk_label_set_text (self->body, self->text);
  } else {
    g_autofree char *said = laurel_markdown_to_pango (self->text);
    /* Translators: stands for the text of a completion without any. */
    g_autofree char *markup =
      *said ? g_steal_pointer (&said) : g_strdup_printf ("<i>%s</i>", _("says nothing"));

    gtk_label_set_attributes (self->body, NULL);
    gtk_label_set_markup (self->body, markup);
  }
  if (self->raw) {
    gtk_widget_add_css_class (GTK_WIDGET (self->body), "monospace");
  } else {
    gtk_widget_remove_css_class (GTK_WIDGET (self->body), "monospace");
  }
}

void
laurel_completion_card_set_raw (LaurelCompletionCard *self, gboolean raw)
{
  if (self->raw != raw) {
    self->raw = raw;
    update_body (self);
  }
}

void
laurel_completion_card_set_reference (LaurelCompletionCard *self, const char *reference)
{
  if (g_strcmp0 (self->reference, reference) != 0) {
    g_free (self->reference);
    self->reference = g_strdup (reference);
    update_body (self);
  }
}

void
laurel_completion_card_toggle_expanded (LaurelCompletionCard *self)
{
  laurel_clip_set_expanded (self->clip, !laurel_clip_get_expanded (self->clip));
}

static void
on_clip_changed (LaurelCompletionCard *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->expand_button), laurel_clip_get_clipped (self->clip));
  gtk_button_set_label (self->expand_button,
                        laurel_clip_get_expanded (self->clip) ? _("Show Less") : _("Show All"));
}

/* --- What the labeler decided --------------------------------------------- */

static void
update_accessible (LaurelCompletionCard *self, int lane, int quality, const char *flags)
{
  g_autofree char *rank = lane > 0 ? g_strdup_printf (_("rank %d"), lane)
                          : g_strdup (_("not ranked"));
  g_autofree char *rated = quality > 0 ? g_strdup_printf (_(", quality %d"), quality)
                           : g_strdup ("");
  /* Translators: what a screen reader says of a card: its letter, its rank, its quality, its
   * flags. */
  g_autofree char *name = g_strdup_printf (_("Completion %c, %s%s%s"), 'A' + self->card, rank,
                                           rated, flags);

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, self->text, -1);
}

static void
update_flags (LaurelCompletionCard *self, guint flags, GString *spoken)
{
  for (int i = 0; i < LAUREL_N_FLAGS; i++) {
    gboolean on = (flags & laurel_flag_infos[i].flag) != 0;
    g_autofree char *name = g_strdup_printf ("flag-%d", i);
    GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self->actions), name);

    g_simple_action_set_state (G_SIMPLE_ACTION (action), g_variant_new_boolean (on));
    gtk_widget_set_visible (self->flag_chips[i], on);
    if (on) {
      g_string_append_printf (spoken, ", %s", _(laurel_flag_infos[i].title));
    }
  }
  gtk_widget_set_visible (GTK_WIDGET (self->chips), flags != 0);
}

void
laurel_completion_card_update (LaurelCompletionCard *self, LaurelRankingModel *model)
{
  int lane = laurel_ranking_model_get_lane (model, self->card);
  int quality = laurel_ranking_model_get_quality (model, self->card);
  g_autoptr (GString) flags = g_string_new (NULL);

  laurel_quality_row_set_quality (self->quality, quality);
  update_flags (self, laurel_ranking_model_get_flags (model, self->card), flags);
  update_accessible (self, lane, quality, flags->str);
  if (lane > 0) {
    gtk_widget_add_css_class (GTK_WIDGET (self), "ranked");
  } else {
    gtk_widget_remove_css_class (GTK_WIDGET (self), "ranked");
  }
}

static void
on_quality_chosen (LaurelCompletionCard *self, int quality)
{
  g_signal_emit (self, signals[QUALITY_CHOSEN], 0, quality);
}

static void
on_flag_activated (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelCompletionCard *self = user_data;
  int i = g_action_get_name (G_ACTION (action))[strlen ("flag-")] - '0';

  g_signal_emit (self, signals[FLAG_TOGGLED], 0, (guint) laurel_flag_infos[i].flag);
}

static void
on_copy_activated (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelCompletionCard *self = user_data;

  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), self->text);
}

/* --- Dragging -------------------------------------------------------------- */

static GdkContentProvider *
on_drag_prepare (LaurelCompletionCard *self, double x, double y)
{
  return gdk_content_provider_new_typed (LAUREL_TYPE_COMPLETION_CARD, self);
}

static void
on_drag_begin (LaurelCompletionCard *self, GdkDrag *drag, GtkDragSource *source)
{
  g_autoptr (GdkPaintable) picture = gtk_widget_paintable_new (GTK_WIDGET (self));
  g_autoptr (GdkPaintable) still = gdk_paintable_get_current_image (picture);

  gtk_drag_source_set_icon (source, still, 24, 24);
  gtk_widget_add_css_class (GTK_WIDGET (self), "dragged");
}

static void
on_drag_end (LaurelCompletionCard *self)
{
  gtk_widget_remove_css_class (GTK_WIDGET (self), "dragged");
}

static void
add_drag_source (LaurelCompletionCard *self)
{
  GtkDragSource *source = gtk_drag_source_new ();

  gtk_drag_source_set_actions (source, GDK_ACTION_MOVE);
  g_signal_connect_swapped (source, "prepare", G_CALLBACK (on_drag_prepare), self);
  g_signal_connect_swapped (source, "drag-begin", G_CALLBACK (on_drag_begin), self);
  g_signal_connect_swapped (source, "drag-end", G_CALLBACK (on_drag_end), self);
  gtk_widget_add_controller (self->handle, GTK_EVENT_CONTROLLER (source));
}

/* --- Life ------------------------------------------------------------------ */

static void
on_focus_enter (LaurelCompletionCard *self)
{
  g_signal_emit (self, signals[FOCUSED], 0);
}

static void
on_pressed (LaurelCompletionCard *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
}

static void
add_focus_controllers (LaurelCompletionCard *self)
{
  GtkEventController *focus = gtk_event_controller_focus_new ();
  GtkGesture *click = gtk_gesture_click_new ();

  g_signal_connect_swapped (focus, "enter", G_CALLBACK (on_focus_enter), self);
  gtk_widget_add_controller (GTK_WIDGET (self), focus);
  g_signal_connect_swapped (click, "pressed", G_CALLBACK (on_pressed), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
}

static void
add_actions (LaurelCompletionCard *self)
{
  GSimpleAction *copy = g_simple_action_new ("copy", NULL);

  self->actions = g_simple_action_group_new ();
  g_signal_connect (copy, "activate", G_CALLBACK (on_copy_activated), self);
  g_action_map_add_action (G_ACTION_MAP (self->actions), G_ACTION (copy));
  g_object_unref (copy);
  for (int i = 0; i < LAUREL_N_FLAGS; i++) {
    g_autofree char *name = g_strdup_printf ("flag-%d", i);
    g_autoptr (GSimpleAction) action = g_simple_action_new_stateful (name, NULL,
                                                                     g_variant_new_boolean (FALSE));

    g_signal_connect (action, "activate", G_CALLBACK (on_flag_activated), self);
    g_action_map_add_action (G_ACTION_MAP (self->actions), G_ACTION (action));
  }
  gtk_widget_insert_action_group (GTK_WIDGET (self), "card", G_ACTION_GROUP (self->actions));
}

static void
add_chips (LaurelCompletionCard *self)
{
  for (int i = 0; i < LAUREL_N_FLAGS; i++) {
    self->flag_chips[i] = gtk_label_new (_(laurel_flag_infos[i].title));
    gtk_widget_add_css_class (self->flag_chips[i], "chip");
    gtk_label_set_ellipsize (GTK_LABEL (self->flag_chips[i]), PANGO_ELLIPSIZE_END);
    gtk_widget_set_visible (self->flag_chips[i], FALSE);
    gtk_box_append (self->chips, self->flag_chips[i]);
  }
}

static void
laurel_completion_card_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_COMPLETION_CARD);

  G_OBJECT_CLASS (laurel_completion_card_parent_class)->dispose (object);
}

static void
laurel_completion_card_finalize (GObject *object)
{
  LaurelCompletionCard *self = LAUREL_COMPLETION_CARD (object);

  g_clear_object (&self->actions);
  g_free (self->text);
  g_free (self->reference);

  G_OBJECT_CLASS (laurel_completion_card_parent_class)->finalize (object);
}

static void
bind_template (GtkWidgetClass *widget_class)
{
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/completion_card.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelCompletionCard, content);
  gtk_widget_class_bind_template_child (widget_class, LaurelCompletionCard, handle);
  gtk_widget_class_bind_template_child (widget_class, LaurelCompletionCard, title);
  gtk_widget_class_bind_template_child (widget_class, LaurelCompletionCard, quality);
  gtk_widget_class_bind_template_child (widget_class, LaurelCompletionCard, menu_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelCompletionCard, clip);
  gtk_widget_class_bind_template_child (widget_class, LaurelCompletionCard, body);
  gtk_widget_class_bind_template_child (widget_class, LaurelCompletionCard, expand_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelCompletionCard, chips);
  gtk_widget_class_bind_template_callback (widget_class, on_quality_chosen);
  gtk_widget_class_bind_template_callback (widget_class, on_clip_changed);
  gtk_widget_class_bind_template_callback (widget_class, laurel_completion_card_toggle_expanded);
}

static void
laurel_completion_card_class_init (LaurelCompletionCardClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);

  object_class->dispose = laurel_completion_card_dispose;
  object_class->finalize = laurel_completion_card_finalize;

  signals[FOCUSED] = g_signal_new ("focused", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
  signals[QUALITY_CHOSEN] =
    g_signal_new ("quality-chosen", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                  G_TYPE_INT);
  signals[FLAG_TOGGLED] =
    g_signal_new ("flag-toggled", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                  G_TYPE_UINT);

  g_type_ensure (LAUREL_TYPE_CLIP);
  g_type_ensure (LAUREL_TYPE_QUALITY_ROW);
  bind_template (widget_class);
  gtk_widget_class_set_css_name (widget_class, "completion");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_LIST_ITEM);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
laurel_completion_card_init (LaurelCompletionCard *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  add_actions (self);
  add_chips (self);
  add_drag_source (self);
  add_focus_controllers (self);
}

static void
name_parts (LaurelCompletionCard *self)
{
  g_autofree char *title = g_strdup_printf (_("Completion %c"), 'A' + self->card);
  g_autofree char *quality = g_strdup_printf (_("Quality of completion %c"), 'A' + self->card);
  g_autofree char *menu = g_strdup_printf (_("Menu of completion %c"), 'A' + self->card);

  gtk_label_set_label (self->title, title);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->quality), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  quality, -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->menu_button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  menu, -1);
  gtk_widget_set_tooltip_text (self->menu_button, _("Rank, flags and more"));
}

GtkWidget *
laurel_completion_card_new (int card, const char *text)
{
  LaurelCompletionCard *self = g_object_new (LAUREL_TYPE_COMPLETION_CARD, NULL);

  self->card = card;
  /* Labels want UTF-8; a model's last token may be half a character. */
  self->text = g_utf8_make_valid (text, -1);
  g_strstrip (self->text);
  name_parts (self);
  update_body (self);
  on_clip_changed (self);
  return GTK_WIDGET (self);
}
