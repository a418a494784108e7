/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/ranking_view.h"

#include <glib/gi18n.h>

#define MAX_CARDS LAUREL_RANKING_MAX_CARDS
#define GUTTER 44        /* for the rank at the left of a lane */
#define LANE_PADDING 8   /* around the cards of a lane */
#define SPACING 10       /* between lanes, and between cards of one lane */
#define MIN_CARD_WIDTH 300 /* narrower than this, the cards of a tie go below each other */
#define GAP_REACH 14     /* how far from the space between two lanes a drop still means “between” */

typedef struct {
  int lane;
  int cards[MAX_CARDS];
  int n;
  int y;
  int height;
} Row;

struct _LaurelRankingView {
  GtkWidget parent_instance;

  LaurelRankingModel *model;
  LaurelCompletionCard *cards[MAX_CARDS];
  int n_cards;
  GtkWidget *lanes[MAX_CARDS + 1]; /* 0: not ranked */
  GtkWidget *placeholder;          /* where the first card is dropped */
  GtkWidget *marker;               /* where a dragged card would go */

  Row rows[MAX_CARDS + 1]; /* as they were last placed */
  int n_rows;
  gboolean dragging;
  LaurelDropPlace drop_place;
  int drop_lane;
};

enum { FOCUSED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (LaurelRankingView, laurel_ranking_view, GTK_TYPE_WIDGET)

int
laurel_ranking_view_get_n_cards (LaurelRankingView *self)
{
  return self->n_cards;
}

LaurelCompletionCard *
laurel_ranking_view_get_card (LaurelRankingView *self, int card)
{
  g_return_val_if_fail (card >= 0 && card < self->n_cards, NULL);

  return self->cards[card];
}

gboolean
laurel_ranking_view_focus_card (LaurelRankingView *self, int card)
{
  if (card < 0 || card >= self->n_cards) {
    return FALSE;
  }
  return gtk_widget_grab_focus (GTK_WIDGET (self->cards[card]));
}

/* --- Placing --------------------------------------------------------------- */

/* The lanes that hold cards from best to worst, then the unranked ones. */
static int
collect_rows (LaurelRankingView *self, Row rows[MAX_CARDS + 1])
{
  int n = 0;

  for (int i = 1; self->model && i <= self->n_cards + 1; i++) {
    Row *row = &rows[n];

    row->lane = i <= self->n_cards ? i : 0;
    row->n = laurel_ranking_model_get_cards (self->model, row->lane, row->cards);
    if (row->n > 0) {
      n++;
    }
  }
  return n;
}

static gboolean
has_placeholder (LaurelRankingView *self)
{
  return self->model && laurel_ranking_model_get_n_ranked (self->model) == 0;
}

static int
count_columns (const Row *row, int width)
{
  int room = MAX ((width - GUTTER - LANE_PADDING + SPACING) / (MIN_CARD_WIDTH + SPACING), 1);

  /* What is not ranked is read from top to bottom; a tie shows side by side what is equal. */
  return row->lane == 0 ? 1 : MIN (MIN (row->n, room), 3);
}

static int
measure_card (LaurelRankingView *self, int card, int width)
{
  int natural;

  gtk_widget_measure (GTK_WIDGET (self->cards[card]), GTK_ORIENTATION_VERTICAL, width, NULL,
                      &natural, NULL, NULL);
  return natural;
}

/* Places the cards of @row with its top at @y when @place is set; returns the row's height. */
static int
lay_out_row (LaurelRankingView *self, const Row *row, int width, int y, gboolean place)
{
  gboolean mirrored = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
  int columns = count_columns (row, width);
  int card_width = (width - GUTTER - LANE_PADDING - (columns - 1) * SPACING) / columns;
  int height = LANE_PADDING;

  for (int i = 0; i < row->n; i += columns) {
    int in_line = MIN (columns, row->n - i);
    int line_height = 0;

    for (int j = 0; j < in_line; j++) {
      line_height = MAX (line_height, measure_card (self, row->cards[i + j], card_width));
    }
    for (int j = 0; place && j < in_line; j++) {
      int x = GUTTER + j * (card_width + SPACING);

      x = mirrored ? width - x - card_width : x;
      gtk_widget_size_allocate (GTK_WIDGET (self->cards[row->cards[i + j]]),
                                &(GtkAllocation) { x, y + height, card_width, line_height }, -1);
    }
    height += line_height + (i + columns < row->n ? SPACING : LANE_PADDING);
  }
  return height;
}

static int
measure_placeholder (LaurelRankingView *self, int width)
{
  int natural;

  gtk_widget_measure (self->placeholder, GTK_ORIENTATION_VERTICAL, width, NULL, &natural, NULL,
                      NULL);
  return natural;
}

static GtkSizeRequestMode
laurel_ranking_view_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
measure_width (LaurelRankingView *self, int *minimum, int *natural)
{
  *minimum = *natural = 0;
  for (int i = 0; i < self->n_cards; i++) {
    int card_minimum;
    int card_natural;

    gtk_widget_measure (GTK_WIDGET (self->cards[i]), GTK_ORIENTATION_HORIZONTAL, -1, &card_minimum,
                        &card_natural,
                        NULL, NULL);
    *minimum = MAX (*minimum, card_minimum);
    *natural = MAX (*natural, card_natural);
  }
  *minimum += GUTTER + LANE_PADDING;
  *natural += GUTTER + LANE_PADDING;
}

static void
laurel_ranking_view_measure (GtkWidget *widget, GtkOrientation orientation, int for_size,
                             int *minimum, int *natural,
                             int *minimum_baseline, int *natural_baseline)
{
  LaurelRankingView *self = LAUREL_RANKING_VIEW (widget);
  Row rows[MAX_CARDS + 1];
  int n = collect_rows (self, rows);
  int width;
  int height = 0;

  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    measure_width (self, minimum, natural);
    return;
  }
  if (for_size < 0) {
    measure_width (self, &width, natural);
  } else {
    width = for_size;
  }
  if (has_placeholder (self)) {
    height = measure_placeholder (self, width) + SPACING;
  }
  for (int i = 0; i < n; i++) {
    height += lay_out_row (self, &rows[i], width, 0, FALSE) + (i + 1 < n ? SPACING : 0);
  }
  *minimum = *natural = height;
}

static void
place_marker (LaurelRankingView *self, int width)
{
  gtk_widget_set_child_visible (self->marker,
                                self->dragging && self->drop_place == LAUREL_DROP_BEFORE
                                                && !has_placeholder (self));
  for (int i = 0; i < self->n_rows; i++) {
    const Row *row = &self->rows[i];

    /* Lane K + 1 means below all ranked cards: above the unranked ones, or at the end. */
    if (row->lane == self->drop_lane || (row->lane == 0 && self->drop_lane > self->n_cards)) {
      gtk_widget_size_allocate (self->marker,
                                &(GtkAllocation) { 0, MAX (row->y - SPACING / 2 - 2, 0), width, 4 },
                                -1);
      return;
    }
  }
  gtk_widget_size_allocate (self->marker,
                            &(GtkAllocation) { 0, gtk_widget_get_height (GTK_WIDGET (self)) - 4,
                                               width, 4 }, -1);
}

static void
laurel_ranking_view_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  LaurelRankingView *self = LAUREL_RANKING_VIEW (widget);
  gboolean placeholder = has_placeholder (self);
  int y = 0;

  self->n_rows = collect_rows (self, self->rows);
  for (int i = 0; i <= MAX_CARDS; i++) {
    gtk_widget_set_child_visible (self->lanes[i], FALSE);
  }
  gtk_widget_set_child_visible (self->placeholder, placeholder);
  if (placeholder) {
    int natural = measure_placeholder (self, width);

    gtk_widget_size_allocate (self->placeholder, &(GtkAllocation) { 0, 0, width, natural }, -1);
    y += natural + SPACING;
  }
  for (int i = 0; i < self->n_rows; i++) {
    Row *row = &self->rows[i];

    row->y = y;
    row->height = lay_out_row (self, row, width, y, TRUE);
    gtk_widget_set_child_visible (self->lanes[row->lane], TRUE);
    gtk_widget_measure (self->lanes[row->lane], GTK_ORIENTATION_HORIZONTAL, -1, NULL, NULL, NULL,
                        NULL);
    gtk_widget_size_allocate (self->lanes[row->lane], &(GtkAllocation) { 0, y, width, row->height },
                              -1);
    y += row->height + SPACING;
  }
  place_marker (self, width);
}

/* --- Following the model ----------------------------------------------------- */

static void
update_lane (LaurelRankingView *self, int lane)
{
  int cards[MAX_CARDS];
  int n = laurel_ranking_model_get_cards (self->model, lane, cards);
  GtkWidget *rank = gtk_widget_get_first_child (self->lanes[lane]);
  GtkWidget *tie = gtk_widget_get_next_sibling (rank);

  gtk_widget_set_visible (tie, lane > 0 && n > 1);
}

/* The order of the children is the order for screen readers. */
static void
sort_children (LaurelRankingView *self)
{
  int order[MAX_CARDS];

  laurel_ranking_model_get_display_order (self->model, order);
  for (int i = 0; i < self->n_cards; i++) {
    gtk_widget_insert_before (GTK_WIDGET (self->cards[order[i]]), GTK_WIDGET (self), self->marker);
  }
}

static void
on_model_changed (LaurelRankingView *self)
{
  for (int i = 0; i <= self->n_cards; i++) {
    update_lane (self, i);
  }
  for (int i = 0; i < self->n_cards; i++) {
    laurel_completion_card_update (self->cards[i], self->model);
  }
  sort_children (self);
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

static void
on_card_focused (LaurelRankingView *self, LaurelCompletionCard *card)
{
  g_signal_emit (self, signals[FOCUSED], 0, laurel_completion_card_get_card (card));
}

static void
on_quality_chosen (LaurelRankingView *self, int quality, LaurelCompletionCard *card)
{
  laurel_ranking_model_set_quality (self->model, laurel_completion_card_get_card (card), quality);
}

static void
on_flag_toggled (LaurelRankingView *self, guint flag, LaurelCompletionCard *card)
{
  laurel_ranking_model_toggle_flag (self->model, laurel_completion_card_get_card (card), flag);
}

static void
add_card (LaurelRankingView *self, int card, const char *text)
{
  GtkWidget *widget = laurel_completion_card_new (card, text);

  self->cards[card] = LAUREL_COMPLETION_CARD (widget);
  g_signal_connect_swapped (widget, "focused", G_CALLBACK (on_card_focused), self);
  g_signal_connect_swapped (widget, "quality-chosen", G_CALLBACK (on_quality_chosen), self);
  g_signal_connect_swapped (widget, "flag-toggled", G_CALLBACK (on_flag_toggled), self);
  gtk_widget_insert_before (widget, GTK_WIDGET (self), self->marker);
}

static void
remove_cards (LaurelRankingView *self)
{
  for (int i = 0; i < self->n_cards; i++) {
    gtk_widget_unparent (GTK_WIDGET (self->cards[i]));
    self->cards[i] = NULL;
  }
  self->n_cards = 0;
  self->n_rows = 0;
  if (self->model) {
    g_signal_handlers_disconnect_by_data (self->model, self);
  }
  g_clear_object (&self->model);
}

static void
update_placeholder (LaurelRankingView *self)
{
  g_autofree char *text =
    g_strdup_printf (_("Press 1 to %d on an answer, 1 for the best, or drag it here"),
                                           self->n_cards);

  gtk_label_set_label (GTK_LABEL (self->placeholder), text);
}

void
laurel_ranking_view_set_model (LaurelRankingView *self, LaurelRankingModel *model,
                               const LaurelTask *task)
{
  g_return_if_fail (LAUREL_IS_RANKING_VIEW (self));

  remove_cards (self);
  if (!model) {
    gtk_widget_queue_resize (GTK_WIDGET (self));
    return;
  }
  self->model = g_object_ref (model);
  self->n_cards = laurel_ranking_model_get_n_cards (model);
  for (int i = 0; i < self->n_cards; i++) {
    int index = laurel_ranking_model_get_completion_index (model, i);
    const LaurelCompletion *completion = g_ptr_array_index (task->completions, index);

    add_card (self, i, completion->text);
  }
  update_placeholder (self);
  g_signal_connect_swapped (model, "changed", G_CALLBACK (on_model_changed), self);
  on_model_changed (self);
}

/* --- Dropping ---------------------------------------------------------------- */

/* What a drop at @y would mean. */
static void
find_place (LaurelRankingView *self, double y, LaurelDropPlace *out_place, int *out_lane)
{
  *out_place = LAUREL_DROP_BEFORE;
  *out_lane = self->n_cards + 1;
  for (int i = 0; i < self->n_rows; i++) {
    const Row *row = &self->rows[i];
    gboolean last_ranked = row->lane > 0 && (i + 1 == self->n_rows || self->rows[i + 1].lane == 0);

    if (y < row->y + (row->lane > 0 ? GAP_REACH : 0)) {
      *out_lane = row->lane > 0 ? row->lane : self->n_cards + 1;
      return;
    }
    if (y < row->y + row->height - (last_ranked ? GAP_REACH : 0)) {
      *out_place = LAUREL_DROP_INTO;
      *out_lane = row->lane;
      return;
    }
  }
}

static void
show_drop (LaurelRankingView *self, gboolean dragging, LaurelDropPlace place, int lane)
{
  self->dragging = dragging;
  self->drop_place = place;
  self->drop_lane = lane;
  for (int i = 0; i <= MAX_CARDS; i++) {
    if (dragging && place == LAUREL_DROP_INTO && i == lane) {
      gtk_widget_add_css_class (self->lanes[i], "drop");
    } else {
      gtk_widget_remove_css_class (self->lanes[i], "drop");
    }
  }
  if (dragging && place == LAUREL_DROP_BEFORE && has_placeholder (self)) {
    gtk_widget_add_css_class (self->placeholder, "drop");
  } else {
    gtk_widget_remove_css_class (self->placeholder, "drop");
  }
  gtk_widget_queue_allocate (GTK_WIDGET (self));
}

static GdkDragAction
on_drop_motion (LaurelRankingView *self, double x, double y)
{
  LaurelDropPlace place;
  int lane;

  find_place (self, y, &place, &lane);
  if (!self->dragging || place != self->drop_place || lane != self->drop_lane) {
    show_drop (self, TRUE, place, lane);
  }
  return GDK_ACTION_MOVE;
}

static void
on_drop_leave (LaurelRankingView *self)
{
  show_drop (self, FALSE, LAUREL_DROP_INTO, -1);
}

static gboolean
on_drop (LaurelRankingView *self, const GValue *value, double x, double y)
{
  LaurelCompletionCard *card = g_value_get_object (value);
  LaurelDropPlace place;
  int lane;

  find_place (self, y, &place, &lane);
  show_drop (self, FALSE, LAUREL_DROP_INTO, -1);
  /* A card of another window's task is none of ours. */
  if (!card || gtk_widget_get_parent (GTK_WIDGET (card)) != GTK_WIDGET (self)) {
    return FALSE;
  }
  gtk_widget_grab_focus (GTK_WIDGET (card));
  laurel_ranking_model_drop (self->model, laurel_completion_card_get_card (card), place, lane);
  return TRUE;
}

static void
add_drop_target (LaurelRankingView *self)
{
  GtkDropTarget *target = gtk_drop_target_new (LAUREL_TYPE_COMPLETION_CARD, GDK_ACTION_MOVE);

  g_signal_connect_swapped (target, "enter", G_CALLBACK (on_drop_motion), self);
  g_signal_connect_swapped (target, "motion", G_CALLBACK (on_drop_motion), self);
  g_signal_connect_swapped (target, "leave", G_CALLBACK (on_drop_leave), self);
  g_signal_connect_swapped (target, "drop", G_CALLBACK (on_drop), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (target));
}

/* --- Life ---------------------------------------------------------------------- */

static void
laurel_ranking_view_dispose (GObject *object)
{
  LaurelRankingView *self = LAUREL_RANKING_VIEW (object);

  remove_cards (self);
  for (int i = 0; i <= MAX_CARDS; i++) {
    g_clear_pointer (&self->lanes[i], gtk_widget_unparent);
  }
  g_clear_pointer (&self->placeholder, gtk_widget_unparent);
  g_clear_pointer (&self->marker, gtk_widget_unparent);

  G_OBJECT_CLASS (laurel_ranking_view_parent_class)->dispose (object);
}

static void
laurel_ranking_view_class_init (LaurelRankingViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_ranking_view_dispose;
  widget_class->get_request_mode = laurel_ranking_view_get_request_mode;
  widget_class->measure = laurel_ranking_view_measure;
  widget_class->size_allocate = laurel_ranking_view_size_allocate;
  signals[FOCUSED] = g_signal_new ("focused", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_INT);
  gtk_widget_class_set_css_name (widget_class, "ranking");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_LIST);
}

static GtkWidget *
make_lane (int lane)
{
  GtkWidget *box =
    g_object_new (GTK_TYPE_BOX, "css-name", "lane", "orientation", GTK_ORIENTATION_VERTICAL, NULL);
  g_autofree char *number = lane > 0 ? g_strdup_printf ("%d", lane) : g_strdup ("–");
  GtkWidget *rank = gtk_label_new (number);
  GtkWidget *tie = gtk_label_new (_("tie"));

  gtk_widget_add_css_class (rank, "rank");
  gtk_widget_add_css_class (rank, "numeric");
  gtk_widget_add_css_class (tie, "caption");
  gtk_widget_add_css_class (tie, "dim-label");
  for (GtkWidget *label = rank; label; label = label == rank ? tie : NULL) {
    gtk_widget_set_halign (label, GTK_ALIGN_START);
    gtk_widget_set_size_request (label, GUTTER, -1);
    gtk_box_append (GTK_BOX (box), label);
  }
  if (lane == 0) {
    gtk_widget_add_css_class (box, "unranked");
    gtk_widget_set_tooltip_text (rank, _("Not ranked yet"));
  }
  return box;
}

static void
laurel_ranking_view_init (LaurelRankingView *self)
{
  for (int i = 0; i <= MAX_CARDS; i++) {
    self->lanes[i] = make_lane (i);
    gtk_widget_set_parent (self->lanes[i], GTK_WIDGET (self));
  }
  self->placeholder = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (self->placeholder), TRUE);
  gtk_label_set_justify (GTK_LABEL (self->placeholder), GTK_JUSTIFY_CENTER);
  gtk_widget_add_css_class (self->placeholder, "drop-here");
  gtk_widget_set_parent (self->placeholder, GTK_WIDGET (self));
  self->marker = g_object_new (GTK_TYPE_BOX, "css-name", "dropmarker", NULL);
  gtk_widget_set_parent (self->marker, GTK_WIDGET (self));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("Completions, from best to worst"), -1);
  add_drop_target (self);
}
