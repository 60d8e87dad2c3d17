/* SPDX-License-Identifier: MIT */
/* GAL: soft masks on the channels are trained without labels; the uncut network is the teacher, and an adversary that
 * tells the answers of the two apart.
 *
 *   pictures ─┬─ teacher ─ scores ─┬─ MSE ─┐
 *             └─ student ─ scores ─┴─ adversary ─▶ ∂/∂scores ─▶ weights, and every few steps FISTA on the masks */
#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "prune/gates/adversary.h"
#include "prune/methods/gated-run.h"
#include "prune/methods/methods.h"
#include "prune/gates/proximal.h"

/* Numbers of the run: the pace of FISTA, then the adversary's. */
enum { PACE, N_OWN };

typedef struct {
  gboolean published;
  int n_classes;
  PjAdversary adversary;
  PjParams *params;
  PjPlan *plan;
  float *teacher, *student, *grads;   /* batch x classes */
} Gal;

static gboolean
open_teacher (PjGatedRun *run, GError **error)
{
  Gal *self = run->data;
  PjPlanOptions options = { .batch = run->batch, .mode = PJ_PLAN_INFER };
  size_t size = (size_t) run->batch * (size_t) self->n_classes * sizeof (float);

  self->params = pj_params_new (run->scoring->device, run->scoring->graph, FALSE, error);
  self->plan = self->params != NULL ? pj_plan_new (run->scoring->graph, self->params, &options, error) : NULL;
  if (self->plan == NULL)
    return FALSE;
  self->teacher = pj_alloc (size, "class scores", error);
  self->student = self->teacher != NULL ? pj_alloc (size, "class scores", error) : NULL;
  self->grads = self->student != NULL ? pj_alloc (size, "class scores", error) : NULL;
  return self->grads != NULL;
}

static gboolean
begin (PjGatedRun *run, GError **error)
{
  Gal *self = run->data;

  pj_adversary_init (&self->adversary, run->state + N_OWN, self->n_classes, self->published);
  pj_adversary_start (&self->adversary, run->scoring->seed);
  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    PjGate *gate = &run->gates->gates[g];
    PjRng rng;
    pj_rng_init (&rng, run->scoring->seed, PJ_STREAM (PJ_STREAM_CRITERION, gate->group->id, 0x6a1));
    for (int c = 0; c < gate->n; c++)
      gate->extra[c] = gate->gate[c] = self->published ? pj_rng_normal (&rng) : 1;
  }
  return open_teacher (run, error);
}

static gboolean
train (PjGatedRun *run, const PjBatch *batch, const PjStep *step, double *loss, GError **error)
{
  Gal *self = run->data;
  double mu = pj_method_value (run->method, run->settings, "mu");

  if (!pj_plan_set_images (self->plan, batch->images, error) || !pj_plan_forward (self->plan, NULL, error)
      || !pj_plan_read_logits (self->plan, self->teacher, error) || !pj_plan_set_images (run->exec, batch->images, error)
      || !pj_plan_forward (run->exec, step, error) || !pj_plan_read_logits (run->exec, self->student, error))
    return FALSE;
  pj_adversary_learn (&self->adversary, self->teacher, self->student, (int) run->batch, run->lr);
  *loss = pj_adversary_loss (&self->adversary, self->teacher, self->student, (int) run->batch, mu, self->grads);
  return pj_plan_set_logit_grads (run->exec, self->grads, error) && pj_plan_finish (run->exec, error);
}

static gboolean
step (PjGatedRun *run, GError **error)
{
  const Gal *self = run->data;
  unsigned every = (unsigned) pj_method_value (run->method, run->settings, "mask-every");
  double lambda = pj_method_value (run->method, run->settings, "sparsity");

  if (run->dropped)
    run->state[PACE] = 0;
  if ((run->step + 1) % every != 0)
    return TRUE;
  double lean = pj_fista_pace (&run->state[PACE]);
  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    PjGate *gate = &run->gates->gates[g];
    /* The authors' program has the price in the loss, too, and so takes it twice. */
    for (int c = 0; self->published && c < gate->n; c++)
      gate->grad[c] += lambda * ((gate->gate[c] > 0) - (gate->gate[c] < 0));
    if (!gate->frozen)
      pj_fista_step (gate->gate, gate->extra, gate->grad, gate->n, run->lr, lambda, lean);
  }
  return TRUE;
}

static PjCutPlan *
choose (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  Gal self = {
    .published = pj_method_value (method, settings, "variant") == 1, .n_classes = (int) pj_graph_n_classes (scoring->graph),
  };
  /* The authors: ×0.1 after each 30 of 100 epochs. */
  const PjGatedRule rule = {
    .n_extra = 1, .n_state = (unsigned) (N_OWN + pj_adversary_n_numbers (self.n_classes)), .decay = 2e-4,
    .drops = { 0.7, 0.9 }, .begin = begin, .train = train, .step = step, .absorbs = TRUE,
  };
  PjCutPlan *plan = pj_gated_choose (method, &rule, &self, scoring, settings, scores, error);
  g_clear_pointer (&self.plan, pj_plan_free);
  g_clear_pointer (&self.params, pj_params_free);
  pj_free (self.teacher);
  pj_free (self.student);
  pj_free (self.grads);
  return plan;
}

static const char *const variants[] = { "usual", "published", NULL };

static const PjMethodOption options[] = {
  PJ_GATED_OPTIONS (6, 0.01), PJ_GATED_FADE,
  { "sparsity", "price of the sum of the masks", 0.6, 0, 100, FALSE, NULL },
  { "mu", "weight of the distance to the teacher's class scores", 1, 0, 1000, FALSE, NULL },
  { "mask-every", "steps between two steps of the masks; published: 200", 20, 1, 100000, TRUE, NULL },
  { "variant", "usual, or as the authors' program has it: random first masks, two sigmoids, the price taken twice", 0, 0, 1, TRUE, variants },
  { NULL }
};

const PjMethod pj_method_gal = {
  .name = "gal", .title = "Generative adversarial learning",
  .about = "Trains a soft mask on every channel without labels: the network must answer like its uncut self, so that an adversary "
           "cannot tell the two apart, while a price drives masks to zero. "
           "The smallest masks go until the budget is met, and all that are zero; the others become part of the weights.",
  .source = "Lin, Ji, Yan, Zhang, Cao, Ye, Huang, Doermann: Towards Optimal Structured CNN Pruning via Generative Adversarial "
            "Learning, CVPR 2019",
  .needs = PJ_NEEDS_IMAGES, .allocates = TRUE,
  .fit = pj_gated_fit, .options = options, .check = pj_gated_check, .work = pj_gated_work, .choose = choose,
};
