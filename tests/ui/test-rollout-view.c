/* test-rollout-view.c: the sum that must hold, the export, and the strip's keys.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/inspect/rollout_item.h"
#include "ui/inspect/rollout_view.h"
#include "ui/inspect/token_strip.h"

#include <adwaita.h>
#include <math.h>

/* Three tokens, β 0.5, score 2: ΣKL = 1, Σ reward = 1.5. */
static LaurelRollout *
make_rollout (int row, double score)
{
  LaurelRollout *rollout = g_new0 (LaurelRollout, 1);
  static const float kl[] = { .25f, .5f, .25f };

  rollout->row = row;
  rollout->step = 4;
  rollout->prompt = g_strdup ("Why?");
  rollout->completion = g_strdup ("Because.");
  rollout->score = score;
  rollout->kl_coef = .5;
  rollout->n_tokens = G_N_ELEMENTS (kl);
  rollout->records = g_new0 (LaurelTokenRecord, G_N_ELEMENTS (kl));
  for (int t = 0; t < rollout->n_tokens; t++) {
    rollout->records[t].token = 7 + t;
    rollout->records[t].kl = kl[t];
    rollout->records[t].exact_kl = NAN;
    rollout->records[t].reward = (float) (-.5 * kl[t] + (t == 2 ? score : 0));
    rollout->records[t].ratio = 1;
    rollout->records[t].advantage = (float) t;
  }
  return rollout;
}

static void
test_rollout_check (void)
{
  g_autoptr (LaurelRollout) rollout = make_rollout (0, 2);
  gboolean holds = FALSE;
  g_autofree char *good = laurel_rollout_describe_check (rollout, &holds);

  g_assert_true (holds);
  g_assert_cmpstr (good, ==, "Σ reward 1.500 = score 2.000 − β·ΣKL 0.500 ✓");
  rollout->records[1].reward += 2e-4f; /* twice what is tolerated */
  g_autofree char *bad = laurel_rollout_describe_check (rollout, &holds);
  g_assert_false (holds);
  g_assert_nonnull (strstr (bad, "✗"));
  rollout->records[1].reward = NAN;
  g_autofree char *nan = laurel_rollout_describe_check (rollout, &holds);
  g_assert_false (holds);
}

static void
test_rollout_json (void)
{
  static const char *const labels[] = { "Be", "cause", ".", NULL };
  static const char *const keys[] = { "prompt",       "response", "response_tokens",
                                      "logprobs",     "values",   "ref_logprobs",
                                      "token_rewards", "reward",  "step" };
  g_autoptr (LaurelRollout) rollout = make_rollout (0, 2);

  rollout->records[0].value = NAN;
  g_autoptr (JsonNode) node = laurel_rollout_to_json (rollout, labels);
  JsonObject *object = json_node_get_object (node);

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    g_assert_true (json_object_has_member (object, keys[i]));
  JsonArray *rewards = json_object_get_array_member (object, "token_rewards");
  g_assert_cmpuint (json_array_get_length (rewards), ==, 3);
  /* 1e-6: a float32 of size 2. */
  g_assert_cmpfloat_with_epsilon (json_array_get_double_element (rewards, 2), 1.875, 1e-6);
  /* JSON has no NaN. */
  g_assert_true (json_array_get_null_element (json_object_get_array_member (object, "values"), 0));
}

static void
test_rollout_sort (void)
{
  g_autoptr (LaurelRolloutItem) low = laurel_rollout_item_new (make_rollout (0, 1));
  g_autoptr (LaurelRolloutItem) high = laurel_rollout_item_new (make_rollout (1, 3));
  gpointer by_score = GINT_TO_POINTER (LAUREL_SORT_SCORE);
  gpointer by_kl = GINT_TO_POINTER (LAUREL_SORT_KL);

  g_assert_cmpint (laurel_rollout_item_compare (high, low, by_score), <, 0);
  g_assert_cmpint (laurel_rollout_item_compare (high, low, by_kl), >, 0); /* equal: by row */
}

static void
press (GtkWidget *widget, guint key)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (widget);

  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++) {
    g_autoptr (GtkEventController) controller = g_list_model_get_item (controllers, i);
    gboolean is_handled;

    if (GTK_IS_EVENT_CONTROLLER_KEY (controller))
      g_signal_emit_by_name (controller, "key-pressed", key, 0, 0, &is_handled);
  }
}

static void
test_strip_keys (void)
{
  static const char *const prompt[] = { "Why", "?", NULL };
  static const char *const labels[] = { "Be", "cause", ".", NULL };
  static const struct {
    guint key;
    double x;
  } presses[] = { { GDK_KEY_Right, 1 }, { GDK_KEY_Right, 2 }, { GDK_KEY_End, 3 },
                  { GDK_KEY_Right, 3 }, { GDK_KEY_Left, 2 },  { GDK_KEY_Home, 1 },
                  { GDK_KEY_Left, 1 } };
  g_autoptr (LaurelRollout) rollout = make_rollout (0, 2);
  g_autoptr (LaurelChartCursor) cursor = laurel_chart_cursor_new ();
  GtkWidget *strip = g_object_ref_sink (g_object_new (LAUREL_TYPE_TOKEN_STRIP, NULL));

  laurel_token_strip_set_cursor (LAUREL_TOKEN_STRIP (strip), cursor);
  laurel_token_strip_set_rollout (LAUREL_TOKEN_STRIP (strip), rollout, prompt, labels);
  gtk_test_accessible_assert_role (strip, GTK_ACCESSIBLE_ROLE_IMG);
  for (guint i = 0; i < G_N_ELEMENTS (presses); i++) {
    press (strip, presses[i].key);
    g_assert_cmpfloat (laurel_chart_cursor_get_x (cursor), ==, presses[i].x);
  }
  g_object_unref (strip);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  g_test_add_func ("/ui/rollout/check", test_rollout_check);
  g_test_add_func ("/ui/rollout/json", test_rollout_json);
  g_test_add_func ("/ui/rollout/sort", test_rollout_sort);
  g_test_add_func ("/ui/rollout/strip-keys", test_strip_keys);
  return g_test_run ();
}
