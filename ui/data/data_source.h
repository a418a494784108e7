/* data_source.h: what each list of the Data page shows, and how its rows are read.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/store.h"
#include "ui/data/table.h"

G_BEGIN_DECLS

typedef struct {
  const char *title; /* N_() */
  LaurelColumnKind kind;
} LaurelDataColumn;

#define LAUREL_MAX_DATA_COLUMNS 7

typedef struct {
  const char *name;
  const char *title;       /* N_() */
  const char *empty;       /* N_(): what to do when there are none */
  gboolean can_search;
  gboolean by_labelers; /* rows of people can be told from those of programs */
  LaurelDataColumn columns[LAUREL_MAX_DATA_COLUMNS + 1]; /* ended by a NULL title */
  gint64 (*count) (LaurelStore *store, const char *search, LaurelLabelers labelers);
  GPtrArray *(*fetch) (LaurelStore *store, const char *search, LaurelLabelers labelers, int limit, int offset);
} LaurelDataSource;

const LaurelDataSource *laurel_data_sources (guint *out_n);

G_END_DECLS
