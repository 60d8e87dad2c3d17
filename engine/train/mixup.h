/* SPDX-License-Identifier: MIT */
/* Mixup: each picture of a batch is mixed with another one, and so are their labels (Zhang et al.: mixup: Beyond
 * Empirical Risk Minimization, ICLR 2018). */
#pragma once

#include "data/loader.h"

G_BEGIN_DECLS

typedef struct _PjMixup PjMixup;

/* @alpha: the share of a batch comes from Beta (alpha, alpha); 1 is uniform. @n_classes: of the labels. */
PjMixup *pj_mixup_new (unsigned batch, size_t picture_elems, unsigned n_classes, double alpha, uint64_t seed, GError **error);
void pj_mixup_free (PjMixup *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjMixup, pj_mixup_free)

/* Mixes @batch, number @index of @epoch: share and partners follow from (seed, epoch, index) alone. */
void pj_mixup_apply (PjMixup *self, const PjBatch *batch, unsigned epoch, unsigned index);
/* batch x picture, valid until the next pj_mixup_apply(). */
const float *pj_mixup_images (const PjMixup *self);
/* batch x classes: λ of one label and 1 − λ of the other. */
const float *pj_mixup_labels (const PjMixup *self);

/* x̃[i] = λ·x[i] + (1 − λ)·x[partner[i]], and the same for the labels; what pj_mixup_apply() does with what it draws. */
void pj_mixup_blend (const float *x, const int32_t *labels, unsigned n, size_t picture_elems, unsigned n_classes,
                     double lambda, const uint32_t *partner, float *mixed, float *shares);

G_END_DECLS
