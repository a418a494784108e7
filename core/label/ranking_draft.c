/* ranking_draft.c: the ranking model as a draft's JSON and as a row to submit.
 *
 * A draft is one object:
 *   {"version": 1, "task": 7, "order_seed": "123", "supersedes": 0,
 *    "lanes": [2, 1, 0], "quality": [0, 6, 0], "flags": [0, 0, 1],
 *    "all_bad": false, "comment": "", "active_ms": 0, "idle_ms": 0}
 * with the arrays in blind order. The seed is text, because JSON readers keep
 * only 53 bits of a number.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/ranking_model_private.h"

#include "core/base/error.h"
#include "core/base/json.h"

#include <string.h>

#define DRAFT_VERSION 1

static void
add_ints (JsonBuilder *builder, const char *name, const int *values, int n)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (int i = 0; i < n; i++)
    json_builder_add_int_value (builder, values[i]);
  json_builder_end_array (builder);
}

static void
add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

char *
laurel_ranking_model_to_json (LaurelRankingModel *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, self->order_seed);
  int flags[LAUREL_RANKING_MAX_CARDS];

  for (int i = 0; i < self->n_cards; i++)
    flags[i] = (int) self->state->flags[i];
  json_builder_begin_object (builder);
  add_int (builder, "version", DRAFT_VERSION);
  add_int (builder, "task", self->task_id);
  json_builder_set_member_name (builder, "order_seed");
  json_builder_add_string_value (builder, seed);
  add_int (builder, "supersedes", self->supersedes);
  add_ints (builder, "lanes", self->state->lanes, self->n_cards);
  add_ints (builder, "quality", self->state->quality, self->n_cards);
  add_ints (builder, "flags", flags, self->n_cards);
  json_builder_set_member_name (builder, "all_bad");
  json_builder_add_boolean_value (builder, self->state->all_bad);
  json_builder_set_member_name (builder, "comment");
  json_builder_add_string_value (builder, self->state->comment);
  add_int (builder, "active_ms", self->active_ms);
  add_int (builder, "idle_ms", self->idle_ms);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return laurel_json_to_string (root, FALSE);
}

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not read the draft: %s; rank this task again", why);
  return FALSE;
}

static gboolean
read_ints (JsonObject *object, const char *member, int n, int max, int *out, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node) ||
      json_array_get_length (json_node_get_array (node)) != (guint) n)
    return refuse (error, "it has not one entry for each completion");
  array = json_node_get_array (node);
  for (int i = 0; i < n; i++) {
    JsonNode *item = json_array_get_element (array, (guint) i);
    gint64 value;

    if (!JSON_NODE_HOLDS_VALUE (item) || json_node_get_value_type (item) != G_TYPE_INT64)
      return refuse (error, "an entry is no whole number");
    value = json_node_get_int (item);
    if (value < 0 || value > max)
      return refuse (error, "an entry is out of its range");
    out[i] = (int) value;
  }
  return TRUE;
}

typedef struct {
  gint64 version, task, supersedes, active_ms, idle_ms;
  guint64 order_seed;
  gboolean all_bad;
  const char *comment;
} DraftHeader;

static gboolean
read_header (JsonObject *object, DraftHeader *header, GError **error)
{
  const char *seed = NULL;

  if (!laurel_json_get_int (object, "draft", "version", 1, G_MAXINT64, &header->version, error) ||
      !laurel_json_get_int (object, "draft", "task", 0, G_MAXINT64, &header->task, error) ||
      !laurel_json_get_int (object, "draft", "supersedes", 0, G_MAXINT64, &header->supersedes,
                            error) ||
      !laurel_json_get_int (object, "draft", "active_ms", 0, G_MAXINT64 / 2, &header->active_ms,
                            error) ||
      !laurel_json_get_int (object, "draft", "idle_ms", 0, G_MAXINT64 / 2, &header->idle_ms,
                            error) ||
      !laurel_json_get_boolean (object, "draft", "all_bad", &header->all_bad, error) ||
      !laurel_json_get_string (object, "draft", "comment", &header->comment, error) ||
      !laurel_json_get_string (object, "draft", "order_seed", &seed, error))
    return FALSE;
  if (header->version != DRAFT_VERSION)
    return refuse (error, "it was written by another version of Laurel");
  if (seed == NULL ||
      !g_ascii_string_to_unsigned (seed, 10, 0, G_MAXUINT64, &header->order_seed, NULL))
    return refuse (error, "its order seed is missing");
  if (strlen (header->comment) > LAUREL_MAX_COMMENT)
    return refuse (error, "its comment is too long");
  return TRUE;
}

static gboolean
read_state (LaurelRankingModel *self, JsonObject *object, LaurelRankingState *state, GError **error)
{
  int flags[LAUREL_RANKING_MAX_CARDS];

  if (!read_ints (object, "lanes", self->n_cards, self->n_cards, state->lanes, error) ||
      !read_ints (object, "quality", self->n_cards, LAUREL_MAX_QUALITY, state->quality, error) ||
      !read_ints (object, "flags", self->n_cards, (1 << LAUREL_N_FLAGS) - 1, flags, error))
    return FALSE;
  for (int i = 0; i < self->n_cards; i++)
    state->flags[i] = (guint) flags[i];
  return TRUE;
}

gboolean
laurel_ranking_model_load_json (LaurelRankingModel *self, const char *json, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  LaurelRankingState state = { 0 };
  DraftHeader header = { .comment = "" };
  JsonObject *object;

  if (!g_utf8_validate (json, -1, NULL))
    return refuse (error, "it is not UTF-8 text");
  root = laurel_json_parse (json, "draft", error);
  if (root == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (root))
    return refuse (error, "it is no JSON object");
  object = json_node_get_object (root);
  if (!read_header (object, &header, error) || !read_state (self, object, &state, error))
    return FALSE;
  if (header.task != self->task_id)
    return refuse (error, "it belongs to another task");

  state.all_bad = header.all_bad != FALSE;
  state.comment = g_strdup (header.comment);
  self->supersedes = header.supersedes;
  self->active_ms = header.active_ms;
  self->idle_ms = header.idle_ms;
  _laurel_ranking_model_set_order (self, header.order_seed);
  _laurel_ranking_model_replace_state (self, g_memdup2 (&state, sizeof state));
  return TRUE;
}

static LaurelRanking *
make_ranking (LaurelRankingModel *self, gint64 labeler_id)
{
  LaurelRanking *ranking = g_new0 (LaurelRanking, 1);
  int ranks[LAUREL_RANKING_MAX_CARDS];

  _laurel_ranking_model_get_ranks (self, ranks);
  ranking->task_id = self->task_id;
  ranking->labeler_id = labeler_id;
  ranking->n = self->n_cards;
  ranking->ranks = g_new0 (LaurelRank, self->n_cards);
  for (int card = 0; card < self->n_cards; card++) {
    ranking->ranks[card].completion_id = laurel_ranking_model_get_completion_id (self, card);
    ranking->ranks[card].rank = ranks[card];
    ranking->ranks[card].quality = self->state->quality[card];
    ranking->ranks[card].flags = self->state->flags[card];
  }
  ranking->all_bad = self->state->all_bad;
  ranking->comment = g_strdup (self->state->comment);
  ranking->order_seed = self->order_seed;
  ranking->active_ms = self->active_ms;
  ranking->idle_ms = self->idle_ms;
  ranking->supersedes = self->supersedes;
  return ranking;
}

/* “B”, “B and D”, “B, C and D”. */
static char *
name_cards (const int *cards, int n)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (int i = 0; i < n; i++)
    g_string_append_printf (names, "%s%c",
                            i == 0       ? ""
                            : i == n - 1 ? " and "
                                         : ", ",
                            'A' + cards[i]);
  return g_string_free (g_steal_pointer (&names), FALSE);
}

LaurelRanking *
laurel_ranking_model_to_ranking (LaurelRankingModel *self, gint64 labeler_id, GError **error)
{
  int cards[LAUREL_RANKING_MAX_CARDS];

  if (!laurel_ranking_model_is_complete (self)) {
    int n = laurel_ranking_model_get_cards (self, 0, cards);
    g_autofree char *names = name_cards (cards, n);

    g_set_error (
      error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
      "Could not submit the ranking: %s %s not ranked yet; put each completion in a lane, "
      "or skip the task",
      names, n == 1 ? "is" : "are");
    return NULL;
  }
  return make_ranking (self, labeler_id);
}

LaurelRanking *
laurel_ranking_model_to_skip (LaurelRankingModel *self,
                              gint64 labeler_id,
                              const char *reason,
                              GError **error)
{
  LaurelRanking *ranking;

  if (reason == NULL || reason[0] == '\0') {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not skip the task: no reason was given; choose one");
    return NULL;
  }
  ranking = make_ranking (self, labeler_id);
  for (int i = 0; i < ranking->n; i++)
    ranking->ranks[i].rank = 0;
  ranking->skip_reason = g_strdup (reason);
  return ranking;
}
