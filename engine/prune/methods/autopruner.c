/* SPDX-License-Identifier: MIT */
/* AutoPruner: a coding layer behind each activation learns, together with the network, which
 * channels stay.
 *
 *   stage ──▶ step: α and λ ─ train ─ vote ─▶ … window: controller ─▶ … epoch: measure ──▶ gates into weights ──▶ next stage
 *
 * All that is computed per step runs on the device as part of the plan; the host reads the gates and sets α and λ. */
#include <math.h>

#include "base/error.h"
#include "prune/methods/autopruner-private.h"
#include "prune/methods/methods.h"
#include "train/evaluate.h"

#define LOADER_THREADS 2
#define TEST_PICTURES 1000
#define NORM_MOMENTUM 0.1f
#define MOMENTUM 0.9f
/* Bars of the histogram of the gates, from closed to open. */
#define BARS 10

/* --- what it tells --- */

static void
tell (const PjAutopruner *self, const char *what, const PjGroup *group, double y)
{
  g_autofree char *series = g_strdup_printf ("%s %s", what, group->name);
  pj_hooks_metric (self->scoring->hooks, series, (double) self->x, y);
}

/* One look at a site: α, λ, rate and target, share of each bar. */
static void
tell_site (const PjAutopruner *self, unsigned s)
{
  const PjCodingState *state = &self->states[s];
  const PjGroup *group = self->net->sites[s].group;
  unsigned bars[BARS] = { 0 };
  double sum = 0;

  for (int c = 0; c < state->n; c++) {
    sum += state->gate[c];
    bars[MIN (BARS - 1, (unsigned) (state->gate[c] * BARS))]++;
  }
  tell (self, "alpha", group, self->written_alpha[s]);
  tell (self, "lambda", group, self->frozen[s] ? 0 : self->written_lambda[s]);
  tell (self, "rate", group, sum / state->n);
  tell (self, "target", group, self->settings->ratios[group->id]);
  tell (self, "frozen", group, self->frozen[s]);
  for (unsigned b = 0; b < BARS; b++) {
    g_autofree char *what = g_strdup_printf ("gates%u", b);
    tell (self, what, group, (double) bars[b] / state->n);
  }
}

/* --- controls --- */

static gboolean
write_number (PjAutopruner *self, int value, float number, GError **error)
{
  return pj_params_write (self->params, value, &number, error);
}

/* α and λ of this step, as far as they changed. */
static gboolean
write_controls (PjAutopruner *self, unsigned s, GError **error)
{
  const PjCodedSite *site = &self->net->sites[s];
  const PjCodingState *state = &self->states[s];
  float alpha = (float) pj_coding_alpha (&self->coding, state, self->step), lambda = (float) state->lambda;

  if (isnan (self->written_lambda[s])
      && !write_number (self, site->target, (float) self->settings->ratios[site->group->id], error))
    return FALSE;
  if (alpha != self->written_alpha[s] && !write_number (self, site->alpha, alpha, error))
    return FALSE;
  if (lambda != self->written_lambda[s] && !write_number (self, site->pull, 2 * lambda / (float) state->n, error))
    return FALSE;
  self->written_alpha[s] = alpha;
  self->written_lambda[s] = lambda;
  return TRUE;
}

/* Stops or starts the training of one site's gates. */
static gboolean
set_frozen (PjAutopruner *self, unsigned s, gboolean frozen, GError **error)
{
  const PjCodedSite *site = &self->net->sites[s];
  PjCodingState *state = &self->states[s];
  g_autofree float *fixed = g_new0 (float, state->n);

  for (int c = 0; frozen && c < state->n; c++)
    fixed[c] = state->code[c] = state->gate[c] > 0.5f;
  self->frozen[s] = frozen;
  return write_number (self, site->on, frozen ? 0 : 1, error) && pj_params_write (self->params, site->fixed, fixed, error);
}

static gboolean
obey (PjAutopruner *self, GError **error)
{
  const PjMethodLife *life = self->settings->life;
  PjCommand command;

  while (life != NULL && life->command != NULL && life->command (&command, life->data)) {
    self->finish = self->finish || command.kind == PJ_COMMAND_FINISH;
    for (unsigned s = 0; command.kind != PJ_COMMAND_FINISH && s < self->net->n_sites; s++)
      if (self->net->sites[s].group->id == command.group && !set_frozen (self, s, command.kind == PJ_COMMAND_FREEZE, error))
        return FALSE;
  }
  return TRUE;
}

/* MobileNetV2's way: gates that are still in the middle in the last epoch make α of all run ahead. */
static void
hurry (PjAutopruner *self)
{
  const PjCodingPlan *plan = &self->coding;
  double least = 1, step = (plan->end - plan->start) / plan->n_steps;

  if (plan->net != PJ_CODING_MOBILENET || self->step <= plan->last_epoch)
    return;
  for (unsigned s = 0; s < self->net->n_sites; s++)
    least = MIN (least, pj_coding_two_sided (self->states[s].gate, self->states[s].n, 0.1));
  for (unsigned s = 0; least < 0.9 && s < self->net->n_sites; s++)
    self->states[s].offset += 10 * step;
}

/* Reads the gates of one site, lets them vote, and at the end of a window looks at the controller. */
static gboolean
note_gates (PjAutopruner *self, unsigned s, GError **error)
{
  PjCodingState *state = &self->states[s];
  double r = self->settings->ratios[self->net->sites[s].group->id];

  if (!pj_plan_read_value (self->exec, self->net->sites[s].code, self->gates, error))
    return FALSE;
  if (!pj_coding_vote (state, &self->coding, self->gates))
    return TRUE;
  tell_site (self, s);
  pj_coding_control (&self->coding, state, r, pj_coding_removed (state), pj_coding_two_sided (state->gate, state->n, 0.2),
                     self->step >= self->coding.settled);
  return TRUE;
}

/* --- steps --- */

/* ×0.1 after two thirds of a stage (VGG), after half (ResNet), constant (MobileNetV2). */
static float
rate_of (const PjAutopruner *self)
{
  double done = (double) self->step / self->coding.n_steps;
  double drop = self->options.net == PJ_CODING_VGG ? 2.0 / 3 : self->options.net == PJ_CODING_RESNET ? 0.5 : 2;
  return (float) (self->options.lr * (done >= drop ? 0.1 : 1));
}

static gboolean
note_loss (PjAutopruner *self, float lr, GError **error)
{
  double sum = 0;

  if (!pj_plan_read_loss (self->exec, self->loss, error))
    return FALSE;
  for (unsigned i = 0; i < self->options.batch; i++)
    sum += self->loss[i];
  sum /= self->options.batch;
  if (!isfinite (sum)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "training diverged in step %u: the loss is not a number; use a smaller "
                 "learning rate (code-lr) than %g", self->step + 1, self->options.lr);
    return FALSE;
  }
  for (unsigned s = 0; s < self->net->n_sites; s++)
    if (!self->frozen[s])
      sum += pj_coding_rate_loss (&self->states[s], self->settings->ratios[self->net->sites[s].group->id]);
  if (self->x % 10 == 0) {
    pj_hooks_metric (self->scoring->hooks, "loss", (double) self->x, sum);
    pj_hooks_metric (self->scoring->hooks, "lr", (double) self->x, lr);
  }
  return TRUE;
}

static gboolean
do_step (PjAutopruner *self, GError **error)
{
  PjStep step = {
    .lr = rate_of (self), .momentum = MOMENTUM, .weight_decay = (float) self->options.decay, .norm_momentum = NORM_MOMENTUM,
  };
  GError *reason = NULL;

  if (!self->loader_started || self->step % self->per_epoch == 0)
    pj_loader_start (self->loader, (unsigned) (self->x / self->per_epoch), self->step % self->per_epoch);
  self->loader_started = TRUE;
  const PjBatch *batch = pj_loader_next (self->loader, &reason);
  if (batch == NULL) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  for (unsigned s = 0; s < self->net->n_sites; s++)
    if (!write_controls (self, s, error))
      return FALSE;
  if (!pj_plan_set_images (self->exec, batch->images, error) || !pj_plan_set_labels (self->exec, batch->labels, error)
      || !pj_plan_train (self->exec, &step, error))
    return FALSE;
  self->step++;
  self->x++;
  for (unsigned s = 0; s < self->net->n_sites; s++)
    if (!note_gates (self, s, error))
      return FALSE;
  hurry (self);
  return note_loss (self, step.lr, error);
}

/* Accuracy of the network with its codes as masks. */
static gboolean
end_epoch (PjAutopruner *self, GError **error)
{
  const PjScoring *scoring = self->scoring;
  PjHooks quiet = scoring->hooks != NULL ? *scoring->hooks : (PjHooks) { 0 };
  PjAccuracy accuracy = { 0 };

  if (pj_dataset_n (scoring->dataset, PJ_SPLIT_TEST) == 0)
    return TRUE;
  quiet.progress = NULL;
  g_autoptr (PjGraph) plain = pj_coded_net_plain (self->net, self->base, self->params, error);
  g_autoptr (PjCutPlan) masks = pj_autopruner_masks (self);
  if (plain == NULL || !pj_evaluate (scoring->device, plain, scoring->dataset, PJ_SPLIT_TEST, scoring->format, TEST_PICTURES,
                                     scoring->groups, masks, &quiet, &accuracy, error))
    return FALSE;
  pj_hooks_metric (scoring->hooks, "test accuracy", (double) self->x, accuracy.top1);
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

/* --- checkpoints --- */

static GBytes *
state_cb (gconstpointer data, uint64_t *step, GError **error)
{
  const PjAutopruner *self = data;
  *step = self->x;
  return pj_autopruner_save (self, error);
}

/* --- the run --- */

static void
show_progress (const PjAutopruner *self)
{
  const PjGroup *group = self->net->sites[0].group;
  double share = (self->stage + (double) self->step / self->coding.n_steps) / self->stages->len;
  pj_hooks_progress (self->scoring->hooks, share, self->net->n_sites > 1 ? "%s and others, epoch %u of %u" : "%s, epoch %u of %u",
                     group->name, (MAX (self->step, 1) - 1) / self->per_epoch + 1, self->options.epochs);
}

static gboolean
run_stage (PjAutopruner *self, GError **error)
{
  while (self->step < self->coding.n_steps && !self->finish) {
    if (!pj_hooks_go_on (self->scoring->hooks, error) || !obey (self, error))
      return FALSE;
    if (self->finish)
      break;
    if (!do_step (self, error))
      return FALSE;
    show_progress (self);
    if (self->step % self->per_epoch == 0 && !end_epoch (self, error))
      return FALSE;
    if (!pj_keeper_keep (&self->keeper, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
run_stages (PjAutopruner *self, GError **error)
{
  const PjMethodLife *life = self->settings->life;

  self->keeper = (PjKeeper) { life, state_cb, self, 0 };
  pj_keeper_start (&self->keeper);
  if (life != NULL && life->resume != NULL && !pj_autopruner_restore (self, life->resume, error))
    return FALSE;
  while (self->stage < self->stages->len && !self->finish) {
    if (self->net == NULL && !pj_autopruner_open (self, error))
      return FALSE;
    if (!run_stage (self, error) || !pj_autopruner_close (self, error))
      return FALSE;
    self->stage++;
    self->step = 0;
  }
  return TRUE;
}

static gboolean
open_loader (PjAutopruner *self, GError **error)
{
  const PjScoring *scoring = self->scoring;
  unsigned n = scoring->n_images > 0 ? scoring->n_images : pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN);

  self->pictures = n < pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN) ? pj_dataset_subset (scoring->dataset, n, 0, scoring->seed)
                                                                       : pj_dataset_ref (scoring->dataset);
  PjLoaderOptions options = {
    .split = PJ_SPLIT_TRAIN, .format = *scoring->format, .batch = self->options.batch, .shuffle = TRUE, .flip = TRUE,
    .seed = scoring->seed, .n_threads = LOADER_THREADS,
  };
  self->loader = pj_loader_new (self->pictures, &options, error);
  if (self->loader == NULL)
    return FALSE;
  self->per_epoch = pj_loader_n_batches (self->loader);
  return TRUE;
}

static void
autopruner_clear (PjAutopruner *self)
{
  pj_autopruner_drop (self);
  pj_loader_free (self->loader);
  g_clear_pointer (&self->pictures, pj_dataset_unref);
  g_clear_pointer (&self->base, pj_graph_unref);
  g_clear_pointer (&self->plan, pj_cut_plan_unref);
  g_clear_pointer (&self->stages, g_ptr_array_unref);
}

static PjCutPlan *
choose (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  PjAutopruner self = { .method = method, .scoring = scoring, .settings = settings };
  PjCutPlan *plan = NULL;
  g_autoptr (GError) reason = NULL;

  if (!pj_prune_settings_check (method, scoring, settings, error))
    return NULL;
  pj_autopruner_read_options (&self.options, method, scoring, settings);
  self.stages = pj_autopruner_stages (scoring, settings->ratios, self.options.order);
  self.base = pj_graph_ref (scoring->graph);
  self.plan = pj_cut_plan_new ();
  if (self.stages->len == 0 || (open_loader (&self, &reason) && run_stages (&self, &reason))) {
    plan = g_steal_pointer (&self.plan);
    if (self.stages->len > 0)
      pj_cut_plan_set_weights (plan, self.base);
    if (scores != NULL)
      *scores = NULL;
  } else if (self.net != NULL)
    pj_keeper_stopped (&self.keeper, &reason);
  autopruner_clear (&self);
  if (plan == NULL)
    g_propagate_error (error, g_steal_pointer (&reason));
  return plan;
}

/* --- before the start --- */

static gboolean
fit (const PjMethod *method, const PjScoring *scoring, const PjGroup *group, GError **error)
{
  return pj_coded_net_fit (scoring->graph, group, error);
}

static unsigned
count_pictures (const PjScoring *scoring)
{
  unsigned n = pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN);
  return scoring->n_images > 0 ? MIN (scoring->n_images, n) : n;
}

static gboolean
check (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, GError **error)
{
  PjAutoprunerOptions options;
  pj_autopruner_read_options (&options, method, scoring, settings);
  g_autoptr (GPtrArray) stages = pj_autopruner_stages (scoring, settings->ratios, options.order);
  unsigned n = count_pictures (scoring);
  if (stages->len > 0 && n < options.batch) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "AutoPruner trains on batches of %u pictures and there are only %u; use more pictures or a smaller code-batch",
                 options.batch, n);
    return FALSE;
  }
  for (guint t = 0; t < stages->len; t++) {
    const GPtrArray *stage = stages->pdata[t];
    double weights = 0;
    for (guint i = 0; i < stage->len; i++)
      weights += pj_coded_net_n_weights (scoring->graph, stage->pdata[i], options.edge);
    /* Three copies: weights, gradients, momentum. */
    if (weights > 1e9) {
      g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                   "the coding layers of “%s” and those trained with it would need %.1f GiB; use code-edge=7 or order=one-by-one",
                   ((const PjGroup *) stage->pdata[0])->name, weights * 12 / (1 << 30));
      return FALSE;
    }
  }
  return TRUE;
}

static void
work (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, double *forward, double *trained)
{
  PjAutoprunerOptions options;
  pj_autopruner_read_options (&options, method, scoring, settings);
  g_autoptr (GPtrArray) stages = pj_autopruner_stages (scoring, settings->ratios, options.order);
  double epochs = (double) stages->len * options.epochs;
  *trained = epochs * count_pictures (scoring);
  *forward = epochs * MIN (TEST_PICTURES, pj_dataset_n (scoring->dataset, PJ_SPLIT_TEST));
}

static const char *const nets[] = { "auto", "vgg", "resnet", "mobilenet", NULL };
static const char *const orders[] = { "auto", "together", "stages", "one-by-one", NULL };

static const PjMethodOption options[] = {
  { "net", "whose published schedule to follow: auto, vgg, resnet, mobilenet", 0, 0, 3, TRUE, nets },
  { "order", "what is coded at a time: auto (as published), together, stages, one-by-one", 0, 0, 3, TRUE, orders },
  { "epochs", "epochs of each turn", 0, 0, 1000, TRUE, NULL, "as published (VGG 3, ResNet 8, MobileNet 5)" },
  { "alpha", "sharpness of the gates at the start", 0, 0, 1000, FALSE, NULL,
    "as published (VGG 0.1, ResNet 1, MobileNet 0.1)" },
  { "alpha-end", "sharpness at the end of the linear schedule", 0, 0, 10000, FALSE, NULL,
    "as published (VGG 2, ResNet 100, MobileNet 100)" },
  { "alpha-step", "what the controller adds to the sharpness at a time", 0, 0, 1000, FALSE, NULL,
    "as published (VGG 0.1, ResNet 1, MobileNet nothing)" },
  { "lambda", "weight of the rate in the loss at the start; the controller changes it", 10, 0, 10000, FALSE, NULL },
  { "lambda-least", "the weight never falls below", 0.1, 0, 10000, FALSE, NULL, "no limit (as published)" },
  { "code-lr", "learning rate of network and code", 0, 0, 10, FALSE, NULL,
    "as published (VGG 0.001, ResNet 0.001, MobileNet 0.01)" },
  { "code-batch", "pictures per step; below 64 codes jitter", 64, 2, 4096, TRUE, NULL },
  { "code-edge", "pool maps to at most so many pixels across before coding, which saves memory", 0, 0, 1024, TRUE, NULL,
    "whole maps (as published)" },
  { NULL }
};

const PjMethod pj_method_autopruner = {
  .name = "autopruner", .title = "AutoPruner",
  .about = "Trains a gate for every channel together with the network and drives the gates to open or closed, towards the share "
           "to keep. What stays was learnt, not scored; a kept share ends near the one asked for.",
  .source = "Luo, Wu: AutoPruner: An End-to-End Trainable Filter Pruning Method, Pattern Recognition 2020",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS,
  .fit = fit, .options = options, .check = check, .work = work, .choose = choose,
};
