/* SPDX-License-Identifier: MIT */
#include "train/mixup.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

struct _PjMixup {
  unsigned batch, n_classes;
  size_t picture_elems;
  double alpha;
  uint64_t seed;
  uint32_t *partner;
  float *images, *shares;
};

PjMixup *
pj_mixup_new (unsigned batch, size_t picture_elems, unsigned n_classes, double alpha, uint64_t seed, GError **error)
{
  g_autoptr (PjMixup) self = g_new0 (PjMixup, 1);

  self->batch = batch;
  self->picture_elems = picture_elems;
  self->n_classes = n_classes;
  self->alpha = alpha;
  self->seed = seed;
  self->partner = g_new (uint32_t, batch);
  self->images = pj_alloc (batch * picture_elems * sizeof (float), "mixed pictures", error);
  self->shares = self->images != NULL ? pj_alloc ((size_t) batch * n_classes * sizeof (float), "mixed labels", error) : NULL;
  return self->shares != NULL ? g_steal_pointer (&self) : NULL;
}

void
pj_mixup_free (PjMixup *self)
{
  if (self == NULL)
    return;
  g_free (self->partner);
  pj_free (self->images);
  pj_free (self->shares);
  g_free (self);
}

/* Beta (a, a) by Jöhnk: of pairs u^(1/a), v^(1/a) whose sum is at most 1 the first one's part. */
static double
draw_beta (PjRng *rng, double a)
{
  for (;;) {
    double x = pow (1 - pj_rng_uniform (rng), 1 / a), y = pow (1 - pj_rng_uniform (rng), 1 / a);
    if (x + y <= 1 && x + y > 0)
      return x / (x + y);
  }
}

void
pj_mixup_blend (const float *x, const int32_t *labels, unsigned n, size_t picture_elems, unsigned n_classes, double lambda,
                const uint32_t *partner, float *mixed, float *shares)
{
  float a = (float) lambda, b = (float) (1 - lambda);

  memset (shares, 0, (size_t) n * n_classes * sizeof (float));
  for (unsigned i = 0; i < n; i++) {
    const float *one = x + i * picture_elems, *other = x + partner[i] * picture_elems;
    float *out = mixed + i * picture_elems;
    for (size_t k = 0; k < picture_elems; k++)
      out[k] = a * one[k] + b * other[k];
    shares[(size_t) i * n_classes + (size_t) labels[i]] += a;
    shares[(size_t) i * n_classes + (size_t) labels[partner[i]]] += b;
  }
}

void
pj_mixup_apply (PjMixup *self, const PjBatch *batch, unsigned epoch, unsigned index)
{
  PjRng rng;

  pj_rng_init (&rng, self->seed, PJ_STREAM (PJ_STREAM_MIXUP, epoch, index));
  double lambda = self->alpha == 1 ? pj_rng_uniform (&rng) : draw_beta (&rng, self->alpha);
  for (uint32_t i = 0; i < self->batch; i++)
    self->partner[i] = i;
  pj_rng_shuffle (&rng, self->partner, self->batch);
  pj_mixup_blend (batch->images, batch->labels, self->batch, self->picture_elems, self->n_classes, lambda, self->partner,
                  self->images, self->shares);
}

const float *
pj_mixup_images (const PjMixup *self)
{
  return self->images;
}

const float *
pj_mixup_labels (const PjMixup *self)
{
  return self->shares;
}
