/* SPDX-License-Identifier: MIT */
#include "compute/plan.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "compute/lower.h"

struct _PjPlan {
  PjGraph *graph;
  PjParams *params;
  PjPlanOptions options;      /* without the arrays of the caller */
  PjProgram *program;
  PjLowered lowered;
  PjExecutable *executable;
  const PjDeviceClass *klass;
  float *entropy;             /* of the soft labels of each picture: what their cross-entropy has beyond the divergence */
  gboolean gates_changed;
  unsigned params_version;    /* the prologue ran for these */
};

#define BIT(segment) (1u << PJ_SEGMENT_##segment)

static gboolean
check_options (const PjGraph *graph, const PjPlanOptions *o, GError **error)
{
  g_return_val_if_fail (pj_graph_get_input (graph) >= 0 && pj_graph_get_output (graph) >= 0, FALSE);
  g_return_val_if_fail ((!o->prefix && o->n_given == 0) || o->mode == PJ_PLAN_INFER, FALSE);
  if (o->batch < 1 || o->batch > 65536) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "a batch of %u is not possible; use 1 to 65536", o->batch);
    return FALSE;
  }
  return TRUE;
}

/* All gates start at 1: no effect. */
static gboolean
open_gates (PjPlan *self, const PjPlanOptions *options, GError **error)
{
  for (unsigned i = 0; i < options->n_gated; i++) {
    int value = options->gated[i];
    size_t c = (size_t) pj_graph_value (self->graph, value)->shape.dim[1];
    if (self->lowered.gates[value] < 0)
      continue;
    g_autofree float *ones = g_new (float, c);
    for (size_t k = 0; k < c; k++)
      ones[k] = 1.0f;
    if (!pj_plan_set_gate (self, value, ones, error))
      return FALSE;
  }
  return TRUE;
}

/* 0 where the weight is 0, else 1. */
static gboolean
write_zeros (PjPlan *self, GError **error)
{
  for (unsigned v = 0; v < pj_graph_n_values (self->graph); v++) {
    if (self->lowered.zeros[v] < 0)
      continue;
    const PjBlob *blob = pj_graph_value (self->graph, (int) v)->data;
    const float *weights = pj_blob_data (blob);
    size_t n = pj_blob_n_elems (blob);
    float *mask = pj_alloc (n * sizeof (float), "a mask of weights", error);
    for (size_t i = 0; mask != NULL && i < n; i++)
      mask[i] = weights[i] != 0;
    gboolean ok = mask != NULL && self->klass->write (self->executable, self->lowered.zeros[v], mask, error);
    pj_free (mask);
    if (!ok)
      return FALSE;
  }
  return TRUE;
}

static PjPlan *
plan_try (PjGraph *graph, PjParams *params, const PjPlanOptions *options, GError **error)
{
  g_autoptr (PjPlan) self = g_new0 (PjPlan, 1);
  PjDevice *device = pj_params_device (params);

  self->graph = pj_graph_ref (graph);
  self->params = params;
  self->options = *options;
  self->options.gated = self->options.observed = self->options.stats = self->options.given = NULL;
  self->options.without = NULL;
  self->klass = device->klass;
  self->program = pj_program_new ();
  if (!pj_lower_graph_to_program (graph, params, options, self->program, &self->lowered, error))
    return NULL;
  self->executable = self->klass->compile (device, self->program, pj_params_stores (params), error);
  if (self->executable == NULL)
    return NULL;
  self->params_version = pj_params_version (params) - 1;
  if (!open_gates (self, options, error) || !write_zeros (self, error)
      || (options->without != NULL && !pj_plan_set_without (self, -1, error)))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
is_out_of_memory (const GError *error)
{
  return g_error_matches (error, PJ_ERROR, PJ_ERROR_NO_MEMORY)
         || g_error_matches (error, PJ_GPU_ERROR, PJ_GPU_ERROR_MEMORY);
}

PjPlan *
pj_plan_new (PjGraph *graph, PjParams *params, const PjPlanOptions *options, GError **error)
{
  GError *reason = NULL;

  if (!check_options (graph, options, error))
    return NULL;
  PjPlan *plan = plan_try (graph, params, options, &reason);
  if (plan != NULL)
    return plan;
  if (is_out_of_memory (reason)) {
    /* Memory grows with the batch: halve it until the plan fits, to say what would help. */
    PjPlanOptions smaller = *options;
    while ((smaller.batch /= 2) >= 1 && plan == NULL)
      plan = plan_try (graph, params, &smaller, NULL);
    PjPlanOptions frugal = *options;
    frugal.recompute = PJ_RECOMPUTE_BLOCKS;
    gboolean learns = options->mode == PJ_PLAN_TRAIN || options->mode == PJ_PLAN_SCORE;
    g_autoptr (PjPlan) same = learns && options->recompute != PJ_RECOMPUTE_BLOCKS ? plan_try (graph, params, &frugal, NULL) : NULL;
    const char *also = same != NULL ? ", and so does this one if activations are computed again (--recompute)" : "";
    if (plan != NULL)
      g_prefix_error (&reason, "a batch of %u does not fit; a batch of %u does%s: ", options->batch, plan->options.batch, also);
    else
      g_prefix_error (&reason, "not even one picture fits: ");
    pj_plan_free (plan);
  }
  g_propagate_error (error, reason);
  return NULL;
}

void
pj_plan_free (PjPlan *self)
{
  if (self == NULL)
    return;
  if (self->executable != NULL)
    self->klass->executable_free (self->executable);
  pj_lowered_clear (&self->lowered);
  g_free (self->entropy);
  pj_program_free (self->program);
  pj_graph_unref (self->graph);
  g_free (self);
}

unsigned
pj_plan_batch (const PjPlan *self)
{
  return self->options.batch;
}

size_t
pj_plan_memory_bytes (const PjPlan *self)
{
  return self->klass->arena_bytes (self->executable);
}

const PjProgram *
pj_plan_program (const PjPlan *self)
{
  return self->program;
}

/* --- inputs --- */

gboolean
pj_plan_set_images (PjPlan *self, const float *images, GError **error)
{
  return self->klass->write (self->executable, self->lowered.images, images, error);
}

gboolean
pj_plan_set_value (PjPlan *self, int value, const float *data, GError **error)
{
  g_return_val_if_fail (self->lowered.given[value] >= 0, FALSE);
  return self->klass->write (self->executable, self->lowered.given[value], data, error);
}

gboolean
pj_plan_set_labels (PjPlan *self, const int32_t *labels, GError **error)
{
  g_return_val_if_fail (self->lowered.labels >= 0 && !self->options.soft_labels, FALSE);
  unsigned classes = pj_graph_n_classes (self->graph);
  for (unsigned i = 0; i < self->options.batch; i++)
    if (labels[i] < 0 || (unsigned) labels[i] >= classes) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "label %d is outside the network's %u classes", labels[i], classes);
      return FALSE;
    }
  return self->klass->write (self->executable, self->lowered.labels, labels, error);
}

gboolean
pj_plan_set_soft_labels (PjPlan *self, const float *shares, GError **error)
{
  g_return_val_if_fail (self->lowered.labels >= 0 && self->options.soft_labels, FALSE);
  unsigned n = self->options.batch, classes = pj_graph_n_classes (self->graph);
  g_autofree float *logits = g_new (float, (size_t) n * classes);

  if (self->entropy == NULL)
    self->entropy = g_new (float, n);
  for (unsigned i = 0; i < n; i++) {
    double entropy = 0;
    for (size_t k = (size_t) i * classes; k < (size_t) (i + 1) * classes; k++) {
      /* Their softmax is the shares; a share of nothing is far below all rounding. */
      logits[k] = shares[k] > 0 ? logf (shares[k]) : -100;
      entropy -= shares[k] > 0 ? shares[k] * log (shares[k]) : 0;
    }
    self->entropy[i] = (float) entropy;
  }
  return self->klass->write (self->executable, self->lowered.labels, logits, error);
}

gboolean
pj_plan_set_teacher (PjPlan *self, const float *logits, GError **error)
{
  g_return_val_if_fail (self->lowered.teacher >= 0, FALSE);
  return self->klass->write (self->executable, self->lowered.teacher, logits, error);
}

gboolean
pj_plan_set_logit_grads (PjPlan *self, const float *grads, GError **error)
{
  g_return_val_if_fail (self->lowered.logit_grads >= 0, FALSE);
  return self->klass->write (self->executable, self->lowered.logit_grads, grads, error);
}

/* FALSE if the gate in @slot is only applied while running, so that nothing needs to be folded again. */
static gboolean
needs_folding (const PjPlan *self, int slot)
{
  for (guint i = 0; i < self->program->calls->len; i++) {
    const PjCall *call = pj_program_call (self->program, i);
    for (int k = 0; k < PJ_CALL_MAX_IN && call->kernel != PJ_KERNEL_GATE; k++)
      if (call->in[k] == slot)
        return TRUE;
  }
  return FALSE;
}

gboolean
pj_plan_set_gate (PjPlan *self, int value, const float *gate, GError **error)
{
  g_return_val_if_fail (self->lowered.gates[value] >= 0, FALSE);
  self->gates_changed |= needs_folding (self, self->lowered.gates[value]);
  return self->klass->write (self->executable, self->lowered.gates[value], gate, error);
}

gboolean
pj_plan_set_without (PjPlan *self, int channel, GError **error)
{
  g_return_val_if_fail (self->lowered.without >= 0, FALSE);
  float number = (float) channel;
  return self->klass->write (self->executable, self->lowered.without, &number, error);
}

/* --- runs --- */

static gboolean
write_step (PjPlan *self, const PjStep *step, GError **error)
{
  if (self->lowered.hyper < 0)
    return TRUE;
  g_return_val_if_fail (step != NULL, FALSE);
  float hyper[PJ_N_HYPER] = {
    [PJ_HYPER_LR] = step->lr, [PJ_HYPER_MOMENTUM] = step->momentum,
    [PJ_HYPER_WEIGHT_DECAY] = step->weight_decay, [PJ_HYPER_NESTEROV] = step->nesterov ? 1.0f : 0.0f,
    [PJ_HYPER_NORM_MOMENTUM] = step->norm_momentum,
  };
  return self->klass->write (self->executable, self->lowered.hyper, hyper, error);
}

static gboolean
run (PjPlan *self, unsigned segments, GError **error)
{
  unsigned version = pj_params_version (self->params);
  /* A device may keep packed copies of the weights that its prologue refreshes, so the prologue runs
   * even where lowering put nothing into it. */
  if ((segments & BIT (FORWARD)) && (self->gates_changed || self->params_version != version))
    segments |= BIT (PROLOGUE);
  if (!self->klass->run (self->executable, segments, error))
    return FALSE;
  if (segments & BIT (PROLOGUE)) {
    self->gates_changed = FALSE;
    self->params_version = version;
  }
  return TRUE;
}

gboolean
pj_plan_forward (PjPlan *self, const PjStep *step, GError **error)
{
  if (!write_step (self, step, error) || !run (self, BIT (FORWARD), error))
    return FALSE;
  if (self->options.mode == PJ_PLAN_TRAIN || self->options.mode == PJ_PLAN_RECALIBRATE)
    pj_params_touch (self->params);
  return TRUE;
}

gboolean
pj_plan_backward (PjPlan *self, GError **error)
{
  return run (self, BIT (BACKWARD), error);
}

gboolean
pj_plan_finish (PjPlan *self, GError **error)
{
  g_return_val_if_fail (self->options.mode == PJ_PLAN_TRAIN, FALSE);
  if (!run (self, BIT (BACKWARD) | BIT (UPDATE), error))
    return FALSE;
  pj_params_touch (self->params);
  return TRUE;
}

gboolean
pj_plan_train (PjPlan *self, const PjStep *step, GError **error)
{
  g_return_val_if_fail (self->options.mode == PJ_PLAN_TRAIN, FALSE);
  if (!write_step (self, step, error) || !run (self, BIT (FORWARD) | BIT (BACKWARD) | BIT (UPDATE), error))
    return FALSE;
  pj_params_touch (self->params);
  return TRUE;
}

/* --- results --- */

gboolean
pj_plan_read_logits (PjPlan *self, float *out, GError **error)
{
  g_return_val_if_fail (self->lowered.logits >= 0, FALSE);
  return self->klass->read (self->executable, self->lowered.logits, out, error);
}

gboolean
pj_plan_read_loss (PjPlan *self, float *out, GError **error)
{
  unsigned n = self->options.batch;
  g_autofree float *one = g_new (float, n);
  struct { int slot; float weight; } parts[] = {
    { self->lowered.ce_loss, self->options.cross_entropy }, { self->lowered.kl_loss, self->options.distill },
  };

  memset (out, 0, n * sizeof (float));
  for (guint p = 0; p < G_N_ELEMENTS (parts); p++) {
    if (parts[p].slot < 0)
      continue;
    if (!self->klass->read (self->executable, parts[p].slot, one, error))
      return FALSE;
    for (unsigned i = 0; i < n; i++)
      out[i] += parts[p].weight * one[i];
  }
  for (unsigned i = 0; self->entropy != NULL && i < n; i++)
    out[i] += self->options.cross_entropy * self->entropy[i];
  return TRUE;
}

gboolean
pj_plan_read_value (PjPlan *self, int value, float *out, GError **error)
{
  g_return_val_if_fail (self->lowered.observed[value] >= 0, FALSE);
  return self->klass->read (self->executable, self->lowered.observed[value], out, error);
}

gboolean
pj_plan_read_stats (PjPlan *self, int value, float *out, GError **error)
{
  g_return_val_if_fail (self->lowered.stats[value] >= 0, FALSE);
  return self->klass->read (self->executable, self->lowered.stats[value], out, error);
}

gboolean
pj_plan_read_gate_grad (PjPlan *self, int value, float *out, GError **error)
{
  g_return_val_if_fail (self->lowered.gate_grads[value] >= 0, FALSE);
  return self->klass->read (self->executable, self->lowered.gate_grads[value], out, error);
}

gboolean
pj_plan_profile (PjPlan *self, double *ms_per_call, GError **error)
{
  unsigned segments = BIT (PROLOGUE) | BIT (FORWARD);
  if (self->options.mode == PJ_PLAN_TRAIN || self->options.mode == PJ_PLAN_SCORE)
    segments |= BIT (BACKWARD);
  if (self->options.mode == PJ_PLAN_TRAIN)
    segments |= BIT (UPDATE);
  if (self->klass->profile == NULL) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "the device “%s” cannot time single calls", self->klass->kind);
    return FALSE;
  }
  return self->klass->profile (self->executable, segments, ms_per_call, error);
}
