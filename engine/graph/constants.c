/* SPDX-License-Identifier: MIT */
#include "graph/constants.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "ops/op.h"
#include "ops/params.h"

/* What becomes of a removed channel; a channel with several readers is what the worst of them makes of it. */
typedef enum { NOT_CONSTANT, EXACT, PADDED, LEFT } Fate;

/* @known: by value: the number of each channel, NAN where it is not the same everywhere; NULL if no channel is. */
typedef struct {
  const PjGraph *graph;
  const PjGroups *groups;
  const PjCutPlan *plan;
  PjGraph *weights;             /* what changes; NULL until something does */
  gboolean padded;
  double **known;
  Fate **fates;                 /* by group: of each channel, or NULL */
} Constants;

static int
n_channels (const PjGraph *graph, int value)
{
  const PjShape *shape = &pj_graph_value (graph, value)->shape;
  return shape->rank > 1 ? (int) shape->dim[1] : 0;
}

static const float *
data_of (const PjGraph *graph, int value)
{
  return value >= 0 && pj_graph_value (graph, value)->data != NULL ? pj_blob_data (pj_graph_value (graph, value)->data) : NULL;
}

/* --- following constants through the network --- */

static double
activation (const PjNode *node, double x)
{
  static const PjOp *const functions[] = {
    &pj_op_leaky_relu, &pj_op_clip, &pj_op_hard_swish, &pj_op_hard_sigmoid, &pj_op_sigmoid, &pj_op_tanh,
  };
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++) {
    const PjUnaryParams *p = node->params;
    if (node->op != functions[i])
      continue;
    double a = p->alpha, b = p->beta;
    switch (p->function) {
    case PJ_FN_LEAKY_RELU:   return x >= 0 ? x : a * x;
    case PJ_FN_CLIP:         return CLAMP (x, a, b);
    case PJ_FN_HARD_SWISH:   return x * CLAMP (x / 6 + 0.5, 0, 1);
    case PJ_FN_HARD_SIGMOID: return CLAMP (a * x + b, 0, 1);
    case PJ_FN_SIGMOID:      return 1 / (1 + exp (-x));
    case PJ_FN_TANH:         return tanh (x);
    default:                 return NAN;
    }
  }
  return node->op == &pj_op_relu ? MAX (x, 0) : NAN;
}

static gboolean
has_padding (const PjNode *node)
{
  static const int none[4] = { 0 };
  const int *pad = node->op == &pj_op_conv ? ((const PjConvParams *) node->params)->pad
                   : node->op == &pj_op_avg_pool ? ((const PjPoolParams *) node->params)->pad : none;
  return memcmp (pad, none, sizeof none) != 0;
}

/* A filter of zeros leaves the bias. */
static double
of_filter (const Constants *self, const PjNode *node, int c)
{
  const PjValue *w = pj_graph_value (self->graph, node->inputs[1]);
  const float *bias = node->n_inputs > 2 ? data_of (self->graph, node->inputs[2]) : NULL;
  size_t row = pj_shape_n_elems (&w->shape) / (size_t) w->shape.dim[0];
  const float *data = data_of (self->graph, node->inputs[1]);
  if (data == NULL)
    return NAN;
  for (size_t k = 0; k < row; k++)
    if (data[(size_t) c * row + k] != 0)
      return NAN;
  return bias != NULL ? bias[c] : 0;
}

static double
of_norm (const Constants *self, const PjNode *node, int c, double x)
{
  const float *gamma = data_of (self->graph, node->inputs[1]), *beta = data_of (self->graph, node->inputs[2]);
  const float *mean = data_of (self->graph, node->inputs[3]), *var = data_of (self->graph, node->inputs[4]);
  if (gamma == NULL || beta == NULL || mean == NULL || var == NULL)
    return NAN;
  if (gamma[c] == 0)
    return beta[c];
  return (x - mean[c]) * gamma[c] / sqrt ((double) var[c] + ((const PjNormParams *) node->params)->eps) + beta[c];
}

static double
known_at (const Constants *self, int value, int c)
{
  return value >= 0 && self->known[value] != NULL ? self->known[value][c] : NAN;
}

/* Channel @c of a concatenation is that of one of its inputs. */
static double
of_concat (const Constants *self, const PjNode *node, int c)
{
  if (((const PjConcatParams *) node->params)->axis != 1)
    return NAN;
  for (unsigned i = 0; i < node->n_inputs; i++) {
    int n = n_channels (self->graph, node->inputs[i]);
    if (c < n)
      return known_at (self, node->inputs[i], c);
    c -= n;
  }
  return NAN;
}

/* The number that channel @c of the output of @node is everywhere, or NAN. */
static double
value_of (const Constants *self, const PjNode *node, int c)
{
  int x = node->inputs[0];
  if (node->op == &pj_op_conv || node->op == &pj_op_gemm)
    return of_filter (self, node, c);
  if (node->op == &pj_op_concat)
    return of_concat (self, node, c);
  if (node->op == &pj_op_flatten) {
    int n = n_channels (self->graph, x), n_columns = n_channels (self->graph, node->outputs[0]);
    return n > 0 && n_columns % n == 0 ? known_at (self, x, c / (n_columns / n)) : NAN;
  }
  if (n_channels (self->graph, x) != n_channels (self->graph, node->outputs[0]))
    return NAN;
  if (node->op == &pj_op_norm)
    return of_norm (self, node, c, known_at (self, x, c));
  if (node->op == &pj_op_add)
    return known_at (self, x, c) + known_at (self, node->inputs[1], c);
  if (node->op == &pj_op_max_pool || node->op == &pj_op_global_avg_pool || node->op == &pj_op_identity
      || (node->op == &pj_op_avg_pool && !has_padding (node)))
    return known_at (self, x, c);
  return activation (node, known_at (self, x, c));
}

static void
follow (Constants *self)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (self->graph); n++) {
    const PjNode *node = pj_graph_node (self->graph, (int) n);
    int y = node->outputs[0], size = node->n_outputs == 1 ? n_channels (self->graph, y) : 0;
    g_autofree double *known = g_new (double, MAX (1, size));
    gboolean any = FALSE;
    for (int c = 0; c < size; c++) {
      known[c] = value_of (self, node, c);
      any |= !isnan (known[c]);
    }
    if (any)
      self->known[y] = g_steal_pointer (&known);
  }
}

/* --- readers --- */

/* Parameter @value moves by @sign · @move where nobody else reads it. */
static gboolean
move_param (Constants *self, int value, const double *move, double sign, GError **error)
{
  const PjValue *old = pj_graph_value (self->weights, value);
  size_t n = pj_blob_n_elems (old->data);
  const float *from = pj_blob_data (old->data);
  PjShape shape = old->shape;
  float *data = pj_alloc (n * sizeof (float), "moved biases", error);
  if (data == NULL)
    return FALSE;
  for (size_t i = 0; i < n; i++)
    data[i] = (float) (from[i] + sign * move[i]);
  pj_graph_set_param (self->weights, value, shape, pj_blob_new_take (data, n));
  return TRUE;
}

/* The bias of @node, or else the mean of the norm that alone reads it; -1 if there is neither. */
static int
find_bias (const PjGraph *graph, const PjNode *node, double *sign)
{
  int value = node->n_inputs > 2 ? node->inputs[2] : -1;
  *sign = 1;
  if (value < 0) {
    g_autoptr (GArray) readers = pj_graph_consumers (graph, node->outputs[0]);
    const PjNode *norm = readers->len == 1 ? pj_graph_node (graph, g_array_index (readers, int, 0)) : NULL;
    *sign = -1;
    value = norm != NULL && norm->op == &pj_op_norm ? norm->inputs[3] : -1;
  }
  if (value < 0 || pj_graph_value (graph, value)->data == NULL)
    return -1;
  g_autoptr (GArray) sharers = pj_graph_consumers (graph, value);
  return sharers->len == 1 ? value : -1;
}

/* What the removed constants among the inputs of @node add to each output; what becomes of them goes into the fates. */
static gboolean
sum_inputs (Constants *self, const PjNode *node, const PjGroup *group, const PjMember *member, Fate fate, double *sum)
{
  const PjGroupCut *cut = pj_cut_plan_get (self->plan, group->id);
  const PjShape *w = &pj_graph_value (self->graph, node->inputs[1])->shape;
  const float *data = data_of (pj_cut_plan_source (self->plan, self->graph), node->inputs[1]);
  size_t row = pj_shape_n_elems (w) / (size_t) w->dim[0], tail = row / (size_t) w->dim[1];
  gboolean any = FALSE;
  for (int k = 0; cut != NULL && k < member->n; k++) {
    double v = known_at (self, member->value, k);
    int c = member->map[k];
    if (c < 0 || cut->keep[c] || isnan (v) || v == 0)
      continue;
    if (self->fates[group->id] == NULL)
      self->fates[group->id] = g_new0 (Fate, group->n_channels);
    self->fates[group->id][c] = MAX (self->fates[group->id][c], fate);
    any = TRUE;
    for (int64_t o = 0; sum != NULL && o < w->dim[0]; o++)
      for (size_t i = 0; i < tail; i++)
        sum[o] += v * data[(size_t) o * row + (size_t) k * tail + i];
  }
  return any;
}

static gboolean
is_plain (const PjNode *node)
{
  return node->op == &pj_op_gemm || (node->op == &pj_op_conv && ((const PjConvParams *) node->params)->groups == 1);
}

/* @node reads the channels of some groups. */
static gboolean
take_over (Constants *self, const PjNode *node, GError **error)
{
  double sign = 1;
  int bias = is_plain (node) ? find_bias (self->graph, node, &sign) : -1;
  Fate fate = bias < 0 ? LEFT : has_padding (node) ? PADDED : EXACT;
  gboolean wanted = fate == EXACT || (fate == PADDED && self->padded), any = FALSE;
  g_autofree double *sum = wanted ? g_new0 (double, pj_graph_value (self->graph, node->inputs[1])->shape.dim[0]) : NULL;

  for (unsigned g = 0; g < pj_groups_n (self->groups); g++) {
    const PjGroup *group = pj_groups_get (self->groups, g);
    for (unsigned m = 0; m < group->n_members; m++) {
      const PjMember *member = &group->members[m];
      if (!member->is_param && member->axis == 1 && member->value == node->inputs[0])
        any |= sum_inputs (self, node, group, member, fate, sum);
    }
  }
  if (!any || !wanted)
    return TRUE;
  if (self->weights == NULL)
    self->weights = pj_graph_copy (pj_cut_plan_source (self->plan, self->graph));
  return move_param (self, bias, sum, sign, error);
}

/* Depthwise filters belong to the channel: they go with it. */
static gboolean
reads (const PjNode *node)
{
  if (node->op == &pj_op_conv)
    return !((const PjConvParams *) node->params)->depthwise;
  return node->op == &pj_op_gemm || node->op == &pj_op_conv_transpose;
}

static void
count_fates (const Constants *self, PjConstants *result)
{
  *result = (PjConstants) { 0 };
  for (unsigned g = 0; g < pj_groups_n (self->groups); g++)
    for (int c = 0; self->fates[g] != NULL && c < pj_groups_get (self->groups, g)->n_channels; c++) {
      result->n_exact += self->fates[g][c] == EXACT;
      result->n_padded += self->fates[g][c] == PADDED;
      result->n_left += self->fates[g][c] == LEFT;
    }
}

gboolean
pj_constants_fold (const PjGraph *graph, const PjGroups *groups, PjCutPlan *plan, gboolean padded, PjConstants *result,
                   GError **error)
{
  unsigned n_values = pj_graph_n_values (graph), n_groups = pj_groups_n (groups);
  Constants self = { pj_cut_plan_source (plan, graph), groups, plan, NULL, padded, NULL, NULL };
  gboolean ok = TRUE;

  self.known = g_new0 (double *, n_values + 1);
  self.fates = g_new0 (Fate *, n_groups + 1);
  follow (&self);
  for (unsigned n = 0; ok && n < pj_graph_n_nodes (graph); n++)
    if (reads (pj_graph_node (graph, (int) n)))
      ok = take_over (&self, pj_graph_node (graph, (int) n), error);
  if (ok)
    count_fates (&self, result);
  if (ok && self.weights != NULL)
    pj_cut_plan_set_weights (plan, self.weights);
  g_clear_pointer (&self.weights, pj_graph_unref);
  for (unsigned v = 0; v < n_values; v++)
    g_free (self.known[v]);
  for (unsigned g = 0; g < n_groups; g++)
    g_free (self.fates[g]);
  g_free (self.known);
  g_free (self.fates);
  return ok;
}
