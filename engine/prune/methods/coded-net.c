/* SPDX-License-Identifier: MIT */
#include "prune/methods/coded-net.h"

#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "graph/rewrite.h"
#include "ops/op.h"
#include "ops/params.h"
#include "prune/scores/scores.h"

/* --- where the gates stand --- */

/* The value that the gate at @point multiplies: what the non-linearity behind it makes, if only that reads the point. */
static int
gate_place (const PjGraph *graph, int point)
{
  g_autoptr (GArray) readers = pj_graph_consumers (graph, point);
  if (readers->len != 1)
    return point;
  const PjNode *node = pj_graph_node (graph, g_array_index (readers, int, 0));
  return node->op->is_activation && node->n_inputs == 1 ? node->outputs[0] : point;
}

static gboolean
is_in_order (const PjMaskPoint *point, int n_channels)
{
  if (point->n != n_channels)
    return FALSE;
  for (int c = 0; c < point->n; c++)
    if (point->map[c] != c)
      return FALSE;
  return TRUE;
}

gboolean
pj_coded_net_fit (const PjGraph *graph, const PjGroup *group, GError **error)
{
  if (group->ties->len > 0) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
                 "“%s” is a residual stream, which AutoPruner leaves whole; set its keep ratio to 1 or use a criterion", group->name);
    return FALSE;
  }
  gboolean fits = group->n_mask_points > 0;
  for (unsigned m = 0; fits && m < group->n_mask_points; m++) {
    const PjShape *shape = &pj_graph_value (graph, group->mask_points[m].value)->shape;
    fits = is_in_order (&group->mask_points[m], group->n_channels) && (shape->rank == 4 || shape->rank == 2);
  }
  if (!fits)
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
                 "“%s”: its channels lie in several places of one map, which no gate can code; use a criterion", group->name);
  return fits;
}

static const PjShape *
coded_shape (const PjGraph *graph, const PjGroup *group)
{
  return &pj_graph_value (graph, gate_place (graph, group->mask_points[0].value))->shape;
}

int
pj_coded_net_pool (const PjGraph *graph, const PjGroup *group, unsigned edge)
{
  const PjShape *shape = coded_shape (graph, group);
  if (shape->rank != 4)
    return 1;
  int64_t least = MIN (shape->dim[2], shape->dim[3]), most = MAX (shape->dim[2], shape->dim[3]);
  int64_t pool = least > 7 ? 2 : 1;
  if (edge > 0)
    pool = MAX (pool, (most + edge - 1) / edge);
  return (int) MIN (pool, least);
}

static int64_t
n_inputs (const PjGraph *graph, const PjGroup *group, int pool)
{
  const PjShape *shape = coded_shape (graph, group);
  return shape->rank == 4 ? shape->dim[1] * (shape->dim[2] / pool) * (shape->dim[3] / pool) : shape->dim[1];
}

double
pj_coded_net_n_weights (const PjGraph *graph, const PjGroup *group, unsigned edge)
{
  return (double) group->n_channels * (double) n_inputs (graph, group, pj_coded_net_pool (graph, group, edge));
}

/* --- building --- */

typedef struct {
  PjRewrite rewrite;
  PjCodedNet *net;
  int *site_of, *first;      /* by value of the plain network: site whose gate multiplies it, or -1; it makes the code */
  unsigned edge;
  double spread;
  uint64_t seed;
} Build;

static int
add_numbers (PjGraph *graph, const PjGroup *group, const char *what, PjShape shape, float value)
{
  size_t n = pj_shape_n_elems (&shape);
  g_autofree char *name = g_strdup_printf ("%s.code.%s", group->name, what);
  float *data = pj_alloc (n * sizeof (float), "gates", NULL);
  for (size_t i = 0; data != NULL && i < n; i++)
    data[i] = value;
  return data != NULL ? pj_graph_add_param (graph, name, shape, pj_blob_new_take (data, n)) : -1;
}

/* Weights: normal; biases: even within ±1/√inputs. */
static int
add_initial (Build *self, const PjGroup *group, const char *what, PjShape shape, int64_t inputs, GError **error)
{
  size_t n = pj_shape_n_elems (&shape);
  gboolean is_bias = shape.rank == 1;
  g_autofree char *name = g_strdup_printf ("%s.code.%s", group->name, what);
  float *data = pj_alloc (n * sizeof (float), "the weights of a coding layer", error);
  PjRng rng;

  if (data == NULL)
    return -1;
  pj_rng_init (&rng, self->seed, PJ_STREAM (PJ_STREAM_INIT, 0x0a0de + group->id, is_bias));
  double he = self->spread * sqrt (2.0 / (double) inputs), even = 1 / sqrt ((double) inputs);
  for (size_t i = 0; i < n; i++)
    data[i] = (float) (is_bias ? even * (2 * pj_rng_uniform (&rng) - 1) : he * pj_rng_normal (&rng));
  return pj_graph_add_param (self->net->graph, name, shape, pj_blob_new_take (data, n));
}

static gboolean
add_code (Build *self, PjCodedSite *site, int activation, const PjGraph *plain, GError **error)
{
  PjGraph *graph = self->net->graph;
  const PjGroup *group = site->group;
  PjCodeParams params = { pj_coded_net_pool (plain, group, self->edge) };
  int64_t c = group->n_channels, inputs = n_inputs (plain, group, params.pool);
  g_autofree char *name = g_strdup_printf ("%s.code", group->name);

  int w = add_initial (self, group, "weight", PJ_SHAPE (c, inputs), inputs, error);
  int b = w >= 0 ? add_initial (self, group, "bias", PJ_SHAPE (c), inputs, error) : -1;
  if (b < 0)
    return FALSE;
  site->alpha = add_numbers (graph, group, "alpha", PJ_SHAPE (1, 1), 1);
  site->target = add_numbers (graph, group, "target", PJ_SHAPE (1, 1), 1);
  site->pull = add_numbers (graph, group, "pull", PJ_SHAPE (1, 1), 0);
  site->on = add_numbers (graph, group, "on", PJ_SHAPE (1, 1), 1);
  site->fixed = add_numbers (graph, group, "fixed", PJ_SHAPE (1, c), 0);
  const int operands[] = { activation, w, b, site->alpha, site->target, site->pull, site->on, site->fixed };
  site->code = pj_graph_add_node (graph, name, &pj_op_code, &params, operands, G_N_ELEMENTS (operands), error);
  return site->code >= 0;
}

/* Puts the gate behind @value, which was just made. */
static gboolean
add_gate (Build *self, const PjGraph *plain, int value, GError **error)
{
  PjCodedSite *site = &self->net->sites[self->site_of[value]];
  int activation = self->rewrite.map[value];
  g_autofree char *name = g_strdup_printf ("%s.gated.%d", site->group->name, value);

  if (self->first[value] && !add_code (self, site, activation, plain, error))
    return FALSE;
  const int operands[] = { activation, site->code };
  int gated = pj_graph_add_node (self->net->graph, name, &pj_op_mul, NULL, operands, 2, error);
  self->rewrite.map[value] = gated;
  return gated >= 0;
}

static gboolean
copy_nodes (Build *self, const PjGraph *plain, GError **error)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (plain); n++) {
    const PjNode *node = pj_graph_node (plain, (int) n);
    int value = node->outputs[0];
    if (!pj_rewrite_copy (&self->rewrite, node, error))
      return FALSE;
    self->net->value_of[value] = self->rewrite.map[value];
    if (self->site_of[value] >= 0 && !add_gate (self, plain, value, error))
      return FALSE;
  }
  for (unsigned v = 0; v < pj_graph_n_values (plain); v++)
    if (pj_graph_value (plain, (int) v)->kind != PJ_VALUE_ACTIVATION)
      self->net->value_of[v] = self->rewrite.map[v];
  return TRUE;
}

static void
place_sites (Build *self, const PjGraph *plain, const PjGroup *const *coded)
{
  unsigned n_values = pj_graph_n_values (plain);

  self->site_of = g_new (int, n_values);
  self->first = g_new0 (int, n_values);
  for (unsigned v = 0; v < n_values; v++)
    self->site_of[v] = self->net->value_of[v] = -1;
  for (unsigned i = 0; i < self->net->n_sites; i++) {
    int first = G_MAXINT;
    for (unsigned m = 0; m < coded[i]->n_mask_points; m++) {
      int value = gate_place (plain, coded[i]->mask_points[m].value);
      self->site_of[value] = (int) i;
      first = MIN (first, value);
    }
    self->first[first] = TRUE;
    self->net->sites[i] = (PjCodedSite) { .group = coded[i], .code = -1 };
  }
}

PjCodedNet *
pj_coded_net_new (const PjGraph *graph, const PjGroup *const *coded, unsigned n_coded, unsigned edge, double spread,
                  uint64_t seed, GError **error)
{
  g_autoptr (PjCodedNet) self = g_new0 (PjCodedNet, 1);
  Build build = { .net = self, .edge = edge, .spread = spread, .seed = seed };

  self->value_of = g_new (int, pj_graph_n_values (graph));
  self->n_sites = n_coded;
  self->sites = g_new0 (PjCodedSite, n_coded);
  place_sites (&build, graph, coded);
  pj_rewrite_init (&build.rewrite, graph);
  self->graph = pj_graph_ref (build.rewrite.to);
  gboolean ok = copy_nodes (&build, graph, error);
  if (ok)
    pj_graph_unref (pj_rewrite_finish (&build.rewrite));
  pj_rewrite_clear (&build.rewrite);
  g_free (build.site_of);
  g_free (build.first);
  return ok ? g_steal_pointer (&self) : NULL;
}

void
pj_coded_net_free (PjCodedNet *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->graph, pj_graph_unref);
  g_free (self->value_of);
  g_free (self->sites);
  g_free (self);
}

PjGraph *
pj_coded_net_plain (const PjCodedNet *self, const PjGraph *graph, PjParams *params, GError **error)
{
  g_autoptr (PjGraph) learnt = pj_params_download (params, self->graph, error);
  if (learnt == NULL)
    return NULL;
  PjGraph *plain = pj_graph_copy (graph);
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++) {
    const PjValue *value = pj_graph_value (graph, (int) v);
    if (value->kind == PJ_VALUE_PARAM && self->value_of[v] >= 0)
      pj_graph_set_param (plain, (int) v, value->shape, pj_blob_ref (pj_graph_value (learnt, self->value_of[v])->data));
  }
  return plain;
}
