/* data_source.c: prompts, tasks, rankings, labelers and demonstrations as rows of text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/data_source.h"

#include "ui/charts/scale.h"
#include "ui/data/ranking_dialog.h"
#include "ui/runs/run_words.h"

#include <glib/gi18n.h>
#include <math.h>

static GPtrArray *
new_rows (void)
{
  return g_ptr_array_new_with_free_func (g_object_unref);
}

static void
add_row (GPtrArray *rows, gint64 id, const char *first, ...)
{
  g_autoptr (GStrvBuilder) cells = g_strv_builder_new ();
  va_list list;

  va_start (list, first);
  for (const char *cell = first; cell != NULL; cell = va_arg (list, const char *))
    g_strv_builder_add (cells, cell);
  va_end (list);
  g_ptr_array_add (rows, laurel_text_row_new (id, g_strv_builder_end (cells)));
}

static gint64
count_prompts (LaurelStore *store, const char *search, LaurelLabelers labelers)
{
  return laurel_store_count_prompts (store, NULL, search, NULL);
}

static GPtrArray *
fetch_prompts (LaurelStore *store,
               const char *search,
               LaurelLabelers labelers,
               int limit,
               int offset)
{
  g_autoptr (GPtrArray) prompts =
      laurel_store_list_prompts (store, NULL, search, limit, offset, NULL);
  GPtrArray *rows = new_rows ();

  for (guint i = 0; prompts != NULL && i < prompts->len; i++) {
    const LaurelPrompt *prompt = prompts->pdata[i];

    add_row (rows, prompt->id, prompt->text,
             g_str_equal (prompt->split, "heldout") ? _("Held out") : _("Training"),
             prompt->tags, NULL);
  }
  return rows;
}

static gint64
count_tasks (LaurelStore *store, const char *search, LaurelLabelers labelers)
{
  return laurel_store_count_tasks (store, FALSE, NULL);
}

static GPtrArray *
fetch_tasks (LaurelStore *store,
             const char *search,
             LaurelLabelers labelers,
             int limit,
             int offset)
{
  g_autoptr (GPtrArray) tasks = laurel_store_list_tasks (store, limit, offset, NULL);
  GPtrArray *rows = new_rows ();

  for (guint i = 0; tasks != NULL && i < tasks->len; i++) {
    const LaurelTask *task = tasks->pdata[i];
    g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, task->id);
    g_autofree char *n = g_strdup_printf (_("%d of %d"), task->n_rankings, task->n_wanted);
    g_autofree char *priority =
        isnan (task->priority) ? g_strdup ("–") : laurel_format_value (task->priority);
    g_autofree char *created = laurel_format_time (task->created);

    add_row (rows, task->id, id, task->prompt,
             task->state == LAUREL_TASK_DONE ? _("Done") : _("Open"), n, task->sampler, priority,
             created, NULL);
  }
  return rows;
}

static gint64
count_rankings (LaurelStore *store, const char *search, LaurelLabelers labelers)
{
  return laurel_store_count_rankings_by (store, labelers, NULL);
}

static const char *
name_labeler_kind (LaurelLabelerKind kind)
{
  switch (kind) {
  case LAUREL_LABELER_PERSON: return _("Person");
  case LAUREL_LABELER_RULES: return _("Rules");
  case LAUREL_LABELER_REWARD_MODEL: return _("Reward model");
  }
  return "";
}

/* In a word. */
static const char *
shorten_labeler_kind (LaurelLabelerKind kind)
{
  return kind == LAUREL_LABELER_REWARD_MODEL ? _("Model") : name_labeler_kind (kind);
}

/* A judge spends no time that counts. */
static char *
format_active (gint64 milliseconds)
{
  return milliseconds > 0 ? laurel_format_seconds ((double) milliseconds / 1000) : g_strdup ("–");
}

static GPtrArray *
fetch_rankings (LaurelStore *store,
                const char *search,
                LaurelLabelers labelers,
                int limit,
                int offset)
{
  g_autoptr (GPtrArray) rankings =
      laurel_store_list_rankings_by (store, labelers, limit, offset, NULL);
  GPtrArray *rows = new_rows ();

  for (guint i = 0; rankings != NULL && i < rankings->len; i++) {
    const LaurelRanking *ranking = rankings->pdata[i];
    g_autoptr (LaurelTask) task = laurel_store_get_task (store, ranking->task_id, NULL);
    g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, ranking->task_id);
    g_autofree char *order = laurel_ranking_describe_order (ranking);
    g_autofree char *active = format_active (ranking->active_ms);
    g_autofree char *created = laurel_format_time (ranking->created);

    add_row (rows, ranking->id, id, task != NULL ? task->prompt : "", order, ranking->labeler,
             shorten_labeler_kind (ranking->labeler_kind), active, created, NULL);
  }
  return rows;
}

static gint64
count_labelers (LaurelStore *store, const char *search, LaurelLabelers labelers)
{
  g_autoptr (GPtrArray) list = laurel_store_list_labelers (store, NULL);

  return list != NULL ? list->len : 0;
}

static GPtrArray *
fetch_labelers (LaurelStore *store,
                const char *search,
                LaurelLabelers labelers,
                int limit,
                int offset)
{
  g_autoptr (GPtrArray) list = laurel_store_list_labelers (store, NULL);
  GPtrArray *rows = new_rows ();

  for (int i = offset; list != NULL && i < MIN ((int) list->len, offset + limit); i++) {
    const LaurelLabeler *labeler = list->pdata[i];
    g_autofree char *n = g_strdup_printf ("%" G_GINT64_FORMAT, labeler->n_rankings);
    g_autofree char *active = format_active (labeler->active_ms);

    add_row (rows, labeler->id, labeler->name, name_labeler_kind (labeler->kind), n, active, NULL);
  }
  return rows;
}

static gint64
count_demonstrations (LaurelStore *store, const char *search, LaurelLabelers labelers)
{
  return laurel_store_count_demonstrations (store, NULL);
}

static GPtrArray *
fetch_demonstrations (LaurelStore *store,
                      const char *search,
                      LaurelLabelers labelers,
                      int limit,
                      int offset)
{
  g_autoptr (GPtrArray) list = laurel_store_list_demonstrations (store, limit, offset, NULL);
  GPtrArray *rows = new_rows ();

  for (guint i = 0; list != NULL && i < list->len; i++) {
    const LaurelDemonstration *row = list->pdata[i];

    add_row (rows, row->id, row->prompt, row->completion, NULL);
  }
  return rows;
}

static const LaurelDataSource sources[] = {
  { .name = "prompts",
    .title = N_ ("Prompts"),
    .empty = N_ ("Import prompts from a text, CSV or JSONL file."),
    .can_search = TRUE,
    .columns = { { N_ ("Prompt"), LAUREL_COLUMN_TEXT },
                 { N_ ("Split"), LAUREL_COLUMN_WORD },
                 { N_ ("Tags"), LAUREL_COLUMN_SHORT } },
    .count = count_prompts,
    .fetch = fetch_prompts },
  { .name = "tasks",
    .title = N_ ("Tasks"),
    .empty = N_ ("Sample completions from the Train menu: each prompt becomes a task."),
    .columns = { { N_ ("Task"), LAUREL_COLUMN_NUMBER },
                 { N_ ("Prompt"), LAUREL_COLUMN_TEXT },
                 { N_ ("State"), LAUREL_COLUMN_WORD },
                 { N_ ("Rankings"), LAUREL_COLUMN_WORD },
                 { N_ ("Chosen By"), LAUREL_COLUMN_SHORT },
                 { N_ ("Priority"), LAUREL_COLUMN_NUMBER },
                 { N_ ("Created"), LAUREL_COLUMN_DATE } },
    .count = count_tasks,
    .fetch = fetch_tasks },
  { .name = "rankings",
    .title = N_ ("Rankings"),
    .empty = N_ ("Rank completions on the Label page, or import rankings."),
    .by_labelers = TRUE,
    .columns = { { N_ ("Task"), LAUREL_COLUMN_NUMBER },
                 { N_ ("Prompt"), LAUREL_COLUMN_TEXT },
                 { N_ ("Best First"), LAUREL_COLUMN_SHORT },
                 { N_ ("Labeler"), LAUREL_COLUMN_SHORT },
                 { N_ ("Kind"), LAUREL_COLUMN_WORD },
                 { N_ ("Time"), LAUREL_COLUMN_NUMBER },
                 { N_ ("Submitted"), LAUREL_COLUMN_DATE } },
    .count = count_rankings,
    .fetch = fetch_rankings },
  { .name = "labelers",
    .title = N_ ("Labelers"),
    .empty = N_ ("Everybody who submits a ranking is listed here."),
    .columns = { { N_ ("Name"), LAUREL_COLUMN_TEXT },
                 { N_ ("Kind"), LAUREL_COLUMN_SHORT },
                 { N_ ("Rankings"), LAUREL_COLUMN_NUMBER },
                 { N_ ("Active Time"), LAUREL_COLUMN_NUMBER } },
    .count = count_labelers,
    .fetch = fetch_labelers },
  { .name = "demonstrations",
    .title = N_ ("Demonstrations"),
    .empty = N_ ("Import answers to learn from: JSONL with a prompt and a completion."),
    .columns = { { N_ ("Prompt"), LAUREL_COLUMN_TEXT }, { N_ ("Completion"), LAUREL_COLUMN_TEXT } },
    .count = count_demonstrations,
    .fetch = fetch_demonstrations },
};

const LaurelDataSource *
laurel_data_sources (guint *out_n)
{
  *out_n = G_N_ELEMENTS (sources);
  return sources;
}
