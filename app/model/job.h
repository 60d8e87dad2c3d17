/* SPDX-License-Identifier: MIT */
/* PjmJob: a long piece of work in the queue of the engine thread, as the studio sees it.  Main thread. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define PJM_TYPE_JOB (pjm_job_get_type ())
G_DECLARE_FINAL_TYPE (PjmJob, pjm_job, PJM, JOB, GObject)

typedef enum {
  PJM_JOB_QUEUED, PJM_JOB_RUNNING, PJM_JOB_PAUSED, PJM_JOB_DONE, PJM_JOB_FAILED, PJM_JOB_CANCELLED,
  PJM_JOB_INTERRUPTED    /* the program ended while it ran; see pjm_project_resume() */
} PjmJobState;

/* Properties (all notify, on the main thread, at most about 20 times a second):
 *   "kind"     string   identifier: score, choose, cut, recalibrate, fine-tune, evaluate, compare, export
 *   "title"    string   "Fine-tune, 1 epoch"
 *   "state"    int      PjmJobState
 *   "stage"    string   "epoch 1 of 1, step 120 of 937"
 *   "fraction" double   0 … 1
 *   "elapsed"  double   seconds of work, pauses not counted
 *   "remaining" double  seconds, -1 while unknown (first 5 s)
 *   "error"    string   reason of a failure, else NULL
 *   "result"   string   one line about the outcome, NULL before
 *   "details"  string   “key value” lines behind the result, NULL if there are none: the certificate of an export
 *   "dismissed" boolean  a person has seen the failure; stored with the session
 *   "can-resume" boolean  pjm_project_resume() goes on with it: interrupted, or cancelled at a checkpoint
 */
PjmJobState pjm_job_get_state (PjmJob *self);
gboolean pjm_job_is_active (PjmJob *self);      /* queued, running or paused */
gboolean pjm_job_can_resume (PjmJob *self);
void pjm_job_cancel (PjmJob *self);
void pjm_job_set_paused (PjmJob *self, gboolean paused);
/* How many other jobs start before this one, 0 is next; -1 if it does not wait. */
int pjm_job_get_place (PjmJob *self);
/* Moves a waiting job in the queue: negative is sooner. FALSE if it cannot. Signal "moved" of that job. */
gboolean pjm_job_move (PjmJob *self, int places);

/* Asked of a method that trains gates: the gates of @group stay as they stand, or are trained again; end now with all
 * gates as they stand, which then are the marks of the layers.  It obeys at its next batch. */
void pjm_job_set_frozen (PjmJob *self, const char *group, gboolean frozen);
void pjm_job_finish (PjmJob *self);

/* Curves: names in the order of their first point ("loss", "test accuracy", "lr"). */
guint pjm_job_n_series (PjmJob *self);
const char *pjm_job_series_name (PjmJob *self, guint series);
/* Points of one curve; borrowed until the main loop runs. Signal "points-added" after new ones. */
const double *pjm_job_series_points (PjmJob *self, guint series, guint *n_points);   /* x0 y0 x1 y1 … */

G_END_DECLS
