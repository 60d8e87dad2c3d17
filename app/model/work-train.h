/* SPDX-License-Identifier: MIT */
/* Jobs that train or measure a network: kinds "train", "fine-tune", "recalibrate", "norms", "evaluate". */
#pragma once

#include "model/work.h"
#include "train/evaluate.h"
#include "train/norms.h"
#include "train/trainer.h"

G_BEGIN_DECLS

/**
 * PjWorkTrain:
 * @fresh: trained from initial weights, not fine-tuned: only the words differ
 * @anew: of the network only its shape is taken; it is trained from initial weights (pj_graph_fresh())
 * @teacher: (nullable): ONNX file whose logits are imitated; options.distill is its weight
 * @teacher_step: step of the session whose network is the teacher, 0 for none
 * @teacher_graph: (nullable): the teacher itself, borrowed, for work without a session; it is not written
 * @checkpoint_seconds: at most so much work is lost when the process is killed
 */
typedef struct {
  PjTrainOptions options;
  gboolean fresh, anew;
  char *teacher;
  uint64_t teacher_step;
  PjGraph *teacher_graph;
  double checkpoint_seconds;
} PjWorkTrain;

/* Fine-tuning for one epoch at 0.01; a checkpoint every 5 s. */
void pj_work_train_init (PjWorkTrain *self);
void pj_work_train_clear (PjWorkTrain *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjWorkTrain, pj_work_train_clear)
char *pj_work_train_write (const PjWorkTrain *self);
gboolean pj_work_train_read (PjWorkTrain *self, const char *text, GError **error);

/**
 * pj_work_train:
 * @result: (out) (optional): measured figures, for pj_train_result_clear()
 *
 * Trains @work->graph.  With a session: points and checkpoints while it runs, PJ_STEP_TRAINED at the end, and the refined
 * labels, if there are any, kept with the job.
 * Started again with @work->job, or by pj_work_resume(), it goes on from the last checkpoint and ends with
 * the same bits as if it had never stopped.
 *
 * Returns: (transfer full): the trained network, or NULL
 */
PjGraph *pj_work_train (const PjWork *work, const PjWorkTrain *settings, PjTrainResult *result, PjWorkDone *done,
                        GError **error);

/* @n_batches: 0 for the default.  Makes PJ_STEP_RECALIBRATED. (transfer full) */
PjGraph *pj_work_recalibrate (const PjWork *work, unsigned n_batches, uint64_t seed, PjWorkDone *done, GError **error);

/* What the step below is called in a session, where its kind is that of norms measured again. */
#define PJ_WORK_NORMS_TITLE "Bring folded norms back"

/* Puts norms behind the convolutions that have none, measured on @n_images training pictures (0: 512).  Makes
 * PJ_STEP_RECALIBRATED if there are such. (transfer full) */
PjGraph *pj_work_bring_norms_back (const PjWork *work, unsigned n_images, uint64_t seed, PjNormsBack *result, PjWorkDone *done,
                                   GError **error);

/**
 * pj_work_evaluate:
 * @n_max: test pictures, 0 for all
 * @groups, @masks: (nullable): measure the masked network
 *
 * Accuracy on the test part.  Without masks the session remembers it for the model.
 */
gboolean pj_work_evaluate (const PjWork *work, unsigned n_max, const PjGroups *groups, const PjCutPlan *masks,
                           PjAccuracy *accuracy, PjWorkDone *done, GError **error);
/* The same of the network of the step @work->step, read from the session, with what is marked there masked; @work->graph is
 * not used.  The session remembers the answers: of a step with marks for the step, of others for the model. */
gboolean pj_work_evaluate_step (const PjWork *work, PjWorkDone *done, GError **error);
/* TRUE if the network of a step with this plan is another one than its model. */
gboolean pj_work_has_marks (const PjGroups *groups, const PjCutPlan *plan);

G_END_DECLS
