/* SPDX-License-Identifier: MIT */
/* usage: export-peers DIR
 *
 * Writes what other programs are held against: each committed model as it is, cut to about half of every
 * group, and cut with norms folded, under several operator versions; and beside each NAME.onnx the input
 * and the output that Penjing computes, NAME.in.f32 and NAME.out.f32. */
#include <string.h>

#include "onnx-test.h"

static void
write_one (PjGraph *graph, const OnnxFixture *fixture, const char *folder, const char *kind, int opset, unsigned batch)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *base = g_strdup_printf ("%s/%s-%s-%d", folder, fixture->name, kind, opset);
  g_autofree char *onnx = g_strconcat (base, ".onnx", NULL);
  g_autofree char *in = g_strconcat (base, ".in.f32", NULL), *out = g_strconcat (base, ".out.f32", NULL);
  g_autofree char *from = onnx_path (fixture->numbers, ".in.f32");
  size_t n_x, n_y;
  g_autofree float *x = onnx_floats (from, &n_x);
  g_autofree float *y = onnx_run (graph, x, fixture->pictures, &n_y);
  PjOnnxExportOptions options = { .opset = opset, .batch = batch };

  pj_onnx_export (graph, &options, onnx, &error);
  g_assert_no_error (error);
  onnx_write_floats (in, x, n_x);
  onnx_write_floats (out, y, n_y);
}

/* Every second channel of every block of every group that can be cut goes. */
static PjGraph *
half (PjGraph *graph)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    if (group->lock_reason != NULL)
      continue;
    g_autofree guint8 *keep = g_new0 (guint8, group->n_channels);
    g_autofree int *n_seen = g_new0 (int, MAX (group->n_blocks, 1));
    for (int c = 0; c < group->n_channels; c++)
      keep[c] = n_seen[pj_group_block (group, c)]++ % 2 == 0;
    pj_cut_plan_set (plan, group, keep, NULL);
  }
  PjGraph *cut = pj_cut (graph, groups, plan, &error);
  g_assert_no_error (error);
  return cut;
}

int
main (int argc, char **argv)
{
  g_assert_cmpint (argc, ==, 2);
  for (unsigned i = 0; i < n_onnx_fixtures; i++) {
    const OnnxFixture *fixture = &onnx_fixtures[i];
    g_autoptr (PjGraph) graph = onnx_load (fixture->name);
    g_autoptr (PjGraph) cut = half (graph);
    g_autoptr (PjGraph) folded = pj_fold_norms (cut, NULL);
    write_one (graph, fixture, argv[1], "whole", 13, 0);
    write_one (cut, fixture, argv[1], "cut", 13, fixture->pictures);
    write_one (cut, fixture, argv[1], "cut", 17, 0);
    write_one (folded, fixture, argv[1], "folded", 10, 0);
  }
  return 0;
}
