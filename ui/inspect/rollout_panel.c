/* rollout_panel.c: three views of one rollout with one selection.
 *
 * The selection is the x of a LaurelChartCursor: strip, lines and table all
 * read and write it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/inspect/rollout_panel.h"

#include "core/base/json.h"
#include "ui/charts/widget.h"
#include "ui/data/table.h"
#include "ui/inspect/heat_legend.h"
#include "ui/inspect/rollout_view.h"
#include "ui/inspect/token_strip.h"
#include "ui/page.h"
#include "ui/resources.h"

#include <glib/gi18n.h>
#include <math.h>

struct _LaurelRolloutPanel {
  GtkWidget parent_instance;

  GtkBox *content;
  LaurelTokenStrip *strip;
  GtkDropDown *colour;
  LaurelHeatLegend *legend;
  GtkBox *toggles;
  LaurelChartCanvas *lines;
  GtkColumnView *table;
  GtkLabel *check;
  GtkLabel *selected;
  LaurelChartCursor *cursor;
  GtkSingleSelection *selection;
  GListStore *rows;
  GtkToggleButton *shown[LAUREL_N_TOKEN_VALUES];
  const LaurelRollout *rollout;
  char **labels;
  gboolean is_syncing;
};

G_DEFINE_FINAL_TYPE (LaurelRolloutPanel, laurel_rollout_panel, GTK_TYPE_WIDGET)

static const LaurelTokenValue colours[] = { LAUREL_TOKEN_ADVANTAGE, LAUREL_TOKEN_REWARD,
                                            LAUREL_TOKEN_KL,        LAUREL_TOKEN_VALUE,
                                            LAUREL_TOKEN_RATIO,     LAUREL_TOKEN_ENTROPY };

char **
laurel_label_tokens (
    LaurelProject *project, const char *model, const gint32 *tokens, gsize stride, int n)
{
  char **labels = g_new0 (char *, n + 1);

  for (int i = 0; i < n; i++) {
    const gint32 *token =
        (const gint32 *) (gconstpointer) ((const char *) tokens + (gsize) i * stride);

    labels[i] = laurel_project_label_token (project, model, *token);
  }
  return labels;
}

/* --- Lines --------------------------------------------------------------- */

static void
draw_lines (LaurelRolloutPanel *self)
{
  g_autoptr (GPtrArray) series =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_series_unref);

  for (int v = 0; self->rollout != NULL && v < LAUREL_N_TOKEN_VALUES; v++)
    if (self->shown[v] != NULL && gtk_toggle_button_get_active (self->shown[v]))
      g_ptr_array_add (series, laurel_rollout_make_series (self->rollout, v));
  laurel_chart_canvas_set_series (self->lines, series);
}

static void
add_toggles (LaurelRolloutPanel *self)
{
  static const LaurelTokenValue lines[] = { LAUREL_TOKEN_REWARD, LAUREL_TOKEN_KL_COST,
                                            LAUREL_TOKEN_VALUE,  LAUREL_TOKEN_ADVANTAGE,
                                            LAUREL_TOKEN_RETURN, LAUREL_TOKEN_RATIO,
                                            LAUREL_TOKEN_ENTROPY };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    GtkWidget *toggle = gtk_toggle_button_new_with_label (laurel_token_value_label (lines[i]));

    gtk_widget_add_css_class (toggle, "flat");
    gtk_widget_add_css_class (toggle, "line-toggle");
    gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (toggle),
                                  lines[i] == LAUREL_TOKEN_REWARD ||
                                      lines[i] == LAUREL_TOKEN_VALUE ||
                                      lines[i] == LAUREL_TOKEN_ADVANTAGE);
    g_signal_connect_object (toggle, "toggled", G_CALLBACK (draw_lines), self, G_CONNECT_SWAPPED);
    gtk_box_append (self->toggles, toggle);
    self->shown[lines[i]] = GTK_TOGGLE_BUTTON (toggle);
  }
}

/* --- Table --------------------------------------------------------------- */

static void
add_columns (LaurelRolloutPanel *self)
{
  const char *titles[] = {
    _("#"),
    _("Token"),
    _("Reward"),
    _("KL"),
    _("Exact KL"),
    _("Value"),
    _("Advantage"),
    _("Return"),
    _("Ratio"),
    _("Clipped"),
    _("Entropy"),
    _("Log-prob"),
    _("Ref. log-prob"),
    _("Id"),
  };

  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    laurel_table_add_column (self->table, titles[i], i,
                             i == 1 ? LAUREL_COLUMN_SHORT : LAUREL_COLUMN_NUMBER);
}

static LaurelTextRow *
make_table_row (LaurelRolloutPanel *self, int t)
{
  const LaurelTokenRecord *r = &self->rollout->records[t];
  const double numbers[] = { r->reward,    r->kl,      r->exact_kl, r->value,
                             r->advantage, r->return_, r->ratio };
  g_autoptr (GStrvBuilder) cells = g_strv_builder_new ();
  g_autofree char *position = g_strdup_printf ("%d", t + 1);
  g_autofree char *id = g_strdup_printf ("%d", r->token);
  g_autofree char *entropy = laurel_format_value (r->entropy);
  g_autofree char *logprob = laurel_format_value (r->logprob);
  g_autofree char *ref_logprob = laurel_format_value (r->ref_logprob);

  g_strv_builder_add_many (cells, position, self->labels[t], NULL);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    g_autofree char *number = laurel_format_value (numbers[i]);

    g_strv_builder_add (cells, number);
  }
  g_strv_builder_add_many (cells, r->clipped ? _("yes") : _("no"), entropy, logprob,
                           ref_logprob, id, NULL);
  return laurel_text_row_new (t, g_strv_builder_end (cells));
}

static void
fill_table (LaurelRolloutPanel *self)
{
  self->is_syncing = TRUE;
  g_list_store_remove_all (self->rows);
  for (int t = 0; self->rollout != NULL && t < self->rollout->n_tokens; t++) {
    g_autoptr (LaurelTextRow) row = make_table_row (self, t);

    g_list_store_append (self->rows, row);
  }
  self->is_syncing = FALSE;
}

static void
row_selected_cb (LaurelRolloutPanel *self)
{
  guint selected = gtk_single_selection_get_selected (self->selection);

  if (!self->is_syncing && selected != GTK_INVALID_LIST_POSITION)
    laurel_chart_cursor_set_x (self->cursor, selected + 1);
}

/* --- Selection ----------------------------------------------------------- */

static char *
describe_selection (LaurelRolloutPanel *self, int t)
{
  const LaurelTokenRecord *r = &self->rollout->records[t];
  g_autofree char *reward = laurel_format_value (r->reward);
  g_autofree char *advantage = laurel_format_value (r->advantage);

  g_autofree char *token = g_strstrip (g_strdup (self->labels[t]));

  return g_strdup_printf (_("%d “%s” · reward %s · advantage %s"), t + 1, token, reward, advantage);
}

static void
cursor_cb (LaurelRolloutPanel *self)
{
  double x = laurel_chart_cursor_get_x (self->cursor);
  int t = isnan (x) ? -1 : (int) llround (x) - 1;
  gboolean is_token = self->rollout != NULL && t >= 0 && t < self->rollout->n_tokens;
  g_autofree char *text = is_token ? describe_selection (self, t) : NULL;

  gtk_label_set_label (self->selected, text != NULL ? text : "");
  self->is_syncing = TRUE;
  gtk_single_selection_set_selected (self->selection,
                                     is_token ? (guint) t : GTK_INVALID_LIST_POSITION);
  if (is_token && gtk_widget_get_mapped (GTK_WIDGET (self->table)))
    gtk_widget_activate_action (GTK_WIDGET (self->table), "list.scroll-to-item", "u", (guint) t);
  self->is_syncing = FALSE;
}

static void
colour_cb (LaurelRolloutPanel *self)
{
  guint selected = gtk_drop_down_get_selected (self->colour);

  if (selected < G_N_ELEMENTS (colours)) {
    laurel_token_strip_set_value (self->strip, colours[selected]);
    laurel_heat_legend_set_rollout (self->legend, self->rollout, colours[selected]);
  }
}

static void
copy_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelRolloutPanel *self = LAUREL_ROLLOUT_PANEL (widget);
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;

  if (self->rollout == NULL)
    return;
  node = laurel_rollout_to_json (self->rollout, (const char *const *) self->labels);
  text = laurel_json_to_string (node, TRUE);
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), text);
  laurel_page_show_toast (widget, _("Rollout copied as JSON"));
}

/* --- Class --------------------------------------------------------------- */

static void
laurel_rollout_panel_dispose (GObject *object)
{
  LaurelRolloutPanel *self = LAUREL_ROLLOUT_PANEL (object);

  if (self->strip != NULL)
    laurel_token_strip_set_rollout (self->strip, NULL, NULL, NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_ROLLOUT_PANEL);
  g_clear_object (&self->cursor);
  g_clear_object (&self->selection);
  g_clear_object (&self->rows);
  g_clear_pointer (&self->labels, g_strfreev);
  G_OBJECT_CLASS (laurel_rollout_panel_parent_class)->dispose (object);
}

static void
laurel_rollout_panel_class_init (LaurelRolloutPanelClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_rollout_panel_dispose;
  g_type_ensure (LAUREL_TYPE_HEAT_LEGEND);
  g_type_ensure (LAUREL_TYPE_TOKEN_STRIP);
  g_type_ensure (LAUREL_TYPE_CHART_CANVAS);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/inspect_rollout.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelRolloutPanel, content);
  gtk_widget_class_bind_template_child (widget_class, LaurelRolloutPanel, strip);
  gtk_widget_class_bind_template_child (widget_class, LaurelRolloutPanel, colour);
  gtk_widget_class_bind_template_child (widget_class, LaurelRolloutPanel, legend);
  gtk_widget_class_bind_template_child (widget_class, LaurelRolloutPanel, toggles);
  gtk_widget_class_bind_template_child (widget_class, LaurelRolloutPanel, lines);
  gtk_widget_class_bind_template_child (widget_class, LaurelRolloutPanel, table);
  gtk_widget_class_bind_template_child (widget_class, LaurelRolloutPanel, check);
  gtk_widget_class_bind_template_child (widget_class, LaurelRolloutPanel, selected);
  gtk_widget_class_bind_template_callback (widget_class, colour_cb);
  gtk_widget_class_install_action (widget_class, "rollout.copy", NULL, copy_action);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
laurel_rollout_panel_init (LaurelRolloutPanel *self)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  gtk_widget_init_template (GTK_WIDGET (self));
  self->cursor = laurel_chart_cursor_new ();
  self->rows = g_list_store_new (LAUREL_TYPE_TEXT_ROW);
  self->selection = gtk_single_selection_new (g_object_ref (G_LIST_MODEL (self->rows)));
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  gtk_column_view_set_model (self->table, GTK_SELECTION_MODEL (self->selection));
  add_columns (self);
  add_toggles (self);
  for (guint i = 0; i < G_N_ELEMENTS (colours); i++)
    gtk_string_list_append (names, laurel_token_value_label (colours[i]));
  gtk_drop_down_set_model (self->colour, G_LIST_MODEL (names));
  laurel_token_strip_set_cursor (self->strip, self->cursor);
  laurel_chart_canvas_set_cursor (self->lines, self->cursor);
  laurel_chart_canvas_set_sticky (self->lines, TRUE);
  laurel_chart_canvas_get_chart (self->lines)->legend = TRUE;
  laurel_chart_canvas_get_chart (self->lines)->reference = 0;
  laurel_chart_canvas_set_title (self->lines, _("Lines over tokens"));
  g_signal_connect_object (self->cursor, "notify::x", G_CALLBACK (cursor_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->selection, "notify::selected", G_CALLBACK (row_selected_cb), self,
                           G_CONNECT_SWAPPED);
}

static void
show_check (LaurelRolloutPanel *self)
{
  gboolean holds = TRUE;
  g_autofree char *text =
      self->rollout != NULL ? laurel_rollout_describe_check (self->rollout, &holds) : g_strdup ("");

  gtk_label_set_label (self->check, text);
  if (holds)
    gtk_widget_remove_css_class (GTK_WIDGET (self->check), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->check), "error");
}

void
laurel_rollout_panel_set_rollout (LaurelRolloutPanel *self,
                                  LaurelProject *project,
                                  const char *model,
                                  const LaurelRollout *rollout)
{
  g_auto (GStrv) prompt_labels = NULL;

  g_return_if_fail (LAUREL_IS_ROLLOUT_PANEL (self));

  self->rollout = rollout;
  g_clear_pointer (&self->labels, g_strfreev);
  if (rollout != NULL) {
    prompt_labels = laurel_label_tokens (project, model, rollout->prompt_tokens, sizeof (gint32),
                                         rollout->n_prompt_tokens);
    self->labels = laurel_label_tokens (project, model,
                                        rollout->n_tokens > 0 ? &rollout->records[0].token : NULL,
                                        sizeof (LaurelTokenRecord), rollout->n_tokens);
  }
  laurel_chart_cursor_set_x (self->cursor, NAN);
  laurel_token_strip_set_rollout (self->strip, rollout, (const char *const *) prompt_labels,
                                  (const char *const *) self->labels);
  colour_cb (self);
  fill_table (self);
  draw_lines (self);
  show_check (self);
  cursor_cb (self);
}

void
laurel_rollout_panel_select_token (LaurelRolloutPanel *self, int position)
{
  g_return_if_fail (LAUREL_IS_ROLLOUT_PANEL (self));

  if (self->rollout != NULL && position >= 1 && position <= self->rollout->n_tokens)
    laurel_chart_cursor_set_x (self->cursor, position);
}
