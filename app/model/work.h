/* SPDX-License-Identifier: MIT */
/* The long jobs, as plain functions for whoever owns the device: the engine thread of the studio, the
 * main thread of the command line.  Each runs to its end and returns; nothing here knows a main loop.
 *
 *   work-open.h       networks, data and sessions come in
 *   work-train.h      train, fine-tune, recalibrate, evaluate
 *   work-prune.h      score, choose, cut
 *   work-parts.h      whole branches and layers: judge, remove
 *   work-compare.h    methods x ratios
 *   work-small-data.h prune before or after a transfer
 *   work-export.h     a file with a certificate
 *   work-infer.h      outputs for given inputs
 *   work-report.h     a comparison as a page
 *
 * With a session, a job writes what it does as it does it: its record (kind, settings, seed, device,
 * timings, outcome), the points of its curves, checkpoints, and at the end the step of the history that
 * it leads to.  Without one it only computes.  A job that was interrupted (the process ended) or
 * cancelled goes on from what is stored: pj_work_resume(). */
#pragma once

#include "base/hooks.h"
#include "compute/device.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "prune/method.h"
#include "session/session.h"

G_BEGIN_DECLS

/* Notes of a network, which travel into exported files. */
#define PJ_NOTE_CRITERION "penjing.criterion"            /* method that chose what was cut */
#define PJ_NOTE_SEED "penjing.seed"
#define PJ_NOTE_BASE_MACS "penjing.base-macs"            /* of the network before the first cut */
#define PJ_NOTE_BASE_PARAMS "penjing.base-params"
#define PJ_NOTE_BASE_ACCURACY "penjing.base-accuracy"    /* "0.9185 of 10000" */
#define PJ_NOTE_ACCURACY "penjing.accuracy"
#define PJ_NOTE_CUT_DIFFERENCE "penjing.cut-difference"  /* largest between masked and cut, of the largest output */
#define PJ_NOTE_FILE_DIFFERENCE "penjing.file-difference" /* the same between the network and its file, read back */
#define PJ_NOTE_DATA "penjing.data"                      /* name of the data set of the accuracies */

/* Texts of a session by key: where its data is, as pj_work_open_data() takes it. */
#define PJ_META_DATA "data"

/**
 * PjWork: what a job works on.  All borrowed for the time of the call; zero-initialise, then set.
 * @device: used by the calling thread alone
 * @session: (nullable)
 * @step: the step that @graph belongs to; 0 without a session
 * @job: record of the job if it is stored already (it waited in a queue, or is resumed); 0 makes one
 * @graph: the network
 * @dataset: (nullable): not all jobs need it
 * @data: (nullable): where @dataset came from, as pj_work_open_data() takes it; stored in the settings
 * @out: (nullable): file that the result is meant for; only stored in the settings, for whoever resumes
 * @part_of, @stage: job of the session whose part this one is, and which part; 0 for a job of its own.  Only stored, for
 *   pj_work_find_stage()
 * @after: job that this one was asked to follow, 0 for none; @follow: (nullable): what was asked to follow this one.  Only
 *   stored in the settings, for whoever resumes; not for a part of a job
 * @hooks: (nullable)
 * @command: (nullable): what a person asks of a running method, as in PjMethodLife, with @command_data
 */
typedef struct {
  PjDevice *device;
  PjSession *session;
  int64_t step, job;
  PjGraph *graph;
  PjDataset *dataset;
  const char *data, *out;
  int64_t part_of;
  const char *stage;
  int64_t after;
  const char *follow;
  const PjHooks *hooks;
  gboolean (*command) (PjCommand *command, gpointer data);
  gpointer command_data;
} PjWork;

/**
 * PjWorkDone: what a job leaves besides its result.  Caller memory, zeroed by the job.
 * @job: its record, also of a job that failed; 0 without a session
 * @step: the step it made, which is now the current one; 0 if it made none
 * @text: one line for a person: "91.85 % of 10,000 pictures (±0.27), loss 0.231"
 */
typedef struct {
  int64_t job, step;
  char *text;
} PjWorkDone;

void pj_work_done_clear (PjWorkDone *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjWorkDone, pj_work_done_clear)

/**
 * pj_work_resume:
 * @work: device, session, job and hooks are needed; graph, step and dataset are found by the record
 * @done: (out) (optional)
 * @error: PJ_STORE_ERROR_MISSING, PJ_ERROR_INVALID for a job that has ended or is of a kind that cannot be
 *   resumed, and what the job itself can raise
 *
 * Runs the job @work->job to its end from what is stored of it.  Only jobs that take minutes can be
 * resumed: train, fine-tune, score, choose, compare, sensitivity, gate-blocks, small-data; the others are as quickly started again.
 */
gboolean pj_work_resume (const PjWork *work, PjWorkDone *done, GError **error);

/* TRUE for a job that pj_work_resume() would take. */
gboolean pj_work_can_resume (const PjJobRecord *job);

/**
 * pj_work_find_stage:
 * @job: (out): the part if it was stopped and can be resumed, else 0
 * @step: (out): the step that it made if it is done, else 0
 *
 * What is left of the part @stage of the larger job @part_of, whose process has ended; both 0 if it has to be done (again).
 */
gboolean pj_work_find_stage (PjSession *session, int64_t part_of, const char *stage, int64_t *job, int64_t *step, GError **error);

/* The job that @job is a part of, 0 if it is one of its own. */
int64_t pj_work_part_of (const PjJobRecord *job);

/* --- for the jobs themselves --- */

/* A running job: hooks that also store the points, and the record. */
typedef struct _PjWorkRun PjWorkRun;

/**
 * pj_work_begin:
 * @kind: identifier ("fine-tune"); @title: what a person reads
 * @settings: all that is needed to run it again, see work-settings.h; a line for the data is added
 *
 * Makes the record or takes @work->job, and marks it as running.
 */
PjWorkRun *pj_work_begin (const PjWork *work, const char *kind, const char *title, const char *settings,
                          uint64_t seed, GError **error);
/* Hooks to hand to the engine. */
const PjHooks *pj_work_run_hooks (PjWorkRun *self);
int64_t pj_work_run_job (const PjWorkRun *self);
/* Stores the points that are waiting, now. */
gboolean pj_work_run_flush (PjWorkRun *self, GError **error);
/**
 * pj_work_run_add_step:
 * @graph: the network of the step
 * @step: @model, @job and @parent are filled; it becomes the current one
 *
 * Stores the network and the step, as a child of the step that the job started from.  Nothing without a
 * session.
 */
gboolean pj_work_run_add_step (PjWorkRun *self, PjGraph *graph, PjStepRecord *step, GError **error);
/**
 * pj_work_end:
 * @ok: whether the job succeeded; if not, *@error says why
 * @done: (out) (nullable): @job is filled, on success also @text
 * @text: (transfer full) (nullable): the line for a person
 *
 * Stores the outcome and frees @self.
 *
 * Returns: @ok, or FALSE with @error set if the outcome could not be stored
 */
gboolean pj_work_end (PjWorkRun *self, gboolean ok, char *text, PjWorkDone *done, GError **error);

G_END_DECLS
