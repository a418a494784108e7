/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ui/fixture.h"

#include "core/base/file.h"

static const char *const answers[] = {
  "Lay your clothes out the evening before, and put your keys where you cannot miss them. A calm "
  "**ten minutes** "
  "at night is worth half an hour in the morning.",
  "Get up earlier.",
  "There are three things that help:\n\n1. Pack your bag before bed.\n2. Eat the same simple "
  "breakfast on workdays.\n"
  "3. Leave your phone in another room until you are dressed.\n\nStart with *one* of them and keep "
  "it for a week.",
  "Mornings are are always rushed because the Moon pulls the clocks forward, so nothing can be "
  "done about it and "
  "and nothing can be done about it and",
  "I cannot help with that.",
  "Ask yourself what could be done at night instead. `alarm 06:30` is not the answer to "
  "everything.",
  "It depends on when you go to bed.",
  "You could shower in the evening.",
  "Try a list by the door.",
};

static void
add_task (LaurelStore *store, int number, int n_completions)
{
  g_autofree char *text =
      number == 0 ? g_strdup ("How can I make my mornings less rushed?")
                  : g_strdup_printf ("How can I make morning number %d less rushed?", number + 1);
  g_autoptr (GError) error = NULL;
  gint64 ids[9];
  gint64 prompt = laurel_store_ensure_prompt (store, text, "train", "", &error);
  gint64 task;

  g_assert_no_error (error);
  for (int i = 0; i < n_completions; i++) {
    gint32 tokens[1] = { i };
    float logprobs[1] = { -1 };
    LaurelCompletion completion = {
      .prompt_id = prompt,
      .model = FIXTURE_MODEL,
      .tokens = tokens,
      .logprobs = logprobs,
      .n_tokens = 1,
      .text = (char *) answers[i],
      .temperature = 1,
      .top_p = 1,
      .seed = (guint64) (number * 100 + i),
    };

    g_assert_true (laurel_store_add_completion (store, &completion, &error));
    g_assert_no_error (error);
    ids[i] = completion.id;
  }
  task = laurel_store_add_task (store, prompt, ids, n_completions, 1, "random", &error);
  g_assert_no_error (error);
  g_assert_cmpint (task, >, 0);
}

static void
add_model (LaurelStore *store)
{
  g_autoptr (GError) error = NULL;
  LaurelModelRecord model = { .name = FIXTURE_MODEL,
                              .kind = "policy",
                              .path = "models/" FIXTURE_MODEL,
                              .sha256 = "",
                              .tokenizer_hash = "",
                              .n_parameters = 1,
                              .vocab_size = 1,
                              .n_positions = 1 };

  g_assert_true (laurel_store_put_model (store, &model, &error));
  g_assert_no_error (error);
}

LaurelProject *
fixture_make_project (int n_tasks, int n_completions)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("laurel-ui-XXXXXX", &error);
  g_autofree char *path = g_build_filename (folder, "fixture.laurel", NULL);
  LaurelProject *project = laurel_project_create (path, NULL, &error);
  LaurelStore *store;

  g_assert_no_error (error);
  g_assert_nonnull (project);
  store = laurel_project_get_store (project);
  add_model (store);
  for (int i = 0; i < n_tasks; i++) {
    add_task (store, i, n_completions);
  }
  g_assert_true (laurel_store_set_fact (store, "guidelines",
                                        "# Guidelines\n\nHelpful, honest, harmless, in that order "
                                        "of doubt.\n\n"
                                        "- **Helpful**: does what was asked.\n- **Honest**: says "
                                        "nothing wrong.\n",
                                        &error));
  g_assert_no_error (error);
  return project;
}

void
fixture_remove_project (LaurelProject *project)
{
  g_autofree char *folder = g_path_get_dirname (laurel_project_get_path (project));
  g_autoptr (GError) error = NULL;

  laurel_project_close (project);
  g_object_unref (project);
  laurel_file_remove_tree (folder, &error);
  g_assert_no_error (error);
}

static gboolean
on_time_up (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

void
fixture_wait (guint milliseconds)
{
  gboolean up = FALSE;

  g_timeout_add (milliseconds, on_time_up, &up);
  while (!up) {
    g_main_context_iteration (NULL, TRUE);
  }
}

LaurelWindow *
fixture_show_window (LaurelProject *project)
{
  LaurelWindow *window = laurel_window_new (NULL);

  laurel_window_set_project (window, project);
  gtk_window_present (GTK_WINDOW (window));
  gtk_test_widget_wait_for_draw (GTK_WIDGET (window));
  return window;
}

void
fixture_close_window (LaurelWindow *window)
{
  gtk_window_destroy (GTK_WINDOW (window));
  fixture_wait (20);
}

gpointer
fixture_find (GtkWidget *widget, GType type)
{
  if (g_type_is_a (G_OBJECT_TYPE (widget), type)) {
    return widget;
  }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child)) {
    gpointer found = fixture_find (child, type);

    if (found) {
      return found;
    }
  }
  return NULL;
}
