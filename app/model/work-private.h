/* SPDX-License-Identifier: MIT */
/* What pj_work_resume() calls: each runs a job from the settings of its record. */
#pragma once

#include "model/work.h"
#include "prune/method.h"

G_BEGIN_DECLS

gboolean pj_work_train_resume (const PjWork *work, const char *settings, PjWorkDone *done, GError **error);
gboolean pj_work_score_resume (const PjWork *work, const char *settings, PjWorkDone *done, GError **error);
gboolean pj_work_choose_resume (const PjWork *work, const char *settings, PjWorkDone *done, GError **error);
gboolean pj_work_compare_resume (const PjWork *work, const char *settings, PjWorkDone *done, GError **error);
gboolean pj_work_gate_blocks_resume (const PjWork *work, const char *settings, PjWorkDone *done, GError **error);
gboolean pj_work_small_data_resume (const PjWork *work, const char *settings, PjWorkDone *done, GError **error);
gboolean pj_work_sensitivity_resume (const PjWork *work, const char *settings, PjWorkDone *done, GError **error);

/* Checkpoints and commands of a method that runs as the job of @run, which it must not outlive. */
typedef struct _PjWorkLife PjWorkLife;
PjWorkLife *pj_work_life_new (const PjWork *work, PjWorkRun *run, GError **error);
void pj_work_life_free (PjWorkLife *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjWorkLife, pj_work_life_free)
const PjMethodLife *pj_work_life_get (const PjWorkLife *self);

/* Notes in the smaller network @cut what it was made from. @method: (nullable): what chose; @base_accuracy: (nullable): asks
 * the session. */
void pj_work_note_origin (const PjWork *work, PjGraph *cut, const char *method, uint64_t seed, const char *base_accuracy);

/* "91.85 %" of a share. (transfer full) */
char *pj_work_percent (double share);
/* Remembers the accuracy of a model in the session, for pj_work_known_accuracy(). */
gboolean pj_work_remember_accuracy (PjSession *session, int64_t model, double top1, unsigned n, GError **error);

G_END_DECLS
