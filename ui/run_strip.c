/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/run_strip.h"

#include "core/project/run_alarms.h"
#include "ui/page.h"
#include "ui/resources.h"

#include <glib/gi18n.h>
#include <math.h>

struct _LaurelRunStrip {
  GtkWidget parent_instance;

  LaurelProject *project;
  GSignalGroup *project_signals;
  gint64 run_id; /* of the live job, 0: none */
  gboolean paused;
  gboolean stopping;
  guint inhibit_cookie;

  GtkRevealer *revealer;
  GtkWidget *dot;
  GtkLabel *title;
  GtkLabel *details;
  GtkProgressBar *progress;
  GtkLabel *time_left;
  GtkButton *pause_button;
  GtkWidget *stop_button;
  GtkWidget *keep_button;
};

enum { PROP_0, PROP_PROJECT, N_PROPERTIES };
enum { ENDED, N_SIGNALS };

static GParamSpec *properties[N_PROPERTIES];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (LaurelRunStrip, laurel_run_strip, GTK_TYPE_WIDGET)

gboolean
laurel_run_strip_is_live (LaurelRunStrip *self)
{
  return self->run_id != 0;
}

const char *
laurel_run_kind_get_title (const char *kind)
{
  static const struct {
    const char *kind;
    const char *title;
  } titles[] = {
    { "pretrain", N_ ("Pretraining") }, { "sft", N_ ("Fine-tuning") },
    { "reward", N_ ("Reward model") },
    { "ppo", N_ ("PPO") },              { "dpo", N_ ("DPO") },
    { "rloo", N_ ("RLOO") },            { "sample", N_ ("Sampling") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (titles); i++) {
    if (g_strcmp0 (kind, titles[i].kind) == 0) {
      return _(titles[i].title);
    }
  }
  return kind ? kind : "";
}

static gboolean
is_live (const LaurelJobSnapshot *job)
{
  return job
         && (job->status == LAUREL_RUN_QUEUED || job->status == LAUREL_RUN_RUNNING
             || job->status == LAUREL_RUN_PAUSED);
}

static char *
describe_time_left (double seconds)
{
  int minutes = (int) ceil (seconds / 60);

  if (seconds < 0) {
    return g_strdup ("");
  }
  if (seconds < 60) {
    return g_strdup_printf (_("%d s left"), (int) ceil (seconds));
  }
  if (minutes < 120) {
    return g_strdup_printf (_("%d min left"), minutes);
  }
  return g_strdup_printf (_("%d h left"), (minutes + 30) / 60);
}

static char *
describe_details (LaurelRunStrip *self, const LaurelJobSnapshot *job)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (self->stopping) {
    return g_strdup (_("stopping after this step"));
  }
  if (job->status == LAUREL_RUN_QUEUED) {
    return g_strdup (_("waiting"));
  }
  if (job->n_steps > 0) {
    g_string_append_printf (text, _("step %d/%d"), job->step, job->n_steps);
  } else {
    g_string_append (text, _("getting ready"));
  }
  if (isfinite (job->reward)) {
    g_string_append_printf (text, _("   reward %.2f"), job->reward);
  }
  if (isfinite (job->kl)) {
    g_string_append_printf (text, _("   KL %.1f"), job->kl);
  }
  if (isfinite (job->loss)) {
    g_string_append_printf (text, _("   loss %.3f"), job->loss);
  }
  if (job->n_alarms > 0) {
    g_string_append_printf (text, ngettext ("   %d alarm", "   %d alarms", job->n_alarms),
                            job->n_alarms);
  }
  if (job->halted) {
    g_string_append (text, _("   paused: over-optimised"));
  } else if (job->status == LAUREL_RUN_PAUSED) {
    g_string_append (text, _("   paused"));
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
show_pause_button (LaurelRunStrip *self)
{
  const char *what = self->paused ? _("Resume the run") : _("Pause the run");

  gtk_button_set_icon_name (self->pause_button,
                            self->paused ? "media-playback-start-symbolic"
                              : "media-playback-pause-symbolic");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->pause_button), what);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->pause_button),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, what, -1);
}

static void
show_job (LaurelRunStrip *self, const LaurelJobSnapshot *job)
{
  g_autofree char *title =
    g_strdup_printf (_("%s “%s”"), laurel_run_kind_get_title (job->kind),
                     job->name ? job->name : "");
  g_autofree char *details = describe_details (self, job);
  g_autofree char *time_left = describe_time_left (job->seconds_left);

  self->paused = job->status == LAUREL_RUN_PAUSED;
  gtk_label_set_label (self->title, title);
  gtk_label_set_label (self->details, details);
  gtk_label_set_label (self->time_left, self->paused || self->stopping ? "" : time_left);
  gtk_progress_bar_set_fraction (self->progress,
                                 job->n_steps > 0 ? (double) job->step / job->n_steps : 0);
  gtk_widget_set_sensitive (GTK_WIDGET (self->pause_button),
                            !self->stopping && job->status != LAUREL_RUN_QUEUED);
  gtk_widget_set_sensitive (self->stop_button, !self->stopping);
  if (self->paused) {
    gtk_widget_add_css_class (self->dot, "paused");
  } else {
    gtk_widget_remove_css_class (self->dot, "paused");
  }
  gtk_widget_set_visible (self->keep_button, job->halted);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->details), job->halted ? job->message : NULL);
  show_pause_button (self);
}

/* --- Awake while it runs ----------------------------------------------------- */

static GtkApplication *
find_application (LaurelRunStrip *self)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  return GTK_IS_WINDOW (root) ? gtk_window_get_application (GTK_WINDOW (root)) : NULL;
}

static void
keep_awake (LaurelRunStrip *self)
{
  GtkApplication *application = find_application (self);

  if (application && self->inhibit_cookie == 0) {
    self->inhibit_cookie =
      gtk_application_inhibit (application, GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
                               GTK_APPLICATION_INHIBIT_SUSPEND, _("A model is being trained"));
  }
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), self->inhibit_cookie == 0
                                                    ? _("This computer may sleep, and the run with "
                                                        "it")
                                                    : _("This computer stays awake until the run "
                                                        "ends"));
}

static void
let_sleep (LaurelRunStrip *self)
{
  GtkApplication *application = find_application (self);

  if (application && self->inhibit_cookie != 0) {
    gtk_application_uninhibit (application, self->inhibit_cookie);
  }
  self->inhibit_cookie = 0;
}

static void
update (LaurelRunStrip *self)
{
  g_autoptr (LaurelJobSnapshot) job = self->project ? laurel_project_get_job (self->project) : NULL;
  gint64 before = self->run_id;

  self->run_id = is_live (job) ? job->run_id : 0;
  if (self->run_id != before) {
    self->stopping = FALSE;
  }
  if (self->run_id) {
    show_job (self, job);
    if (before == 0) {
      keep_awake (self);
    }
  } else if (before) {
    let_sleep (self);
  }
  gtk_revealer_set_reveal_child (self->revealer, self->run_id != 0);
  if (before && before != self->run_id) {
    g_signal_emit (self, signals[ENDED], 0, before);
  }
}

static void
on_pause_clicked (LaurelRunStrip *self)
{
  if (self->paused) {
    laurel_project_resume_job (self->project);
  } else {
    laurel_project_pause_job (self->project);
  }
}

static void
on_stop_clicked (LaurelRunStrip *self)
{
  self->stopping = TRUE;
  laurel_project_stop_job (self->project);
  update (self);
}

/* What the run was paused for: the weights of the gold peak become a model, the run may go on. */
static void
on_keep_clicked (LaurelRunStrip *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *model = laurel_project_keep_best (self->project, self->run_id, NULL, &error);
  g_autofree char *text = model != NULL
                            ? g_strdup_printf (_("The best weights are the model “%s”"), model)
                            : NULL;

  laurel_page_show_toast (GTK_WIDGET (self), text != NULL ? text : error->message);
}

static void
on_open_clicked (LaurelRunStrip *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "win.show-run", "x", self->run_id);
}

static void
set_project (LaurelRunStrip *self, LaurelProject *project)
{
  if (g_set_object (&self->project, project)) {
    /* What ran in the last project is none of the new one's news. */
    let_sleep (self);
    self->run_id = 0;
    g_signal_group_set_target (self->project_signals, project);
    update (self);
  }
}

static void
laurel_run_strip_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch (id) {
  case PROP_PROJECT:
    g_value_set_object (value, LAUREL_RUN_STRIP (object)->project);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
laurel_run_strip_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  switch (id) {
  case PROP_PROJECT:
    set_project (LAUREL_RUN_STRIP (object), g_value_get_object (value));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
laurel_run_strip_dispose (GObject *object)
{
  LaurelRunStrip *self = LAUREL_RUN_STRIP (object);

  g_clear_object (&self->project_signals);
  g_clear_object (&self->project);
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_RUN_STRIP);

  G_OBJECT_CLASS (laurel_run_strip_parent_class)->dispose (object);
}

static void
bind_template (GtkWidgetClass *widget_class)
{
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/run_strip.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelRunStrip, revealer);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunStrip, dot);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunStrip, title);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunStrip, details);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunStrip, progress);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunStrip, time_left);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunStrip, pause_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunStrip, stop_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunStrip, keep_button);
  gtk_widget_class_bind_template_callback (widget_class, on_pause_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_stop_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_open_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_keep_clicked);
}

static void
laurel_run_strip_class_init (LaurelRunStripClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = laurel_run_strip_dispose;
  object_class->get_property = laurel_run_strip_get_property;
  object_class->set_property = laurel_run_strip_set_property;
  properties[PROP_PROJECT] = g_param_spec_object ("project", NULL, NULL, LAUREL_TYPE_PROJECT,
                                                  G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
  signals[ENDED] = g_signal_new ("ended", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL,
                                 G_TYPE_NONE, 1, G_TYPE_INT64);
  bind_template (widget_class);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
laurel_run_strip_init (LaurelRunStrip *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("The run now"), -1);
  self->project_signals = g_signal_group_new (LAUREL_TYPE_PROJECT);
  g_signal_group_connect_swapped (self->project_signals, "job-changed", G_CALLBACK (update), self);
}
