/* SPDX-License-Identifier: MIT */
/* The check that groups are complete: it passes where they are, and finds a group that lacks a member. */
#include "model/work-infer.h"
#include "net.h"
#include "ops/op.h"

/* Channels in another order between two layers. */
static PjGraph *
shuffled (void)
{
  const float list[] = { 2, 0, 3, 1 };
  PjGraph *g = pj_graph_new ("shuffled");
  int y = net_block (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 5, 5)), 4, 3, 1, TRUE);
  int inputs[] = { y, net_param_from (g, "order", PJ_SHAPE (4), list) };
  y = pj_graph_add_node (g, "shuffle", &pj_op_gather, NULL, inputs, 2, NULL);
  g_assert_cmpint (y, >=, 0);
  pj_graph_set_output (g, net_classifier (g, net_block (g, "b", y, 6, 3, 1, TRUE)));
  return g;
}

/* (transfer full): by group id */
static double *
check (PjGraph *graph, const PjGroups *groups)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = pj_device_open ("cpu", &error);
  g_assert_no_error (error);
  double *differences = g_new (double, pj_groups_n (groups));
  g_assert_true (pj_work_check_groups (device, graph, groups, 1, differences, NULL, &error));
  return differences;
}

static void
complete (void)
{
  PjGraph *nets[] = { shuffled (), net_residual (), net_mixed (), net_bottleneck (3, TRUE) };
  for (guint i = 0; i < G_N_ELEMENTS (nets); i++) {
    g_autoptr (PjGraph) graph = nets[i];
    g_autoptr (PjGroups) groups = pj_groups_new (graph);
    g_autofree double *differences = check (graph, groups);
    for (unsigned k = 0; k < pj_groups_n (groups); k++) {
      const PjGroup *group = pj_groups_get (groups, k);
      g_test_message ("%s: %g", group->name, differences[k]);
      g_assert_true ((differences[k] < 0) == (group->lock_reason != NULL));
      g_assert_cmpfloat (differences[k], <, 1e-5);
    }
  }
}

/* Each parameter of a group in turn stays as it was while the others are reordered. */
static void
incomplete (void)
{
  PjGraph *nets[] = { shuffled (), net_residual (), net_bottleneck (3, FALSE) };
  for (guint i = 0; i < G_N_ELEMENTS (nets); i++) {
    g_autoptr (PjGraph) graph = nets[i];
    g_autoptr (PjGroups) groups = pj_groups_new (graph);
    PjGroup *group = (PjGroup *) pj_groups_get (groups, 0);
    unsigned n = group->n_members;
    for (unsigned m = 0; m < n; m++) {
      PjMember missing = group->members[m];
      if (!missing.is_param)
        continue;
      group->members[m] = group->members[n - 1];
      group->n_members = n - 1;
      g_autofree double *differences = check (graph, groups);
      group->members[n - 1] = group->members[m];
      group->members[m] = missing;
      group->n_members = n;
      g_test_message ("without %s: %g", pj_graph_value (graph, missing.value)->name, differences[0]);
      g_assert_cmpfloat (differences[0], >, 1e-4);
      for (unsigned k = 1; k < pj_groups_n (groups); k++)
        g_assert_cmpfloat (differences[k], <, 1e-5);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/app/check-groups/complete", complete);
  g_test_add_func ("/app/check-groups/incomplete", incomplete);
  return g_test_run ();
}
