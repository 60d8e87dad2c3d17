/* SPDX-License-Identifier: MIT */
/* Networks of any size from one: rules and costs against the specification's numbers, and whole searches. */
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "lab.h"
#include "ops/op.h"
#include "prune/search/spectrum.h"

/* --- rules --- */

static void
nested (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/vfs.json");
  int n, n_kept;
  g_autofree float *importance = fixture_floats (o, "nested_order/importance", &n);
  g_autofree int *expected = fixture_ints (o, "nested_order/order", &n), *prefix = fixture_ints (o, "nested_order/prefix_2_kept", &n_kept);
  double score[4];
  int order[4];
  for (int i = 0; i < n; i++)
    score[i] = importance[i];
  pj_nested_order (score, n, order);
  for (int i = 0; i < n; i++)
    g_assert_cmpint (order[i], ==, expected[i]);
  g_assert_cmpint (MIN (order[0], order[1]), ==, prefix[0]);
  g_assert_cmpint (MAX (order[0], order[1]), ==, prefix[1]);
  /* Equal scores keep their order. */
  for (int i = 0; i < n; i++)
    score[i] = 1;
  pj_nested_order (score, n, order);
  for (int i = 0; i < n; i++)
    g_assert_cmpint (order[i], ==, i);
}

static void
pareto (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/vfs.json");
  int n, n_front;
  g_autofree float *points = fixture_floats (o, "pareto/points_macs_acc", &n), *front = fixture_floats (o, "pareto/front", &n_front);
  double cost[8], quality[8];
  gboolean on[8];
  int at = 0;
  for (int i = 0; i < n / 2; i++) {
    cost[i] = points[2 * i];
    quality[i] = points[2 * i + 1];
  }
  pj_pareto_front (cost, quality, (unsigned) n / 2, on);
  for (int i = 0; i < n / 2; i++)
    if (on[i])
      g_assert_cmpfloat (cost[i], ==, front[2 * at++]);
  g_assert_cmpint (at, ==, n_front / 2);
}

static void
window (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/vfs.json");
  int n;
  g_autofree float *targets = fixture_floats (o, "budget/targets", &n);
  for (int i = 0; i < n; i++) {
    double t = targets[i];
    g_assert_true (pj_spectrum_accepts (t, t, 0.02));
    g_assert_true (pj_spectrum_accepts (0.981 * t, t, 0.02));
    g_assert_false (pj_spectrum_accepts (0.979 * t, t, 0.02));
    g_assert_false (pj_spectrum_accepts (1.001 * t, t, 0.02));
  }
}

/* --- the toy network --- */

/* 1×1, 3×3, 1×1 on a shortcut; the first block of a stage projects. */
static int
add_block (PjGraph *g, int stage, int b, int x, int c_in, int c, int c_out)
{
  int stride = stage == 1 && b == 0 ? 2 : 1, y = x;
  const struct { const char *name; int k, out; } layers[] = { { "a", 1, c }, { "b", 3, c }, { "c", 1, c_out } };
  for (int i = 0; i < 3; i++) {
    g_autofree char *name = g_strdup_printf ("s%d.b%d.%s", stage, b, layers[i].name);
    y = net_block (g, name, y, layers[i].out, layers[i].k, i == 0 ? stride : 1, i < 2);
  }
  g_autofree char *projection = g_strdup_printf ("s%d.projection", stage), *add = g_strdup_printf ("s%d.b%d.add", stage, b);
  g_autofree char *relu = g_strdup_printf ("s%d.b%d.relu", stage, b);
  if (b == 0)
    x = net_block (g, projection, x, c_out, 1, stride, FALSE);
  return net_unary (g, relu, &pj_op_relu, net_add (g, add, y, x));
}

static PjGraph *
toy (void)
{
  PjGraph *g = pj_graph_new ("toy");
  int x = net_block (g, "stem", pj_graph_add_input (g, "x", PJ_SHAPE (1, 3, 8, 8)), 8, 3, 1, TRUE), c = 8;
  for (int s = 0; s < 2; s++)
    for (int b = 0; b < 2; b++) {
      x = add_block (g, s, b, x, c, 8 << s, 16 << s);
      c = 16 << s;
    }
  x = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, x));
  pj_graph_set_output (g, net_gemm (g, "fc", x, net_param (g, "fc.w", PJ_SHAPE (10, 32), 0, 0.3f, 7), net_param (g, "fc.b", PJ_SHAPE (10), 0, 0.1f, 8)));
  return g;
}

static PjDataset *
pictures (void)
{
  enum { N = 72 };
  g_autofree guint8 *pixels = g_malloc (N * 192);
  int32_t labels[N];
  PjRng rng;
  pj_rng_init (&rng, 4, 4);
  for (int i = 0; i < N * 192; i++)
    pixels[i] = (guint8) pj_rng_below (&rng, 256);
  for (int i = 0; i < N; i++)
    labels[i] = i % 10;
  return pj_dataset_new_memory ("noise", N, 3, 8, 8, pixels, labels, 10, 8);
}

typedef struct {
  PjDevice *device;
  PjGraph *graph;
  PjGroups *groups;
  PjDataset *dataset;
  PjFormat format;
  PjScoring scoring;
  PjSpectrumOptions options;
  PjSpectrum *spectrum;
  unsigned judged;
} Bench;

static gboolean
judged_cb (const PjSpectrumPoint *point, gpointer data, GError **error)
{
  ((Bench *) data)->judged++;
  return TRUE;
}

static void
bench_open (Bench *self)
{
  g_autoptr (GError) error = NULL;
  *self = (Bench) { .format = { .c = 3, .h = 8, .w = 8, .mean = { 0.5f, 0.5f, 0.5f }, .std = { 0.3f, 0.3f, 0.3f } } };
  self->device = pj_device_open ("cpu", &error);
  g_assert_no_error (error);
  self->graph = toy ();
  self->groups = pj_groups_new (self->graph);
  self->dataset = pictures ();
  self->scoring = (PjScoring) {
    .device = self->device, .graph = self->graph, .groups = self->groups, .dataset = self->dataset, .format = &self->format, .seed = 1,
  };
  pj_spectrum_options_init (&self->options);
  self->options.criterion = pj_criterion_find ("weight-sum");
  self->options.n_images = 32;
  self->options.n_batches = 1;
  self->options.n_draws = 16;
  self->options.n_best = 2;
  self->options.idle = 1;
  self->options.tolerance = 0.1;
  self->spectrum = pj_spectrum_new (&self->scoring, &self->options, judged_cb, self, &error);
  g_assert_no_error (error);
}

static void
bench_clear (Bench *self)
{
  pj_spectrum_free (self->spectrum);
  pj_dataset_unref (self->dataset);
  pj_groups_unref (self->groups);
  pj_graph_unref (self->graph);
  pj_device_free (self->device);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

static int
group_of (const Bench *self, const char *node)
{
  const PjGroup *group = pj_groups_of_node (self->groups, pj_graph_find_node (self->graph, node));
  g_assert_nonnull (group);
  return group->id;
}

/* Filters, layers and blocks at once: what is left costs what the specification counts. */
/* What the toy network costs with these widths. */
static double
cost_of (const Bench *bench, const PjParts *parts, int stem, const int *outs, const int *hidden, const int *on)
{
  g_autofree guint8 *off = g_new0 (guint8, pj_parts_n (parts));
  g_autofree int *kept = g_new0 (int, pj_groups_n (bench->groups));
  g_autoptr (GError) error = NULL;
  double share;
  PjCost full;
  kept[group_of (bench, "stem")] = stem;
  for (int s = 0; s < 2; s++) {
    g_autofree char *projection = g_strdup_printf ("s%d.projection", s);
    kept[group_of (bench, projection)] = outs[s];
    for (int b = 0; b < 2; b++) {
      g_autofree char *block = g_strdup_printf ("s%d.b%d", s, b), *first = g_strdup_printf ("%s.a", block), *second = g_strdup_printf ("%s.b", block);
      const PjPart *part = pj_parts_find (parts, block);
      g_assert_nonnull (part);
      off[part->id] = !on[2 * s + b];
      kept[group_of (bench, first)] = kept[group_of (bench, second)] = hidden[2 * s + b];
    }
  }
  PjSpectrumPoint point = { .off = off, .kept = kept };
  g_assert_true (pj_spectrum_cost (bench->spectrum, &point, &share, &error));
  pj_graph_cost (bench->graph, &full);
  return share * (double) full.macs;
}

static void
costs (void)
{
  static const char *const names[] = { "full", "drop_identity_blocks", "drop_all_branches", "half_everything", "half_inner_only", "mixed" };
  static const int least[2] = { 4, 8 }, least_hidden[4] = { 2, 2, 4, 4 }, none[4] = { 0 };
  g_autoptr (JsonObject) o = fixture_load ("spec/vfs.json");
  JsonObject *configs = json_node_get_object (fixture_at (o, "toy/configs"));
  g_auto (Bench) bench;
  PjCost full;
  int n;

  bench_open (&bench);
  pj_graph_cost (bench.graph, &full);
  g_assert_cmpint ((int) full.macs, ==, (int) fixture_number (o, "toy/full_macs"));
  g_assert_cmpint (pj_graph_n_classes (bench.graph), ==, (int) fixture_number (o, "toy/classes"));
  g_autofree int *areas = fixture_ints (o, "toy/areas", &n);
  for (int s = 0; s < 2; s++) {
    g_autofree char *relu = g_strdup_printf ("s%d.b1.relu", s);
    const PjShape *shape = &pj_graph_value (bench.graph, pj_graph_node (bench.graph, pj_graph_find_node (bench.graph, relu))->outputs[0])->shape;
    g_assert_cmpint ((int) (shape->dim[2] * shape->dim[3]), ==, areas[s]);
  }
  g_autoptr (PjParts) parts = pj_parts_new (bench.graph);
  g_assert_cmpuint (json_object_get_size (configs), ==, G_N_ELEMENTS (names));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    JsonObject *config = json_object_get_object_member (configs, names[i]);
    g_autofree int *outs = fixture_ints (config, "outs", &n), *hidden = fixture_ints (config, "hidden", &n), *on = fixture_ints (config, "on", &n);
    double macs = cost_of (&bench, parts, (int) fixture_number (o, "toy/stem"), outs, hidden, on);
    g_assert_cmpfloat_with_epsilon (macs, fixture_number (config, "macs"), 1e-6);
    g_assert_cmpfloat_with_epsilon (macs / (double) full.macs, fixture_number (config, "ratio"), 1e-9);
  }
  g_assert_cmpfloat_with_epsilon (cost_of (&bench, parts, 4, least, least_hidden, none), fixture_number (o, "toy/smallest_macs_with_stem_4"), 1e-6);
}

/* All that is drawn lies in the window, costs exactly what was said, and is the same the second time without a new
 * judgement; smaller budgets are met by fewer blocks, too. */
static void
searches (void)
{
  static const double targets[] = { 0.8, 0.5, 0.3 };
  g_auto (Bench) bench;
  g_auto (Bench) again;
  g_autoptr (GError) error = NULL;
  const PjSpectrumPoint *found[3];
  PjCost full, cost;
  unsigned n_off = 0;

  bench_open (&bench);
  pj_graph_cost (bench.graph, &full);
  for (int t = 0; t < 3; t++) {
    found[t] = pj_spectrum_find (bench.spectrum, targets[t], &error);
    g_assert_no_error (error);
    g_assert_true (pj_spectrum_accepts (found[t]->macs, targets[t], bench.options.tolerance));
    g_autoptr (PjGraph) graph = pj_spectrum_build (bench.spectrum, found[t], &error);
    g_assert_no_error (error);
    pj_graph_cost (graph, &cost);
    g_assert_cmpfloat_with_epsilon ((double) cost.macs / (double) full.macs, found[t]->macs, 1e-12);
    g_assert_cmpfloat (found[t]->kl, >=, 0);
    for (unsigned p = 0; p < pj_spectrum_n_parts (bench.spectrum); p++)
      n_off += found[t]->off[p];
  }
  const GPtrArray *archive = pj_spectrum_archive (bench.spectrum);
  g_test_message ("%u candidates, %u blocks out", archive->len, n_off);
  g_assert_cmpuint (archive->len, ==, bench.judged);
  /* What was found is the best that was judged for its budget, or as good. */
  for (guint i = 0; i < archive->len; i++) {
    const PjSpectrumPoint *point = archive->pdata[i];
    if (pj_spectrum_accepts (point->macs, targets[1], 1e-9))
      g_assert_cmpfloat (point->kl, >=, found[1]->kl);
  }
  bench_open (&again);
  for (guint i = 0; i < archive->len; i++)
    pj_spectrum_remember (again.spectrum, archive->pdata[i]);
  for (int t = 0; t < 3; t++) {
    const PjSpectrumPoint *same = pj_spectrum_find (again.spectrum, targets[t], &error);
    g_assert_no_error (error);
    g_assert_cmpmem (same->off, pj_spectrum_n_parts (again.spectrum), found[t]->off, pj_spectrum_n_parts (bench.spectrum));
    g_assert_cmpmem (same->kept, pj_spectrum_n_groups (again.spectrum) * sizeof (int), found[t]->kept, pj_spectrum_n_groups (bench.spectrum) * sizeof (int));
  }
  g_assert_cmpuint (again.judged, ==, 0);
}

/* The whole network is the base, and so is the base with its channels in another order. */
static void
whole (void)
{
  g_auto (Bench) bench;
  g_autoptr (GError) error = NULL;
  bench_open (&bench);
  g_autofree float *x = net_noise (4 * 192, 3), *base = net_run (bench.graph, NULL, NULL, x, 4);
  g_autoptr (PjScores) scores = pj_criterion_score (bench.options.criterion, &bench.scoring, &error);
  g_autoptr (PjGraph) ordered = pj_graph_ref (bench.graph);
  for (unsigned i = 0; i < scores->n_groups; i++) {
    const PjGroup *group = pj_groups_get (bench.groups, (unsigned) scores->groups[i].group);
    g_autofree int *order = g_new (int, group->n_channels);
    pj_nested_order (scores->groups[i].score, group->n_channels, order);
    PjGraph *next = pj_cut_permute (ordered, bench.groups, group->id, order, &error);
    g_assert_no_error (error);
    pj_graph_unref (ordered);
    ordered = next;
  }
  g_autofree float *other = net_run (ordered, NULL, NULL, x, 4);
  assert_close (other, base, 40, 1e-5, "reordered and base");
  double share;
  g_autofree guint8 *off = g_new0 (guint8, pj_spectrum_n_parts (bench.spectrum));
  g_autofree int *kept = g_new (int, pj_spectrum_n_groups (bench.spectrum));
  for (unsigned g = 0; g < pj_spectrum_n_groups (bench.spectrum); g++)
    kept[g] = pj_groups_get (bench.groups, g)->n_channels;
  PjSpectrumPoint point = { .off = off, .kept = kept };
  g_assert_true (pj_spectrum_cost (bench.spectrum, &point, &share, &error));
  g_assert_cmpfloat (share, ==, 1);
}

static void
refuses (void)
{
  g_auto (Bench) bench;
  g_autoptr (GError) error = NULL;
  double least;
  bench_open (&bench);
  g_assert_true (pj_spectrum_least (bench.spectrum, &least, &error));
  g_assert_cmpfloat (least, <, 0.3);
  g_assert_null (pj_spectrum_find (bench.spectrum, least / 4, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_clear_error (&error);
  PjSpectrumOptions options = bench.options;
  options.floor = 0;
  g_assert_null (pj_spectrum_new (&bench.scoring, &options, NULL, NULL, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/spectrum/fixture/nested", nested);
  g_test_add_func ("/prune/spectrum/fixture/pareto", pareto);
  g_test_add_func ("/prune/spectrum/fixture/window", window);
  g_test_add_func ("/prune/spectrum/fixture/costs", costs);
  g_test_add_func ("/prune/spectrum/whole", whole);
  g_test_add_func ("/prune/spectrum/searches", searches);
  g_test_add_func ("/prune/spectrum/refuses", refuses);
  return g_test_run ();
}
