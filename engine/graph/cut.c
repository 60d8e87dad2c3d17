/* SPDX-License-Identifier: MIT */
/* Surgery.  A cut is a gather on the axes that the groups run through; operators know nothing of it but
 * op->recut.  The same path without data predicts the cost exactly. */
#include "graph/cut.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "graph/grouped.h"
#include "ops/op.h"

/* --- checks --- */

static gboolean
check_plan (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, GError **error)
{
  for (unsigned i = 0; i < plan->n_cuts; i++) {
    const PjGroupCut *cut = &plan->cuts[i];
    const PjGroup *group = cut->group >= 0 && (unsigned) cut->group < pj_groups_n (groups)
                             ? pj_groups_get (groups, (unsigned) cut->group) : NULL;
    if (group == NULL || group->n_channels != cut->n_channels) {
      g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID,
                   "the cut of group %d with %d channels does not belong to this network", cut->group, cut->n_channels);
      return FALSE;
    }
    int kept = pj_cut_plan_n_kept (plan, group);
    if (group->lock_reason != NULL && (kept < cut->n_channels || cut->scale != NULL)) {
      g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_LOCKED, "“%s” cannot be cut: %s", group->name, group->lock_reason);
      return FALSE;
    }
    if (kept < 1) {
      g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID, "“%s” would keep no channel; keep at least one", group->name);
      return FALSE;
    }
    if (!pj_group_check_even (graph, group, cut->keep, error))
      return FALSE;
    for (int c = 0; cut->scale != NULL && c < cut->n_channels; c++)
      if (cut->keep[c] && !isfinite (cut->scale[c])) {
        g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID, "“%s”: the factor of channel %d is not a number", group->name, c);
        return FALSE;
      }
  }
  return TRUE;
}

/* --- gathering --- */

/* Per (value, axis): which old positions the new axis takes, and factors.  NULL = unchanged.  The inputs of a
 * grouped convolution have an own list of columns per slice of rows, one after the other. */
typedef struct {
  int n[2];
  int n_slices;           /* of axis 1 */
  int n_left;             /* slices of which something stays; 0 = all */
  int *take[2];
  float *factor[2];       /* by old position */
} Gather;

static void
gather_free (gpointer data)
{
  Gather *g = data;
  g_free (g->take[0]);
  g_free (g->take[1]);
  g_free (g->factor[0]);
  g_free (g->factor[1]);
  g_free (g);
}

static Gather *
gather_of (GHashTable *gathers, int value)
{
  Gather *g = g_hash_table_lookup (gathers, GINT_TO_POINTER (value));
  if (g == NULL) {
    g = g_new0 (Gather, 1);
    g->n_slices = 1;
    g_hash_table_insert (gathers, GINT_TO_POINTER (value), g);
  }
  return g;
}

/* Takes over @take: the old position of each of the member's positions. */
static void
gather_begin (Gather *g, const PjMember *member, int *take)
{
  g->n[member->axis] = member->n;
  g->take[member->axis] = take;
  if (member->axis == 1)
    g->n_slices = member->n_slices;
}

/* A slice of @columns of which no column stays goes with its rows. */
static void
count_slices (Gather *g, int columns)
{
  g->n_left = 0;
  for (int k = 0; k < g->n[1]; k++)
    g->n_left += k == 0 || g->take[1][k] / columns != g->take[1][k - 1] / columns;
}

static void
gather_keep (Gather *g, const PjMember *member, const guint8 *keep)
{
  int axis = member->axis, n = 0;
  if (g->take[axis] == NULL) {
    gather_begin (g, member, g_new (int, member->n));
    for (int k = 0; k < member->n; k++)
      g->take[axis][k] = k;
  }
  for (int k = 0; k < g->n[axis]; k++) {
    int channel = member->map[g->take[axis][k]];
    if (channel < 0 || keep[channel])
      g->take[axis][n++] = g->take[axis][k];
  }
  g->n[axis] = n;
  if (axis == 1 && g->n_slices > 1)
    count_slices (g, member->n / g->n_slices);
}

static void
gather_scale (Gather *g, const PjMember *member, const float *scale)
{
  float **factor = &g->factor[member->axis];
  if (member->axis == 1)
    g->n_slices = member->n_slices;
  if (*factor == NULL) {
    *factor = g_new (float, member->n);
    for (int k = 0; k < member->n; k++)
      (*factor)[k] = 1.0f;
  }
  for (int k = 0; k < member->n; k++)
    if (member->map[k] >= 0)
      (*factor)[k] *= scale[member->map[k]];
}

static PjBlob *
gather_data (const PjValue *value, const Gather *g, const PjShape *shape, GError **error)
{
  size_t n_elems = pj_shape_n_elems (shape), tail = 1;
  size_t columns = shape->rank > 1 ? (size_t) shape->dim[1] : 1;
  size_t old_columns = value->shape.rank > 1 ? (size_t) value->shape.dim[1] : 1;
  const float *from = pj_blob_data (value->data);
  float *data = pj_alloc (n_elems * sizeof (float), "cut weights", error);

  if (data == NULL)
    return NULL;
  for (unsigned i = 2; i < shape->rank; i++)
    tail *= (size_t) shape->dim[i];
  size_t slice_rows = (size_t) value->shape.dim[0] / (size_t) g->n_slices, n_left = 0, last = 0;
  for (size_t r = 0; r < (size_t) shape->dim[0]; r++) {
    size_t row = g->take[0] ? (size_t) g->take[0][r] : r;
    size_t slice = g->n_slices > 1 ? row / slice_rows : 0;
    /* Slices that went whole are in neither list. */
    n_left += r > 0 && slice != last;
    last = slice;
    for (size_t c = 0; c < columns; c++) {
      /* Columns count on through the slices; a row holds those of its own only. */
      size_t column = g->take[1] ? (size_t) g->take[1][n_left * columns + c] : slice * old_columns + c;
      const float *source = from + (row * old_columns + column - slice * old_columns) * tail;
      float *target = data + (r * columns + c) * tail;
      float factor = (g->factor[0] ? g->factor[0][row] : 1.0f) * (g->factor[1] ? g->factor[1][column] : 1.0f);
      for (size_t k = 0; k < tail; k++)
        target[k] = factor == 1.0f ? source[k] : factor * source[k];
    }
  }
  return pj_blob_new_take (data, n_elems);
}

/* Where each of the @n old positions went, -1 if removed; NULL if the axis is unchanged. */
static int *
moved_positions (GHashTable *gathers, int value, int n)
{
  const Gather *g = g_hash_table_lookup (gathers, GINT_TO_POINTER (value));
  if (g == NULL || g->take[1] == NULL)
    return NULL;
  int *moved = g_new (int, n);
  for (int k = 0; k < n; k++)
    moved[k] = -1;
  for (int k = 0; k < g->n[1]; k++)
    moved[g->take[1][k]] = k;
  return moved;
}

/* Lets operators that count or name channels follow. */
static void
tell_operators (PjGraph *copy, GHashTable *gathers)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (copy); n++) {
    const PjNode *node = pj_graph_node (copy, (int) n);
    if (node->op->cut == NULL)
      continue;
    const PjShape *x = &pj_graph_value (copy, node->inputs[0])->shape, *y = &pj_graph_value (copy, node->outputs[0])->shape;
    g_autofree int *moved_in = moved_positions (gathers, node->inputs[0], (int) x->dim[1]);
    g_autofree int *moved_out = moved_positions (gathers, node->outputs[0], (int) y->dim[1]);
    if (moved_in != NULL || moved_out != NULL)
      node->op->cut (copy, (int) n, moved_in, moved_out);
  }
}

/* Applies all gathers to a copy.  Without data the parameters become empty shells: shape rules and cost
 * rules never read them. */
static PjGraph *
apply (const PjGraph *graph, GHashTable *gathers, gboolean with_data, GError **error)
{
  g_autoptr (PjGraph) copy = pj_graph_copy (graph);
  GHashTableIter iter;
  gpointer key, data;

  g_hash_table_iter_init (&iter, gathers);
  while (g_hash_table_iter_next (&iter, &key, &data)) {
    const Gather *g = data;
    const PjValue *value = pj_graph_value (graph, GPOINTER_TO_INT (key));
    PjShape shape = value->shape;
    if (value->kind != PJ_VALUE_PARAM)
      continue;
    for (int axis = 0; axis < 2; axis++)
      if (g->take[axis] != NULL)
        shape.dim[axis] = g->n[axis] / (axis == 1 ? (g->n_left > 0 ? g->n_left : g->n_slices) : 1);
    PjBlob *blob = with_data ? gather_data (value, g, &shape, error)
                             : pj_blob_new_foreign (NULL, pj_shape_n_elems (&shape), NULL, NULL);
    if (blob == NULL)
      return NULL;
    pj_graph_set_param (copy, GPOINTER_TO_INT (key), shape, blob);
  }
  tell_operators (copy, gathers);
  if (!pj_graph_infer (copy, error))
    return NULL;
  return g_steal_pointer (&copy);
}

/* Gathers for all axes that @plan shortens or scales. */
static void
gather_plan (GHashTable *gathers, const PjGroups *groups, const PjCutPlan *plan)
{
  for (unsigned i = 0; i < plan->n_cuts; i++) {
    const PjGroupCut *c = &plan->cuts[i];
    const PjGroup *group = pj_groups_get (groups, (unsigned) c->group);
    if (pj_cut_plan_n_kept (plan, group) == c->n_channels && c->scale == NULL)
      continue;
    for (unsigned m = 0; m < group->n_members; m++) {
      const PjMember *member = &group->members[m];
      gather_keep (gather_of (gathers, member->value), member, c->keep);
      if (member->is_param && c->scale != NULL && member->role == PJ_ROLE_CONSUMER)
        gather_scale (gather_of (gathers, member->value), member, c->scale);
    }
  }
}

static PjGraph *
cut (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, gboolean with_data, GError **error)
{
  g_autoptr (GHashTable) gathers = g_hash_table_new_full (NULL, NULL, NULL, gather_free);

  if (!check_plan (graph, groups, plan, error) || !pj_grouped_check (graph, groups, plan, error))
    return NULL;
  gather_plan (gathers, groups, plan);
  return apply (pj_cut_plan_source (plan, graph), gathers, with_data, error);
}

PjGraph *
pj_cut (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, GError **error)
{
  return cut (graph, groups, plan, TRUE, error);
}

PjGraph *
pj_cut_outline (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, GError **error)
{
  return cut (graph, groups, plan, FALSE, error);
}

/* @from, which was gathered, goes back to where it came from; the other elements stay as they are in @to. */
static PjBlob *
scatter_data (const PjValue *to, const PjValue *from, const Gather *g, GError **error)
{
  size_t tail = 1, columns = from->shape.rank > 1 ? (size_t) from->shape.dim[1] : 1;
  size_t old_columns = to->shape.rank > 1 ? (size_t) to->shape.dim[1] : 1;
  size_t n_elems = pj_shape_n_elems (&to->shape);
  size_t slice_rows = (size_t) to->shape.dim[0] / (size_t) g->n_slices, n_left = 0, last = 0;
  const float *source = pj_blob_data (from->data);
  float *data = pj_alloc (n_elems * sizeof (float), "weights put back", error);

  if (data == NULL)
    return NULL;
  memcpy (data, pj_blob_data (to->data), n_elems * sizeof (float));
  for (unsigned i = 2; i < to->shape.rank; i++)
    tail *= (size_t) to->shape.dim[i];
  for (size_t r = 0; r < (size_t) from->shape.dim[0]; r++) {
    size_t row = g->take[0] ? (size_t) g->take[0][r] : r;
    size_t slice = g->n_slices > 1 ? row / slice_rows : 0;
    n_left += r > 0 && slice != last;
    last = slice;
    for (size_t c = 0; c < columns; c++) {
      size_t column = g->take[1] ? (size_t) g->take[1][n_left * columns + c] - slice * old_columns : c;
      memcpy (data + (row * old_columns + column) * tail, source + (r * columns + c) * tail, tail * sizeof (float));
    }
  }
  return pj_blob_new_take (data, n_elems);
}

PjGraph *
pj_cut_put_back (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, const PjGraph *small, GError **error)
{
  g_autoptr (GHashTable) gathers = g_hash_table_new_full (NULL, NULL, NULL, gather_free);
  g_autoptr (PjGraph) copy = pj_graph_copy (pj_cut_plan_source (plan, graph));
  const Gather none = { .n_slices = 1 };

  if (!check_plan (graph, groups, plan, error) || !pj_grouped_check (graph, groups, plan, error))
    return NULL;
  gather_plan (gathers, groups, plan);
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++) {
    const PjValue *to = pj_graph_value (graph, (int) v), *from = pj_graph_value (small, (int) v);
    const Gather *g = g_hash_table_lookup (gathers, GINT_TO_POINTER ((int) v));
    if (to->kind != PJ_VALUE_PARAM || to->data == from->data)
      continue;
    PjBlob *blob = scatter_data (pj_graph_value (copy, (int) v), from, g != NULL ? g : &none, error);
    if (blob == NULL)
      return NULL;
    pj_graph_set_param (copy, (int) v, to->shape, blob);
  }
  return g_steal_pointer (&copy);
}

gboolean
pj_cut_predict_cost (const PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan,
                     PjCost *cost, GError **error)
{
  g_autoptr (PjGraph) shell = pj_cut_outline (graph, groups, plan, error);
  if (shell == NULL)
    return FALSE;
  pj_graph_cost (shell, cost);
  return TRUE;
}

/* The k-th position of channel order[c] moves to the k-th position of channel c. */
static int *
permuted_positions (const PjMember *member, int n_channels, const int *order)
{
  int *take = g_new (int, member->n);
  g_autofree int *first = g_new (int, n_channels);
  g_autofree int *next = g_new (int, member->n);

  for (int c = 0; c < n_channels; c++)
    first[c] = -1;
  for (int k = member->n - 1; k >= 0; k--)
    if (member->map[k] >= 0) {
      next[k] = first[member->map[k]];
      first[member->map[k]] = k;
    }
  g_autofree int *cursor = g_new (int, n_channels);
  for (int c = 0; c < n_channels; c++)
    cursor[c] = first[order[c]];
  for (int k = 0; k < member->n; k++) {
    take[k] = k;
    if (member->map[k] >= 0) {
      take[k] = cursor[member->map[k]];
      cursor[member->map[k]] = next[take[k]];
    }
  }
  return take;
}

PjGraph *
pj_cut_permute (const PjGraph *graph, const PjGroups *groups, int index, const int *order, GError **error)
{
  g_autoptr (GHashTable) gathers = g_hash_table_new_full (NULL, NULL, NULL, gather_free);
  const PjGroup *group = pj_groups_get (groups, (unsigned) index);

  for (int c = 0; c < group->n_channels; c++)
    if (pj_group_block (group, c) != pj_group_block (group, order[c])) {
      g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID,
                   "“%s”: channel %d cannot take the place of channel %d, which is in another group of a convolution",
                   group->name, order[c], c);
      return NULL;
    }
  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    gather_begin (gather_of (gathers, member->value), member, permuted_positions (member, group->n_channels, order));
  }
  return apply (graph, gathers, TRUE, error);
}
