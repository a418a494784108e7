/* label_page_private.h: what the files of the Label page share: label_page.c (tasks and drafts),
 * label_actions.c (what keys, buttons and menus do), label_words.c (what it says).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/label/activity.h"
#include "ui/label/label_page.h"
#include "ui/label/ranking_view.h"

G_BEGIN_DECLS

struct _LaurelLabelPage {
  LaurelPage parent_instance;

  GSignalGroup *project_signals;
  GSignalGroup *model_signals;
  GSimpleActionGroup *actions;
  gint64 labeler_id;
  LaurelTask *task;
  LaurelRankingModel *model;
  gint64 reopened; /* the submission that is open again, 0 for a fresh task */
  gint64 n_tasks;
  gint64 n_done;
  gint64 newest;   /* this session's last submission, for its toast */
  LaurelActivity activity;
  GArray *durations; /* (element-type gint64): active milliseconds of finished tasks */

  int focused; /* card */
  gboolean raw;
  gboolean diff;
  gboolean in_chord; /* F was pressed, a flag's letter is awaited */
  gboolean loading_comment;

  AdwFlap *flap;
  GtkLabel *guidelines_title;
  GtkLabel *guidelines;
  GtkStack *states;
  GtkRevealer *message_revealer;
  GtkInfoBar *message_bar;
  GtkLabel *message_label;
  AdwToastOverlay *toasts;
  AdwToast *toast; /* weak: the one that is shown */
  GtkScrolledWindow *scroller;
  GtkLabel *prompt;
  LaurelRankingView *view;
  GtkRevealer *comment_revealer;
  GtkTextView *comment;
  GtkRevealer *legend_revealer;
  GtkLabel *legend;
  GtkLabel *progress;
  GtkMenuButton *skip_button;
  AdwStatusPage *done_page;
  GtkWidget *sample_button;
  GtkWidget *train_button;
  GtkWidget *reopen_button;
  AdwStatusPage *error_page;
};

/* label_page.c */
void _laurel_label_page_open_next (LaurelLabelPage *self);
void _laurel_label_page_reopen (LaurelLabelPage *self, gint64 ranking_id /* 0: the one before */);
void _laurel_label_page_submit (LaurelLabelPage *self);
void _laurel_label_page_skip (LaurelLabelPage *self, const char *reason);
void _laurel_label_page_show_message (LaurelLabelPage *self, GtkMessageType type, const char *text /* NULL: none */);
void _laurel_label_page_update_differences (LaurelLabelPage *self);

/* label_words.c: (transfer full) */
char *_laurel_label_page_describe_median (LaurelLabelPage *self); /* (nullable): time per task */
char *_laurel_label_page_describe_state (LaurelLabelPage *self);
char *_laurel_label_page_explain_block (LaurelLabelPage *self); /* why it cannot be submitted yet */
char *_laurel_label_describe_done (int n_ranked, gboolean has_tasks, gboolean researcher); /* after the last task */

/* label_actions.c */
void _laurel_label_page_add_actions (LaurelLabelPage *self);
void _laurel_label_page_update_actions (LaurelLabelPage *self);
void _laurel_label_page_end_chord (LaurelLabelPage *self);

G_END_DECLS
