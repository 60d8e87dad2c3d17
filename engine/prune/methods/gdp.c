/* SPDX-License-Identifier: MIT */
/* GDP: a mask over the channels of all layers together is drawn again and again while the network trains; what is masked
 * goes on learning and can come back.
 *
 * The mask multiplies what a layer gives, a·m, behind its norm and non-linearity, and the backward pass hands ∂L/∂(a·m)
 * to a as it is.  So masked channels learn, and the saliency |Σ a·∂L/∂(a·m)|, which is |Σ w·∂L/∂w| of the filter, is the
 * same quantity for masked channels as for the others. */
#include <math.h>

#include "prune/gates/dynamic.h"
#include "prune/methods/gated-run.h"
#include "prune/methods/methods.h"

/* Numbers of the run: steps since the last draw, draws so far. */
enum { SINCE, DRAWS, N_STATE };
/* Numbers of a channel: sum of its saliency since the last draw, and its mean at the last draw. */
enum { SUM, LAST, N_EXTRA };

static double *
numbers (const PjGate *gate, int which)
{
  return gate->extra + (gsize) which * gate->n;
}

/* The saliency at the last draw, or so far if there was none. */
static PjScores *
score (const PjGatedRun *run)
{
  g_autofree double **of = g_new (double *, run->gates->n_gates);
  for (unsigned g = 0; g < run->gates->n_gates; g++)
    of[g] = numbers (&run->gates->gates[g], run->state[DRAWS] > 0 ? LAST : SUM);
  return pj_gates_scores (run->gates, run->scoring->groups, run->method->name, of);
}

static gboolean
draw_masks (PjGatedRun *run, GError **error)
{
  gboolean normalise = pj_method_value (run->method, run->settings, "saliency") == 0;
  g_autofree double **of = g_new (double *, run->gates->n_gates);

  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    PjGate *gate = &run->gates->gates[g];
    double *sum = numbers (gate, SUM), *last = numbers (gate, LAST);
    for (int c = 0; c < gate->n; c++) {
      last[c] = sum[c] / run->state[SINCE];
      sum[c] = 0;
    }
    if (normalise)
      pj_dynamic_normalise (last, gate->n);
    of[g] = last;
  }
  run->state[SINCE] = 0;
  run->state[DRAWS]++;
  return pj_gated_draw (run, of, 1, error);
}

static gboolean
step (PjGatedRun *run, GError **error)
{
  double draws = pj_method_value (run->method, run->settings, "draws"), every = MAX (1, floor (run->per_epoch / draws));

  for (unsigned g = 0; g < run->gates->n_gates; g++) {
    PjGate *gate = &run->gates->gates[g];
    double *sum = numbers (gate, SUM);
    for (int c = 0; c < gate->n; c++)
      sum[c] += fabs (gate->grad[c]);
  }
  run->state[SINCE]++;
  /* The last draw comes early enough for the network to get used to it. */
  gboolean last = run->step + 1 > run->n_steps - every && run->state[DRAWS] > 0;
  return run->state[SINCE] < every || last || draw_masks (run, error);
}

/* The masks that the network was trained with. */
static PjCutPlan *
spend (const PjGatedRun *run, const PjScores *scores, GError **error)
{
  return run->state[DRAWS] == 0 ? pj_gated_spend (run, scores, error) : pj_gated_masks (run);
}

static const PjGatedRule rule = {
  .n_extra = N_EXTRA, .n_state = N_STATE, .through = TRUE, .decay = 1e-4, .nesterov = TRUE, .drops = { 0.34, 0.67 },
  .step = step, .score = score, .spend = spend,
};

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  return pj_gated_choose (self, &rule, NULL, scoring, settings, scores, error);
}

static const char *const saliencies[] = { "normalised", "plain", NULL };

static const PjMethodOption options[] = {
  PJ_GATED_OPTIONS (3, 0.01),
  { "draws", "how often the mask is drawn again in each epoch", 10, 1, 1000, TRUE, NULL },
  { "saliency", "normalised within each layer, or plain as published, which takes more from early layers", 0, 0, 1, TRUE, saliencies },
  { NULL }
};

const PjMethod pj_method_gdp = {
  .name = "gdp", .title = "Global and dynamic pruning",
  .about = "Trains the network under a mask over the channels of all layers together, which is drawn again and again by what each "
           "channel means to the loss. "
           "What is masked goes on learning and can come back, so a wrong choice is undone.",
  .source = "Lin, Ji, Li, Wu, Huang, Zhang: Accelerating Convolutional Networks via Global & Dynamic Filter Pruning, IJCAI 2018",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS, .allocates = TRUE,
  .fit = pj_gated_fit, .options = options, .check = pj_gated_check, .work = pj_gated_work, .choose = choose,
};
