/* SPDX-License-Identifier: MIT */
/* The job "sensitivity": what each group can lose, measured group by group. */
#pragma once

#include "graph/groups.h"
#include "model/work.h"
#include "prune/search/sweep.h"

G_BEGIN_DECLS

/**
 * PjWorkSensitivity:
 * @criterion: name of the criterion that says which channels go first
 * @ratios: shares to keep, written as numbers
 * @n_images: calibration pictures of the criterion, 0 for its default
 * @n_test: test pictures to measure on, 0 for all
 */
typedef struct {
  char *criterion;
  char **ratios;
  unsigned n_images, n_test;
  uint64_t seed;
} PjWorkSensitivity;

/* By weight sum, 0.9 to 0.1 in steps of 0.1, on 1000 test pictures, seed 1. */
void pj_work_sensitivity_init (PjWorkSensitivity *self);
void pj_work_sensitivity_clear (PjWorkSensitivity *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjWorkSensitivity, pj_work_sensitivity_clear)
char *pj_work_sensitivity_write (const PjWorkSensitivity *self);
gboolean pj_work_sensitivity_read (PjWorkSensitivity *self, const char *text, GError **error);

/**
 * pj_work_sensitivity:
 * @func: (nullable): called on this thread after each group that was measured, once it is stored
 *
 * With a session the points become curves of the job over the ratio, "top1 GROUP" and "kl GROUP", stored as each group
 * finishes; "top1" and "pictures" at ratio 1 hold what the whole network gave.  A resumed job measures only groups that
 * are missing.
 *
 * At a step of the session whose weights were trained under gates, all of this is about the network without the channels
 * that the step marks, ratios too; "rest" at ratio 1 says so.
 *
 * Returns: (transfer full)
 */
PjSweep *pj_work_sensitivity (const PjWork *work, const PjGroups *groups, const PjWorkSensitivity *settings, PjSweepFunc func,
                              gpointer data, PjWorkDone *done, GError **error);

/* What @job has stored so far; only whole groups. Empty, without pictures, if there is nothing yet. (transfer full) */
PjSweep *pj_work_sensitivity_stored (PjSession *session, int64_t job, const PjGroups *groups, GError **error);

G_END_DECLS
