/* ranking_dialog.c: prompt, completions in the order shown, ranks, quality, flags, comment.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/ranking_dialog.h"

#include "ui/charts/scale.h"
#include "ui/label/flags.h"
#include "ui/resources.h"
#include "ui/runs/run_words.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define LAUREL_TYPE_RANKING_DIALOG (laurel_ranking_dialog_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRankingDialog, laurel_ranking_dialog, LAUREL, RANKING_DIALOG, AdwWindow)

struct _LaurelRankingDialog {
  AdwWindow parent_instance;

  AdwWindowTitle *title;
  GtkLabel *prompt;
  GtkListBox *completions;
  GtkListBox *facts;
};

G_DEFINE_FINAL_TYPE (LaurelRankingDialog, laurel_ranking_dialog, ADW_TYPE_WINDOW)

/* --- Words --------------------------------------------------------------- */

typedef struct {
  int rank;
  char letter;
} Place;

static int
compare_places (gconstpointer a, gconstpointer b)
{
  const Place *one = a;
  const Place *other = b;

  return one->rank != other->rank ? one->rank - other->rank : one->letter - other->letter;
}

char *
laurel_ranking_describe_order (const LaurelRanking *ranking)
{
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (Place));
  g_autoptr (GString) text = g_string_new (NULL);

  if (ranking->skip_reason != NULL)
    return g_strdup (_("Skipped"));
  for (int i = 0; i < ranking->n; i++) {
    Place place = { ranking->ranks[i].rank, (char) ('A' + i) };

    g_array_append_val (places, place);
  }
  g_array_sort (places, compare_places);
  for (guint i = 0; i < places->len; i++) {
    const Place *place = &g_array_index (places, Place, i);

    if (i > 0)
      g_string_append (text, place[-1].rank == place->rank ? " = " : " > ");
    g_string_append_c (text, place->letter);
  }
  if (ranking->all_bad)
    g_string_append_printf (text, ", %s", _("all bad"));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
describe_marks (const LaurelRank *rank)
{
  GString *text = g_string_new (NULL);

  if (rank->quality > 0)
    g_string_append_printf (text, _("Quality %d of 7"), rank->quality);
  for (int i = 0; i < LAUREL_N_FLAGS; i++)
    if (rank->flags & laurel_flag_infos[i].flag)
      g_string_append_printf (text, "%s%s", text->len > 0 ? " · " : "",
                              _ (laurel_flag_infos[i].title));
  return g_string_free (text, FALSE);
}

/* --- Rows ---------------------------------------------------------------- */

static GtkWidget *
add_label (GtkWidget *box, const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_add_css_class (label, css_class);
  gtk_box_append (GTK_BOX (box), label);
  return label;
}

static void
add_completion (LaurelRankingDialog *self, int i, const LaurelRank *rank, const char *text)
{
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  GtkWidget *number;
  g_autofree char *title = g_strdup_printf (_("Completion %c"), 'A' + i);
  g_autofree char *place = rank->rank > 0 ? g_strdup_printf ("%d", rank->rank) : g_strdup ("–");
  g_autofree char *marks = describe_marks (rank);

  number = add_label (box, place, "place");
  gtk_widget_set_valign (number, GTK_ALIGN_START);
  gtk_label_set_selectable (GTK_LABEL (number), FALSE);
  gtk_widget_set_hexpand (texts, TRUE);
  gtk_box_append (GTK_BOX (box), texts);
  add_label (texts, title, "heading");
  add_label (texts, text, "answer");
  if (marks[0] != '\0')
    add_label (texts, marks, "dim-label");
  gtk_widget_add_css_class (box, "long-row");
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  gtk_list_box_append (self->completions, row);
}

static void
add_comment (LaurelRankingDialog *self, const char *comment)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _("Comment"));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), comment);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  gtk_list_box_append (self->facts, row);
}

static void
add_fact (LaurelRankingDialog *self, const char *title, const char *value)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *label = gtk_label_new (value);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_add_css_class (label, "numeric");
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), label);
  gtk_list_box_append (self->facts, row);
}

/* The text of @id, as @task keeps it. */
static const char *
find_text (const LaurelTask *task, gint64 id)
{
  for (guint i = 0; i < task->completions->len; i++) {
    const LaurelCompletion *completion = task->completions->pdata[i];

    if (completion->id == id)
      return completion->text;
  }
  return "";
}

static void
fill (LaurelRankingDialog *self, const LaurelRanking *ranking, const LaurelTask *task)
{
  g_autofree char *order = laurel_ranking_describe_order (ranking);
  g_autofree char *created = laurel_format_time (ranking->created);
  g_autofree char *active = laurel_format_seconds ((double) ranking->active_ms / 1000);

  adw_window_title_set_subtitle (self->title, ranking->labeler);
  gtk_label_set_label (self->prompt, task->prompt);
  for (int i = 0; i < ranking->n; i++)
    add_completion (self, i, &ranking->ranks[i],
                    find_text (task, ranking->ranks[i].completion_id));
  add_fact (self, _("Order"), order);
  if (ranking->skip_reason != NULL)
    add_fact (self, _("Skipped Because"), ranking->skip_reason);
  if (ranking->comment != NULL && ranking->comment[0] != '\0')
    add_comment (self, ranking->comment);
  add_fact (self, _("Submitted"), created);
  if (ranking->active_ms > 0)
    add_fact (self, _("Active Time"), active);
}

/* --- Class --------------------------------------------------------------- */

static void
laurel_ranking_dialog_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_RANKING_DIALOG);
  G_OBJECT_CLASS (laurel_ranking_dialog_parent_class)->dispose (object);
}

static void
laurel_ranking_dialog_class_init (LaurelRankingDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_ranking_dialog_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/data_ranking.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelRankingDialog, title);
  gtk_widget_class_bind_template_child (widget_class, LaurelRankingDialog, prompt);
  gtk_widget_class_bind_template_child (widget_class, LaurelRankingDialog, completions);
  gtk_widget_class_bind_template_child (widget_class, LaurelRankingDialog, facts);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
laurel_ranking_dialog_init (LaurelRankingDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

gboolean
laurel_ranking_dialog_present (GtkWindow *parent, LaurelStore *store, gint64 ranking_id,
                               GError **error)
{
  g_autoptr (LaurelRanking) ranking = laurel_store_get_ranking (store, ranking_id, error);
  g_autoptr (LaurelTask) task =
      ranking != NULL ? laurel_store_get_task (store, ranking->task_id, error) : NULL;
  LaurelRankingDialog *self;

  if (task == NULL)
    return FALSE;
  self = g_object_new (LAUREL_TYPE_RANKING_DIALOG, "transient-for", parent, NULL);
  fill (self, ranking, task);
  /* Else the prompt gets the focus and with it is selected. */
  gtk_window_set_focus (GTK_WINDOW (self),
                        GTK_WIDGET (gtk_list_box_get_row_at_index (self->completions, 0)));
  gtk_window_present (GTK_WINDOW (self));
  return TRUE;
}
