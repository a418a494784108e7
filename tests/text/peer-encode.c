/* peer-encode.c: our ids of a text beside somebody else's, and how fast they came.
 *
 *   peer-encode TOKENIZER-DIR TEXT-FILE IDS-FILE
 *
 * IDS-FILE has the other program's ids, 4 bytes each, little-endian. Says where
 * the first difference is and fails; prints megabytes a second otherwise, also by
 * processor time, which other programs on the machine change less. Run by
 * compare-encode.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "core/text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_RUNS 5

static void
fail (const char *message)
{
  fprintf (stderr, "peer-encode: %s\n", message);
  exit (1);
}

static gboolean
append_ids (const gint32 *ids, gsize n, gpointer user_data, GError **error)
{
  g_array_append_vals (user_data, ids, (guint) n);
  return TRUE;
}

static void
compare (const LaurelTokenizer *tokenizer, const char *what, GArray *ours, const gint32 *theirs,
         gsize n_theirs)
{
  gsize n = MIN (ours->len, n_theirs);

  for (gsize i = 0; i <= n; i++) {
    g_autofree char *before = NULL;

    if (i < n && g_array_index (ours, gint32, i) == (gint32) GINT32_FROM_LE (theirs[i]))
      continue;
    if (i == n && ours->len == n_theirs)
      break;
    before = laurel_tokenizer_decode (tokenizer, &g_array_index (ours, gint32, MAX (i, 8) - 8),
                                      MIN (i, 8), TRUE);
    fprintf (stderr, "peer-encode: %s: token %zu is another after “%s”\n", what, i, before);
    exit (1);
  }
}

static void
encode_once (const LaurelTokenizer *tokenizer, const char *text, gsize length, int way, GArray *ids)
{
  g_autoptr (GInputStream) input = NULL;
  g_autoptr (GError) error = NULL;
  gsize end;
  gboolean done;

  g_array_set_size (ids, 0);
  if (way == 0) {
    done = laurel_tokenizer_encode (tokenizer, text, (gssize) length, ids, &error);
  } else if (way == 1) {
    done = laurel_tokenizer_encode_texts (tokenizer, &text, &length, 1, ids, &end, &error);
  } else {
    input = g_memory_input_stream_new_from_data (text, (gssize) length, NULL);
    done = laurel_tokenizer_encode_stream (tokenizer, input, "text", append_ids, ids, &error);
  }
  if (!done)
    fail (error->message);
}

int
main (int argc, char **argv)
{
  static const char *const ways[] = { "one thread", "all threads", "streamed" };
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text = NULL;
  g_autofree char *theirs = NULL;
  gsize length = 0, n_theirs = 0;

  if (argc != 4)
    fail ("give a tokenizer, a text and its ids");
  tokenizer = laurel_tokenizer_load (argv[1], &error);
  text = error == NULL ? laurel_file_read_text (argv[2], &length, &error) : NULL;
  if (error != NULL || !g_file_get_contents (argv[3], &theirs, &n_theirs, &error))
    fail (error->message);
  for (int way = 0; way < 3; way++) {
    double best = 0.0, best_by_processor = 0.0;

    for (int run = 0; run < N_RUNS; run++) {
      gint64 begun = g_get_monotonic_time ();
      clock_t begun_processor = clock ();

      encode_once (tokenizer, text, length, way, ids);
      best = MAX (best, (double) length / (double) (g_get_monotonic_time () - begun + 1));
      best_by_processor = MAX (best_by_processor, (double) length / 1e6 * CLOCKS_PER_SEC
                                                      / (double) (clock () - begun_processor + 1));
    }
    compare (tokenizer, ways[way], ids, (const gint32 *) (void *) theirs, n_theirs / 4);
    printf ("laurel, %s: %u ids, no difference, %.1f MB/s, %.1f MB per second of "
            "processor\n",
            ways[way], ids->len, best, best_by_processor);
  }
  return 0;
}
