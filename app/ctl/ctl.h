/* ctl.h: what the command groups of laurelctl share: options by table, output, the project.
 *
 * A noun is a table of verbs, a verb a table of options; parsing, --help and
 * the errors about wrong usage are made from the tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/json.h"
#include "core/label/exchange.h"
#include "core/model/model.h"
#include "core/project/project.h"

G_BEGIN_DECLS

/* Wrong usage: exit code 2. Everything else that fails is 1. */
#define LAUREL_CTL_USAGE (laurel_ctl_usage_quark ())
GQuark laurel_ctl_usage_quark (void);

typedef struct {
  const char *name;        /* without the dashes; NULL ends a table */
  const char *argument;    /* what stands for its value in --help; NULL: a switch */
  const char *description; /* a sentence without its full stop */
  gboolean repeated;       /* may be given several times */
} LaurelCtlOption;

typedef struct _LaurelCtl LaurelCtl;

typedef struct {
  const char *name;      /* NULL ends a table */
  const char *arguments; /* for --help: "NAME DIR" */
  int min_arguments;
  int max_arguments; /* −1: any number */
  const LaurelCtlOption *options;
  const char *summary;
  gboolean (*run) (LaurelCtl *self, GError **error);
  void (*help) (GString *text); /* (nullable): more for --help */
} LaurelCtlVerb;

typedef struct {
  const char *name;
  const char *summary;
  const LaurelCtlVerb *verbs;
} LaurelCtlNoun;

struct _LaurelCtl {
  const LaurelCtlNoun *noun;
  const LaurelCtlVerb *verb;
  GPtrArray *arguments; /* (element-type utf8) */
  GHashTable *options;  /* name → GPtrArray of values */
  gboolean json;
  gboolean quiet;
  LaurelProject *project; /* NULL until it is asked for */
};

extern const LaurelCtlNoun laurel_ctl_project;
extern const LaurelCtlNoun laurel_ctl_tokenizer;
extern const LaurelCtlNoun laurel_ctl_corpus;
extern const LaurelCtlNoun laurel_ctl_model;
extern const LaurelCtlNoun laurel_ctl_prompt;
extern const LaurelCtlNoun laurel_ctl_sample;
extern const LaurelCtlNoun laurel_ctl_ranking;
extern const LaurelCtlNoun laurel_ctl_train;
extern const LaurelCtlNoun laurel_ctl_evaluate;
extern const LaurelCtlNoun laurel_ctl_run;
extern const LaurelCtlNoun laurel_ctl_loop;
extern const LaurelCtlNoun laurel_ctl_bench;

/* --- options.c ------------------------------------------------------------- */

/* Fills @self from @argv; with --help or --version, sets @out_text to what is to be printed instead. */
gboolean laurel_ctl_parse (LaurelCtl *self, const LaurelCtlNoun *const *nouns, int argc, char **argv, char **out_text,
                           GError **error);
void laurel_ctl_clear (LaurelCtl *self);

const char *laurel_ctl_argument (LaurelCtl *self, int index); /* NULL: not given */
gboolean laurel_ctl_has (LaurelCtl *self, const char *option);
const char *laurel_ctl_get (LaurelCtl *self, const char *option); /* the last one given; NULL: none */
GPtrArray *laurel_ctl_get_all (LaurelCtl *self, const char *option); /* borrowed; NULL: none */
const char *laurel_ctl_require (LaurelCtl *self, const char *option, GError **error);
/* Leave *@value as it is when the option is not given. */
gboolean laurel_ctl_get_int (LaurelCtl *self, const char *option, gint64 min, gint64 max, gint64 *value, GError **error);
gboolean laurel_ctl_get_double (LaurelCtl *self, const char *option, double min, double max, double *value,
                                GError **error);
gboolean laurel_ctl_parse_id (const char *text, gint64 *out_id, GError **error);

/* --- output.c --------------------------------------------------------------- */

/* Aligned columns; numbers to the right. @cells has n_rows × n_columns strings, the first row the headings. */
typedef struct {
  int n_columns;
  GPtrArray *cells; /* (element-type utf8) */
} LaurelCtlTable;

LaurelCtlTable *laurel_ctl_table_new (const char *heading, ...) G_GNUC_NULL_TERMINATED;
LaurelCtlTable *laurel_ctl_table_new_columns (const char *const *headings); /* NULL-terminated */
void laurel_ctl_table_add (LaurelCtlTable *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
void laurel_ctl_table_print (LaurelCtlTable *self); /* frees it */
void laurel_ctl_table_free (LaurelCtlTable *self);

void laurel_ctl_print_json (JsonNode *node); /* takes it */
void laurel_ctl_print_builder (JsonBuilder *builder);
void laurel_ctl_print_error (const char *message);

/* A bar on standard error; nothing when that is no terminal or with --quiet. */
void laurel_ctl_show_progress (LaurelCtl *self, const char *what, double share, double seconds_left);
void laurel_ctl_hide_progress (LaurelCtl *self);

/* Standard input or a file, "-" or NULL being the former; UTF-8. */
char *laurel_ctl_read_input (const char *path, gsize *out_length, GError **error);

/* --- common.c ---------------------------------------------------------------- */

/* --project, else the current folder when it is one. */
gboolean laurel_ctl_open_project (LaurelCtl *self, GError **error);
/* The folder of a model of the project, if there is one, or a directory. */
char *laurel_ctl_find_model (LaurelCtl *self, const char *name, GError **error);
LaurelModel *laurel_ctl_load_model (LaurelCtl *self, const char *name, GError **error);
/* --labelers; leaves *@labelers as it is when it is not given. */
gboolean laurel_ctl_get_labelers (LaurelCtl *self, LaurelLabelers *labelers, GError **error);
/* From now on Ctrl+C and SIGTERM do not end the program, but make laurel_ctl_go_on() say no; once more ends it. */
void laurel_ctl_catch_interrupts (void);
gboolean laurel_ctl_go_on (void);
/* Waits with a progress bar; Ctrl+C stops the run with a checkpoint. Prints the run's id first and its end last, and,
 * neither with --json nor with --quiet, its log in between. */
gboolean laurel_ctl_follow_run (LaurelCtl *self, gint64 run_id, GError **error);
/* The same without printing anything on standard output. */
gboolean laurel_ctl_wait_run (LaurelCtl *self, gint64 run_id, const char *what, GError **error);
/* In prompt.c: what an import came to; FALSE and an error that names the first refused row when there is one. */
gboolean laurel_ctl_report_import (LaurelCtl *self, const char *path, const LaurelImportResult *result, GError **error);
void laurel_ctl_report_export (LaurelCtl *self, const char *path, int n);
/* A JSON array of arrays of token ids in @path. */
GPtrArray *laurel_ctl_read_id_arrays (const char *path, const LaurelModel *model, GError **error);

G_END_DECLS
