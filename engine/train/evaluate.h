/* SPDX-License-Identifier: MIT */
/* Accuracy of a network, and the norm statistics after a cut. */
#pragma once

#include "base/hooks.h"
#include "compute/device.h"
#include "compute/params.h"
#include "data/loader.h"
#include "graph/graph.h"
#include "graph/cut.h"

G_BEGIN_DECLS

/* In place of a class: the network gave no number. */
#define PJ_NO_ANSWER G_MAXUINT16

/* @top1, @top5: shares 0 … 1; @loss: mean cross-entropy; @per_class: (nullable): top-1 of each class,
 * n_classes values; @n: pictures used; @images_per_second: device time only, without loading. */
typedef struct {
  double top1, top5, loss, images_per_second;
  unsigned n, n_classes;
  float *per_class;
  guint8 *correct;        /* n flags in the order of the split, for paired comparisons */
  uint16_t *answers;      /* the class that each picture was taken for, in the same order, or PJ_NO_ANSWER */
} PjAccuracy;

void pj_accuracy_clear (PjAccuracy *self);
/* Standard error of top1: √(p (1 − p)/n). */
double pj_accuracy_error (const PjAccuracy *self);

/**
 * pj_evaluate:
 * @n_max: pictures to use, the first of the split; 0 for all
 * @masks: (nullable): removed channels of these groups are multiplied by 0 (masked network) and factors
 *   are multiplied into the consumers, which is what pj_cut() would compute; needs @groups
 * @error: PJ_DATA_ERROR_MISMATCH; those of pj_cut() and pj_plan_new(); PJ_ERROR_CANCELLED
 */
gboolean pj_evaluate (PjDevice *device, PjGraph *graph, PjDataset *dataset, PjSplit split,
                      const PjFormat *format, unsigned n_max, const PjGroups *groups, const PjCutPlan *masks,
                      const PjHooks *hooks, PjAccuracy *accuracy, GError **error);

/**
 * pj_evaluator: keeps a plan, the decoded pictures and their labels for repeated masked evaluations of one
 * network — the live preview of a slider.
 */
typedef struct _PjEvaluator PjEvaluator;
PjEvaluator *pj_evaluator_new (PjDevice *device, PjGraph *graph, const PjGroups *groups, PjDataset *dataset,
                               PjSplit split, const PjFormat *format, unsigned n_max, GError **error);
gboolean pj_evaluator_run (PjEvaluator *self, const PjCutPlan *masks, const PjHooks *hooks,
                           PjAccuracy *accuracy, GError **error);
/* The same, and what the network said: @logits: (out): pj_evaluator_n() x classes. */
gboolean pj_evaluator_run_logits (PjEvaluator *self, const PjCutPlan *masks, const PjHooks *hooks, float *logits,
                                  PjAccuracy *accuracy, GError **error);
/* Pictures that it measures on, and how many of them a batch holds. */
unsigned pj_evaluator_n (const PjEvaluator *self);
unsigned pj_evaluator_batch (const PjEvaluator *self);
/* For whoever runs a plan of their own over the same pictures: a batch from picture @first on (a short last one repeats
 * its first picture), valid until the next call; returns how many are real. */
unsigned pj_evaluator_images (PjEvaluator *self, unsigned first, const float **images);
/* How many of the @n pictures from @first on @logits gets right, counted as everywhere. */
unsigned pj_evaluator_count_right (const PjEvaluator *self, unsigned first, unsigned n, const float *logits);
/* Its network's parameters on the device, as they are in the network unless masks with factors were run. */
PjParams *pj_evaluator_params (PjEvaluator *self);
void pj_evaluator_free (PjEvaluator *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjEvaluator, pj_evaluator_free)

/**
 * pj_recalibrate:
 * @n_batches: batches of 64 training pictures; 0 for 20
 *
 * Re-estimates the running statistics of all norms: cumulative mean of batch means and unbiased batch
 * variances.  Returns @graph itself, referenced, if it has no norms.
 */
PjGraph *pj_recalibrate (PjDevice *device, PjGraph *graph, PjDataset *dataset, const PjFormat *format,
                         unsigned n_batches, uint64_t seed, const PjHooks *hooks, GError **error);
/* The same from @n_batches full batches of @batch pictures of @loader, epoch after epoch. */
PjGraph *pj_recalibrate_from (PjDevice *device, PjGraph *graph, PjLoader *loader, unsigned batch, unsigned n_batches,
                              const PjHooks *hooks, GError **error);

G_END_DECLS
