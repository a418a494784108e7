/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/evaluation_export.h"

#include "core/base/csv.h"
#include "core/base/json.h"

#include <math.h>

void
laurel_json_add_interval (JsonBuilder *builder,
                          const char *member,
                          const LaurelInterval *interval)
{
  json_builder_set_member_name (builder, member);
  json_builder_begin_object (builder);
  laurel_json_add_double (builder, "value", interval->value);
  laurel_json_add_double (builder, "low", interval->low);
  laurel_json_add_double (builder, "high", interval->high);
  laurel_json_add_int (builder, "n", interval->n);
  json_builder_end_object (builder);
}

/* An interval of a struct, and what it is called in files. */
typedef struct {
  const char *name;
  gsize offset;
} Column;

static const Column evaluation_columns[] = {
  { "score", G_STRUCT_OFFSET (LaurelEvaluation, score) },
  { "complied", G_STRUCT_OFFSET (LaurelEvaluation, complied) },
  { "right", G_STRUCT_OFFSET (LaurelEvaluation, right) },
  { "stopped", G_STRUCT_OFFSET (LaurelEvaluation, stopped) },
  { "length", G_STRUCT_OFFSET (LaurelEvaluation, length) },
  { "kl", G_STRUCT_OFFSET (LaurelEvaluation, kl) },
};

static const Column win_columns[] = {
  { "win_rate", G_STRUCT_OFFSET (LaurelWinSummary, strict) },
  { "win_rate_clustered", G_STRUCT_OFFSET (LaurelWinSummary, clustered) },
  { "ties_half", G_STRUCT_OFFSET (LaurelWinSummary, half) },
  { "length_controlled", G_STRUCT_OFFSET (LaurelWinSummary, controlled) },
};

static const Column best_of_columns[] = {
  { "kl", G_STRUCT_OFFSET (LaurelBestOfEstimate, kl) },
  { "proxy", G_STRUCT_OFFSET (LaurelBestOfEstimate, proxy) },
  { "gold", G_STRUCT_OFFSET (LaurelBestOfEstimate, gold) },
  { "win_rate", G_STRUCT_OFFSET (LaurelBestOfEstimate, win_rate) },
  { "proxy_win_rate", G_STRUCT_OFFSET (LaurelBestOfEstimate, proxy_win_rate) },
  { "complied", G_STRUCT_OFFSET (LaurelBestOfEstimate, complied) },
  { "right", G_STRUCT_OFFSET (LaurelBestOfEstimate, right) },
  { "stopped", G_STRUCT_OFFSET (LaurelBestOfEstimate, stopped) },
  { "length", G_STRUCT_OFFSET (LaurelBestOfEstimate, length) },
};

static void
add_columns (JsonBuilder *builder, const Column *columns, gsize n, gconstpointer from)
{
  for (gsize i = 0; i < n; i++)
    laurel_json_add_interval (builder, columns[i].name,
                              G_STRUCT_MEMBER_P (from, columns[i].offset));
}

/* --- CSV --------------------------------------------------------------------------------- */

/* Nothing where there is no figure. */
static void
append_number (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_c (out, ',');
  if (!isnan (value))
    g_string_append (out, g_ascii_dtostr (text, sizeof text, value));
}

static void
append_interval (GString *out, const LaurelInterval *interval)
{
  append_number (out, interval->value);
  append_number (out, interval->low);
  append_number (out, interval->high);
}

static void
append_columns (GString *out, const Column *columns, gsize n, gconstpointer from)
{
  for (gsize i = 0; i < n; i++)
    append_interval (out, G_STRUCT_MEMBER_P (from, columns[i].offset));
}

static void
append_name (GString *out, const char *name)
{
  g_string_append_printf (out, ",%s,%s_low,%s_high", name, name, name);
}

static void
append_names (GString *out, const Column *columns, gsize n)
{
  for (gsize i = 0; i < n; i++)
    append_name (out, columns[i].name);
}

/* --- One model, and two ----------------------------------------------------------------- */

void
laurel_json_add_evaluation (JsonBuilder *builder, const LaurelEvaluation *evaluation)
{
  add_columns (builder, evaluation_columns, G_N_ELEMENTS (evaluation_columns), evaluation);
}

void
laurel_json_add_win_summary (JsonBuilder *builder, const LaurelWinSummary *wins)
{
  laurel_json_add_int (builder, "wins", wins->n_wins);
  laurel_json_add_int (builder, "losses", wins->n_losses);
  laurel_json_add_int (builder, "ties", wins->n_ties);
  laurel_json_add_int (builder, "prompts", wins->n_prompts);
  add_columns (builder, win_columns, G_N_ELEMENTS (win_columns), wins);
  laurel_json_add_double (builder, "length_gap", wins->length_gap);
  laurel_json_add_double (builder, "length_slope", wins->length_slope);
  laurel_json_add_double (builder, "p_sign", wins->p_sign);
  laurel_json_add_double (builder, "p_permutation", wins->p_permutation);
}

char *
laurel_win_summary_to_csv (const char *model, const char *baseline, const LaurelWinSummary *wins)
{
  GString *out = g_string_new ("model,baseline,wins,losses,ties,prompts");

  append_names (out, win_columns, G_N_ELEMENTS (win_columns));
  g_string_append (out, ",length_gap,length_slope,p_sign,p_permutation\n");
  laurel_csv_append (out, model);
  g_string_append_c (out, ',');
  laurel_csv_append (out, baseline);
  g_string_append_printf (out, ",%d,%d,%d,%d", wins->n_wins, wins->n_losses, wins->n_ties,
                          wins->n_prompts);
  append_columns (out, win_columns, G_N_ELEMENTS (win_columns), wins);
  append_number (out, wins->length_gap);
  append_number (out, wins->length_slope);
  append_number (out, wins->p_sign);
  append_number (out, wins->p_permutation);
  g_string_append_c (out, '\n');
  return g_string_free (out, FALSE);
}

/* --- Several policies --------------------------------------------------------------------- */

void
laurel_compared_add_json (JsonBuilder *builder, GPtrArray *rows)
{
  json_builder_begin_array (builder);
  for (guint i = 0; i < rows->len; i++) {
    const LaurelCompared *row = g_ptr_array_index (rows, i);

    json_builder_begin_object (builder);
    laurel_json_add_string (builder, "model", row->name);
    laurel_json_add_boolean (builder, "baseline", row->is_baseline);
    laurel_json_add_evaluation (builder, &row->evaluation);
    laurel_json_add_double (builder, "kl_bound", row->kl_bound);
    laurel_json_add_interval (builder, "proxy", &row->proxy);
    if (!row->is_baseline)
      laurel_json_add_win_summary (builder, &row->wins);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

char *
laurel_compared_to_csv (GPtrArray *rows)
{
  GString *out = g_string_new ("model,baseline");

  append_names (out, evaluation_columns, G_N_ELEMENTS (evaluation_columns));
  g_string_append (out, ",kl_bound");
  append_name (out, "proxy");
  g_string_append (out, ",wins,losses,ties,prompts");
  append_names (out, win_columns, G_N_ELEMENTS (win_columns));
  g_string_append_c (out, '\n');
  for (guint i = 0; i < rows->len; i++) {
    const LaurelCompared *row = g_ptr_array_index (rows, i);

    laurel_csv_append (out, row->name);
    g_string_append (out, row->is_baseline ? ",true" : ",false");
    append_columns (out, evaluation_columns, G_N_ELEMENTS (evaluation_columns), &row->evaluation);
    append_number (out, row->kl_bound);
    append_interval (out, &row->proxy);
    if (row->is_baseline) { /* it has no wins over itself */
      for (gsize c = 0; c < 4 + 3 * G_N_ELEMENTS (win_columns); c++)
        g_string_append_c (out, ',');
    } else {
      g_string_append_printf (out, ",%d,%d,%d,%d", row->wins.n_wins, row->wins.n_losses,
                              row->wins.n_ties, row->wins.n_prompts);
      append_columns (out, win_columns, G_N_ELEMENTS (win_columns), &row->wins);
    }
    g_string_append_c (out, '\n');
  }
  return g_string_free (out, FALSE);
}

/* --- Best of n ------------------------------------------------------------------------------- */

void
laurel_best_of_add_json (JsonBuilder *builder, const GArray *estimates)
{
  json_builder_begin_array (builder);
  for (guint i = 0; i < estimates->len; i++) {
    const LaurelBestOfEstimate *estimate = &g_array_index (estimates, LaurelBestOfEstimate, i);

    json_builder_begin_object (builder);
    laurel_json_add_int (builder, "n", estimate->n);
    laurel_json_add_double (builder, "kl_bound", estimate->kl_bound);
    laurel_json_add_double (builder, "win_rate_bound", laurel_best_of_win_limit (estimate->n));
    add_columns (builder, best_of_columns, G_N_ELEMENTS (best_of_columns), estimate);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

char *
laurel_best_of_to_csv (const GArray *estimates)
{
  GString *out = g_string_new ("n,kl_bound,win_rate_bound");

  append_names (out, best_of_columns, G_N_ELEMENTS (best_of_columns));
  g_string_append_c (out, '\n');
  for (guint i = 0; i < estimates->len; i++) {
    const LaurelBestOfEstimate *estimate = &g_array_index (estimates, LaurelBestOfEstimate, i);

    g_string_append_printf (out, "%d", estimate->n);
    append_number (out, estimate->kl_bound);
    append_number (out, laurel_best_of_win_limit (estimate->n));
    append_columns (out, best_of_columns, G_N_ELEMENTS (best_of_columns), estimate);
    g_string_append_c (out, '\n');
  }
  return g_string_free (out, FALSE);
}
