/* SPDX-License-Identifier: MIT */
#include "prune/latency.h"

#include "compute/plan.h"
#include "prune/budget.h"
#include "prune/criterion.h"

#define N_WIDTHS 5
#define N_ROUNDS 9

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

/* Times of the calls of one picture's forward pass, the best of several runs, added up by node. */
static gboolean
time_nodes (PjDevice *device, PjGraph *graph, double *ms, GError **error)
{
  PjPlanOptions options = { .batch = 1, .mode = PJ_PLAN_INFER };
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, error);
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (graph, params, &options, error) : NULL;
  if (plan == NULL)
    return FALSE;
  const PjProgram *program = pj_plan_program (plan);
  guint n = program->calls->len;
  g_autofree double *now = g_new0 (double, n), *best = g_new0 (double, n);

  for (int round = 0; round < N_ROUNDS; round++) {
    if (!pj_plan_profile (plan, now, error))
      return FALSE;
    for (guint i = 0; i < n; i++)
      best[i] = round == 0 ? now[i] : MIN (best[i], now[i]);
  }
  for (guint i = 0; i < n; i++) {
    const PjCall *call = pj_program_call (program, i);
    if (call->segment == PJ_SEGMENT_FORWARD && call->node >= 0)
      ms[call->node] += best[i];
  }
  return TRUE;
}

static gboolean
measure_width (PjLatency *self, PjDevice *device, PjGraph *graph, const PjGroups *groups, int w, GError **error)
{
  g_autoptr (PjCutPlan) plan = thin (graph, groups, widths[w], error);
  g_autoptr (PjGraph) cut = plan != NULL ? pj_cut (graph, groups, plan, error) : NULL;
  g_autofree double *ms = g_new0 (double, self->n_nodes);

  if (cut == NULL || !time_nodes (device, cut, ms, error))
    return FALSE;
  for (unsigned n = 0; n < self->n_nodes; n++) {
    Curve *curve = &self->curves[n];
    curve->work[w] = work_of (cut, (int) n);
    /* A wider node that seems faster was measured on a quieter machine. */
    curve->ms[w] = w > 0 ? MAX (curve->ms[w - 1], ms[n]) : ms[n];
  }
  return TRUE;
}

PjLatency *
pj_latency_measure (PjDevice *device, PjGraph *graph, const PjGroups *groups, const PjHooks *hooks, GError **error)
{
  g_autoptr (PjLatency) self = g_new0 (PjLatency, 1);

  self->n_nodes = pj_graph_n_nodes (graph);
  self->curves = g_new0 (Curve, self->n_nodes);
  for (int w = 0; w < N_WIDTHS; w++) {
    if (!pj_hooks_go_on (hooks, error))
      return NULL;
    pj_hooks_progress (hooks, (double) w / N_WIDTHS, "times of all kernels: width %d of %d", w + 1, N_WIDTHS);
    if (!measure_width (self, device, graph, groups, w, error))
      return NULL;
  }
  return g_steal_pointer (&self);
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
