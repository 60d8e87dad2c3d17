/* SPDX-License-Identifier: MIT */
#include "prune/budget/latency.h"

#include "compute/plan.h"
#include "prune/budget/budget.h"
#include "prune/criterion.h"

#define N_WIDTHS 5
/* Runs of each width: at least so many, more for as long as all of them take little time. */
#define MIN_ROUNDS 25
#define MAX_ROUNDS 200
#define ENOUGH_US (G_USEC_PER_SEC / 2)

static const double widths[N_WIDTHS] = { 0.125, 0.25, 0.5, 0.75, 1 };

/* What a node did, and how long it took, at each width; work ascending. */
typedef struct {
  double work[N_WIDTHS], ms[N_WIDTHS];
} Curve;

struct _PjLatency {
  unsigned n_nodes;
  Curve *curves;
};

/* Multiply-adds, and one operation for each number that is written: nodes without multiply-adds move data. */
static double
work_of (const PjGraph *graph, int node)
{
  PjCost cost = { 0 };
  pj_graph_node_cost (graph, node, &cost);
  return (double) cost.macs + (double) cost.activation_bytes / 4;
}

/* Even thinning of all groups that can be cut. */
static PjCutPlan *
thin (PjGraph *graph, const PjGroups *groups, double width, GError **error)
{
  PjScoring scoring = { .graph = graph, .groups = groups, .seed = 1 };
  g_autofree double *ratios = g_new (double, pj_groups_n (groups) + 1);
  g_autoptr (PjScores) scores = pj_criterion_score (pj_criterion_find ("uniform-thin"), &scoring, error);

  for (unsigned g = 0; g < pj_groups_n (groups); g++)
    ratios[g] = pj_groups_get (groups, g)->lock_reason == NULL ? width : 1;
  return scores != NULL ? pj_budget_local (groups, scores, ratios, 1, error) : NULL;
}

/* The network at one width, compiled. */
typedef struct {
  PjGraph *graph;
  PjParams *params;
  PjPlan *plan;
  double *now, *best;       /* milliseconds by call: of the last run, of the best one */
} Width;

static void
width_clear (Width *self)
{
  pj_plan_free (self->plan);
  pj_params_free (self->params);
  pj_graph_unref (self->graph);
  g_free (self->now);
  g_free (self->best);
}

static gboolean
width_open (Width *self, PjDevice *device, PjGraph *graph, const PjGroups *groups, double width, GError **error)
{
  PjPlanOptions options = { .batch = 1, .mode = PJ_PLAN_INFER };
  g_autoptr (PjCutPlan) thinned = thin (graph, groups, width, error);

  self->graph = thinned != NULL ? pj_cut (graph, groups, thinned, error) : NULL;
  self->params = self->graph != NULL ? pj_params_new (device, self->graph, FALSE, error) : NULL;
  self->plan = self->params != NULL ? pj_plan_new (self->graph, self->params, &options, error) : NULL;
  if (self->plan == NULL)
    return FALSE;
  guint n = pj_plan_program (self->plan)->calls->len;
  self->now = g_new0 (double, n);
  self->best = g_new0 (double, n);
  return TRUE;
}

static gboolean
width_run (Width *self, gboolean is_first, GError **error)
{
  guint n = pj_plan_program (self->plan)->calls->len;

  if (!pj_plan_profile (self->plan, self->now, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    self->best[i] = is_first ? self->now[i] : MIN (self->best[i], self->now[i]);
  return TRUE;
}

/* Widths take turns, so that what else the machine does meets all of them alike. */
static gboolean
run_all (Width *all, const PjHooks *hooks, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  for (int round = 0; round < MIN_ROUNDS || (round < MAX_ROUNDS && g_get_monotonic_time () - start < ENOUGH_US); round++) {
    if (!pj_hooks_go_on (hooks, error))
      return FALSE;
    pj_hooks_progress (hooks, MIN (1.0, (double) round / MIN_ROUNDS), "times of all kernels");
    for (int w = 0; w < N_WIDTHS; w++)
      if (!width_run (&all[w], round == 0, error))
        return FALSE;
  }
  return TRUE;
}

/* Adds the calls up by node. */
static void
fill_curves (PjLatency *self, const Width *all)
{
  for (int w = N_WIDTHS - 1; w >= 0; w--) {
    const PjProgram *program = pj_plan_program (all[w].plan);
    for (unsigned n = 0; n < self->n_nodes; n++)
      self->curves[n].work[w] = work_of (all[w].graph, (int) n);
    for (guint i = 0; i < program->calls->len; i++) {
      const PjCall *call = pj_program_call (program, i);
      if (call->segment == PJ_SEGMENT_FORWARD && call->node >= 0)
        self->curves[call->node].ms[w] += all[w].best[i];
    }
    /* Other work on the machine only adds time: a narrower node that seems slower met more of it. */
    for (unsigned n = 0; w < N_WIDTHS - 1 && n < self->n_nodes; n++)
      self->curves[n].ms[w] = MIN (self->curves[n].ms[w], self->curves[n].ms[w + 1]);
  }
}

PjLatency *
pj_latency_measure (PjDevice *device, PjGraph *graph, const PjGroups *groups, const PjHooks *hooks, GError **error)
{
  g_autoptr (PjLatency) self = g_new0 (PjLatency, 1);
  Width all[N_WIDTHS] = { { 0 } };
  gboolean ok = TRUE;

  self->n_nodes = pj_graph_n_nodes (graph);
  self->curves = g_new0 (Curve, self->n_nodes);
  for (int w = 0; ok && w < N_WIDTHS; w++)
    ok = pj_hooks_go_on (hooks, error) && width_open (&all[w], device, graph, groups, widths[w], error);
  ok = ok && run_all (all, hooks, error);
  if (ok)
    fill_curves (self, all);
  for (int w = 0; w < N_WIDTHS; w++)
    width_clear (&all[w]);
  return ok ? g_steal_pointer (&self) : NULL;
}

void
pj_latency_free (PjLatency *self)
{
  if (self == NULL)
    return;
  g_free (self->curves);
  g_free (self);
}

double
pj_latency_predict_node (const PjLatency *self, const PjGraph *graph, int node)
{
  const Curve *curve = &self->curves[node];
  double work = work_of (graph, node);

  for (int w = 0; w < N_WIDTHS; w++) {
    if (work > curve->work[w])
      continue;
    if (w == 0 || curve->work[w] == curve->work[w - 1])
      return curve->ms[w];
    double share = (work - curve->work[w - 1]) / (curve->work[w] - curve->work[w - 1]);
    return curve->ms[w - 1] + share * (curve->ms[w] - curve->ms[w - 1]);
  }
  return curve->ms[N_WIDTHS - 1];
}

double
pj_latency_predict (const PjLatency *self, const PjGraph *graph)
{
  double ms = 0;
  for (int n = 0; n < (int) self->n_nodes; n++)
    ms += pj_latency_predict_node (self, graph, n);
  return ms;
}
