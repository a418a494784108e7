/* label_actions.c: what the keys, buttons and menus of the Label page do.
 *
 * Single keys go through a shortcut controller in the bubble phase, so that an
 * entry with the focus keeps them; accelerators of the application would take
 * them away from it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/label_page_private.h"

#include "ui/label/flags.h"

#include <glib/gi18n.h>

typedef struct {
  const char *trigger;
  const char *action;
  int target; /* NO_TARGET: the action takes none */
} Key;

#define NO_TARGET G_MININT

static const Key keys[] = {
  { "j|Down", "label.focus", 1 },
  { "k|Up", "label.focus", -1 },
  { "<Alt>Up|<Alt>KP_Up", "label.move-up", NO_TARGET },
  { "<Alt>Down|<Alt>KP_Down", "label.move-down", NO_TARGET },
  { "equal", "label.tie", NO_TARGET },
  { "0|KP_0|BackSpace", "label.unrank", NO_TARGET },
  { "f", "label.flag", NO_TARGET },
  { "space", "label.expand", NO_TARGET },
  { "<Control>z", "label.undo", NO_TARGET },
  { "<Shift><Control>z|<Control>y", "label.redo", NO_TARGET },
  { "<Control>BackSpace|<Alt>Left", "label.reopen", NO_TARGET },
  { "s", "label.skip", NO_TARGET },
  { "n", "label.all-bad", NO_TARGET },
  { "r", "label.comment", NO_TARGET },
  { "m", "label.raw", NO_TARGET },
  { "d", "label.diff", NO_TARGET },
  { "F9|F1", "label.guidelines", NO_TARGET },
};

static const char *const skip_reasons[] = {
  N_ ("The prompt is unclear"),
  N_ ("I do not know the subject"),
  N_ ("I do not read this language"),
  N_ ("The content disturbs me"),
  N_ ("Something is broken"),
};

/* --- Ranking ------------------------------------------------------------------ */

static gboolean
has_card (LaurelLabelPage *self)
{
  return self->model && self->focused < laurel_ranking_model_get_n_cards (self->model);
}

static void
rank_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;
  int lane = g_variant_get_int32 (parameter);
  int next;

  if (!has_card (self) || lane < 1 || lane > laurel_ranking_model_get_n_cards (self->model)) {
    return;
  }
  laurel_ranking_model_put (self->model, self->focused, lane);
  next = laurel_ranking_model_get_next_unranked (self->model, self->focused);
  laurel_ranking_view_focus_card (self->view, next >= 0 ? next : self->focused);
}

static void
focus_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;
  int order[LAUREL_RANKING_MAX_CARDS];
  int n;

  if (!has_card (self)) {
    return;
  }
  n = laurel_ranking_model_get_n_cards (self->model);
  laurel_ranking_model_get_display_order (self->model, order);
  for (int i = 0; i < n; i++) {
    if (order[i] == self->focused) {
      int to = CLAMP (i + g_variant_get_int32 (parameter), 0, n - 1);

      laurel_ranking_view_focus_card (self->view, order[to]);
      return;
    }
  }
}

static void
move_up_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (has_card (self)) {
    laurel_ranking_model_move_up (self->model, self->focused);
  }
}

static void
move_down_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (has_card (self)) {
    laurel_ranking_model_move_down (self->model, self->focused);
  }
}

static void
tie_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (has_card (self)) {
    laurel_ranking_model_tie_with_above (self->model, self->focused);
  }
}

static void
unrank_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (has_card (self)) {
    laurel_ranking_model_unrank (self->model, self->focused);
  }
}

static void
clear_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (self->model) {
    laurel_ranking_model_clear (self->model);
  }
}

static void
quality_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (has_card (self)) {
    laurel_ranking_model_set_quality (self->model, self->focused, g_variant_get_int32 (parameter));
  }
}

static void
all_bad_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (self->model) {
    laurel_ranking_model_set_all_bad (self->model, !laurel_ranking_model_get_all_bad (self->model));
  }
}

static void
undo_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (self->model) {
    laurel_ranking_model_undo (self->model);
  }
}

static void
redo_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (self->model) {
    laurel_ranking_model_redo (self->model);
  }
}

/* --- Flags: F, then a letter ------------------------------------------------------ */

void
_laurel_label_page_end_chord (LaurelLabelPage *self)
{
  self->in_chord = FALSE;
  gtk_revealer_set_reveal_child (self->legend_revealer, FALSE);
}

static void
flag_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;
  g_autofree char *described = laurel_flags_describe_keys ();
  g_autofree char *legend = NULL;

  if (!has_card (self)) {
    return;
  }
  /* Translators: %c is a completion's letter, %s the keys of the flags. */
  legend = g_strdup_printf (_("Flag completion %c:  %s"), 'A' + self->focused, described);
  gtk_label_set_label (self->legend, legend);
  gtk_revealer_set_reveal_child (self->legend_revealer, TRUE);
  self->in_chord = TRUE;
}

/* While a letter is awaited, every key is either a flag's or ends the wait. */
static gboolean
on_key_pressed (LaurelLabelPage *self, guint keyval, guint keycode, GdkModifierType state)
{
  if (!self->in_chord) {
    return GDK_EVENT_PROPAGATE;
  }
  if (keyval == GDK_KEY_Shift_L || keyval == GDK_KEY_Shift_R) {
    return GDK_EVENT_PROPAGATE;
  }
  _laurel_label_page_end_chord (self);
  for (int i = 0; has_card (self) && i < LAUREL_N_FLAGS; i++) {
    if (gdk_keyval_to_lower (keyval) == laurel_flag_infos[i].keyval) {
      laurel_ranking_model_toggle_flag (self->model, self->focused, laurel_flag_infos[i].flag);
    }
  }
  return GDK_EVENT_STOP;
}

/* --- What is shown ------------------------------------------------------------------ */

static void
set_state (LaurelLabelPage *self, const char *name, gboolean state)
{
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self->actions), name);

  g_simple_action_set_state (G_SIMPLE_ACTION (action), g_variant_new_boolean (state));
}

static void
expand_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (has_card (self)) {
    laurel_completion_card_toggle_expanded (laurel_ranking_view_get_card (self->view,
                                                                          self->focused));
  }
}

static void
raw_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  self->raw = !self->raw;
  set_state (self, "raw", self->raw);
  for (int i = 0; i < laurel_ranking_view_get_n_cards (self->view); i++) {
    laurel_completion_card_set_raw (laurel_ranking_view_get_card (self->view, i), self->raw);
  }
}

static void
diff_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (!has_card (self)) {
    return;
  }
  self->diff = !self->diff;
  set_state (self, "diff", self->diff);
  _laurel_label_page_update_differences (self);
}

static void
guidelines_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  adw_flap_set_reveal_flap (self->flap, !adw_flap_get_reveal_flap (self->flap));
}

static void
comment_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (self->model) {
    gtk_revealer_set_reveal_child (self->comment_revealer, TRUE);
    gtk_widget_grab_focus (GTK_WIDGET (self->comment));
  }
}

static gboolean
leave_comment (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (*laurel_ranking_model_get_comment (self->model) == '\0') {
    gtk_revealer_set_reveal_child (self->comment_revealer, FALSE);
  }
  return laurel_ranking_view_focus_card (self->view, self->focused);
}

/* --- Tasks ---------------------------------------------------------------------------- */

static void
submit_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  _laurel_label_page_submit (user_data);
}

static void
next_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  _laurel_label_page_open_next (user_data);
}

static void
reopen_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  _laurel_label_page_reopen (user_data, 0);
}

static void
skip_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;

  if (self->model) {
    gtk_menu_button_popup (self->skip_button);
  }
}

static void
skip_with_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LaurelLabelPage *self = user_data;
  int reason = g_variant_get_int32 (parameter);

  if (reason >= 0 && reason < (int) G_N_ELEMENTS (skip_reasons)) {
    gtk_menu_button_popdown (self->skip_button);
    _laurel_label_page_skip (self, skip_reasons[reason]);
  }
}

void
_laurel_label_page_update_actions (LaurelLabelPage *self)
{
  static const char *const task_actions[] = { "rank",  "focus",   "move-up", "move-down", "tie",
                                                  "unrank",
                                              "clear", "quality", "flag",    "expand",    "comment",
                                              "skip",
                                              "skip-with", "all-bad", "submit", "raw", "diff" };
  GActionMap *map = G_ACTION_MAP (self->actions);

  if (!self->actions) {
    return;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (task_actions); i++) {
    g_simple_action_set_enabled (G_SIMPLE_ACTION (g_action_map_lookup_action (map,
                                                                              task_actions[i])),
                                 self->model != NULL);
  }
  g_simple_action_set_enabled (G_SIMPLE_ACTION (g_action_map_lookup_action (map, "undo")),
                               self->model && laurel_ranking_model_can_undo (self->model));
  g_simple_action_set_enabled (G_SIMPLE_ACTION (g_action_map_lookup_action (map, "redo")),
                               self->model && laurel_ranking_model_can_redo (self->model));
  set_state (self, "all-bad", self->model && laurel_ranking_model_get_all_bad (self->model));
  set_state (self, "diff", self->diff);
}

/* --- Setting up -------------------------------------------------------------------------- */

static const GActionEntry entries[] = {
  { .name = "rank", .activate = rank_action, .parameter_type = "i" },
  { .name = "focus", .activate = focus_action, .parameter_type = "i" },
  { .name = "move-up", .activate = move_up_action },
  { .name = "move-down", .activate = move_down_action },
  { .name = "tie", .activate = tie_action },
  { .name = "unrank", .activate = unrank_action },
  { .name = "clear", .activate = clear_action },
  { .name = "quality", .activate = quality_action, .parameter_type = "i" },
  { .name = "flag", .activate = flag_action },
  { .name = "all-bad", .activate = all_bad_action, .state = "false" },
  { .name = "undo", .activate = undo_action },
  { .name = "redo", .activate = redo_action },
  { .name = "expand", .activate = expand_action },
  { .name = "raw", .activate = raw_action, .state = "false" },
  { .name = "diff", .activate = diff_action, .state = "false" },
  { .name = "guidelines", .activate = guidelines_action },
  { .name = "comment", .activate = comment_action },
  { .name = "submit", .activate = submit_action },
  { .name = "next", .activate = next_action },
  { .name = "reopen", .activate = reopen_action },
  { .name = "skip", .activate = skip_action },
  { .name = "skip-with", .activate = skip_with_action, .parameter_type = "i" },
};

static void
add_key (GtkEventController *controller, const char *trigger, const char *action, int target)
{
  GtkShortcut *shortcut =
    gtk_shortcut_new (gtk_shortcut_trigger_parse_string (trigger), gtk_named_action_new (action));

  if (target != NO_TARGET) {
    gtk_shortcut_set_arguments (shortcut, g_variant_new_int32 (target));
  }
  gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (controller), shortcut);
}

static void
add_keys (LaurelLabelPage *self)
{
  GtkEventController *controller = gtk_shortcut_controller_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    add_key (controller, keys[i].trigger, keys[i].action, keys[i].target);
  }
  for (int i = 1; i <= LAUREL_RANKING_MAX_CARDS; i++) {
    g_autofree char *trigger = g_strdup_printf ("%d|KP_%d", i, i);

    add_key (controller, trigger, "label.rank", i);
  }
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
}

/* Shift and a digit give another character on each layout; what counts is the digit that is printed
 * on the key. */
static gboolean
on_shifted_digit (LaurelLabelPage *self, guint keyval, guint keycode, GdkModifierType state)
{
  g_autofree GdkKeymapKey *places = NULL;
  g_autofree guint *keyvals = NULL;
  int n = 0;

  if ((state & gtk_accelerator_get_default_mod_mask ()) != GDK_SHIFT_MASK
      || !gdk_display_map_keycode (gtk_widget_get_display (GTK_WIDGET (self)), keycode, &places,
                                   &keyvals, &n)) {
    return GDK_EVENT_PROPAGATE;
  }
  for (int i = 0; i < n; i++) {
    if (places[i].level == 0 && keyvals[i] >= GDK_KEY_1
        && keyvals[i] < GDK_KEY_1 + LAUREL_MAX_QUALITY) {
      return gtk_widget_activate_action (GTK_WIDGET (self), "label.quality", "i",
                                         (int) (keyvals[i] - GDK_KEY_1) + 1);
    }
  }
  return GDK_EVENT_PROPAGATE;
}

static void
add_quality_keys (LaurelLabelPage *self)
{
  GtkEventController *controller = gtk_event_controller_key_new ();

  g_signal_connect_swapped (controller, "key-pressed", G_CALLBACK (on_shifted_digit), self);
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
}

/* Submitting works from the comment too, where Enter alone is a new line; and the letter after F
 * comes before anything else that knows it. */
static void
add_captured_keys (LaurelLabelPage *self)
{
  GtkEventController *controller = gtk_shortcut_controller_new ();
  GtkEventController *chord = gtk_event_controller_key_new ();

  gtk_event_controller_set_propagation_phase (controller, GTK_PHASE_CAPTURE);
  add_key (controller, "<Control>Return|<Control>KP_Enter", "label.submit", NO_TARGET);
  gtk_widget_add_controller (GTK_WIDGET (self), controller);

  gtk_event_controller_set_propagation_phase (chord, GTK_PHASE_CAPTURE);
  g_signal_connect_swapped (chord, "key-pressed", G_CALLBACK (on_key_pressed), self);
  gtk_widget_add_controller (GTK_WIDGET (self), chord);
}

static void
add_comment_keys (LaurelLabelPage *self)
{
  GtkEventController *controller = gtk_shortcut_controller_new ();

  gtk_shortcut_controller_add_shortcut (
    GTK_SHORTCUT_CONTROLLER (controller),
    gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_Escape, 0),
                      gtk_callback_action_new (leave_comment, self, NULL)));
  gtk_widget_add_controller (GTK_WIDGET (self->comment), controller);
}

/* The reasons in a popover of their own, where digits choose one. */
static void
add_skip_popover (LaurelLabelPage *self)
{
  GtkWidget *popover = gtk_popover_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkEventController *controller = gtk_shortcut_controller_new ();

  for (int i = 0; i < (int) G_N_ELEMENTS (skip_reasons); i++) {
    g_autofree char *trigger = g_strdup_printf ("%d|KP_%d", i + 1, i + 1);
    g_autofree char *text = g_strdup_printf ("%d  %s", i + 1, _(skip_reasons[i]));
    GtkWidget *button = gtk_button_new_with_label (text);

    gtk_label_set_xalign (GTK_LABEL (gtk_button_get_child (GTK_BUTTON (button))), 0);
    gtk_widget_add_css_class (button, "flat");
    gtk_widget_add_css_class (button, "reason");
    gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "label.skip-with");
    gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "i", i);
    gtk_box_append (GTK_BOX (box), button);
    add_key (controller, trigger, "label.skip-with", i);
  }
  gtk_widget_add_controller (popover, controller);
  gtk_popover_set_child (GTK_POPOVER (popover), box);
  gtk_accessible_update_property (GTK_ACCESSIBLE (popover), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("Why to skip this task"),
                                  -1);
  gtk_menu_button_set_popover (self->skip_button, popover);
}

void
_laurel_label_page_add_actions (LaurelLabelPage *self)
{
  self->actions = g_simple_action_group_new ();
  g_action_map_add_action_entries (G_ACTION_MAP (self->actions), entries, G_N_ELEMENTS (entries),
                                   self);
  gtk_widget_insert_action_group (GTK_WIDGET (self), "label", G_ACTION_GROUP (self->actions));
  add_keys (self);
  add_quality_keys (self);
  add_captured_keys (self);
  add_comment_keys (self);
  add_skip_popover (self);
}
