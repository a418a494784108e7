/* options.c: the command line, by the nouns' tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

G_DEFINE_QUARK (laurel - ctl - usage, laurel_ctl_usage)

static const LaurelCtlOption global_options[] = {
  { "project", "DIR", "The project's folder; without it the current folder", FALSE },
  { "json", NULL, "Print one JSON value and nothing else", FALSE },
  { "quiet", NULL, "Show no progress", FALSE },
  { "help", NULL, "Show this help", FALSE },
  { "version", NULL, "Show the version", FALSE },
  { NULL }
};

static gboolean G_GNUC_PRINTF (2, 3)
refuse (GError **error, const char *format, ...)
{
  va_list arguments;
  g_autofree char *message = NULL;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, LAUREL_CTL_USAGE, 0, message);
  return FALSE;
}

/* --- The nearest word ---------------------------------------------------------- */

/* Levenshtein's distance of two short words. */
static int
measure_distance (const char *a, const char *b)
{
  int n = (int) strlen (b);
  g_autofree int *row = g_new (int, n + 1);

  for (int j = 0; j <= n; j++)
    row[j] = j;
  for (int i = 1; a[i - 1] != '\0'; i++) {
    int diagonal = row[0];

    row[0] = i;
    for (int j = 1; j <= n; j++) {
      int changed = diagonal + (a[i - 1] != b[j - 1]);

      diagonal = row[j];
      row[j] = MIN (changed, MIN (row[j], row[j - 1]) + 1);
    }
  }
  return row[n];
}

typedef struct {
  const char *word;
  const char *nearest;
  int distance;
} Nearest;

static void
try_word (Nearest *nearest, const char *candidate)
{
  int distance = measure_distance (nearest->word, candidate);

  if (nearest->nearest == NULL || distance < nearest->distance) {
    nearest->nearest = candidate;
    nearest->distance = distance;
  }
}

/* --- Help ------------------------------------------------------------------------ */

static void
describe_options (GString *text, const LaurelCtlOption *options)
{
  for (; options != NULL && options->name != NULL; options++) {
    g_autofree char *left =
        g_strdup_printf ("--%s%s%s", options->name, options->argument != NULL ? " " : "",
                         options->argument != NULL ? options->argument : "");

    g_string_append_printf (text, "  %-26s %s%s\n", left, options->description,
                            options->repeated ? "; may be repeated" : "");
  }
}

static char *
help_on_all (const LaurelCtlNoun *const *nouns)
{
  GString *text =
      g_string_new ("Usage: laurelctl [--project DIR] [--json] [--quiet] NOUN VERB [ARGUMENT…] "
                    "[--option VALUE]\n\nNouns:\n");

  for (; *nouns != NULL; nouns++)
    g_string_append_printf (text, "  %-12s %s\n", (*nouns)->name, (*nouns)->summary);
  g_string_append (text, "\nOptions:\n");
  describe_options (text, global_options);
  g_string_append (text, "\n“laurelctl NOUN --help” lists a noun's verbs. "
                         "Exit codes: 0 done, 1 failed, 2 wrong usage.\n");
  return g_string_free (text, FALSE);
}

static void
append_usage (GString *text, const LaurelCtlNoun *noun, const LaurelCtlVerb *verb)
{
  g_string_append_printf (text, "laurelctl %s%s%s%s%s%s", noun->name,
                          verb->name[0] != '\0' ? " " : "", verb->name,
                          verb->arguments[0] != '\0' ? " " : "", verb->arguments,
                          verb->options != NULL ? " [--option VALUE]…" : "");
}

static char *
help_on_noun (const LaurelCtlNoun *noun)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%s\n\nVerbs:\n", noun->summary);
  for (const LaurelCtlVerb *verb = noun->verbs; verb->name != NULL; verb++) {
    g_autofree char *left = g_strdup_printf ("%s %s", verb->name, verb->arguments);

    g_string_append_printf (text, "  %-26s %s\n", left, verb->summary);
  }
  g_string_append_printf (text, "\n“laurelctl %s VERB --help” lists a verb's options.\n",
                          noun->name);
  return g_string_free (text, FALSE);
}

static char *
help_on_verb (const LaurelCtlNoun *noun, const LaurelCtlVerb *verb)
{
  GString *text = g_string_new ("Usage: ");

  append_usage (text, noun, verb);
  g_string_append_printf (text, "\n\n%s.\n", verb->summary);
  if (verb->options != NULL) {
    g_string_append (text, "\nOptions:\n");
    describe_options (text, verb->options);
  }
  g_string_append (text, "\nEverywhere:\n");
  describe_options (text, global_options);
  if (verb->help != NULL)
    verb->help (text);
  return g_string_free (text, FALSE);
}

/* --- Parsing ----------------------------------------------------------------------- */

static const LaurelCtlOption *
find_option (const LaurelCtlOption *options, const char *name, Nearest *nearest)
{
  for (; options != NULL && options->name != NULL; options++) {
    if (g_str_equal (options->name, name))
      return options;
    try_word (nearest, options->name);
  }
  return NULL;
}

static void
add_value (LaurelCtl *self, const char *name, const char *value)
{
  GPtrArray *values = g_hash_table_lookup (self->options, name);

  if (values == NULL) {
    values = g_ptr_array_new_with_free_func (g_free);
    g_hash_table_insert (self->options, g_strdup (name), values);
  }
  g_ptr_array_add (values, g_strdup (value));
}

/* One option at @argv[*@at]; moves *@at over its value. */
static gboolean
parse_option (LaurelCtl *self, int argc, char **argv, int *at, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (argv[*at] + 2, "=", 2);
  const char *name = parts[0], *value = parts[1];
  Nearest nearest = { name, NULL, 0 };
  const LaurelCtlOption *option = find_option (global_options, name, &nearest);

  if (option == NULL && self->verb != NULL)
    option = find_option (self->verb->options, name, &nearest);
  if (option == NULL)
    return refuse (
        error, "Could not understand “--%s”: there is no such option here; did you mean “--%s”?",
        name, nearest.nearest);
  if (option->argument == NULL && value != NULL)
    return refuse (error, "Could not understand “--%s”: it takes no value; write it alone", name);
  if (option->argument != NULL && value == NULL && *at + 1 >= argc)
    return refuse (error, "Could not understand “--%s”: its %s is missing; write one after it",
                   name, option->argument);
  if (option->argument != NULL && value == NULL)
    value = argv[++*at];
  if (!option->repeated && option->argument != NULL && g_hash_table_contains (self->options, name))
    return refuse (error, "Could not understand “--%s”: it is given twice; keep one", name);
  add_value (self, name, value != NULL ? value : "");
  return TRUE;
}

static gboolean
find_noun (LaurelCtl *self, const LaurelCtlNoun *const *nouns, const char *word, GError **error)
{
  Nearest nearest = { word, NULL, 0 };

  for (; *nouns != NULL; nouns++) {
    if (g_str_equal ((*nouns)->name, word)) {
      self->noun = *nouns;
      /* A noun with one verb without a name is its own verb. */
      if (self->noun->verbs[0].name[0] == '\0')
        self->verb = &self->noun->verbs[0];
      return TRUE;
    }
    try_word (&nearest, (*nouns)->name);
  }
  return refuse (error, "Could not understand “%s”: there is no such noun; did you mean “%s”?",
                 word, nearest.nearest);
}

static gboolean
find_verb (LaurelCtl *self, const char *word, GError **error)
{
  Nearest nearest = { word, NULL, 0 };

  for (const LaurelCtlVerb *verb = self->noun->verbs; verb->name != NULL; verb++) {
    if (g_str_equal (verb->name, word)) {
      self->verb = verb;
      return TRUE;
    }
    try_word (&nearest, verb->name);
  }
  return refuse (error, "Could not understand “%s %s”: there is no such verb; did you mean “%s”?",
                 self->noun->name, word, nearest.nearest);
}

static gboolean
parse_words (
    LaurelCtl *self, const LaurelCtlNoun *const *nouns, int argc, char **argv, GError **error)
{
  gboolean options_end = FALSE;

  for (int i = 1; i < argc; i++) {
    const char *word = argv[i];

    if (!options_end && g_str_equal (word, "--")) {
      options_end = TRUE;
    } else if (!options_end && g_str_has_prefix (word, "--")) {
      if (!parse_option (self, argc, argv, &i, error))
        return FALSE;
    } else if (self->noun == NULL) {
      if (!find_noun (self, nouns, word, error))
        return FALSE;
    } else if (self->verb == NULL) {
      if (!find_verb (self, word, error))
        return FALSE;
    } else {
      g_ptr_array_add (self->arguments, g_strdup (word));
    }
  }
  return TRUE;
}

static gboolean
check_arguments (LaurelCtl *self, GError **error)
{
  g_autoptr (GString) usage = g_string_new (NULL);
  int n = (int) self->arguments->len;

  if (self->noun == NULL)
    return refuse (error, "Could not do anything: no noun is given; see “laurelctl --help”");
  if (self->verb == NULL)
    return refuse (error,
                   "Could not understand “%s”: its verb is missing; see “laurelctl %s --help”",
                   self->noun->name, self->noun->name);
  append_usage (usage, self->noun, self->verb);
  if (n < self->verb->min_arguments)
    return refuse (error, "Could not understand the command: an argument is missing; write “%s”",
                   usage->str);
  if (self->verb->max_arguments >= 0 && n > self->verb->max_arguments)
    return refuse (error, "Could not understand “%s”: it is one argument too many; write “%s”",
                   (const char *) g_ptr_array_index (self->arguments, self->verb->max_arguments),
                   usage->str);
  return TRUE;
}

gboolean
laurel_ctl_parse (LaurelCtl *self,
                  const LaurelCtlNoun *const *nouns,
                  int argc,
                  char **argv,
                  char **out_text,
                  GError **error)
{
  self->arguments = g_ptr_array_new_with_free_func (g_free);
  self->options =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  *out_text = NULL;
  if (!parse_words (self, nouns, argc, argv, error))
    return FALSE;
  self->json = laurel_ctl_has (self, "json");
  self->quiet = laurel_ctl_has (self, "quiet");
  if (laurel_ctl_has (self, "version"))
    *out_text = g_strdup ("laurelctl " LAUREL_VERSION "\n");
  else if (laurel_ctl_has (self, "help"))
    *out_text = self->verb != NULL   ? help_on_verb (self->noun, self->verb)
                : self->noun != NULL ? help_on_noun (self->noun)
                                     : help_on_all (nouns);
  return *out_text != NULL || check_arguments (self, error);
}

void
laurel_ctl_clear (LaurelCtl *self)
{
  if (self->project != NULL)
    laurel_project_close (self->project);
  g_clear_object (&self->project);
  g_clear_pointer (&self->arguments, g_ptr_array_unref);
  g_clear_pointer (&self->options, g_hash_table_unref);
}

/* --- Values -------------------------------------------------------------------------- */

const char *
laurel_ctl_argument (LaurelCtl *self, int index)
{
  return index < (int) self->arguments->len ? g_ptr_array_index (self->arguments, index) : NULL;
}

gboolean
laurel_ctl_has (LaurelCtl *self, const char *option)
{
  return g_hash_table_contains (self->options, option);
}

GPtrArray *
laurel_ctl_get_all (LaurelCtl *self, const char *option)
{
  return g_hash_table_lookup (self->options, option);
}

const char *
laurel_ctl_get (LaurelCtl *self, const char *option)
{
  GPtrArray *values = laurel_ctl_get_all (self, option);

  return values != NULL ? g_ptr_array_index (values, values->len - 1) : NULL;
}

const char *
laurel_ctl_require (LaurelCtl *self, const char *option, GError **error)
{
  const char *value = laurel_ctl_get (self, option);

  if (value == NULL)
    refuse (error,
            "Could not understand the command: “--%s” is missing; see “laurelctl %s %s --help”",
            option, self->noun->name, self->verb->name);
  return value;
}

gboolean
laurel_ctl_get_int (
    LaurelCtl *self, const char *option, gint64 min, gint64 max, gint64 *value, GError **error)
{
  const char *text = laurel_ctl_get (self, option);
  g_autoptr (GError) local = NULL;

  if (text == NULL || g_ascii_string_to_signed (text, 10, min, max, value, &local))
    return TRUE;
  return refuse (error,
                 "Could not understand “--%s %s”: it must be a whole number from %" G_GINT64_FORMAT
                 " to %" G_GINT64_FORMAT "; correct it",
                 option, text, min, max);
}

gboolean
laurel_ctl_get_double (
    LaurelCtl *self, const char *option, double min, double max, double *value, GError **error)
{
  const char *text = laurel_ctl_get (self, option);
  char *end;
  double parsed;

  if (text == NULL)
    return TRUE;
  parsed = g_ascii_strtod (text, &end);
  if (end == text || *end != '\0' || !isfinite (parsed) || parsed < min || parsed > max)
    return refuse (error,
                   "Could not understand “--%s %s”: it must be a number from %g to %g; correct it",
                   option, text, min, max);
  *value = parsed;
  return TRUE;
}

gboolean
laurel_ctl_parse_id (const char *text, gint64 *out_id, GError **error)
{
  if (g_ascii_string_to_signed (text, 10, 1, G_MAXINT64, out_id, NULL))
    return TRUE;
  return refuse (
      error, "Could not understand “%s”: an id is a whole number from 1; see “laurelctl run list”",
      text);
}
