/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/report.h"

#include "core/base/file.h"
#include "core/project/svg.h"
#include "core/train/hyperparameters.h"

#include <math.h>
#include <string.h>

/* Prompts shown with both answers. */
#define N_EXAMPLES 3

static const LaurelEvaluationRow evaluation_rows[] = {
  { "judge's mean score", G_STRUCT_OFFSET (LaurelEvaluation, score), FALSE },
  { "harmful complied with", G_STRUCT_OFFSET (LaurelEvaluation, complied), TRUE },
  { "facts right", G_STRUCT_OFFSET (LaurelEvaluation, right), TRUE },
  { "stopped properly", G_STRUCT_OFFSET (LaurelEvaluation, stopped), TRUE },
  { "mean length, tokens", G_STRUCT_OFFSET (LaurelEvaluation, length), FALSE },
  { "KL to the reference, nats", G_STRUCT_OFFSET (LaurelEvaluation, kl), FALSE },
};

const LaurelEvaluationRow *
laurel_evaluation_rows (int *out_n)
{
  *out_n = G_N_ELEMENTS (evaluation_rows);
  return evaluation_rows;
}

char *
laurel_interval_format (const LaurelInterval *interval, gboolean share)
{
  if (isnan (interval->value))
    return g_strdup ("–");
  if (isnan (interval->low))
    return g_strdup_printf (share ? "%.1f %%" : "%.3f", (share ? 100 : 1) * interval->value);
  if (share)
    return g_strdup_printf ("%.1f %% [%.1f, %.1f]", 100 * interval->value, 100 * interval->low,
                            100 * interval->high);
  return g_strdup_printf ("%.3f [%.3f, %.3f]", interval->value, interval->low, interval->high);
}

static const char style[] =
    ":root{color-scheme:light "
    "dark;--fg:#241f31;--dim:#77767b;--bg:#fafafa;--card:#fff;--line:#1a5fb4;--grid:#deddda}"
    "@media(prefers-color-scheme:dark){:root{--fg:#f6f5f4;--dim:#9a9996;--bg:#242424;--card:#"
    "303030;--line:#99c1f1;"
    "--grid:#4a4a4a}}"
    "body{font:16px/1.5 "
    "Cantarell,sans-serif;color:var(--fg);background:var(--bg);max-width:62rem;margin:2rem auto;"
    "padding:0 1rem}"
    "h1,h2{font-weight:800}table{border-collapse:collapse}td,th{padding:.3rem 1.2rem .3rem "
    "0;text-align:left;"
    "font-variant-numeric:tabular-nums;border-bottom:1px solid var(--grid)}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(22rem,1fr));gap:1rem}"
    "svg,.card{background:var(--card);border-radius:12px;padding:.5rem}.card{padding:.8rem "
    "1rem;margin:1rem 0}"
    ".line{fill:none;stroke:var(--line);stroke-width:2}.grid{stroke:var(--grid)}"
    ".reference{stroke:var(--dim);stroke-dasharray:4 4}.axis{font-size:11px;fill:var(--dim)}"
    ".title{font-size:13px;font-weight:700;fill:var(--fg)}.dim{color:var(--dim)}";

static void G_GNUC_PRINTF (2, 3) append (GString *out, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_markup_vprintf_escaped (format, arguments); /* escapes the arguments, not the format */
  va_end (arguments);
  g_string_append (out, text);
}

static void
append_table (GString *out, const LaurelReport *report)
{
  g_autofree char *rate = laurel_interval_format (&report->wins.win_rate, TRUE);

  append (out, "<table><tr><th>measure, 95 %% interval</th><th>%s</th><th>%s</th></tr>\n",
          report->names[0], report->names[1]);
  for (gsize i = 0; i < G_N_ELEMENTS (evaluation_rows); i++) {
    const LaurelEvaluationRow *row = &evaluation_rows[i];
    g_autofree char *before = laurel_interval_format (
        G_STRUCT_MEMBER_P (&report->evaluations[0], row->offset), row->share);
    g_autofree char *after = laurel_interval_format (
        G_STRUCT_MEMBER_P (&report->evaluations[1], row->offset), row->share);

    append (out, "<tr><td>%s</td><td>%s</td><td>%s</td></tr>\n", row->title, before, after);
  }
  append (out,
          "</table><p>%s beats %s on the same prompts: %s, %d wins, %d losses, %d ties left out. "
          "<span class=\"dim\">%d completions each, one a held-out prompt. Means have normal "
          "intervals, "
          "shares Wilson's.</span></p>\n",
          report->names[1], report->names[0], rate, report->wins.n_wins, report->wins.n_losses,
          report->wins.n_ties, report->evaluations[0].score.n);
}

static gboolean
append_chart (GString *out,
              LaurelStore *store,
              gint64 run_id,
              const char *key,
              double reference,
              GError **error)
{
  g_autoptr (GPtrArray) metrics = laurel_store_list_metrics (store, run_id, key, -1, error);
  const LaurelMetricInfo *info = laurel_metric_find (key);
  g_autofree double *x = NULL;
  g_autofree double *y = NULL;
  LaurelSvgChart chart = {
    info != NULL ? info->title : key, info != NULL ? info->unit : "", NULL, NULL, 0, reference
  };

  if (metrics == NULL)
    return FALSE;
  x = g_new (double, metrics->len + 1);
  y = g_new (double, metrics->len + 1);
  for (guint i = 0; i < metrics->len; i++) {
    const LaurelMetric *metric = g_ptr_array_index (metrics, i);

    x[i] = metric->step;
    y[i] = metric->value;
  }
  chart.x = x;
  chart.y = y;
  chart.n = (int) metrics->len;
  laurel_svg_append_chart (out, &chart);
  return TRUE;
}

static gboolean
append_charts (GString *out, LaurelStore *store, gint64 run_id, GError **error)
{
  static const struct {
    const char *key;
    double reference;
  } charts[] = { { "objective/scores", NAN },
                 { "objective/kl", 0 },
                 { "val/ratio", 1 },
                 { "objective/response_length", NAN },
                 { "objective/rlhf_reward", NAN } };

  g_string_append (out, "<h2>PPO</h2><div class=\"charts\">\n");
  for (gsize i = 0; i < G_N_ELEMENTS (charts); i++)
    if (!append_chart (out, store, run_id, charts[i].key, charts[i].reference, error))
      return FALSE;
  g_string_append (out, "</div>\n");
  return TRUE;
}

static void
append_examples (GString *out, const LaurelReport *report)
{
  guint n = report->judged[0]->len;

  g_string_append (out, "<h2>Three held-out prompts</h2>\n");
  for (guint i = 0; i < MIN (N_EXAMPLES, n); i++) {
    guint at = i * n / N_EXAMPLES;
    const LaurelJudged *before = g_ptr_array_index (report->judged[0], at);
    const LaurelJudged *after = g_ptr_array_index (report->judged[1], at);

    append (out,
            "<div class=\"card\"><b>%s</b><p><span class=\"dim\">%s, judged %.2f</span><br>%s</p>"
            "<p><span class=\"dim\">%s, judged %.2f</span><br>%s</p></div>\n",
            before->prompt, report->names[0], before->parts.score, before->text, report->names[1],
            after->parts.score, after->text);
  }
}

gboolean
laurel_report_write (LaurelStore *store,
                     const LaurelReport *report,
                     const char *path,
                     GError **error)
{
  g_autoptr (GString) out =
      g_string_new ("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width\">\n");

  append (out, "<title>%s</title>\n<style>", report->title);
  g_string_append (out, style);
  append (out, "</style></head><body>\n<h1>%s</h1>\n", report->title);
  append_table (out, report);
  if (!append_charts (out, store, report->ppo_run, error))
    return FALSE;
  append_examples (out, report);
  g_string_append (out, "</body></html>\n");
  return laurel_file_write (path, out->str, out->len, error);
}
