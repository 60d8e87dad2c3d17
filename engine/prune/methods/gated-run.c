/* SPDX-License-Identifier: MIT */
#include "prune/methods/gated-run.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "train/evaluate.h"

#define LOADER_THREADS 2
#define TEST_PICTURES 1000
#define NORM_MOMENTUM 0.1f
#define MOMENTUM 0.9f
/* Steps between two looks at the gates; bars of their histogram, from closed to open. */
#define TELL_EVERY 20
#define BARS 10

/* --- what it tells --- */

static void
tell (const PjGatedRun *self, const char *what, const PjGroup *group, double y)
{
  g_autofree char *series = g_strdup_printf ("%s %s", what, group->name);
  pj_hooks_metric (self->scoring->hooks, series, (double) self->step, y);
}

static void
tell_gate (const PjGatedRun *self, const PjGate *gate)
{
  unsigned bars[BARS] = { 0 }, open = 0;

  for (int c = 0; c < gate->n; c++) {
    open += gate->gate[c] > 0;
    bars[(unsigned) CLAMP (gate->gate[c] * BARS, 0, BARS - 1)]++;
  }
  tell (self, "rate", gate->group, (double) open / gate->n);
  if (!self->settings->global)
    tell (self, "target", gate->group, self->settings->ratios[gate->group->id]);
  tell (self, "frozen", gate->group, gate->frozen);
  for (unsigned b = 0; b < BARS; b++) {
    g_autofree char *what = g_strdup_printf ("gates%u", b);
    tell (self, what, gate->group, (double) bars[b] / gate->n);
  }
}

static void
obey (PjGatedRun *self)
{
  const PjMethodLife *life = self->settings->life;
  PjCommand command;

  while (life != NULL && life->command != NULL && life->command (&command, life->data)) {
    self->finish = self->finish || command.kind == PJ_COMMAND_FINISH;
    for (unsigned g = 0; command.kind != PJ_COMMAND_FINISH && g < self->gates->n_gates; g++)
      if (self->gates->gates[g].group->id == command.group)
        self->gates->gates[g].frozen = command.kind == PJ_COMMAND_FREEZE;
  }
}

/* --- steps --- */

static double
rate_at (const PjGatedRun *self, unsigned step)
{
  double lr = self->base_lr;
  for (const double *drop = self->rule->drops; *drop > 0; drop++)
    if (step >= *drop * self->n_steps)
      lr *= 0.1;
  return lr;
}

/* A step on the cross-entropy; @loss: its mean. */
static gboolean
train_on_labels (PjGatedRun *self, const PjBatch *batch, const PjStep *step, double *loss, GError **error)
{
  if (!pj_plan_set_images (self->exec, batch->images, error) || !pj_plan_set_labels (self->exec, batch->labels, error)
      || !pj_plan_train (self->exec, step, error) || !pj_plan_read_loss (self->exec, self->loss, error))
    return FALSE;
  *loss = 0;
  for (unsigned i = 0; i < self->batch; i++)
    *loss += self->loss[i] / self->batch;
  return TRUE;
}

static gboolean
note_loss (PjGatedRun *self, double loss, GError **error)
{
  if (!isfinite (loss)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "training diverged in step %u: the loss is not a number; use a smaller "
                 "learning rate (gate-lr) than %g", self->step + 1, self->base_lr);
    return FALSE;
  }
  if (self->step % 10 == 0) {
    pj_hooks_metric (self->scoring->hooks, "loss", self->step, loss);
    pj_hooks_metric (self->scoring->hooks, "lr", self->step, self->lr);
  }
  return TRUE;
}

/* What the budget is not going to keep closes bit by bit. */
static gboolean
fade_out (PjGatedRun *self, GError **error)
{
  unsigned begin = (unsigned) (self->n_steps * (1 - self->fade));
  double length = MAX (1, self->n_steps * self->fade / 2);

  if (self->fade <= 0 || self->step < begin)
    return TRUE;
  if (!self->fading) {
    g_autoptr (PjScores) scores = pj_gates_scores (self->gates, self->scoring->groups, self->method->name, NULL);
    g_autoptr (PjCutPlan) plan = pj_scores_check (scores, self->scoring->groups, error) ? pj_gated_spend (self, scores, error) : NULL;
    if (plan == NULL)
      return FALSE;
    for (unsigned g = 0; g < self->gates->n_gates; g++) {
      PjGate *gate = &self->gates->gates[g];
      const PjGroupCut *cut = pj_cut_plan_get (plan, gate->group->id);
      for (int c = 0; cut != NULL && c < gate->n; c++)
        gate->fading[c] = cut->keep[c] ? -1 : MAX (0, gate->gate[c]);
    }
    self->fading = TRUE;
  }
  double left = MAX (0, 1 - (self->step + 1 - begin) / length);
  for (unsigned g = 0; g < self->gates->n_gates; g++)
    for (int c = 0; c < self->gates->gates[g].n; c++)
      if (self->gates->gates[g].fading[c] >= 0)
        self->gates->gates[g].gate[c] = left * self->gates->gates[g].fading[c];
  return TRUE;
}

static gboolean
do_step (PjGatedRun *self, GError **error)
{
  GError *reason = NULL;
  double loss;

  if (!self->loader_started || self->step % self->per_epoch == 0)
    pj_loader_start (self->loader, self->step / self->per_epoch, self->step % self->per_epoch);
  self->loader_started = TRUE;
  const PjBatch *batch = pj_loader_next (self->loader, &reason);
  if (batch == NULL) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  self->lr = rate_at (self, self->step);
  self->dropped = self->step > 0 && self->lr < rate_at (self, self->step - 1);
  PjStep step = {
    .lr = (float) self->lr, .momentum = MOMENTUM, .weight_decay = (float) self->rule->decay, .nesterov = self->rule->nesterov,
    .norm_momentum = NORM_MOMENTUM,
  };
  if (!pj_gates_apply (self->gates, self->exec, error)
      || !(self->rule->train != NULL ? self->rule->train : train_on_labels) (self, batch, &step, &loss, error)
      || !pj_gates_read (self->gates, self->exec, error) || !self->rule->step (self, error) || !fade_out (self, error))
    return FALSE;
  self->step++;
  for (unsigned g = 0; self->step % TELL_EVERY == 0 && g < self->gates->n_gates; g++)
    tell_gate (self, &self->gates->gates[g]);
  return note_loss (self, loss, error);
}

/* The network as it stands: closed gates are masks, the others factors if the rule says so. */
static PjCutPlan *
gates_now (const PjGatedRun *self)
{
  PjCutPlan *masks = pj_cut_plan_new ();
  for (unsigned g = 0; g < self->gates->n_gates; g++) {
    const PjGate *gate = &self->gates->gates[g];
    g_autofree guint8 *keep = g_malloc ((gsize) gate->n);
    g_autofree float *factor = g_new (float, gate->n);
    for (int c = 0; c < gate->n; c++) {
      keep[c] = gate->gate[c] > 0;
      factor[c] = (float) gate->gate[c];
    }
    /* A group cannot go whole. */
    if (memchr (keep, 1, (size_t) gate->n) == NULL)
      keep[0] = 1;
    pj_cut_plan_set (masks, gate->group, keep, self->rule->absorbs ? factor : NULL);
  }
  return masks;
}

static gboolean
end_epoch (PjGatedRun *self, GError **error)
{
  const PjScoring *scoring = self->scoring;
  PjHooks quiet = scoring->hooks != NULL ? *scoring->hooks : (PjHooks) { 0 };
  PjAccuracy accuracy = { 0 };

  if (pj_dataset_n (scoring->dataset, PJ_SPLIT_TEST) == 0)
    return TRUE;
  quiet.progress = NULL;
  g_autoptr (PjGraph) learnt = pj_params_download (self->params, scoring->graph, error);
  g_autoptr (PjCutPlan) masks = gates_now (self);
  if (learnt == NULL || !pj_evaluate (scoring->device, learnt, scoring->dataset, PJ_SPLIT_TEST, scoring->format, TEST_PICTURES,
                                      scoring->groups, masks, &quiet, &accuracy, error))
    return FALSE;
  pj_hooks_metric (scoring->hooks, "test accuracy", (double) self->step, accuracy.top1);
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

/* --- checkpoints --- */

static GBytes *
state_cb (gconstpointer data, uint64_t *step, GError **error)
{
  const PjGatedRun *self = data;
  *step = self->step;
  return pj_gated_save (self, error);
}

/* --- the run --- */

static gboolean
train (PjGatedRun *self, GError **error)
{
  self->keeper = (PjKeeper) { self->settings->life, state_cb, self, 0 };
  pj_keeper_start (&self->keeper);
  while (self->step < self->n_steps && !self->finish) {
    if (!pj_hooks_go_on (self->scoring->hooks, error))
      return FALSE;
    obey (self);
    if (self->finish)
      break;
    if (!do_step (self, error))
      return FALSE;
    pj_hooks_progress (self->scoring->hooks, (double) self->step / self->n_steps, "epoch %u of %u",
                       (self->step - 1) / self->per_epoch + 1, self->epochs);
    if (self->step % self->per_epoch == 0 && !end_epoch (self, error))
      return FALSE;
    if (!pj_keeper_keep (&self->keeper, error))
      return FALSE;
  }
  return TRUE;
}

static unsigned
count_pictures (const PjScoring *scoring)
{
  unsigned n = pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN);
  return scoring->n_images > 0 ? MIN (scoring->n_images, n) : n;
}

static gboolean
open_loader (PjGatedRun *self, GError **error)
{
  const PjScoring *scoring = self->scoring;
  unsigned n = count_pictures (scoring);

  self->pictures = n < pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN) ? pj_dataset_subset (scoring->dataset, n, 0, scoring->seed)
                                                                       : pj_dataset_ref (scoring->dataset);
  PjLoaderOptions options = {
    .split = PJ_SPLIT_TRAIN, .format = *scoring->format, .batch = self->batch, .shuffle = TRUE, .flip = TRUE,
    .seed = scoring->seed, .n_threads = LOADER_THREADS,
  };
  self->loader = pj_loader_new (self->pictures, &options, error);
  if (self->loader == NULL)
    return FALSE;
  self->per_epoch = pj_loader_n_batches (self->loader);
  self->n_steps = self->epochs * self->per_epoch;
  return TRUE;
}

static gboolean
open_plan (PjGatedRun *self, GError **error)
{
  PjPlanOptions options = {
    .batch = self->batch, .mode = PJ_PLAN_TRAIN, .cross_entropy = self->rule->train == NULL,
    .logit_grads = self->rule->train != NULL, .gated = (const int *) self->gates->gated->data,
    .n_gated = self->gates->gated->len, .gate_grads = TRUE, .gate_through = self->rule->through,
  };

  self->params = pj_params_new (self->scoring->device, self->scoring->graph, TRUE, error);
  self->exec = self->params != NULL ? pj_plan_new (self->scoring->graph, self->params, &options, error) : NULL;
  self->loss = self->exec != NULL ? pj_alloc (self->batch * sizeof (float), "losses", error) : NULL;
  return self->loss != NULL;
}

static gboolean
run (PjGatedRun *self, GError **error)
{
  const PjMethodLife *life = self->settings->life;

  self->state = g_new0 (double, self->rule->n_state);
  if (self->settings->global && !pj_method_budget (self->scoring, self->settings, &self->budget, &self->latency, error))
    return FALSE;
  if (!open_loader (self, error) || !open_plan (self, error) || (self->rule->begin != NULL && !self->rule->begin (self, error)))
    return FALSE;
  if (life != NULL && life->resume != NULL && !pj_gated_restore (self, life->resume, error))
    return FALSE;
  self->fading = self->step > (unsigned) (self->n_steps * (1 - self->fade));
  return train (self, error);
}

/* --- who stays --- */

PjCutPlan *
pj_gated_spend (const PjGatedRun *self, const PjScores *scores, GError **error)
{
  const PjScoring *scoring = self->scoring;

  if (!self->settings->global)
    return pj_budget_local (scoring->groups, scores, self->settings->ratios, self->settings->multiple, error);
  g_autoptr (PjScores) own = pj_scores_copy (scores);
  pj_widths_scores (self->settings->widths, scoring->graph, scoring->groups, FALSE, own);
  return pj_budget_spend (scoring->graph, scoring->groups, own, &self->budget, error);
}

/* Channels with a gate of 0 do nothing: they go, too, but for one, and but where blocks must stay even. */
static void
drop_zeros (const PjGatedRun *self, PjCutPlan *plan)
{
  for (unsigned g = 0; g < self->gates->n_gates; g++) {
    const PjGate *gate = &self->gates->gates[g];
    const PjGroupCut *cut = pj_cut_plan_get (plan, gate->group->id);
    g_autofree guint8 *keep = g_malloc ((gsize) gate->n);
    gboolean any = FALSE;
    for (int c = 0; c < gate->n; c++)
      any |= keep[c] = (cut == NULL || cut->keep[c]) && gate->gate[c] > 0;
    if (any && gate->group->n_blocks == 1 && self->settings->multiple <= 1 && memchr (keep, 0, (size_t) gate->n) != NULL)
      pj_cut_plan_set (plan, gate->group, keep, NULL);
  }
}

/* The open gates go into the weights of whoever reads the group. */
static PjGraph *
absorb_gates (const PjGatedRun *self, PjGraph *learnt, GError **error)
{
  g_autoptr (PjCutPlan) factors = pj_cut_plan_new ();
  for (unsigned g = 0; g < self->gates->n_gates; g++) {
    const PjGate *gate = &self->gates->gates[g];
    g_autofree guint8 *all = g_malloc ((gsize) gate->n);
    g_autofree float *factor = g_new (float, gate->n);
    memset (all, 1, (size_t) gate->n);
    for (int c = 0; c < gate->n; c++)
      factor[c] = (float) gate->gate[c];
    pj_cut_plan_set (factors, gate->group, all, factor);
  }
  return pj_cut (learnt, self->scoring->groups, factors, error);
}

static PjCutPlan *
finish (PjGatedRun *self, PjScores **scores, GError **error)
{
  const PjGatedRule *rule = self->rule;
  g_autoptr (PjScores) measured = rule->score != NULL ? rule->score (self)
                                  : pj_gates_scores (self->gates, self->scoring->groups, self->method->name, NULL);
  measured->seed = self->scoring->seed;
  measured->n_images = count_pictures (self->scoring);
  if (!pj_scores_check (measured, self->scoring->groups, error))
    return NULL;
  g_autoptr (PjCutPlan) plan = rule->spend != NULL ? rule->spend (self, measured, error) : pj_gated_spend (self, measured, error);
  g_autoptr (PjGraph) learnt = plan != NULL ? pj_params_download (self->params, self->scoring->graph, error) : NULL;
  if (learnt == NULL)
    return NULL;
  if (rule->absorbs) {
    drop_zeros (self, plan);
    PjGraph *absorbed = absorb_gates (self, learnt, error);
    if (absorbed == NULL)
      return NULL;
    pj_graph_unref (learnt);
    learnt = absorbed;
  }
  pj_cut_plan_set_weights (plan, learnt);
  if (scores != NULL)
    *scores = g_steal_pointer (&measured);
  return g_steal_pointer (&plan);
}

static void
run_clear (PjGatedRun *self)
{
  g_clear_pointer (&self->exec, pj_plan_free);
  g_clear_pointer (&self->params, pj_params_free);
  pj_loader_free (self->loader);
  g_clear_pointer (&self->pictures, pj_dataset_unref);
  g_clear_pointer (&self->gates, pj_gates_free);
  g_clear_pointer (&self->latency, pj_latency_free);
  pj_free (self->loss);
  g_free (self->state);
}

PjCutPlan *
pj_gated_choose (const PjMethod *method, const PjGatedRule *rule, gpointer data, const PjScoring *scoring,
                 const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  PjGatedRun self = {
    .method = method, .rule = rule, .scoring = scoring, .settings = settings, .data = data,
    .batch = (unsigned) pj_method_value (method, settings, "gate-batch"),
    .epochs = (unsigned) pj_method_value (method, settings, "gate-epochs"),
    .base_lr = pj_method_value (method, settings, "gate-lr"),
  };
  g_autoptr (GError) reason = NULL;
  PjCutPlan *plan = NULL;

  if (!pj_prune_settings_check (method, scoring, settings, error))
    return NULL;
  if (rule->absorbs)
    self.fade = pj_method_value (method, settings, "fade");
  self.gates = pj_gates_new (scoring->graph, scoring->groups, settings->global ? NULL : settings->ratios, rule->n_extra);
  if (scores != NULL)
    *scores = NULL;
  if (self.gates->n_gates == 0)
    plan = pj_cut_plan_new ();
  else if (run (&self, &reason))
    plan = finish (&self, scores, &reason);
  else if (self.keeper.data != NULL)
    pj_keeper_stopped (&self.keeper, &reason);
  run_clear (&self);
  if (plan == NULL)
    g_propagate_error (error, g_steal_pointer (&reason));
  return plan;
}

/* --- before the start --- */

gboolean
pj_gated_fit (const PjMethod *method, const PjScoring *scoring, const PjGroup *group, GError **error)
{
  return pj_gates_fit (scoring->graph, group, error);
}

gboolean
pj_gated_check (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, GError **error)
{
  unsigned batch = (unsigned) pj_method_value (method, settings, "gate-batch"), n = count_pictures (scoring);
  gboolean any = settings->global;

  for (unsigned g = 0; !any && g < pj_groups_n (scoring->groups); g++)
    any = settings->ratios[g] < 1;
  if (!any || n >= batch)
    return TRUE;
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
               "%s trains on batches of %u pictures and there are only %u; use more pictures or a smaller gate-batch",
               method->title, batch, n);
  return FALSE;
}

void
pj_gated_work (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, double *forward, double *trained)
{
  double epochs = pj_method_value (method, settings, "gate-epochs");
  *trained = epochs * count_pictures (scoring);
  *forward = epochs * MIN (TEST_PICTURES, pj_dataset_n (scoring->dataset, PJ_SPLIT_TEST));
}
