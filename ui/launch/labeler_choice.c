/* labeler_choice.c: kinds of labelers, and under a kind with several each of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/launch/labeler_choice.h"

#include "ui/check_row.h"

#include <glib/gi18n.h>

/* How far a labeler stands in from their kind: a check and its gap. */
#define INDENT 30

/* One who has ranked. */
typedef struct {
  gint64 id;
  gint64 n_rankings;
  LaurelLabelerKind kind;
  GtkCheckButton *check; /* the kind's where there is no other of it */
} Labeler;

struct _LaurelLabelerChoice {
  AdwExpanderRow parent_instance;

  GArray *labelers;         /* (element-type Labeler) */
  GtkCheckButton *kinds[3]; /* by LaurelLabelerKind; NULL: none of them has ranked */
  GArray *chosen;           /* (element-type gint64), ended by 0 */
  gboolean is_updating;
};

G_DEFINE_FINAL_TYPE (LaurelLabelerChoice, laurel_labeler_choice, ADW_TYPE_EXPANDER_ROW)

enum {
  CHANGED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static Labeler *
get_labeler (LaurelLabelerChoice *self, guint i)
{
  return &g_array_index (self->labelers, Labeler, i);
}

/* --- What is chosen ---------------------------------------------------------------------- */

typedef struct {
  gint64 n_all, n_chosen; /* rankings */
  guint n_labelers;       /* chosen */
} Counts;

/* Of one kind, or with −1 of all. */
static Counts
count (LaurelLabelerChoice *self, int kind)
{
  Counts counts = { 0 };

  for (guint i = 0; i < self->labelers->len; i++) {
    const Labeler *labeler = get_labeler (self, i);

    if (kind >= 0 && (int) labeler->kind != kind)
      continue;
    counts.n_all += labeler->n_rankings;
    if (!gtk_check_button_get_active (labeler->check))
      continue;
    counts.n_chosen += labeler->n_rankings;
    counts.n_labelers++;
  }
  return counts;
}

static void
show_summary (LaurelLabelerChoice *self)
{
  Counts counts = count (self, -1);
  g_autofree char *text = NULL;

  if (self->labelers->len == 0)
    text = g_strdup (_("Nothing has been ranked yet"));
  else if (counts.n_chosen == counts.n_all)
    text = g_strdup_printf (
        ngettext ("All %'d rankings, by %u labeler", "All %'d rankings, by %u labelers",
                  counts.n_labelers),
        (int) counts.n_all, counts.n_labelers);
  else /* Translators: two numbers of rankings, and one of labelers. */
    text = g_strdup_printf (ngettext ("%'d of %'d rankings, by %u labeler",
                                      "%'d of %'d rankings, by %u labelers", counts.n_labelers),
                            (int) counts.n_chosen, (int) counts.n_all, counts.n_labelers);
  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (self), text);
}

/* A kind is ticked when all of it is, and neither ticked nor not when a part is. */
static void
show_kinds (LaurelLabelerChoice *self)
{
  for (int kind = 0; kind < (int) G_N_ELEMENTS (self->kinds); kind++) {
    Counts counts = count (self, kind);

    if (self->kinds[kind] == NULL)
      continue;
    gtk_check_button_set_active (self->kinds[kind], counts.n_chosen == counts.n_all);
    gtk_check_button_set_inconsistent (self->kinds[kind],
                                       counts.n_chosen > 0 && counts.n_chosen < counts.n_all);
  }
}

static void
show_choice (LaurelLabelerChoice *self)
{
  self->is_updating = TRUE;
  show_kinds (self);
  self->is_updating = FALSE;
  show_summary (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
toggled_cb (LaurelLabelerChoice *self, GtkCheckButton *check)
{
  if (self->is_updating)
    return;
  self->is_updating = TRUE;
  for (guint i = 0; i < self->labelers->len; i++) {
    const Labeler *labeler = get_labeler (self, i);

    if (self->kinds[labeler->kind] == check)
      gtk_check_button_set_active (labeler->check, gtk_check_button_get_active (check));
  }
  self->is_updating = FALSE;
  show_choice (self);
}

/* --- Rows ----------------------------------------------------------------------------------- */

static GtkCheckButton *
add_row (LaurelLabelerChoice *self, const char *title, const char *subtitle, gint64 n, int indent)
{
  g_autofree char *amount =
      g_strdup_printf (ngettext ("%'d ranking", "%'d rankings", (gulong) n), (int) n);
  g_autofree char *name = g_strdup_printf ("%s, %s", title, amount);
  GtkCheckButton *check;
  GtkWidget *row = laurel_check_row_new (title, subtitle, name, &check), *label;

  gtk_widget_set_margin_start (GTK_WIDGET (check), indent);
  gtk_check_button_set_active (check, TRUE);
  g_signal_connect_object (check, "toggled", G_CALLBACK (toggled_cb), self, G_CONNECT_SWAPPED);
  label = gtk_label_new (amount);
  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_add_css_class (label, "numeric");
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), label);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), row);
  return check;
}

/* Those of @kind, who are neighbours in the list from @first on. */
static void
add_kind (LaurelLabelerChoice *self, LaurelLabelerKind kind, GPtrArray *labelers)
{
  static const char *const titles[] = { N_ ("People"), N_ ("Rules"), N_ ("Reward Models") };
  guint first = self->labelers->len;
  gint64 n_rankings = 0;
  const char *only = NULL;

  for (guint i = 0; i < labelers->len; i++) {
    const LaurelLabeler *record = g_ptr_array_index (labelers, i);
    Labeler labeler = { record->id, record->n_rankings, kind, NULL };

    if (record->kind != kind || record->n_rankings == 0)
      continue;
    only = self->labelers->len == first ? record->name : NULL;
    n_rankings += record->n_rankings;
    g_array_append_val (self->labelers, labeler);
  }
  if (n_rankings == 0)
    return;
  self->kinds[kind] = add_row (self, _ (titles[kind]), only, n_rankings, 0);
  if (only != NULL)
    get_labeler (self, first)->check = self->kinds[kind];
  for (guint i = 0, at = first; i < labelers->len && only == NULL; i++) {
    const LaurelLabeler *record = g_ptr_array_index (labelers, i);

    if (record->kind == kind && record->n_rankings > 0)
      get_labeler (self, at++)->check =
          add_row (self, record->name, NULL, record->n_rankings, INDENT);
  }
}

void
laurel_labeler_choice_fill (LaurelLabelerChoice *self, LaurelProject *project)
{
  g_autoptr (GPtrArray) labelers = NULL;

  g_return_if_fail (LAUREL_IS_LABELER_CHOICE (self));

  labelers = laurel_store_list_labelers (laurel_project_get_store (project), NULL);
  for (int kind = 0; kind < (int) G_N_ELEMENTS (self->kinds) && labelers != NULL; kind++)
    add_kind (self, (LaurelLabelerKind) kind, labelers);
  adw_expander_row_set_enable_expansion (ADW_EXPANDER_ROW (self), self->labelers->len > 0);
  show_summary (self);
}

/* --- The choice as a request ------------------------------------------------------------------ */

static gboolean
is_whole (LaurelLabelerChoice *self, LaurelLabelerKind kind, gboolean wanted)
{
  Counts counts = count (self, (int) kind);

  return counts.n_chosen == (wanted ? counts.n_all : 0);
}

/* TRUE when the choice is people, programs or all. */
static gboolean
find_group (LaurelLabelerChoice *self, LaurelLabelers *out)
{
  for (int group = 0; group <= LAUREL_LABELERS_SIMULATED; group++) {
    gboolean people = group != LAUREL_LABELERS_SIMULATED, rest = group != LAUREL_LABELERS_PEOPLE;

    if (is_whole (self, LAUREL_LABELER_PERSON, people)
        && is_whole (self, LAUREL_LABELER_RULES, rest)
        && is_whole (self, LAUREL_LABELER_REWARD_MODEL, rest)) {
      *out = (LaurelLabelers) group;
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
laurel_labeler_choice_apply (LaurelLabelerChoice *self, LaurelTrainRequest *out, GError **error)
{
  const gint64 end = 0;

  g_return_val_if_fail (LAUREL_IS_LABELER_CHOICE (self), FALSE);

  if (count (self, -1).n_labelers == 0) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                         self->labelers->len == 0
                             ? _("No rankings to learn from: rank some on the Label page first")
                             : _("No rankings to learn from: choose whose"));
    return FALSE;
  }
  if (find_group (self, &out->labelers))
    return TRUE;
  g_array_set_size (self->chosen, 0);
  for (guint i = 0; i < self->labelers->len; i++)
    if (gtk_check_button_get_active (get_labeler (self, i)->check))
      g_array_append_val (self->chosen, get_labeler (self, i)->id);
  g_array_append_val (self->chosen, end);
  out->labeler_ids = (const gint64 *) (const void *) self->chosen->data;
  return TRUE;
}

/* --- Class ------------------------------------------------------------------------------- */

static void
laurel_labeler_choice_finalize (GObject *object)
{
  LaurelLabelerChoice *self = LAUREL_LABELER_CHOICE (object);

  g_array_unref (self->labelers);
  g_array_unref (self->chosen);
  G_OBJECT_CLASS (laurel_labeler_choice_parent_class)->finalize (object);
}

static void
laurel_labeler_choice_class_init (LaurelLabelerChoiceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = laurel_labeler_choice_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
laurel_labeler_choice_init (LaurelLabelerChoice *self)
{
  self->labelers = g_array_new (FALSE, FALSE, sizeof (Labeler));
  self->chosen = g_array_new (FALSE, FALSE, sizeof (gint64));
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), _("Whose Rankings"));
}
