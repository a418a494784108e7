/* label_page.c: one task after the other: opening, drafts, submitting, reopening.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/label_page_private.h"

#include "ui/label/markdown.h"
#include "ui/resources.h"
#include "ui/settings.h"
#include "ui/window.h"

#include <glib/gi18n.h>

/* Nobody else gets the task while it is open here; a program that died gives it back after this. */
#define LEASE_SECONDS 3600
/* Enough past tasks for a median that means something, few enough to read at start. */
#define N_DURATIONS 50

G_DEFINE_FINAL_TYPE (LaurelLabelPage, laurel_label_page, LAUREL_TYPE_PAGE)

LaurelRankingModel *
laurel_label_page_get_model (LaurelLabelPage *self)
{
  g_return_val_if_fail (LAUREL_IS_LABEL_PAGE (self), NULL);

  return self->model;
}

static LaurelStore *
get_store (LaurelLabelPage *self)
{
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));

  return project ? laurel_project_get_store (project) : NULL;
}

void
_laurel_label_page_show_message (LaurelLabelPage *self, GtkMessageType type, const char *text)
{
  if (text) {
    gtk_info_bar_set_message_type (self->message_bar, type);
    gtk_label_set_label (self->message_label, text);
  }
  gtk_revealer_set_reveal_child (self->message_revealer, text != NULL);
}

static void
on_message_response (LaurelLabelPage *self)
{
  _laurel_label_page_show_message (self, GTK_MESSAGE_INFO, NULL);
}

/* --- Progress ---------------------------------------------------------------- */

static void
update_progress (LaurelLabelPage *self)
{
  g_autofree char *median = _laurel_label_page_describe_median (self);
  g_autofree char *state = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (!self->model) {
    return;
  }
  /* Translators: how many of the tasks this labeler has ranked. */
  g_string_printf (text, _("%d of %d"), (int) self->n_done, (int) self->n_tasks);
  if (median) {
    g_string_append_printf (text, " · %s", median);
  }
  state = _laurel_label_page_describe_state (self);
  g_string_append_printf (text, " · %s", state);
  gtk_label_set_label (self->progress, text->str);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->progress), text->str);
}

/* Not at each key press: only when a task is opened or tasks arrive. */
/* What others have ranked to the end is not this labeler's to do. */
static void
count_tasks (LaurelLabelPage *self)
{
  LaurelStore *store = get_store (self);
  gint64 n_all = MAX (laurel_store_count_tasks (store, FALSE, NULL), 0);
  gint64 n_open = MAX (laurel_store_count_tasks (store, TRUE, NULL), 0);

  self->n_done = MAX (laurel_store_count_rankings (store, self->labeler_id, 0, NULL), 0);
  self->n_tasks = MIN (n_all, self->n_done + n_open);
}

static void
add_duration (LaurelLabelPage *self, gint64 active_ms)
{
  if (active_ms <= 0) {
    return;
  }
  g_array_append_val (self->durations, active_ms);
  if (self->durations->len > N_DURATIONS) {
    g_array_remove_index (self->durations, 0);
  }
}

static void
load_durations (LaurelLabelPage *self)
{
  gint64 before = 0;

  g_array_set_size (self->durations, 0);
  for (int i = 0; i < N_DURATIONS; i++) {
    g_autoptr (LaurelRanking) ranking =
      laurel_store_previous_ranking (get_store (self), self->labeler_id, before, NULL);

    if (!ranking) {
      return;
    }
    if (ranking->active_ms > 0) {
      g_array_prepend_val (self->durations, ranking->active_ms);
    }
    before = ranking->id;
  }
}

/* --- Drafts -------------------------------------------------------------------- */

static void
spend_time (LaurelLabelPage *self)
{
  gint64 active_ms;
  gint64 idle_ms;

  laurel_activity_touch (&self->activity, g_get_monotonic_time (), &active_ms, &idle_ms);
  if (self->model && (active_ms > 0 || idle_ms > 0)) {
    laurel_ranking_model_add_time (self->model, active_ms, idle_ms);
  }
}

static void
save_draft (LaurelLabelPage *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *json = NULL;
  gboolean ok;

  if (laurel_ranking_model_is_untouched (self->model)) {
    ok = laurel_store_delete_draft (get_store (self), self->task->id, self->labeler_id, &error);
  } else {
    json = laurel_ranking_model_to_json (self->model);
    ok = laurel_store_put_draft (get_store (self), self->task->id, self->labeler_id, json, &error);
  }
  if (!ok) {
    _laurel_label_page_show_message (self, GTK_MESSAGE_ERROR, error->message);
  }
}

static void
show_comment (LaurelLabelPage *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->comment);
  const char *comment = laurel_ranking_model_get_comment (self->model);
  GtkTextIter start;
  GtkTextIter end;
  g_autofree char *shown = NULL;

  gtk_text_buffer_get_bounds (buffer, &start, &end);
  shown = gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
  if (!g_str_equal (shown, comment)) {
    self->loading_comment = TRUE;
    gtk_text_buffer_set_text (buffer, comment, -1);
    self->loading_comment = FALSE;
  }
  if (*comment) {
    gtk_revealer_set_reveal_child (self->comment_revealer, TRUE);
  }
}

static void
on_comment_changed (LaurelLabelPage *self, GtkTextBuffer *buffer)
{
  GtkTextIter start;
  GtkTextIter end;
  g_autofree char *text = NULL;

  if (self->loading_comment || !self->model) {
    return;
  }
  gtk_text_buffer_get_bounds (buffer, &start, &end);
  text = gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
  laurel_ranking_model_set_comment (self->model, text);
}

static void
on_model_changed (LaurelLabelPage *self)
{
  spend_time (self);
  save_draft (self);
  show_comment (self);
  if (gtk_info_bar_get_message_type (self->message_bar) != GTK_MESSAGE_ERROR) {
    _laurel_label_page_show_message (self, GTK_MESSAGE_INFO, NULL);
  }
  update_progress (self);
  _laurel_label_page_update_actions (self);
}

/* --- Opening -------------------------------------------------------------------- */

static void
close_task (LaurelLabelPage *self)
{
  if (self->model) {
    spend_time (self);
    if (laurel_ranking_model_can_undo (self->model)) {
      save_draft (self);
    }
  }
  g_signal_group_set_target (self->model_signals, NULL);
  laurel_ranking_view_set_model (self->view, NULL, NULL);
  g_clear_object (&self->model);
  g_clear_pointer (&self->task, laurel_task_free);
  self->reopened = 0;
  self->diff = FALSE;
  _laurel_label_page_end_chord (self);
  _laurel_label_page_update_actions (self);
}

static void
show_error (LaurelLabelPage *self, const GError *error)
{
  close_task (self);
  adw_status_page_set_description (self->error_page, error->message);
  gtk_stack_set_visible_child_name (self->states, "error");
}

static void
show_done (LaurelLabelPage *self)
{
  gboolean researcher = laurel_settings_get_profile () == LAUREL_PROFILE_RESEARCHER;
  int n = (int) laurel_store_count_rankings (get_store (self), self->labeler_id, 0, NULL);
  gboolean has_tasks = laurel_store_count_tasks (get_store (self), FALSE, NULL) > 0;
  g_autofree char *description = _laurel_label_describe_done (n, has_tasks, researcher);

  close_task (self);
  adw_status_page_set_icon_name (self->done_page, has_tasks ? "object-select-symbolic"
                                                            : "view-list-ordered-symbolic");
  adw_status_page_set_title (self->done_page,
                             has_tasks ? _("All Ranked") : _("Nothing to Rank Yet"));
  adw_status_page_set_description (self->done_page, description);
  gtk_widget_set_visible (self->sample_button, researcher);
  gtk_widget_set_visible (self->train_button, researcher && has_tasks);
  gtk_widget_set_visible (self->reopen_button, n > 0);
  gtk_stack_set_visible_child_name (self->states, "done");
}

/* Takes @task and @model. */
static void
show_task (LaurelLabelPage *self, LaurelTask *task, LaurelRankingModel *model)
{
  close_task (self);
  self->task = task;
  self->model = model;
  self->reopened = laurel_ranking_model_get_supersedes (model);
  gtk_label_set_label (self->prompt, task->prompt);
  _laurel_label_page_show_message (self, GTK_MESSAGE_INFO, NULL);
  gtk_revealer_set_reveal_child (self->comment_revealer, FALSE);
  laurel_ranking_view_set_model (self->view, model, task);
  for (int i = 0; self->raw && i < laurel_ranking_view_get_n_cards (self->view); i++) {
    laurel_completion_card_set_raw (laurel_ranking_view_get_card (self->view, i), TRUE);
  }
  show_comment (self);
  g_signal_group_set_target (self->model_signals, model);
  gtk_stack_set_visible_child_name (self->states, "task");
  gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (self->scroller), 0);
  self->focused = MAX (laurel_ranking_model_get_next_unranked (model, -1), 0);
  laurel_ranking_view_focus_card (self->view, self->focused);
  laurel_activity_start (&self->activity, g_get_monotonic_time ());
  count_tasks (self);
  update_progress (self);
  _laurel_label_page_update_actions (self);
}

static gboolean
restore_draft (LaurelLabelPage *self, LaurelRankingModel *model, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (LaurelDraft) draft = laurel_store_get_draft (
    get_store (self), laurel_ranking_model_get_task_id (model), self->labeler_id, &local_error);

  if (local_error) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }
  return !draft || laurel_ranking_model_load_json (model, draft->json, error);
}

void
_laurel_label_page_open_next (LaurelLabelPage *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) draft_error = NULL;
  g_autoptr (LaurelTask) task = NULL;
  LaurelRankingModel *model;

  if (!get_store (self)) {
    return;
  }
  task = laurel_store_next_task (get_store (self), self->labeler_id, LEASE_SECONDS, &error);
  if (error) {
    show_error (self, error);
    return;
  }
  if (!task) {
    show_done (self);
    return;
  }
  model = laurel_ranking_model_new (task, laurel_ranking_order_seed (task->id, self->labeler_id),
                                    &error);
  if (!model) {
    show_error (self, error);
    return;
  }
  restore_draft (self, model, &draft_error);
  show_task (self, g_steal_pointer (&task), model);
  if (draft_error) {
    _laurel_label_page_show_message (self, GTK_MESSAGE_WARNING, draft_error->message);
  }
}

static LaurelRanking *
find_submission (LaurelLabelPage *self, gint64 ranking_id, GError **error)
{
  if (ranking_id) {
    return laurel_store_get_ranking (get_store (self), ranking_id, error);
  }
  return laurel_store_previous_ranking (get_store (self), self->labeler_id, self->reopened, error);
}

void
_laurel_label_page_reopen (LaurelLabelPage *self, gint64 ranking_id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelRanking) ranking = NULL;
  g_autoptr (LaurelTask) task = NULL;
  LaurelRankingModel *model = NULL;

  if (!get_store (self)) {
    return;
  }
  ranking = find_submission (self, ranking_id, &error);
  if (!ranking && !error) {
    _laurel_label_page_show_message (self, GTK_MESSAGE_INFO,
                                     _("There is no earlier task of yours to reopen."));
    return;
  }
  task = ranking ? laurel_store_get_task (get_store (self), ranking->task_id, &error) : NULL;
  model = task ? laurel_ranking_model_new_from_ranking (task, ranking, &error) : NULL;
  if (!model) {
    _laurel_label_page_show_message (self, GTK_MESSAGE_ERROR, error->message);
    return;
  }
  show_task (self, g_steal_pointer (&task), model);
  _laurel_label_page_show_message (self, GTK_MESSAGE_INFO,
                                   _("You submitted this task before. What you submit now takes "
                                     "its place."));
}

/* --- Submitting ------------------------------------------------------------------ */

static void
on_undo_clicked (AdwToast *toast, LaurelLabelPage *self)
{
  if (self->newest) {
    _laurel_label_page_reopen (self, self->newest);
  }
}

/* One at a time: who submits quickly is not to wait for a row of them. Above the buttons, so that
 * it hides none. */
static void
show_undo_toast (LaurelLabelPage *self, const char *title)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  AdwToast *toast = adw_toast_new (title);

  if (self->toast) {
    adw_toast_dismiss (self->toast);
  }
  g_set_weak_pointer (&self->toast, toast);
  adw_toast_set_button_label (toast, _("Undo"));
  adw_toast_set_timeout (toast, 4);
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (on_undo_clicked), self, 0);
  if (!self->model && LAUREL_IS_WINDOW (root)) {
    laurel_window_add_toast (LAUREL_WINDOW (root), toast);
  } else {
    adw_toast_overlay_add_toast (self->toasts, toast);
  }
}

/* Stores @ranking and goes on with the next task. */
static void
store_ranking (LaurelLabelPage *self, LaurelRanking *ranking, const char *toast)
{
  g_autoptr (GError) error = NULL;

  if (!laurel_store_add_ranking (get_store (self), ranking, &error)) {
    _laurel_label_page_show_message (self, GTK_MESSAGE_ERROR, error->message);
    return;
  }
  self->newest = ranking->id;
  laurel_project_note_ranking (laurel_page_get_project (LAUREL_PAGE (self)));
  if (!ranking->skip_reason) {
    add_duration (self, ranking->active_ms);
  }
  /* The draft went with the submission: closing must not write it again. */
  g_signal_group_set_target (self->model_signals, NULL);
  g_clear_object (&self->model);
  _laurel_label_page_open_next (self);
  show_undo_toast (self, toast);
}

void
_laurel_label_page_submit (LaurelLabelPage *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelRanking) ranking = NULL;

  if (!self->model) {
    return;
  }
  if (!laurel_ranking_model_is_complete (self->model)) {
    g_autofree char *reason = _laurel_label_page_explain_block (self);

    _laurel_label_page_show_message (self, GTK_MESSAGE_WARNING, reason);
    laurel_ranking_view_focus_card (self->view,
                                    laurel_ranking_model_get_next_unranked (self->model, -1));
    return;
  }
  if (self->reopened && !laurel_ranking_model_can_undo (self->model)) {
    /* Looked at again and left as it was: there is nothing to supersede. */
    _laurel_label_page_open_next (self);
    return;
  }
  spend_time (self);
  ranking = laurel_ranking_model_to_ranking (self->model, self->labeler_id, &error);
  if (!ranking) {
    _laurel_label_page_show_message (self, GTK_MESSAGE_WARNING, error->message);
    return;
  }
  store_ranking (self, ranking, _("Submitted"));
}

void
_laurel_label_page_skip (LaurelLabelPage *self, const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelRanking) ranking = NULL;

  if (!self->model) {
    return;
  }
  spend_time (self);
  ranking = laurel_ranking_model_to_skip (self->model, self->labeler_id, reason, &error);
  if (!ranking) {
    _laurel_label_page_show_message (self, GTK_MESSAGE_WARNING, error->message);
    return;
  }
  store_ranking (self, ranking, _("Skipped"));
}

/* --- The project ------------------------------------------------------------------ */

/* The document's own title stands above it, where the close button is. */
static void
load_guidelines (LaurelLabelPage *self)
{
  g_autofree char *text = laurel_store_get_fact (get_store (self), "guidelines", NULL);
  const char *body = text ? text : "";
  g_autofree char *title = NULL;
  g_autofree char *markup = NULL;

  if (g_str_has_prefix (body, "# ")) {
    const char *end = strchrnul (body, '\n');

    title = g_strndup (body + 2, end - body - 2);
    body = end;
  }
  markup = laurel_markdown_document_to_pango (body);
  gtk_label_set_label (self->guidelines_title, title ? g_strstrip (title) : _("Guidelines"));
  if (*markup) {
    gtk_label_set_markup (self->guidelines, markup);
  } else {
    gtk_label_set_label (self->guidelines, _("This project has no guidelines."));
  }
}

static void
load_labeler (LaurelLabelPage *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = laurel_settings_dup_labeler ();

  if (!get_store (self)) {
    return;
  }
  self->labeler_id = laurel_store_ensure_labeler (get_store (self), name, LAUREL_LABELER_PERSON,
                                                  &error);
  if (self->labeler_id == 0) {
    show_error (self, error);
    return;
  }
  self->newest = 0;
  load_durations (self);
  _laurel_label_page_open_next (self);
}

static void
on_labeler_changed (LaurelLabelPage *self)
{
  close_task (self);
  load_labeler (self);
}

static void
on_profile_changed (LaurelLabelPage *self)
{
  if (get_store (self) && !self->model) {
    show_done (self);
  }
}

static void
on_tasks_changed (LaurelLabelPage *self)
{
  if (self->model) {
    count_tasks (self);
    update_progress (self);
  } else {
    _laurel_label_page_open_next (self);
  }
}

static void
laurel_label_page_project_changed (LaurelPage *page)
{
  LaurelLabelPage *self = LAUREL_LABEL_PAGE (page);
  LaurelProject *project = laurel_page_get_project (page);

  /* The last project's store may be closed already; drafts were written at each change. */
  g_signal_group_set_target (self->model_signals, NULL);
  g_clear_object (&self->model);
  close_task (self);
  g_signal_group_set_target (self->project_signals, project);
  if (project) {
    load_guidelines (self);
    load_labeler (self);
  }
}

void
_laurel_label_page_update_differences (LaurelLabelPage *self)
{
  const char *reference = NULL;

  if (self->diff && self->model) {
    reference = laurel_completion_card_get_text (laurel_ranking_view_get_card (self->view,
                                                                               self->focused));
  }
  for (int i = 0; i < laurel_ranking_view_get_n_cards (self->view); i++) {
    laurel_completion_card_set_reference (laurel_ranking_view_get_card (self->view, i),
                                          i == self->focused ? NULL : reference);
  }
}

static void
on_card_focused (LaurelLabelPage *self, int card)
{
  self->focused = card;
  if (self->diff) {
    _laurel_label_page_update_differences (self);
  }
}

static gboolean
on_any_event (LaurelLabelPage *self, GdkEvent *event)
{
  spend_time (self);
  return GDK_EVENT_PROPAGATE;
}

static void
laurel_label_page_map (GtkWidget *widget)
{
  LaurelLabelPage *self = LAUREL_LABEL_PAGE (widget);

  GTK_WIDGET_CLASS (laurel_label_page_parent_class)->map (widget);
  if (self->model) {
    laurel_ranking_view_focus_card (self->view, self->focused);
    laurel_activity_start (&self->activity, g_get_monotonic_time ());
  }
}

static void
laurel_label_page_unmap (GtkWidget *widget)
{
  LaurelLabelPage *self = LAUREL_LABEL_PAGE (widget);

  spend_time (self);
  laurel_activity_start (&self->activity, 0);
  GTK_WIDGET_CLASS (laurel_label_page_parent_class)->unmap (widget);
}

static void
laurel_label_page_dispose (GObject *object)
{
  LaurelLabelPage *self = LAUREL_LABEL_PAGE (object);

  g_clear_object (&self->project_signals);
  g_clear_object (&self->model_signals);
  g_clear_object (&self->model);
  g_clear_object (&self->actions);
  g_clear_weak_pointer (&self->toast);
  g_clear_pointer (&self->task, laurel_task_free);
  g_clear_pointer (&self->durations, g_array_unref);
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_LABEL_PAGE);

  G_OBJECT_CLASS (laurel_label_page_parent_class)->dispose (object);
}

static void
bind_template (GtkWidgetClass *widget_class)
{
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/label_page.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, flap);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, guidelines);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, guidelines_title);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, states);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, message_revealer);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, message_bar);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, message_label);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, toasts);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, scroller);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, prompt);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, view);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, comment_revealer);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, comment);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, legend_revealer);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, legend);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, progress);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, skip_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, done_page);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, sample_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, train_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, reopen_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelLabelPage, error_page);
  gtk_widget_class_bind_template_callback (widget_class, on_message_response);
  gtk_widget_class_bind_template_callback (widget_class, on_card_focused);
}

static void
laurel_label_page_class_init (LaurelLabelPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_label_page_dispose;
  widget_class->map = laurel_label_page_map;
  widget_class->unmap = laurel_label_page_unmap;
  LAUREL_PAGE_CLASS (klass)->project_changed = laurel_label_page_project_changed;

  g_type_ensure (LAUREL_TYPE_RANKING_VIEW);
  bind_template (widget_class);
}

static void
laurel_label_page_init (LaurelLabelPage *self)
{
  GtkEventController *events = gtk_event_controller_legacy_new ();
  GSettings *settings = laurel_settings_get ();

  gtk_widget_init_template (GTK_WIDGET (self));
  self->durations = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->project_signals = g_signal_group_new (LAUREL_TYPE_PROJECT);
  g_signal_group_connect_swapped (self->project_signals, "tasks-changed",
                                  G_CALLBACK (on_tasks_changed), self);
  self->model_signals = g_signal_group_new (LAUREL_TYPE_RANKING_MODEL);
  g_signal_group_connect_swapped (self->model_signals, "changed", G_CALLBACK (on_model_changed),
                                  self);
  g_signal_connect_object (settings, "changed::labeler-name", G_CALLBACK (on_labeler_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (settings, "changed::profile", G_CALLBACK (on_profile_changed), self,
                           G_CONNECT_SWAPPED);
  g_settings_bind (settings, "show-guidelines", self->flap, "reveal-flap", G_SETTINGS_BIND_DEFAULT);
  g_signal_connect_object (gtk_text_view_get_buffer (self->comment), "changed",
                           G_CALLBACK (on_comment_changed), self,
                           G_CONNECT_SWAPPED);
  gtk_event_controller_set_propagation_phase (events, GTK_PHASE_CAPTURE);
  g_signal_connect_swapped (events, "event", G_CALLBACK (on_any_event), self);
  gtk_widget_add_controller (GTK_WIDGET (self), events);
  _laurel_label_page_add_actions (self);
  _laurel_label_page_update_actions (self);
}
