/* SPDX-License-Identifier: MIT */
/* Label refinement: every training picture has label logits of its own, which start as the teacher's answer and then
 * drift to the student's belief (Luo, Wu: Neural Network Pruning with Residual-Connections and Limited-Data,
 * CVPR 2020).
 *
 * With q = softmax (student/T) and p = softmax (label/T) the loss of a batch of B pictures is
 *   α·T²·KL (q ‖ p) + (1 − α)·cross-entropy,   and   l ← l − η·α·T·(p − q)/B. */
#pragma once

#include "base/hooks.h"
#include "compute/device.h"
#include "data/loader.h"
#include "graph/graph.h"

G_BEGIN_DECLS

/* Logits by place in the training part, whatever order batches come in. */
typedef struct _PjSoftLabels PjSoftLabels;
struct _PjSoftLabels {
  unsigned n, n_classes;
  float *logits;          /* n x n_classes */
};

/* Zeros. PJ_ERROR_NO_MEMORY. */
PjSoftLabels *pj_soft_labels_new (unsigned n, unsigned n_classes, GError **error);
void pj_soft_labels_free (PjSoftLabels *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjSoftLabels, pj_soft_labels_free)

/* The teacher's logits of all training pictures of @dataset, prepared as for evaluation; the teacher runs once. */
gboolean pj_soft_labels_ask (PjSoftLabels *self, PjDevice *device, PjGraph *teacher, PjDataset *dataset, const PjFormat *format,
                             const PjHooks *hooks, GError **error);

/* The rows of @indices. @out: n x n_classes. */
void pj_soft_labels_gather (const PjSoftLabels *self, const uint32_t *indices, unsigned n, float *out);

/**
 * pj_soft_labels_update:
 * @student: n x n_classes logits of the step, before its weights changed
 * @alpha, @temperature, @rate: α, T, η
 */
void pj_soft_labels_update (PjSoftLabels *self, const uint32_t *indices, unsigned n, const float *student, double alpha,
                            double temperature, double rate);

G_END_DECLS
