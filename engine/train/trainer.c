/* SPDX-License-Identifier: MIT */
/* The training loop.  All that a step depends on is (weights, momentum, refined labels, step number): batches and what
 * they are mixed from follow from (seed, epoch, position) and the rate from the step, so a checkpoint is small and a resumed run continues bit
 * for bit.
 *
 *   start ──▶ step ──▶ step ──▶ … ──▶ end of epoch: measure ──▶ step … ──▶ download
 *               │ cancelled, or a checkpoint is due: state at this border
 */
#include "train/trainer.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "compute/plan.h"
#include "train/evaluate.h"
#include "train/meter.h"
#include "train/mixup.h"
#include "train/schedule.h"
#include "train/soft-labels.h"

#define LOSS_EVERY 10         /* steps between two points of the loss curve */
#define NORM_MOMENTUM 0.1f
#define LOADER_THREADS 2

typedef struct {
  const PjTrainOptions *options;
  const PjHooks *hooks;
  PjGraph *graph;
  PjLoader *loader;
  PjParams *params, *teacher_params;
  PjPlan *plan, *teacher_plan;
  PjMeter *meter;             /* (nullable) */
  PjMixup *mixup;             /* (nullable) */
  PjSoftLabels *labels;       /* (nullable): the target instead of the teacher */
  float *loss, *target, *student;   /* batch; batch x classes: what is imitated, what was said */
  unsigned step, n_steps, per_epoch;
  gboolean loader_started;
  double loss_sum;
  uint64_t n_seen;
  PjCheckpointFunc checkpoint;
  gpointer checkpoint_data;
  gint64 checkpoint_every, last_checkpoint;
  gint64 busy, waited;        /* microseconds in steps, and of these waiting for pictures */
  uint64_t n_images;
  double train_loss;
} Run;

/* --- set-up --- */

void
pj_train_state_clear (PjTrainState *state)
{
  g_clear_pointer (&state->params, g_bytes_unref);
  *state = (PjTrainState) { 0 };
}

static gboolean
check_teacher (const Run *run, const PjGraph *teacher, GError **error)
{
  if (teacher == NULL) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "a distillation weight of %g needs a teacher", run->options->distill);
    return FALSE;
  }
  const PjShape *a = &pj_graph_value (run->graph, pj_graph_get_input (run->graph))->shape;
  const PjShape *b = &pj_graph_value (teacher, pj_graph_get_input (teacher))->shape;
  if (pj_graph_n_classes (run->graph) == pj_graph_n_classes (teacher) && pj_shape_equal (a, b))
    return TRUE;
  g_autofree char *text_a = pj_shape_to_string (a), *text_b = pj_shape_to_string (b);
  g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH,
               "the teacher “%s” takes %s and has %u classes, the network %s and %u; both must agree", pj_graph_get_name (teacher),
               text_b, pj_graph_n_classes (teacher), text_a, pj_graph_n_classes (run->graph));
  return FALSE;
}

/* Labels of all pictures; those of a run that goes on come from its checkpoint. */
static gboolean
open_labels (Run *run, PjDevice *device, PjGraph *teacher, PjDataset *dataset, const PjFormat *format, gboolean asks, GError **error)
{
  unsigned classes = pj_graph_n_classes (teacher);

  run->labels = pj_soft_labels_new (pj_dataset_n (dataset, PJ_SPLIT_TRAIN), classes, error);
  run->student = run->labels != NULL ? pj_alloc ((size_t) run->options->batch * classes * sizeof (float), "class scores", error) : NULL;
  return run->student != NULL && (!asks || pj_soft_labels_ask (run->labels, device, teacher, dataset, format, run->hooks, error));
}

static gboolean
open_teacher (Run *run, PjDevice *device, PjGraph *teacher, PjDataset *dataset, const PjFormat *format, gboolean asks, GError **error)
{
  PjPlanOptions options = { .batch = run->options->batch, .mode = PJ_PLAN_INFER };

  if (!check_teacher (run, teacher, error))
    return FALSE;
  run->target = pj_alloc ((size_t) options.batch * pj_graph_n_classes (teacher) * sizeof (float), "class scores", error);
  if (run->target == NULL)
    return FALSE;
  if (run->options->refine)
    return open_labels (run, device, teacher, dataset, format, asks, error);
  run->teacher_params = pj_params_new (device, teacher, FALSE, error);
  if (run->teacher_params == NULL)
    return FALSE;
  run->teacher_plan = pj_plan_new (teacher, run->teacher_params, &options, error);
  return run->teacher_plan != NULL;
}

static gboolean
open_plan (Run *run, PjDevice *device, GError **error)
{
  const PjTrainOptions *o = run->options;
  PjPlanOptions options = {
    .batch = o->batch, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 - o->distill, .distill = o->distill,
    .distill_temperature = o->distill_temperature, .distill_reverse = o->refine, .soft_labels = o->mixup > 0,
    .recompute = o->recompute ? PJ_RECOMPUTE_BLOCKS : PJ_RECOMPUTE_NORMS,
    .keep_zeros = pj_graph_get_meta (run->graph, PJ_SPARSE_NOTE) != NULL,
  };
  run->params = pj_params_new (device, run->graph, TRUE, error);
  if (run->params == NULL)
    return FALSE;
  run->plan = pj_plan_new (run->graph, run->params, &options, error);
  run->loss = pj_alloc (o->batch * sizeof (float), "losses", error);
  if (run->plan == NULL || run->loss == NULL || o->mixup == 0)
    return run->plan != NULL && run->loss != NULL;
  size_t picture = pj_shape_n_elems (&pj_graph_value (run->graph, pj_graph_get_input (run->graph))->shape);
  run->mixup = pj_mixup_new (o->batch, picture, pj_graph_n_classes (run->graph), o->mixup, o->seed, error);
  return run->mixup != NULL;
}

static gboolean
open_loader (Run *run, PjDataset *dataset, const PjFormat *format, GError **error)
{
  const PjTrainOptions *o = run->options;
  PjLoaderOptions options = {
    .split = PJ_SPLIT_TRAIN, .format = *format, .batch = o->batch, .shuffle = TRUE, .crop = o->crop, .flip = o->flip,
    .seed = o->seed, .n_threads = LOADER_THREADS,
  };
  run->loader = pj_loader_new (dataset, &options, error);
  if (run->loader == NULL)
    return FALSE;
  run->per_epoch = pj_loader_n_batches (run->loader);
  uint64_t steps = o->epochs > 0 ? (uint64_t) o->epochs * run->per_epoch : o->max_steps;
  run->n_steps = (unsigned) MIN (o->max_steps > 0 ? MIN (steps, o->max_steps) : steps, G_MAXINT32);
  return TRUE;
}

static gboolean
resume_from (Run *run, const PjTrainState *state, GError **error)
{
  if (state->step > run->n_steps) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "the checkpoint is at step %u but this run has only %u; its settings differ",
                 state->step, run->n_steps);
    return FALSE;
  }
  run->step = state->step;
  run->loss_sum = state->loss_sum;
  run->n_seen = state->n_seen;
  if (run->labels == NULL)
    return pj_params_restore (run->params, state->params, error);
  gsize size, tail = (gsize) run->labels->n * run->labels->n_classes * sizeof (float);
  const guint8 *data = g_bytes_get_data (state->params, &size);
  if (size <= tail) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "the checkpoint has %zu bytes, which do not hold the labels of %u pictures; its "
                 "settings or its pictures differ", size, run->labels->n);
    return FALSE;
  }
  g_autoptr (GBytes) params = g_bytes_new_from_bytes (state->params, 0, size - tail);
  if (!pj_params_restore (run->params, params, error))
    return FALSE;
  memcpy (run->labels->logits, data + size - tail, tail);
  return TRUE;
}

static void
run_clear (Run *run)
{
  pj_meter_free (run->meter);
  pj_mixup_free (run->mixup);
  pj_soft_labels_free (run->labels);
  pj_plan_free (run->teacher_plan);
  pj_params_free (run->teacher_params);
  pj_plan_free (run->plan);
  pj_params_free (run->params);
  pj_loader_free (run->loader);
  pj_free (run->loss);
  pj_free (run->target);
  pj_free (run->student);
}

/* --- checkpoints --- */

/* Parameters and momentum, and the labels behind them. */
static GBytes *
pack (Run *run, GError **error)
{
  g_autoptr (GBytes) params = pj_params_save (run->params, error);
  if (params == NULL || run->labels == NULL)
    return g_steal_pointer (&params);
  gsize size, tail = (gsize) run->labels->n * run->labels->n_classes * sizeof (float);
  const void *data = g_bytes_get_data (params, &size);
  guint8 *both = pj_alloc (size + tail, "a checkpoint", error);
  if (both == NULL)
    return NULL;
  memcpy (both, data, size);
  memcpy (both + size, run->labels->logits, tail);
  return g_bytes_new_with_free_func (both, size + tail, pj_free, both);
}

static gboolean
save (Run *run, GError **error)
{
  PjTrainState state = { run->step, pack (run, error), run->loss_sum, run->n_seen };
  if (state.params == NULL)
    return FALSE;
  gboolean ok = run->checkpoint (&state, run->checkpoint_data, error);
  pj_train_state_clear (&state);
  run->last_checkpoint = g_get_monotonic_time ();
  return ok;
}

static gboolean
save_if_due (Run *run, GError **error)
{
  return run->checkpoint == NULL || g_get_monotonic_time () - run->last_checkpoint < run->checkpoint_every || save (run, error);
}

/* After a cancel: the work so far is kept.  If that fails, the person must know why. */
static void
save_cancelled (Run *run, GError **error)
{
  GError *failure = NULL;
  if (run->checkpoint == NULL || save (run, &failure))
    return;
  g_prefix_error (&failure, "cancelled, but the work so far could not be stored: ");
  g_clear_error (error);
  g_propagate_error (error, failure);
}

/* --- steps --- */

/* What the student is to imitate on these pictures: their labels, or what the teacher says. */
static gboolean
set_target (Run *run, const PjBatch *batch, const float *images, GError **error)
{
  if (run->labels != NULL)
    pj_soft_labels_gather (run->labels, batch->indices, run->options->batch, run->target);
  else if (run->teacher_plan == NULL)
    return TRUE;
  else if (!pj_plan_set_images (run->teacher_plan, images, error) || !pj_plan_forward (run->teacher_plan, NULL, error)
           || !pj_plan_read_logits (run->teacher_plan, run->target, error))
    return FALSE;
  return pj_plan_set_teacher (run->plan, run->target, error);
}

static gboolean
refine_labels (Run *run, const PjBatch *batch, GError **error)
{
  const PjTrainOptions *o = run->options;

  if (run->labels == NULL)
    return TRUE;
  if (!pj_plan_read_logits (run->plan, run->student, error))
    return FALSE;
  pj_soft_labels_update (run->labels, batch->indices, o->batch, run->student, o->distill, o->distill_temperature, o->refine_rate);
  return TRUE;
}

static gboolean
set_labels (Run *run, const PjBatch *batch, GError **error)
{
  if (run->options->distill >= 1)
    return TRUE;
  return run->mixup != NULL ? pj_plan_set_soft_labels (run->plan, pj_mixup_labels (run->mixup), error)
                            : pj_plan_set_labels (run->plan, batch->labels, error);
}

static gboolean
run_plan (Run *run, const PjBatch *batch, const PjStep *step, GError **error)
{
  const float *images = batch->images;

  if (run->mixup != NULL) {
    pj_mixup_apply (run->mixup, batch, run->step / run->per_epoch, run->step % run->per_epoch);
    images = pj_mixup_images (run->mixup);
  }
  return set_target (run, batch, images, error) && pj_plan_set_images (run->plan, images, error)
         && set_labels (run, batch, error) && pj_plan_train (run->plan, step, error)
         && pj_plan_read_loss (run->plan, run->loss, error) && refine_labels (run, batch, error);
}

/* Adds the losses of the batch and reports them. */
static gboolean
note_loss (Run *run, float lr, GError **error)
{
  unsigned n = run->options->batch;
  double sum = 0;

  for (unsigned i = 0; i < n; i++)
    sum += run->loss[i];
  if (!isfinite (sum)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "training diverged in step %u: the loss is not a number; use a smaller "
                 "learning rate than %g", run->step + 1, run->options->lr);
    return FALSE;
  }
  run->loss_sum += sum;
  run->n_seen += n;
  run->n_images += n;
  run->step++;
  if (run->step % LOSS_EVERY == 0 || run->step == run->n_steps) {
    pj_hooks_metric (run->hooks, "loss", run->step, sum / n);
    pj_hooks_metric (run->hooks, "lr", run->step, lr);
  }
  return TRUE;
}

static gboolean
do_step (Run *run, GError **error)
{
  const PjTrainOptions *o = run->options;
  gint64 before = g_get_monotonic_time ();
  GError *reason = NULL;

  if (!run->loader_started || run->step % run->per_epoch == 0) {
    pj_loader_start (run->loader, run->step / run->per_epoch, run->step % run->per_epoch);
    run->loader_started = TRUE;
  }
  const PjBatch *batch = pj_loader_next (run->loader, &reason);
  run->waited += g_get_monotonic_time () - before;
  if (batch == NULL) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  PjStep step = {
    .lr = pj_schedule_lr (o, run->step, run->per_epoch, run->n_steps), .momentum = o->momentum,
    .weight_decay = o->weight_decay, .nesterov = o->nesterov, .norm_momentum = NORM_MOMENTUM,
  };
  if (!run_plan (run, batch, &step, error) || !note_loss (run, step.lr, error))
    return FALSE;
  run->busy += g_get_monotonic_time () - before;
  unsigned n_epochs = (run->n_steps + run->per_epoch - 1) / run->per_epoch;
  pj_hooks_progress (run->hooks, (double) run->step / run->n_steps, "epoch %u of %u",
                     (run->step - 1) / run->per_epoch + 1, n_epochs);
  return TRUE;
}

/* TRUE at the border after an epoch whose end was not dealt with yet, also right after resuming there. */
static gboolean
epoch_is_over (const Run *run)
{
  return run->n_seen > 0 && (run->step % run->per_epoch == 0 || run->step == run->n_steps);
}

static gboolean
end_epoch (Run *run, GError **error)
{
  run->train_loss = run->loss_sum / (double) run->n_seen;
  if (run->meter != NULL) {
    PjAccuracy accuracy = { 0 };
    PjHooks quiet = run->hooks ? *run->hooks : (PjHooks) { 0 };
    quiet.progress = NULL;
    if (!pj_meter_run (run->meter, &quiet, &accuracy, error))
      return FALSE;
    pj_hooks_metric (run->hooks, "test accuracy", run->step, accuracy.top1);
    pj_accuracy_clear (&accuracy);
  }
  /* The sums of the last epoch stay: whoever resumes at the very end still gets its loss. */
  if (run->step < run->n_steps) {
    run->loss_sum = 0;
    run->n_seen = 0;
  }
  return TRUE;
}

static gboolean
run_all (Run *run, GError **error)
{
  run->last_checkpoint = g_get_monotonic_time ();
  for (;;) {
    if (epoch_is_over (run) && !end_epoch (run, error))
      return FALSE;
    if (run->step >= run->n_steps)
      return TRUE;
    if (!pj_hooks_go_on (run->hooks, error) || !do_step (run, error) || !save_if_due (run, error))
      return FALSE;
  }
}

void
pj_train_result_clear (PjTrainResult *result)
{
  pj_soft_labels_free (result->labels);
  *result = (PjTrainResult) { 0 };
}

static void
fill_result (Run *run, PjTrainResult *result)
{
  double seconds = (double) run->busy / G_USEC_PER_SEC;
  *result = (PjTrainResult) {
    .train_loss = run->train_loss, .steps = run->step,
    .images_per_second = seconds > 0 ? (double) run->n_images / seconds : 0,
    .stall_share = run->busy > 0 ? (double) run->waited / (double) run->busy : 0, .labels = g_steal_pointer (&run->labels),
  };
}

/* All that the run needs, from the settings. @dataset: as it is trained on. */
static gboolean
set_up (Run *run, PjDevice *device, PjDataset *dataset, const PjFormat *format, PjGraph *teacher, const PjTrainState *resume,
        GError **error)
{
  if (!open_loader (run, dataset, format, error) || !open_plan (run, device, error))
    return FALSE;
  if (run->options->distill > 0 && !open_teacher (run, device, teacher, dataset, format, resume == NULL, error))
    return FALSE;
  if (resume != NULL && !resume_from (run, resume, error))
    return FALSE;
  if (!run->options->eval_every_epoch || pj_dataset_n (dataset, PJ_SPLIT_TEST) == 0)
    return TRUE;
  run->meter = pj_meter_new (run->graph, run->params, NULL, dataset, PJ_SPLIT_TEST, format, 0, error);
  return run->meter != NULL;
}

/* Shuffled, erased and turned pictures have other statistics than what the network is going to see. */
static PjGraph *
take_own_norms (PjGraph *trained, PjDevice *device, PjDataset *dataset, const PjFormat *format, const PjTrainOptions *options,
                const PjHooks *hooks, GError **error)
{
  if (!options->own_norms || options->expand == PJ_EXPAND_NO)
    return trained;
  PjGraph *again = pj_recalibrate (device, trained, dataset, format, 0, options->seed, hooks, error);
  pj_graph_unref (trained);
  return again;
}

PjGraph *
pj_train (PjDevice *device, PjGraph *graph, PjDataset *dataset, const PjFormat *format, const PjTrainOptions *options,
          PjGraph *teacher, const PjTrainState *resume, PjCheckpointFunc checkpoint, gpointer checkpoint_data,
          double checkpoint_seconds, const PjHooks *hooks, PjTrainResult *result, GError **error)
{
  Run run = {
    .options = options, .hooks = hooks, .graph = graph, .checkpoint = checkpoint, .checkpoint_data = checkpoint_data,
    .checkpoint_every = (gint64) (MAX (checkpoint_seconds, 0) * G_USEC_PER_SEC),
  };
  g_autoptr (GError) reason = NULL;
  PjGraph *trained = NULL;

  g_autoptr (PjDataset) expanded = pj_dataset_expand (dataset, options->expand, options->seed);
  gboolean ok = pj_train_options_check (options, &reason) && pj_meter_check (graph, dataset, format, &reason)
                && set_up (&run, device, expanded, format, teacher, resume, &reason);
  if (ok && !run_all (&run, &reason)) {
    ok = FALSE;
    if (g_error_matches (reason, PJ_ERROR, PJ_ERROR_CANCELLED))
      save_cancelled (&run, &reason);
  }
  if (ok)
    trained = pj_params_download (run.params, graph, &reason);
  if (trained != NULL)
    trained = take_own_norms (trained, device, dataset, format, options, hooks, &reason);
  if (trained != NULL) {
    g_autofree char *how = pj_train_describe (options);
    pj_graph_set_meta (trained, PJ_TRAIN_NOTE, how);
  }
  if (trained != NULL && result != NULL)
    fill_result (&run, result);
  run_clear (&run);
  if (trained == NULL)
    g_propagate_error (error, g_steal_pointer (&reason));
  return trained;
}
