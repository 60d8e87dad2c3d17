/* SPDX-License-Identifier: MIT */
/* Networks, data and sessions come in. */
#pragma once

#include "graph/cut.h"
#include "graph/groups.h"
#include "io/onnx.h"
#include "model/work.h"
#include "prune/scores/scores.h"

G_BEGIN_DECLS

typedef enum { PJ_FILE_ONNX, PJ_FILE_SESSION, PJ_FILE_DATA } PjFileKind;

/* What @path is, by its content: a folder is data, an SQLite file a session, anything else is taken for
 * ONNX.  PJ_ERROR_IO if there is no such file. */
gboolean pj_work_detect (const char *path, PjFileKind *kind, GError **error);

/**
 * pj_work_open_data:
 * @where: a folder; "sample" for the embedded pictures; "fashion-mnist" for the whole set of that name where
 *   the system has it; NULL is "sample".  "?train=N" and "?test=N" behind it ("sample?train=500&test=100")
 *   take a balanced choice of so many pictures.
 */
PjDataset *pj_work_open_data (const char *where, GError **error);

/* The bundled network, trained on Fashion-MNIST. (transfer full) */
PjGraph *pj_work_open_sample (GError **error);

/**
 * pj_work_import:
 * @session: (nullable)
 * @graph: network that came from @origin (a path, or "sample")
 * @step: (out): the step, now the current one
 *
 * Begins the history of a session with a network.
 */
gboolean pj_work_import (PjSession *session, PjGraph *graph, const char *origin, int64_t *step, GError **error);

/**
 * PjWorkPlace: a step of a session with all that hangs on it.
 * @plan: what is marked to be cut; empty if nothing is
 * @ratios: keep ratio by group id
 */
typedef struct {
  PjStepRecord *step;
  PjGraph *graph;
  PjGroups *groups;
  PjCutPlan *plan;
  double *ratios;
} PjWorkPlace;

/* @step: 0 for the current one. PJ_STORE_ERROR_MISSING in an empty session. */
gboolean pj_work_open_step (PjSession *session, int64_t step, PjWorkPlace *place, GError **error);
void pj_work_place_clear (PjWorkPlace *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjWorkPlace, pj_work_place_clear)

/* An accuracy as the notes have it: "0.9185 of 10000". (transfer full) */
char *pj_work_accuracy_text (double top1, unsigned n);
/* Accuracy that was last measured for a model of the session ("0.9185 of 10000"), or NULL. (transfer full) */
char *pj_work_known_accuracy (PjSession *session, int64_t model);

G_END_DECLS
