/* SPDX-License-Identifier: MIT */
/* One opening of a file: everything is read, checked and laid out on the files thread; only when all of it
 * is there does the main thread put it in the place of what was open. */
#pragma once

#include "base/hooks.h"
#include "data/dataset.h"
#include "model/place-private.h"
#include "model/project.h"
#include "session/session.h"

G_BEGIN_DECLS

/* A stored comparison with the groups that its masks name. */
typedef struct {
  PjComparisonRecord *record;
  PjGroups *groups;
} PjmFoundComparison;

/**
 * PjmOpening:
 * @path: (nullable): NULL for the sample
 * @open_path: (nullable): the session that is open now
 * @network: (nullable): what is shown now, for data that must fit it
 * @is_data: a folder of pictures: only @dataset and @where are found
 * @is_same: the session that is open already: nothing is found
 * @made: (nullable): session file that this call made
 * @steps: (element-type PjStepRecord): with their cuts
 * @jobs, @points: (element-type PjJobRecord), (element-type GArray of PjPoint)
 * @comparisons: (element-type PjmFoundComparison)
 * @remarks: (nullable): of the import, one a line
 * @data_error: (nullable): why the pictures of the session are not there
 */
typedef struct {
  PjmProject *project;
  char *path, *state_dir, *open_path;
  PjmNetwork *network;
  GCancellable *cancellable;
  gulong handler;

  /* What was found. */
  gboolean is_data, is_same;
  char *made;
  PjSession *session;
  GPtrArray *steps, *jobs, *points, *comparisons;
  GPtrArray *step_names;        /* char *, NULL where none */
  GArray *step_deleted;         /* gboolean */
  char *view, *remarks;
  GHashTable *dismissed;        /* ids of jobs */
  gint64 current;
  PjmPlace *place;
  PjDataset *dataset;
  char *where, *data_error;
  const char *criterion;
} PjmOpening;

/* Files thread. */
gboolean pjm_opening_run (gpointer data, const PjHooks *hooks, GError **error);
/* Main thread. */
void pjm_opening_free (gpointer data);

G_END_DECLS
