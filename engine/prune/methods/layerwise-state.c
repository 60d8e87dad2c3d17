/* SPDX-License-Identifier: MIT */
#include "prune/methods/layerwise-state.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

#define MAGIC 0x494e4854u

typedef struct { uint32_t magic, n_groups, n_done, has_weights; } Header;

/* Per decided group: whether it has factors, flags, factors, scores. Then all parameters, if they were changed. */
GBytes *
pj_layerwise_save (const PjScoring *scoring, const PjCutPlan *plan, const PjScores *scores, unsigned n_done, GError **error)
{
  const Header header = { MAGIC, scores->n_groups, n_done, plan->weights != NULL };
  GByteArray *bytes = g_byte_array_new ();

  g_byte_array_append (bytes, (const guint8 *) &header, sizeof header);
  for (unsigned t = 0; t < n_done; t++) {
    const PjGroupScores *score = &scores->groups[t];
    const PjGroupCut *cut = pj_cut_plan_get (plan, score->group);
    guint n = (guint) score->n_channels;
    guint8 has_factors = cut->scale != NULL;
    g_byte_array_append (bytes, &has_factors, 1);
    g_byte_array_append (bytes, cut->keep, n);
    if (has_factors)
      g_byte_array_append (bytes, (const guint8 *) cut->scale, n * sizeof (float));
    g_byte_array_append (bytes, (const guint8 *) score->score, n * sizeof (double));
  }
  for (unsigned v = 0; plan->weights != NULL && v < pj_graph_n_values (plan->weights); v++) {
    const PjValue *value = pj_graph_value (plan->weights, (int) v);
    if (value->kind == PJ_VALUE_PARAM)
      g_byte_array_append (bytes, (const guint8 *) pj_blob_data (value->data),
                           (guint) (pj_blob_n_elems (value->data) * sizeof (float)));
  }
  return g_byte_array_free_to_bytes (bytes);
}

/* The next @n bytes, or NULL. */
static const guint8 *
take (const guint8 **at, const guint8 *end, size_t n)
{
  if ((size_t) (end - *at) < n)
    return NULL;
  const guint8 *taken = *at;
  *at += n;
  return taken;
}

static gboolean
read_group (const guint8 **at, const guint8 *end, const PjGroup *group, PjGroupScores *score, PjCutPlan *plan)
{
  size_t n = (size_t) group->n_channels;
  const guint8 *has_factors = take (at, end, 1), *keep = has_factors != NULL ? take (at, end, n) : NULL;
  g_autofree float *scale = g_new (float, n);
  const guint8 *factors = keep != NULL && *has_factors ? take (at, end, n * sizeof (float)) : NULL;
  const guint8 *values = keep != NULL ? take (at, end, n * sizeof (double)) : NULL;

  if (values == NULL || (*has_factors && factors == NULL))
    return FALSE;
  if (factors != NULL)
    memcpy (scale, factors, n * sizeof (float));
  memcpy (score->score, values, n * sizeof (double));
  pj_cut_plan_set (plan, group, keep, factors != NULL ? scale : NULL);
  return TRUE;
}

static PjGraph *
read_weights (const guint8 **at, const guint8 *end, const PjGraph *graph)
{
  g_autoptr (PjGraph) copy = pj_graph_copy (graph);
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++) {
    const PjValue *value = pj_graph_value (graph, (int) v);
    if (value->kind != PJ_VALUE_PARAM)
      continue;
    size_t n = pj_blob_n_elems (value->data);
    const guint8 *data = take (at, end, n * sizeof (float));
    float *floats = data != NULL ? pj_alloc (n * sizeof (float), "weights of a checkpoint", NULL) : NULL;
    if (floats == NULL)
      return NULL;
    memcpy (floats, data, n * sizeof (float));
    pj_graph_set_param (copy, (int) v, value->shape, pj_blob_new_take (floats, n));
  }
  return g_steal_pointer (&copy);
}

gboolean
pj_layerwise_restore (GBytes *state, const PjScoring *scoring, PjCutPlan *plan, PjScores *scores, unsigned *n_done, GError **error)
{
  gsize size;
  const guint8 *at = g_bytes_get_data (state, &size), *end = at + size;
  Header header = { 0 };
  const guint8 *head = take (&at, end, sizeof header);

  if (head != NULL)
    memcpy (&header, head, sizeof header);
  gboolean ok = header.magic == MAGIC && header.n_groups == scores->n_groups && header.n_done <= header.n_groups;
  for (unsigned t = 0; ok && t < header.n_done; t++)
    ok = read_group (&at, end, pj_groups_get (scoring->groups, (unsigned) scores->groups[t].group), &scores->groups[t], plan);
  if (ok && header.has_weights) {
    g_autoptr (PjGraph) weights = read_weights (&at, end, scoring->graph);
    ok = weights != NULL;
    if (ok)
      pj_cut_plan_set_weights (plan, weights);
  }
  if (!ok || at != end) {
    g_set_error_literal (error, PJ_ERROR, PJ_ERROR_INVALID,
                         "the checkpoint does not belong to a run with these settings; start it again");
    return FALSE;
  }
  *n_done = header.n_done;
  return TRUE;
}
