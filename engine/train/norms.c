/* SPDX-License-Identifier: MIT */
/* The network runs as it is, and the outputs of its convolutions are counted on the way: a pass with batch
 * statistics would change what later layers see. */
#include "train/norms.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "compute/plan.h"
#include "train/meter.h"

#define BATCH 64
#define DEFAULT_IMAGES 512

/* Mean and sum of squared distances of each channel of one convolution so far. */
typedef struct {
  int value, n_channels;
  double n_positions;        /* of one picture */
  double n;                  /* numbers of one channel so far */
  double *mean, *m2;
} Tally;

typedef struct {
  GArray *nodes;
  Tally *tallies;
  int *values;
  float *stats;              /* of one value and batch */
  float *logits[2];
  unsigned batch, n_classes;
} Measuring;

static void
measuring_clear (Measuring *self)
{
  for (guint i = 0; self->tallies != NULL && i < self->nodes->len; i++) {
    g_free (self->tallies[i].mean);
    g_free (self->tallies[i].m2);
  }
  g_free (self->tallies);
  g_free (self->values);
  pj_free (self->stats);
  pj_free (self->logits[0]);
  pj_free (self->logits[1]);
  g_clear_pointer (&self->nodes, g_array_unref);
}

static gboolean
measuring_init (Measuring *self, const PjGraph *graph, GError **error)
{
  int widest = 1;
  self->tallies = g_new0 (Tally, self->nodes->len);
  self->values = g_new (int, self->nodes->len);
  for (guint i = 0; i < self->nodes->len; i++) {
    int value = pj_graph_node (graph, g_array_index (self->nodes, int, i))->outputs[0];
    const PjShape *shape = &pj_graph_value (graph, value)->shape;
    int c = (int) shape->dim[1];
    self->values[i] = value;
    self->tallies[i] = (Tally) { value, c, (double) pj_shape_n_elems (shape) / c, 0, g_new0 (double, c), g_new0 (double, c) };
    widest = MAX (widest, c);
  }
  self->stats = pj_alloc ((size_t) self->batch * (size_t) widest * PJ_N_STATS * sizeof (float), "statistics of channels", error);
  self->n_classes = pj_graph_n_classes (graph);
  for (int i = 0; self->stats != NULL && i < 2; i++)
    if ((self->logits[i] = pj_alloc ((size_t) self->batch * self->n_classes * sizeof (float), "class scores", error)) == NULL)
      return FALSE;
  return self->stats != NULL;
}

/* Adds one picture (Chan, Golub, LeVeque 1979). */
static void
add_picture (Tally *t, const float *stats)
{
  double n = t->n + t->n_positions;
  for (int c = 0; c < t->n_channels; c++) {
    const float *s = stats + (size_t) c * PJ_N_STATS;
    double distance = s[PJ_STAT_SUM] / t->n_positions - t->mean[c];
    t->mean[c] += distance * t->n_positions / n;
    t->m2[c] += s[PJ_STAT_M2] + distance * distance * t->n * t->n_positions / n;
  }
  t->n = n;
}

static gboolean
add_batch (Measuring *self, PjPlan *plan, GError **error)
{
  for (guint i = 0; i < self->nodes->len; i++) {
    Tally *t = &self->tallies[i];
    if (!pj_plan_read_stats (plan, t->value, self->stats, error))
      return FALSE;
    for (unsigned k = 0; k < self->batch; k++)
      add_picture (t, self->stats + (size_t) k * (size_t) t->n_channels * PJ_N_STATS);
  }
  return TRUE;
}

static gboolean
measure (Measuring *self, PjDevice *device, PjGraph *graph, PjLoader *loader, unsigned n_batches, const PjHooks *hooks, GError **error)
{
  PjPlanOptions options = { .batch = self->batch, .mode = PJ_PLAN_INFER, .stats = self->values, .n_stats = self->nodes->len };
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, error);
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (graph, params, &options, error) : NULL;

  for (unsigned k = 0; plan != NULL && k < n_batches; k++) {
    if (!pj_hooks_go_on (hooks, error))
      return FALSE;
    const PjBatch *batch = pj_loader_next (loader, error);
    if (batch == NULL || !pj_plan_set_images (plan, batch->images, error) || !pj_plan_forward (plan, NULL, error)
        || !add_batch (self, plan, error) || (k == 0 && !pj_plan_read_logits (plan, self->logits[0], error)))
      return FALSE;
    pj_hooks_progress (hooks, (k + 1.0) / (n_batches + 1), "norm statistics, batch %u of %u", k + 1, n_batches);
  }
  return plan != NULL;
}

static PjGraph *
insert (const Measuring *self, const PjGraph *graph, GError **error)
{
  guint n = self->nodes->len;
  g_autofree const double **mean = g_new (const double *, n), **var = g_new (const double *, n);
  for (guint i = 0; i < n; i++) {
    const Tally *t = &self->tallies[i];
    /* Unbiased, as norms keep it. */
    for (int c = 0; c < t->n_channels; c++)
      t->m2[c] /= MAX (t->n - 1, 1);
    mean[i] = t->mean;
    var[i] = t->m2;
  }
  return pj_norms_insert (graph, (const int *) self->nodes->data, mean, var, n, error);
}

/* Runs the new network on the first batch. */
static gboolean
compare (Measuring *self, PjDevice *device, PjGraph *graph, PjLoader *loader, double *difference, GError **error)
{
  PjPlanOptions options = { .batch = self->batch, .mode = PJ_PLAN_INFER };
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, error);
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (graph, params, &options, error) : NULL;
  double largest = 0, worst = 0;

  if (plan == NULL)
    return FALSE;
  pj_loader_start (loader, 0, 0);
  const PjBatch *batch = pj_loader_next (loader, error);
  if (batch == NULL || !pj_plan_set_images (plan, batch->images, error) || !pj_plan_forward (plan, NULL, error)
      || !pj_plan_read_logits (plan, self->logits[1], error))
    return FALSE;
  for (size_t i = 0; i < (size_t) self->batch * self->n_classes; i++) {
    worst = MAX (worst, fabs ((double) self->logits[0][i] - self->logits[1][i]));
    largest = MAX (largest, fabs ((double) self->logits[0][i]));
  }
  *difference = largest > 0 ? worst / largest : worst;
  if (*difference <= PJ_NORMS_TOLERANCE)
    return TRUE;
  g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "with norms the outputs would differ by %.1e of the largest, more than %.0e; "
               "the network is left as it is", *difference, PJ_NORMS_TOLERANCE);
  return FALSE;
}

static PjGraph *
bring_back (Measuring *self, PjDevice *device, PjGraph *graph, PjLoader *loader, unsigned n_batches, const PjHooks *hooks,
            PjNormsBack *result, GError **error)
{
  pj_loader_start (loader, 0, 0);
  if (!measuring_init (self, graph, error) || !measure (self, device, graph, loader, n_batches, hooks, error))
    return NULL;
  g_autoptr (PjGraph) made = insert (self, graph, error);
  if (made == NULL || !compare (self, device, made, loader, &result->difference, error))
    return NULL;
  result->n_norms = self->nodes->len;
  result->n_images = n_batches * self->batch;
  return g_steal_pointer (&made);
}

PjGraph *
pj_bring_norms_back (PjDevice *device, PjGraph *graph, PjDataset *dataset, const PjFormat *format, unsigned n_images,
                     uint64_t seed, const PjHooks *hooks, PjNormsBack *result, GError **error)
{
  unsigned n = MIN (n_images > 0 ? n_images : DEFAULT_IMAGES, pj_dataset_n (dataset, PJ_SPLIT_TRAIN));
  Measuring self = { .nodes = pj_norms_missing (graph), .batch = MAX (MIN (BATCH, n), 1) };
  PjGraph *made = NULL;

  *result = (PjNormsBack) { 0 };
  if (self.nodes->len == 0) {
    made = pj_graph_ref (graph);
  } else if (pj_meter_check (graph, dataset, format, error)) {
    PjLoaderOptions options = {
      .split = PJ_SPLIT_TRAIN, .format = *format, .batch = self.batch, .shuffle = TRUE, .seed = seed, .n_threads = 2,
    };
    g_autoptr (PjLoader) loader = pj_loader_new (dataset, &options, error);
    if (loader != NULL)
      made = bring_back (&self, device, graph, loader, MAX (n / self.batch, 1), hooks, result, error);
  }
  measuring_clear (&self);
  return made;
}
