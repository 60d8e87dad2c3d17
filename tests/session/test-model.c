/* SPDX-License-Identifier: MIT */
/* Networks, cuts, scores and comparison rows come out of a session as they went in. */
#include <string.h>

#include "session-test.h"
#include "session/model.h"
#include "support/net.h"

static void
assert_same_graph (const PjGraph *a, const PjGraph *b)
{
  g_assert_cmpstr (pj_graph_get_name (a), ==, pj_graph_get_name (b));
  g_assert_cmpuint (pj_graph_n_nodes (a), ==, pj_graph_n_nodes (b));
  for (unsigned i = 0; i < pj_graph_n_nodes (a); i++) {
    g_assert_cmpstr (pj_graph_node (a, (int) i)->name, ==, pj_graph_node (b, (int) i)->name);
    g_assert_true (pj_graph_node (a, (int) i)->op == pj_graph_node (b, (int) i)->op);
  }
  for (unsigned i = 0; i < pj_graph_n_values (a); i++) {
    const PjValue *value = pj_graph_value (a, (int) i);
    int other = pj_graph_find_value (b, value->name);
    g_assert_cmpint (other, >=, 0);
    g_assert_true (pj_shape_equal (&value->shape, &pj_graph_value (b, other)->shape));
    if (value->data != NULL)
      g_assert_cmpstr (pj_blob_hash (value->data), ==, pj_blob_hash (pj_graph_value (b, other)->data));
  }
}

static void
test_graph (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = net_residual ();
  pj_graph_set_meta (graph, "penjing.mean", "0.5,0.25");
  PjSession *session = session_make (place);
  int64_t model = pj_session_put_graph (session, graph, &error);
  g_assert_no_error (error);
  g_assert_cmpint (model, >, 0);
  g_assert_cmpint (pj_session_put_graph (session, graph, NULL), ==, model);
  step_make (session, model, "import");
  pj_session_close (session);

  session = session_make (place);
  g_autoptr (PjGraph) back = pj_session_get_graph (session, model, &error);
  g_assert_no_error (error);
  assert_same_graph (graph, back);
  g_assert_cmpstr (pj_graph_get_meta (back, "penjing.mean"), ==, "0.5,0.25");
  /* The names of groups are what records refer to. */
  g_autoptr (PjGroups) groups = pj_groups_new (graph), groups_back = pj_groups_new (back);
  g_assert_cmpuint (pj_groups_n (groups), ==, pj_groups_n (groups_back));
  for (unsigned i = 0; i < pj_groups_n (groups); i++)
    g_assert_cmpstr (pj_groups_get (groups, i)->name, ==, pj_groups_get (groups_back, i)->name);
  g_assert_null (pj_session_get_graph (session, model + 7, &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED);
  pj_session_close (session);
}

/* The first group that can be cut. */
static const PjGroup *
free_group (const PjGroups *groups)
{
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    if (pj_groups_get (groups, i)->lock_reason == NULL)
      return pj_groups_get (groups, i);
  }
  g_assert_not_reached ();
}

/* Keeps all but the second channel, and scales the first by 1.5. */
static PjCutPlan *
make_plan (const PjGroup *group)
{
  g_autofree guint8 *keep = g_malloc ((gsize) group->n_channels);
  g_autofree float *scale = g_new (float, group->n_channels);
  memset (keep, 1, (size_t) group->n_channels);
  for (int i = 0; i < group->n_channels; i++)
    scale[i] = i == 0 ? 1.5f : 1.0f;
  keep[1] = 0;
  PjCutPlan *plan = pj_cut_plan_new ();
  pj_cut_plan_set (plan, group, keep, scale);
  return plan;
}

static void
assert_same_cut (const PjCutPlan *a, const PjCutPlan *b, const PjGroup *group)
{
  const PjGroupCut *cut_a = pj_cut_plan_get (a, group->id), *cut_b = pj_cut_plan_get (b, group->id);
  gsize n = (gsize) group->n_channels;
  g_assert_cmpuint (a->n_cuts, ==, b->n_cuts);
  g_assert_cmpmem (cut_a->keep, n, cut_b->keep, n);
  g_assert_cmpmem (cut_a->scale, n * sizeof (float), cut_b->scale, n * sizeof (float));
}

static void
test_cuts (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  const PjGroup *group = free_group (groups);
  g_autoptr (PjCutPlan) plan = make_plan (group);
  g_autofree double *ratios = g_new (double, pj_groups_n (groups)), *back_ratios = g_new (double, pj_groups_n (groups));
  for (unsigned i = 0; i < pj_groups_n (groups); i++)
    ratios[i] = 1.0;
  ratios[group->id] = 0.75;

  g_autoptr (GPtrArray) cuts = pj_stored_cuts_new (groups, plan, ratios);
  g_assert_cmpuint (cuts->len, ==, 1);
  g_autoptr (PjCutPlan) back = pj_stored_cuts_to_plan (groups, cuts, back_ratios, &error);
  g_assert_no_error (error);
  assert_same_cut (plan, back, group);
  g_assert_cmpmem (ratios, pj_groups_n (groups) * sizeof (double), back_ratios, pj_groups_n (groups) * sizeof (double));

  /* A ratio alone is kept, too: the slider stays where it was put. */
  g_autoptr (GPtrArray) only_ratio = pj_stored_cuts_new (groups, NULL, ratios);
  g_assert_cmpuint (only_ratio->len, ==, 1);
  g_autoptr (PjCutPlan) whole = pj_stored_cuts_to_plan (groups, only_ratio, back_ratios, NULL);
  g_assert_cmpuint (whole->n_cuts, ==, 0);
  g_assert_cmpfloat (back_ratios[group->id], ==, 0.75);

  ((PjStoredCut *) cuts->pdata[0])->n_channels--;
  g_assert_null (pj_stored_cuts_to_plan (groups, cuts, NULL, &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED);
}

/* Scores of @group, and a refusal for the next one. */
static PjScores *
make_scores (const PjGroups *groups, const PjGroup *group)
{
  PjScores *scores = g_new0 (PjScores, 1);
  scores->criterion = g_strdup ("weight-sum");
  scores->seed = 7;
  scores->n_images = 12;
  scores->n_groups = 2;
  scores->groups = g_new0 (PjGroupScores, 2);
  scores->groups[0] = (PjGroupScores) { group->id, group->n_channels, g_new (double, group->n_channels), NULL };
  for (int i = 0; i < group->n_channels; i++)
    scores->groups[0].score[i] = 1.0 / (i + 3);
  const PjGroup *next = pj_groups_get (groups, (unsigned) group->id + 1);
  scores->groups[1] = (PjGroupScores) { next->id, next->n_channels, NULL, g_strdup ("has no ReLU") };
  return scores;
}

static void
assert_same_scores (const PjScores *a, const PjScores *b)
{
  g_assert_cmpstr (a->criterion, ==, b->criterion);
  g_assert_cmpuint (a->n_groups, ==, b->n_groups);
  for (unsigned i = 0; i < a->n_groups; i++) {
    const PjGroupScores *x = &a->groups[i], *y = &b->groups[i];
    g_assert_cmpint (x->group, ==, y->group);
    g_assert_cmpstr (x->refusal, ==, y->refusal);
    g_assert_true ((x->score == NULL) == (y->score == NULL));
    if (x->score != NULL)
      g_assert_cmpmem (x->score, (gsize) x->n_channels * sizeof (double), y->score,
                       (gsize) y->n_channels * sizeof (double));
  }
}

static void
test_scores (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjScores) scores = make_scores (groups, free_group (groups));
  PjSession *session = session_make (place);
  int64_t model = pj_session_put_graph (session, graph, NULL);
  g_assert_null (pj_session_get_graph_scores (session, model, groups, "weight-sum", &error));
  g_assert_no_error (error);
  g_assert_true (pj_session_put_graph_scores (session, model, groups, scores, &error));
  g_autoptr (PjScores) back = pj_session_get_graph_scores (session, model, groups, "weight-sum", &error);
  g_assert_no_error (error);
  assert_same_scores (scores, back);
  g_assert_cmpuint (back->n_images, ==, 12);
  g_assert_cmpuint (back->seed, ==, 7);
  pj_session_close (session);
}

static void
test_comparison_row (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  const PjGroup *group = free_group (groups);
  PjCompareRow *row = g_new0 (PjCompareRow, 1);
  row->method = g_strdup ("weight-sum");
  row->ratio = 0.3;
  row->cost.macs = 1234567890123;
  row->cost.learnable = 42;
  row->cut = 0.25;
  row->recalibrated = -1.0;
  row->tuned = 0.75;
  row->images_per_second = 321.5;
  row->plan = make_plan (group);
  row->scores = make_scores (groups, group);
  g_autoptr (PjComparisonRowRecord) record = pj_compare_row_to_record (groups, row, 0);
  PjCompareRow *back = pj_compare_row_from_record (groups, record, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (back->method, ==, row->method);
  g_assert_cmpfloat (back->ratio, ==, row->ratio);
  g_assert_cmpuint (back->cost.macs, ==, row->cost.macs);
  g_assert_cmpuint (back->cost.learnable, ==, 42);
  g_assert_cmpfloat (back->cut, ==, 0.25);
  g_assert_cmpfloat (back->recalibrated, <, 0.0);
  g_assert_cmpfloat (back->tuned, ==, 0.75);
  g_assert_cmpfloat (back->images_per_second, ==, 321.5);
  assert_same_cut (row->plan, back->plan, group);
  assert_same_scores (row->scores, back->scores);
  pj_compare_row_free (row);
  pj_compare_row_free (back);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/session/model/graph-comes-back", Place, NULL, place_set_up, test_graph, place_tear_down);
  g_test_add_func ("/session/model/cuts-come-back", test_cuts);
  g_test_add ("/session/model/scores-come-back", Place, NULL, place_set_up, test_scores, place_tear_down);
  g_test_add_func ("/session/model/comparison-row-comes-back", test_comparison_row);
  return g_test_run ();
}
