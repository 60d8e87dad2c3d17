/* SPDX-License-Identifier: MIT */
#include "prune/gates/block-gates.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "prune/gates/gated-blocks.h"
#include "prune/methods/autopruner-private.h"
#include "prune/methods/methods.h"

#define LOADER_THREADS 2
#define NORM_MOMENTUM 0.1f
#define MOMENTUM 0.9f
#define MAGIC 0x424a4150u
/* Bars of the histogram of the gates, from closed to open. */
#define BARS 10
/* What α²·rate·steps is at the start: how far logits can go.  Published runs of 40,000 steps at 0.001 begin with α = 1. */
#define REACH 0.5
#define MOST_ALPHA 20.0
/* Of the steps: from there α rises whatever the rate is. */
#define LAST_HOLD 0.6

typedef struct {
  const PjScoring *scoring;
  const PjPruneSettings *settings;
  PjAutoprunerOptions options;
  double keep;
  const PjParts *parts;
  PjGatedBlocks *net;
  PjDataset *pictures;
  PjLoader *loader;
  unsigned n, per_epoch, step;                /* @n: blocks */
  double alpha;
  gboolean loader_started, finish, hold;   /* @hold: α waits */
  PjParams *params;
  PjPlan *exec;
  PjCodingPlan coding;
  PjCodingState state;        /* of all blocks */
  float *code, *loss, *gates; /* batch; batch; one per block */
  PjKeeper keeper;
} Run;

/* --- α --- */

/* The speed of a logit α·x is α² times the learning rate: shorter runs begin with a larger α, so that gates can be pulled
 * to the rate while they are soft. */
static double
first_alpha (const Run *self)
{
  double given = pj_method_value (&pj_method_autopruner, self->settings, "alpha");
  return given > 0 ? given : CLAMP (sqrt (REACH / (self->options.lr * self->coding.n_steps)), self->coding.start, MOST_ALPHA);
}

static double
mean_gate (const Run *self)
{
  double sum = 0;
  for (unsigned i = 0; i < self->n; i++)
    sum += self->gates[i] / self->n;
  return sum;
}

/* Gates that a large α keeps open or closed learn nothing more, whatever their blocks are worth: so α waits, and the rate
 * is pulled harder, while more or fewer than asked for are open by half a block. */
static void
control (Run *self)
{
  self->hold = self->step < LAST_HOLD * self->coding.n_steps && fabs (mean_gate (self) - self->keep) > 0.5 / self->n;
  if (self->hold)
    self->state.lambda += self->coding.lambda;
}

/* Evenly to its end in the steps that are left. */
static void
raise_alpha (Run *self)
{
  if (!self->hold)
    self->alpha += (self->coding.end - self->alpha) / (self->coding.n_steps - self->step);
}

/* --- steps --- */

static void
tell (const Run *self, const char *what, const char *of, double y)
{
  g_autofree char *series = g_strdup_printf ("%s %s", what, of);
  pj_hooks_metric (self->scoring->hooks, series, self->step, y);
}

static void
tell_all (const Run *self)
{
  unsigned bars[BARS] = { 0 };
  for (int b = 0; b < self->state.n; b++) {
    tell (self, "gate", self->net->blocks[b].part->name, self->gates[b]);
    bars[(unsigned) CLAMP (self->gates[b] * BARS, 0, BARS - 1)]++;
  }
  for (unsigned b = 0; b < BARS; b++) {
    g_autofree char *what = g_strdup_printf ("gates%u", b);
    tell (self, what, "blocks", (double) bars[b] / self->state.n);
  }
  tell (self, "alpha", "blocks", self->alpha);
  tell (self, "lambda", "blocks", self->state.lambda);
  tell (self, "rate", "blocks", mean_gate (self));
  tell (self, "target", "blocks", self->keep);
}

static gboolean
write_controls (Run *self, float alpha, GError **error)
{
  float pull = (float) (2 * self->state.lambda / self->state.n);
  for (unsigned i = 0; i < self->n; i++)
    if (!pj_params_write (self->params, self->net->blocks[i].alpha, &alpha, error)
        || !pj_params_write (self->params, self->net->blocks[i].pull, &pull, error))
      return FALSE;
  return TRUE;
}

/* The rate is that of all blocks, but each code knows only its own gate: a target as far from its gate as the rate is from
 * what was asked for gives it the right pull. */
static gboolean
write_targets (Run *self, GError **error)
{
  for (unsigned i = 0; i < self->n; i++) {
    if (!pj_plan_read_value (self->exec, self->net->blocks[i].code, self->code, error))
      return FALSE;
    self->gates[i] = self->code[0];
  }
  double rate = mean_gate (self);
  for (unsigned i = 0; i < self->n; i++) {
    float target = (float) (self->gates[i] - (rate - self->keep));
    if (!pj_params_write (self->params, self->net->blocks[i].target, &target, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
note_loss (Run *self, double lr, GError **error)
{
  double sum = 0;
  if (!pj_plan_read_loss (self->exec, self->loss, error))
    return FALSE;
  for (unsigned i = 0; i < self->options.batch; i++)
    sum += self->loss[i] / self->options.batch;
  if (!isfinite (sum)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "training diverged in step %u: the loss is not a number; use a smaller "
                 "learning rate (code-lr) than %g", self->step, self->options.lr);
    return FALSE;
  }
  if (self->step % 10 == 0) {
    pj_hooks_metric (self->scoring->hooks, "loss", self->step, sum);
    pj_hooks_metric (self->scoring->hooks, "lr", self->step, lr);
  }
  return TRUE;
}

static gboolean
do_step (Run *self, GError **error)
{
  /* ×0.1 after half of the run, as for the channels of residual networks. */
  double lr = self->options.lr * (2 * self->step >= self->coding.n_steps ? 0.1 : 1);
  PjStep step = { .lr = (float) lr, .momentum = MOMENTUM, .weight_decay = (float) self->options.decay, .norm_momentum = NORM_MOMENTUM };

  if (!self->loader_started || self->step % self->per_epoch == 0)
    pj_loader_start (self->loader, self->step / self->per_epoch, self->step % self->per_epoch);
  self->loader_started = TRUE;
  const PjBatch *batch = pj_loader_next (self->loader, error);
  if (batch == NULL || !write_controls (self, (float) self->alpha, error) || !pj_plan_set_images (self->exec, batch->images, error)
      || !pj_plan_set_labels (self->exec, batch->labels, error) || !pj_plan_forward (self->exec, &step, error)
      || !write_targets (self, error) || !pj_plan_finish (self->exec, error))
    return FALSE;
  if (pj_coding_vote (&self->state, &self->coding, self->gates)) {
    tell_all (self);
    control (self);
  }
  raise_alpha (self);
  self->step++;
  return note_loss (self, lr, error);
}

/* --- checkpoints --- */

typedef struct { uint32_t magic, n_blocks, step, hold; double alpha; } Header;

static GBytes *
state_cb (gconstpointer user_data, uint64_t *step, GError **error)
{
  const Run *self = user_data;
  g_autoptr (GBytes) params = pj_params_save (self->params, error);
  const Header header = { MAGIC, self->n, self->step, (uint32_t) self->hold, self->alpha };
  if (params == NULL)
    return NULL;
  GByteArray *bytes = g_byte_array_new ();
  gsize size;
  const void *data = g_bytes_get_data (params, &size);
  g_byte_array_append (bytes, (const guint8 *) &header, sizeof header);
  pj_coding_state_write (&self->state, bytes);
  g_byte_array_append (bytes, data, (guint) size);
  *step = self->step;
  return g_byte_array_free_to_bytes (bytes);
}

static gboolean
restore (Run *self, GBytes *state, GError **error)
{
  gsize size;
  const guint8 *begin = g_bytes_get_data (state, &size), *at = begin + sizeof (Header), *end = begin + size;
  Header header = { 0 };
  if (size >= sizeof header)
    memcpy (&header, begin, sizeof header);
  if (header.magic != MAGIC || header.n_blocks != self->n || header.step > self->coding.n_steps
      || !pj_coding_state_read (&self->state, &at, end)) {
    g_set_error_literal (error, PJ_ERROR, PJ_ERROR_INVALID,
                         "the checkpoint does not belong to a run with these settings; start it again");
    return FALSE;
  }
  self->step = header.step;
  self->hold = header.hold != 0;
  self->alpha = header.alpha;
  g_autoptr (GBytes) params = g_bytes_new_from_bytes (state, (gsize) (at - begin), (gsize) (end - at));
  return pj_params_restore (self->params, params, error);
}

/* --- the run --- */

static unsigned
count_pictures (const PjScoring *scoring)
{
  unsigned n = pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN);
  return scoring->n_images > 0 ? MIN (scoring->n_images, n) : n;
}

static gboolean
open_run (Run *self, GError **error)
{
  const PjScoring *scoring = self->scoring;
  unsigned n = count_pictures (scoring);
  g_autoptr (GArray) codes = g_array_new (FALSE, FALSE, sizeof (int));

  self->pictures = n < pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN) ? pj_dataset_subset (scoring->dataset, n, 0, scoring->seed)
                                                                       : pj_dataset_ref (scoring->dataset);
  PjLoaderOptions loading = {
    .split = PJ_SPLIT_TRAIN, .format = *scoring->format, .batch = self->options.batch, .shuffle = TRUE, .flip = TRUE,
    .seed = scoring->seed, .n_threads = LOADER_THREADS,
  };
  self->loader = pj_loader_new (self->pictures, &loading, error);
  if (self->loader == NULL)
    return FALSE;
  self->per_epoch = pj_loader_n_batches (self->loader);
  pj_autopruner_coding (&self->coding, &self->options, &pj_method_autopruner, self->settings, self->per_epoch);
  self->coding.start = self->alpha = first_alpha (self);
  self->hold = TRUE;
  pj_coding_state_init (&self->state, &self->coding, (int) self->n);
  self->net = pj_gated_blocks_new (scoring->graph, self->parts, self->alpha, scoring->seed, error);
  if (self->net == NULL)
    return FALSE;
  for (unsigned i = 0; i < self->n; i++)
    g_array_append_val (codes, self->net->blocks[i].code);
  PjPlanOptions options = {
    .batch = self->options.batch, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1, .observed = (const int *) codes->data,
    .n_observed = codes->len,
  };
  self->params = pj_params_new (scoring->device, self->net->graph, TRUE, error);
  self->exec = self->params != NULL ? pj_plan_new (self->net->graph, self->params, &options, error) : NULL;
  self->code = g_new (float, self->options.batch);
  self->loss = g_new (float, self->options.batch);
  self->gates = g_new0 (float, self->n);
  return self->exec != NULL;
}

static void
run_clear (Run *self)
{
  pj_loader_free (self->loader);
  g_clear_pointer (&self->pictures, pj_dataset_unref);
  g_clear_pointer (&self->exec, pj_plan_free);
  g_clear_pointer (&self->params, pj_params_free);
  g_clear_pointer (&self->net, pj_gated_blocks_free);
  pj_coding_state_clear (&self->state);
  g_free (self->code);
  g_free (self->loss);
  g_free (self->gates);
}

static void
obey (Run *self)
{
  const PjMethodLife *life = self->settings->life;
  PjCommand command;
  while (life != NULL && life->command != NULL && life->command (&command, life->data))
    self->finish = self->finish || command.kind == PJ_COMMAND_FINISH;
}

static gboolean
train (Run *self, GError **error)
{
  self->keeper = (PjKeeper) { self->settings->life, state_cb, self, 0 };
  pj_keeper_start (&self->keeper);
  while (self->step < self->coding.n_steps && !self->finish) {
    obey (self);
    if (!pj_hooks_go_on (self->scoring->hooks, error) || !do_step (self, error))
      return FALSE;
    pj_hooks_progress (self->scoring->hooks, (double) self->step / self->coding.n_steps, "gates of blocks, epoch %u of %u",
                       (self->step - 1) / self->per_epoch + 1, self->options.epochs);
    if (!pj_keeper_keep (&self->keeper, error))
      return FALSE;
  }
  return TRUE;
}

/* The vote; at least the widest gate stays open. */
static PjGraph *
close_run (Run *self, guint8 *removed, GError **error)
{
  PjCodingState *state = &self->state;
  int widest = 0;
  unsigned n_open = 0;
  for (int b = 0; b < state->n; b++) {
    n_open += state->code[b];
    widest = state->mean[b] > state->mean[widest] ? b : widest;
  }
  if (n_open == self->n) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
                 "none of the %u gates closed in %u steps, their mean is %.2f; train them for more epochs or at a higher code-lr",
                 self->n, self->step, mean_gate (self));
    return NULL;
  }
  if (n_open == 0)
    state->code[widest] = 1;
  g_autoptr (PjGraph) plain = pj_gated_blocks_plain (self->net, self->params, error);
  for (int b = 0; plain != NULL && b < state->n; b++) {
    const PjPart *part = self->net->blocks[b].part;
    removed[part->id] = !state->code[b];
    if (state->code[b] && !pj_gated_block_absorb (plain, part, state->mean[b], error))
      return NULL;
  }
  return g_steal_pointer (&plain);
}

static void
read_options (Run *self, const PjScoring *scoring, const PjParts *parts, double keep, const PjPruneSettings *settings)
{
  *self = (Run) { .scoring = scoring, .settings = settings, .keep = keep, .parts = parts, .n = pj_gated_blocks_count (parts) };
  pj_autopruner_read_options (&self->options, &pj_method_autopruner, scoring, settings);
}

double
pj_block_gates_work (const PjScoring *scoring, const double *values)
{
  const PjPruneSettings settings = { .values = values };
  PjAutoprunerOptions options;
  pj_autopruner_read_options (&options, &pj_method_autopruner, scoring, &settings);
  return (double) options.epochs * count_pictures (scoring);
}

gboolean
pj_block_gates_check (const PjScoring *scoring, const PjParts *parts, double keep, const double *values, GError **error)
{
  const PjPruneSettings settings = { .values = values };
  Run self;

  if (!(keep > 0 && keep < 1)) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "the share of blocks to keep must be above 0 and below 1, not %g", keep);
    return FALSE;
  }
  if (scoring->dataset == NULL) {
    g_set_error_literal (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "gates of blocks are trained: choose pictures with classes");
    return FALSE;
  }
  read_options (&self, scoring, parts, keep, &settings);
  unsigned n_blocks = self.n, batch = self.options.batch, n = count_pictures (scoring);
  run_clear (&self);
  if (n_blocks < 2) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
                 "the network has %u residual blocks that can be removed; to choose among them takes two", n_blocks);
    return FALSE;
  }
  if (n < batch) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "AutoPruner trains on batches of %u pictures and there are only %u; use more pictures or a smaller code-batch",
                 batch, n);
    return FALSE;
  }
  return TRUE;
}

PjGraph *
pj_block_gates (const PjScoring *scoring, const PjParts *parts, double keep, const double *values, const PjMethodLife *life,
                guint8 *removed, GError **error)
{
  const PjPruneSettings settings = { .values = values, .life = life };
  GError *reason = NULL;
  PjGraph *learnt = NULL;
  Run self;

  memset (removed, 0, pj_parts_n (parts));
  if (!pj_block_gates_check (scoring, parts, keep, values, error))
    return NULL;
  read_options (&self, scoring, parts, keep, &settings);
  if (open_run (&self, &reason) && (life == NULL || life->resume == NULL || restore (&self, life->resume, &reason))) {
    if (train (&self, &reason))
      learnt = close_run (&self, removed, &reason);
    else
      pj_keeper_stopped (&self.keeper, &reason);
  }
  run_clear (&self);
  if (learnt == NULL)
    g_propagate_error (error, reason);
  return learnt;
}
