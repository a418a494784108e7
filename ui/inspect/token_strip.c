/* token_strip.c: lays tokens out in lines, paints their heat, moves the selection.
 *
 * Each token is a PangoLayout of its own, so that no layout is longer than a
 * word: Pango's cost grows with the length of a paragraph. Layouts are kept
 * until the rollout or the font changes, the picture until anything does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/inspect/token_strip.h"

#include "ui/charts/canvas.h"
#include "ui/charts/scale.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <math.h>

#define PADDING 3
#define GAP 1
#define PROMPT_GAP 6
#define LINE_GAP 4

typedef struct {
  char *text;
  PangoLayout *layout;
  int width, height; /* of the text */
  float x, y;        /* of the box */
  int line;
} Token;

struct _LaurelTokenStrip {
  GtkWidget parent_instance;

  const LaurelRollout *rollout;
  LaurelTokenValue value;
  LaurelChartCursor *cursor;
  GArray *tokens; /* (element-type Token): prompt, then completion */
  int n_prompt;
  int laid_out_width, laid_out_height;
  GskRenderNode *rendered;
};

G_DEFINE_FINAL_TYPE (LaurelTokenStrip, laurel_token_strip, GTK_TYPE_WIDGET)

static void
token_clear (gpointer data)
{
  Token *token = data;

  g_free (token->text);
  g_clear_object (&token->layout);
}

static Token *
get_token (LaurelTokenStrip *self, guint index)
{
  return &g_array_index (self->tokens, Token, index);
}

static void
repaint (LaurelTokenStrip *self)
{
  g_clear_pointer (&self->rendered, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* --- Layout -------------------------------------------------------------- */

static void
ensure_layouts (LaurelTokenStrip *self)
{
  for (guint i = 0; i < self->tokens->len; i++) {
    Token *token = get_token (self, i);

    if (token->layout != NULL)
      continue;
    token->layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), token->text);
    pango_layout_set_single_paragraph_mode (token->layout, TRUE);
    pango_layout_get_pixel_size (token->layout, &token->width, &token->height);
    token->width = MAX (token->width, 4);
  }
}

/* The prompt is there to be read, the completion to be picked apart. */
static int
get_padding (LaurelTokenStrip *self, guint index)
{
  return (int) index < self->n_prompt ? 0 : PADDING;
}

/* Breaks the tokens into lines of @width; returns the height. */
static int
lay_out (LaurelTokenStrip *self, int width)
{
  float x = 0, y = 0;
  int height = 0, line = 0;

  if (self->laid_out_width == width)
    return self->laid_out_height;
  ensure_layouts (self);
  for (guint i = 0; i < self->tokens->len; i++) {
    Token *token = get_token (self, i);
    int padding = get_padding (self, i);
    float box = (float) (token->width + 2 * padding);

    height = MAX (height, token->height);
    if ((int) i == self->n_prompt && i > 0)
      x += PROMPT_GAP;
    if (x > 0 && x + box > (float) width) {
      x = 0;
      y += (float) (height + LINE_GAP + 2);
      line++;
    }
    token->x = x;
    token->y = y;
    token->line = line;
    x += padding > 0 ? box + GAP : box;
  }
  self->laid_out_width = width;
  self->laid_out_height = (int) y + height + 2;
  g_clear_pointer (&self->rendered, gsk_render_node_unref);
  return self->laid_out_height;
}

static void
forget_layouts (LaurelTokenStrip *self)
{
  for (guint i = 0; i < self->tokens->len; i++)
    g_clear_object (&get_token (self, i)->layout);
  self->laid_out_width = -1;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  repaint (self);
}

static GtkSizeRequestMode
laurel_token_strip_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
laurel_token_strip_measure (GtkWidget *widget, GtkOrientation orientation, int for_size,
                            int *minimum, int *natural, int *minimum_baseline,
                            int *natural_baseline)
{
  LaurelTokenStrip *self = LAUREL_TOKEN_STRIP (widget);

  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = 120;
    *natural = 480;
    return;
  }
  *minimum = *natural = lay_out (self, for_size > 0 ? for_size : 480);
}

/* --- Painting ------------------------------------------------------------ */

static graphene_rect_t
get_box (const Token *token)
{
  return GRAPHENE_RECT_INIT (token->x, token->y, (float) (token->width + 2 * PADDING),
                             (float) (token->height + 2));
}

static void
paint_token (LaurelTokenStrip *self, GtkSnapshot *snapshot, guint index, double largest,
             const LaurelPalette *palette)
{
  const Token *token = get_token (self, index);
  graphene_rect_t box = get_box (token);
  gboolean is_prompt = (int) index < self->n_prompt;
  GskRoundedRect outline;
  GdkRGBA heat;

  if (!is_prompt) {
    double value = laurel_rollout_get_heat (self->rollout, (int) index - self->n_prompt,
                                            self->value);

    laurel_palette_diverge (palette, largest > 0 ? value / largest : 0, &heat);
    gsk_rounded_rect_init_from_rect (&outline, &box, 3);
    gtk_snapshot_push_rounded_clip (snapshot, &outline);
    gtk_snapshot_append_color (snapshot, &palette->grid, &box);
    gtk_snapshot_append_color (snapshot, &heat, &box);
    gtk_snapshot_pop (snapshot);
  }
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (
      snapshot,
      &GRAPHENE_POINT_INIT (token->x + (float) get_padding (self, index), token->y + 1));
  gtk_snapshot_append_layout (snapshot, token->layout,
                              is_prompt ? &palette->dim_text : &palette->text);
  gtk_snapshot_restore (snapshot);
}

static int
get_selected (LaurelTokenStrip *self)
{
  double x = self->cursor != NULL ? laurel_chart_cursor_get_x (self->cursor) : NAN;

  if (self->rollout == NULL || isnan (x) || x < 1 || x > self->rollout->n_tokens)
    return -1;
  return (int) llround (x) - 1;
}

static void
laurel_token_strip_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  LaurelTokenStrip *self = LAUREL_TOKEN_STRIP (widget);
  const LaurelPalette *palette = laurel_palette_current ();
  int selected = get_selected (self);

  if (self->rollout == NULL)
    return;
  lay_out (self, gtk_widget_get_width (widget));
  if (self->rendered == NULL) {
    g_autoptr (GtkSnapshot) own = gtk_snapshot_new ();
    double largest = laurel_rollout_find_largest_heat (self->rollout, self->value);

    for (guint i = 0; i < self->tokens->len; i++)
      paint_token (self, own, i, largest, palette);
    self->rendered = gtk_snapshot_to_node (own);
  }
  if (self->rendered != NULL)
    gtk_snapshot_append_node (snapshot, self->rendered);
  if (selected >= 0) {
    graphene_rect_t box = get_box (get_token (self, (guint) (self->n_prompt + selected)));
    GskRoundedRect outline;
    GdkRGBA c = palette->selection;

    gsk_rounded_rect_init_from_rect (&outline, &box, 3);
    gtk_snapshot_append_border (snapshot, &outline, (float[4]) { 2, 2, 2, 2 },
                                (GdkRGBA[4]) { c, c, c, c });
  }
}

/* --- Selection ----------------------------------------------------------- */

static void
select_token (LaurelTokenStrip *self, int t)
{
  if (self->rollout == NULL || self->cursor == NULL || self->rollout->n_tokens == 0)
    return;
  laurel_chart_cursor_set_x (self->cursor, CLAMP (t, 0, self->rollout->n_tokens - 1) + 1);
}

/* The completion token under (x, y), −1 when there is none. */
static int
find_token (LaurelTokenStrip *self, double x, double y)
{
  for (guint i = (guint) self->n_prompt; i < self->tokens->len; i++) {
    graphene_rect_t box = get_box (get_token (self, i));

    if (graphene_rect_contains_point (&box, &GRAPHENE_POINT_INIT ((float) x, (float) y)))
      return (int) i - self->n_prompt;
  }
  return -1;
}

/* The token of the line above or below that is nearest to token @t. */
static int
find_in_line (LaurelTokenStrip *self, int t, int direction)
{
  const Token *from = get_token (self, (guint) (self->n_prompt + t));
  int best = t;
  float best_distance = INFINITY;

  for (guint i = (guint) self->n_prompt; i < self->tokens->len; i++) {
    const Token *token = get_token (self, i);
    float distance = fabsf (token->x
                            + (float) token->width / 2 - from->x - (float) from->width / 2);

    if (token->line == from->line + direction && distance < best_distance) {
      best = (int) i - self->n_prompt;
      best_distance = distance;
    }
  }
  return best;
}

static gboolean
key_cb (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state,
        LaurelTokenStrip *self)
{
  int selected = get_selected (self);
  gboolean is_rtl = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
  int forward = is_rtl ? -1 : 1;

  if (self->rollout == NULL || (state & (GDK_CONTROL_MASK | GDK_ALT_MASK)))
    return FALSE;
  if (key == GDK_KEY_Home || (selected < 0 && (key == GDK_KEY_Right || key == GDK_KEY_Left)))
    select_token (self, 0);
  else if (key == GDK_KEY_End)
    select_token (self, self->rollout->n_tokens - 1);
  else if (key == GDK_KEY_Right || key == GDK_KEY_Left)
    select_token (self, selected + (key == GDK_KEY_Right ? forward : -forward));
  else if (selected >= 0 && (key == GDK_KEY_Up || key == GDK_KEY_Down))
    select_token (self, find_in_line (self, selected, key == GDK_KEY_Down ? 1 : -1));
  else
    return FALSE;
  return TRUE;
}

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, LaurelTokenStrip *self)
{
  int t = find_token (self, x, y);

  if (t >= 0)
    select_token (self, t);
}

static void
pressed_cb (GtkGestureClick *gesture, int n_press, double x, double y, LaurelTokenStrip *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  motion_cb (NULL, x, y, self);
}

static char *
describe_token (LaurelTokenStrip *self, int t)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, _("Token %d of %d, “%s”"), t + 1, self->rollout->n_tokens,
                          get_token (self, (guint) (self->n_prompt + t))->text);
  for (int v = 0; v < LAUREL_N_TOKEN_VALUES; v++) {
    g_autofree char *value = laurel_format_value (laurel_rollout_get_value (self->rollout, t, v));

    g_string_append_printf (text, "\n%s %s", laurel_token_value_label (v), value);
  }
  return g_string_free (text, FALSE);
}

static gboolean
laurel_token_strip_query_tooltip (GtkWidget *widget, int x, int y, gboolean keyboard,
                                  GtkTooltip *tooltip)
{
  LaurelTokenStrip *self = LAUREL_TOKEN_STRIP (widget);
  int t = keyboard ? get_selected (self) : self->rollout != NULL ? find_token (self, x, y) : -1;
  g_autofree char *text = NULL;
  graphene_rect_t box;

  if (t < 0)
    return FALSE;
  box = get_box (get_token (self, (guint) (self->n_prompt + t)));
  text = describe_token (self, t);
  gtk_tooltip_set_text (tooltip, text);
  gtk_tooltip_set_tip_area (tooltip, &(GdkRectangle) { (int) box.origin.x, (int) box.origin.y,
                                                       (int) box.size.width,
                                                       (int) box.size.height });
  return TRUE;
}

static void
cursor_cb (LaurelTokenStrip *self)
{
  int selected = get_selected (self);
  g_autofree char *text = selected >= 0 ? describe_token (self, selected)
                          : g_strdup (_("No token selected"));

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                  -1);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* --- Class --------------------------------------------------------------- */

static void
laurel_token_strip_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS (laurel_token_strip_parent_class)->css_changed (widget, change);
  forget_layouts (LAUREL_TOKEN_STRIP (widget));
}

static void
laurel_token_strip_dispose (GObject *object)
{
  LaurelTokenStrip *self = LAUREL_TOKEN_STRIP (object);

  g_clear_object (&self->cursor);
  g_clear_pointer (&self->rendered, gsk_render_node_unref);
  g_clear_pointer (&self->tokens, g_array_unref);
  G_OBJECT_CLASS (laurel_token_strip_parent_class)->dispose (object);
}

static void
laurel_token_strip_class_init (LaurelTokenStripClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_token_strip_dispose;
  widget_class->get_request_mode = laurel_token_strip_get_request_mode;
  widget_class->measure = laurel_token_strip_measure;
  widget_class->snapshot = laurel_token_strip_snapshot;
  widget_class->css_changed = laurel_token_strip_css_changed;
  widget_class->query_tooltip = laurel_token_strip_query_tooltip;
  gtk_widget_class_set_css_name (widget_class, "tokenstrip");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
laurel_token_strip_init (LaurelTokenStrip *self)
{
  AdwStyleManager *manager = adw_style_manager_get_default ();
  GtkEventController *key = gtk_event_controller_key_new ();
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkGesture *click = gtk_gesture_click_new ();

  self->laid_out_width = -1;
  self->tokens = g_array_new (FALSE, TRUE, sizeof (Token));
  g_array_set_clear_func (self->tokens, token_clear);
  g_signal_connect (key, "key-pressed", G_CALLBACK (key_cb), self);
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (click, "pressed", G_CALLBACK (pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), key);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  g_signal_connect_object (manager, "notify::dark", G_CALLBACK (repaint), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (manager, "notify::high-contrast", G_CALLBACK (repaint), self,
                           G_CONNECT_SWAPPED);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Tokens"),
                                  -1);
}

static void
add_tokens (LaurelTokenStrip *self, const char *const *labels)
{
  for (guint i = 0; labels[i] != NULL; i++) {
    /* The sign for the key reads as a break where its escape would read as text. */
    Token token = { .text = g_strdup (g_str_equal (labels[i], "\\n") ? "↵" : labels[i]) };

    g_array_append_val (self->tokens, token);
  }
}

void
laurel_token_strip_set_rollout (LaurelTokenStrip *self, const LaurelRollout *rollout,
                                const char *const *prompt_labels, const char *const *labels)
{
  g_return_if_fail (LAUREL_IS_TOKEN_STRIP (self));

  self->rollout = rollout;
  g_array_set_size (self->tokens, 0);
  self->n_prompt = 0;
  if (rollout != NULL) {
    add_tokens (self, prompt_labels);
    self->n_prompt = (int) self->tokens->len;
    add_tokens (self, labels);
    g_return_if_fail ((int) self->tokens->len == self->n_prompt + rollout->n_tokens);
  }
  self->laid_out_width = -1;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  repaint (self);
  cursor_cb (self);
}

void
laurel_token_strip_set_value (LaurelTokenStrip *self, LaurelTokenValue value)
{
  g_return_if_fail (LAUREL_IS_TOKEN_STRIP (self));

  self->value = value;
  repaint (self);
}

void
laurel_token_strip_set_cursor (LaurelTokenStrip *self, LaurelChartCursor *cursor)
{
  g_return_if_fail (LAUREL_IS_TOKEN_STRIP (self));

  g_set_object (&self->cursor, cursor);
  g_signal_connect_object (cursor, "notify::x", G_CALLBACK (cursor_cb), self, G_CONNECT_SWAPPED);
}
