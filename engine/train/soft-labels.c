/* SPDX-License-Identifier: MIT */
#include "train/soft-labels.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "compute/plan.h"

#define BATCH 64

PjSoftLabels *
pj_soft_labels_new (unsigned n, unsigned n_classes, GError **error)
{
  g_autoptr (PjSoftLabels) self = g_new0 (PjSoftLabels, 1);

  self->n = n;
  self->n_classes = n_classes;
  self->logits = pj_alloc ((size_t) n * n_classes * sizeof (float), "labels of all pictures", error);
  return self->logits != NULL ? g_steal_pointer (&self) : NULL;
}

void
pj_soft_labels_free (PjSoftLabels *self)
{
  if (self == NULL)
    return;
  pj_free (self->logits);
  g_free (self);
}

/* All batches of @loader through @plan. */
static gboolean
ask_all (PjSoftLabels *self, PjPlan *plan, PjLoader *loader, float *logits, const PjHooks *hooks, GError **error)
{
  const PjBatch *batch;
  GError *reason = NULL;
  unsigned done = 0;

  pj_loader_start (loader, 0, 0);
  while ((batch = pj_loader_next (loader, &reason)) != NULL) {
    if (!pj_hooks_go_on (hooks, error) || !pj_plan_set_images (plan, batch->images, error) || !pj_plan_forward (plan, NULL, error)
        || !pj_plan_read_logits (plan, logits, error))
      return FALSE;
    for (unsigned i = 0; i < batch->n; i++)
      memcpy (self->logits + (size_t) batch->indices[i] * self->n_classes, logits + (size_t) i * self->n_classes,
              self->n_classes * sizeof (float));
    done += batch->n;
    pj_hooks_progress (hooks, 0, "labels of the teacher: %u of %u pictures", done, self->n);
  }
  if (reason == NULL)
    return TRUE;
  g_propagate_error (error, reason);
  return FALSE;
}

gboolean
pj_soft_labels_ask (PjSoftLabels *self, PjDevice *device, PjGraph *teacher, PjDataset *dataset, const PjFormat *format,
                    const PjHooks *hooks, GError **error)
{
  PjLoaderOptions options = { .split = PJ_SPLIT_TRAIN, .format = *format, .batch = MIN (BATCH, self->n), .n_threads = 2 };
  PjPlanOptions plan_options = { .batch = options.batch, .mode = PJ_PLAN_INFER };
  g_autoptr (PjLoader) loader = pj_loader_new (dataset, &options, error);
  g_autoptr (PjParams) params = loader != NULL ? pj_params_new (device, teacher, FALSE, error) : NULL;
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (teacher, params, &plan_options, error) : NULL;
  if (plan == NULL)
    return FALSE;
  float *logits = pj_alloc ((size_t) options.batch * self->n_classes * sizeof (float), "class scores", error);
  gboolean ok = logits != NULL && ask_all (self, plan, loader, logits, hooks, error);
  pj_free (logits);
  return ok;
}

void
pj_soft_labels_gather (const PjSoftLabels *self, const uint32_t *indices, unsigned n, float *out)
{
  for (unsigned i = 0; i < n; i++)
    memcpy (out + (size_t) i * self->n_classes, self->logits + (size_t) indices[i] * self->n_classes,
            self->n_classes * sizeof (float));
}

/* log Σ exp (z/T), stable. */
static double
log_sum_exp (const float *z, unsigned n, double t)
{
  double largest = z[0], sum = 0;

  for (unsigned k = 1; k < n; k++)
    largest = fmax (largest, z[k]);
  for (unsigned k = 0; k < n; k++)
    sum += exp ((z[k] - largest) / t);
  return largest / t + log (sum);
}

void
pj_soft_labels_update (PjSoftLabels *self, const uint32_t *indices, unsigned n, const float *student, double alpha,
                       double temperature, double rate)
{
  unsigned classes = self->n_classes;
  double step = rate * alpha * temperature / n;

  for (unsigned i = 0; i < n && rate != 0; i++) {
    float *l = self->logits + (size_t) indices[i] * classes;
    const float *o = student + (size_t) i * classes;
    double lse_p = log_sum_exp (l, classes, temperature), lse_q = log_sum_exp (o, classes, temperature);
    for (unsigned k = 0; k < classes; k++)
      l[k] -= (float) (step * (exp (l[k] / temperature - lse_p) - exp (o[k] / temperature - lse_q)));
  }
}
