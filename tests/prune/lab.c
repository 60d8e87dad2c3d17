/* SPDX-License-Identifier: MIT */
#include "lab.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "ops/op.h"

void
lab_clear (Lab *self)
{
  pj_groups_unref (self->groups);
  pj_graph_unref (self->graph);
  pj_dataset_unref (self->dataset);
  pj_device_free (self->device);
  memset (self, 0, sizeof *self);
}

/* Takes @graph and @dataset. */
static void
lab_init (Lab *self, PjGraph *graph, PjDataset *dataset, PjFormat format)
{
  g_autoptr (GError) error = NULL;
  const char *id = g_getenv ("PJ_TEST_DEVICE");

  memset (self, 0, sizeof *self);
  self->device = pj_device_open (id != NULL ? id : "cpu", &error);
  g_assert_no_error (error);
  self->graph = graph;
  self->groups = pj_groups_new (graph);
  self->dataset = dataset;
  self->format = format;
  self->scoring = (PjScoring) {
    .device = self->device, .graph = graph, .groups = self->groups, .dataset = dataset, .format = &self->format, .seed = 1,
  };
}

/* --- the toy network --- */

static int
param_at (PjGraph *g, JsonObject *o, const char *name, const char *path)
{
  PjShape shape = { 0 };
  g_autofree float *data = fixture_floats (o, path, NULL);
  shape.rank = fixture_shape (o, path, shape.dim);
  return net_param_from (g, name, shape, data);
}

/* The stem's weights with a third input channel of zeros. */
static int
stem_weights (PjGraph *g, JsonObject *o)
{
  g_autofree float *data = fixture_floats (o, "params/stem_w", NULL);
  float padded[4 * 3 * 9] = { 0 };
  for (int out = 0; out < 4; out++)
    memcpy (padded + out * 27, data + out * 18, 18 * sizeof (float));
  return net_param_from (g, "stem.w", PJ_SHAPE (4, 3, 3, 3), padded);
}

static int
norm_after (PjGraph *g, JsonObject *o, const char *name, const char *bn, int x)
{
  static const char *const parts[] = { "gamma", "beta", "mean", "var" };
  g_autofree char *norm = g_strdup_printf ("%s.norm", name);
  int v[4];
  for (int i = 0; i < 4; i++) {
    g_autofree char *path = g_strdup_printf ("params/%s/%s", bn, parts[i]), *as = g_strdup_printf ("%s.%s", name, parts[i]);
    v[i] = param_at (g, o, as, path);
  }
  return net_norm (g, norm, x, v[0], v[1], v[2], v[3], (float) fixture_number (o, "eps"));
}

static int
conv_norm (PjGraph *g, JsonObject *o, const char *name, const char *w, const char *bn, int x, int pad)
{
  g_autofree char *w_path = g_strdup_printf ("params/%s", w), *w_name = g_strdup_printf ("%s.w", name);
  return norm_after (g, o, name, bn, net_conv (g, name, x, param_at (g, o, w_name, w_path), -1, 1, pad));
}

static int
toy_block (PjGraph *g, JsonObject *o, int b, int x)
{
  for (int i = 1; i <= 3; i++) {
    g_autofree char *name = g_strdup_printf ("b%d_%d", b, i), *w = g_strdup_printf ("b%d_w%d", b, i);
    g_autofree char *bn = g_strdup_printf ("b%d_bn%d", b, i), *relu = g_strdup_printf ("b%d_%d.relu", b, i);
    x = conv_norm (g, o, name, w, bn, x, i == 2);
    if (i < 3)
      x = net_unary (g, relu, &pj_op_relu, x);
  }
  return x;
}

static PjGraph *
toy_graph (JsonObject *o)
{
  PjGraph *g = pj_graph_new ("toy");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 3, 6, 6));
  int stem = norm_after (g, o, "stem", "stem_bn", net_conv (g, "stem", x, stem_weights (g, o), -1, 1, 1));
  stem = net_unary (g, "stem.relu", &pj_op_relu, stem);
  int s = conv_norm (g, o, "stream", "proj_w", "proj_bn", stem, 0);
  s = net_unary (g, "relu1", &pj_op_relu, net_add (g, "add1", toy_block (g, o, 1, stem), s));
  s = net_unary (g, "relu2", &pj_op_relu, net_add (g, "add2", toy_block (g, o, 2, s), s));
  int y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, s));
  pj_graph_set_output (g, net_gemm (g, "fc", y, param_at (g, o, "fc.w", "params/fc_w"), param_at (g, o, "fc.b", "params/fc_b")));
  return g;
}

/* x is a multiple of 0.1, so byte 100 + 10·x with mean 100 and deviation 10 bytes gives it back. */
static PjDataset *
toy_pictures (JsonObject *o)
{
  int n, n_labels;
  g_autofree float *x = fixture_floats (o, "x", &n);
  g_autofree int *labels = fixture_ints (o, "labels", &n_labels);
  guint8 pixels[5 * 3 * 36];
  int32_t classes[5] = { 0 };

  g_assert_cmpint (n, ==, 4 * 2 * 36);
  memset (pixels, 100, sizeof pixels);
  for (int i = 0; i < 4; i++) {
    classes[i] = labels[i];
    for (int k = 0; k < 72; k++)
      pixels[i * 108 + k] = (guint8) lrintf (100 + 10 * x[i * 72 + k]);
  }
  return pj_dataset_new_memory ("toy", 5, 3, 6, 6, pixels, classes, 3, 1);
}

void
lab_init_toy (Lab *self, JsonObject *fixture)
{
  PjFormat format = { .c = 3, .h = 6, .w = 6 };
  for (int i = 0; i < 3; i++) {
    format.mean[i] = 100.0f / 255;
    format.std[i] = 10.0f / 255;
  }
  lab_init (self, toy_graph (fixture), toy_pictures (fixture), format);
}

/* --- networks on noise --- */

static PjDataset *
noise_pictures (unsigned n, uint64_t seed)
{
  enum { SIZE = 64, N_TEST = 8 };
  g_autofree guint8 *pixels = g_malloc ((n + N_TEST) * SIZE);
  g_autofree int32_t *labels = g_new (int32_t, n + N_TEST);
  g_autofree uint32_t *order = g_new (uint32_t, n + N_TEST);
  PjRng rng;

  for (unsigned i = 0; i < n + N_TEST; i++)
    order[i] = i;
  pj_rng_init (&rng, seed, 1);
  pj_rng_shuffle (&rng, order, n);
  for (unsigned i = 0; i < n + N_TEST; i++) {
    pj_rng_init (&rng, 77, order[i]);
    labels[i] = (int32_t) (order[i] % 3);
    guint8 base = (guint8) (40 + 60 * labels[i]);
    for (int k = 0; k < SIZE; k++)
      pixels[i * SIZE + k] = (guint8) (base + pj_rng_below (&rng, 80) * (k % 3 == labels[i]));
  }
  return pj_dataset_new_memory ("noise", (int) (n + N_TEST), 1, 8, 8, pixels, labels, 3, N_TEST);
}

static const PjFormat noise_format = { .c = 1, .h = 8, .w = 8, .mean = { 0.45f }, .std = { 0.25f } };

static void
add_classifier (PjGraph *g, int y, int c)
{
  y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, y));
  pj_graph_set_output (g, net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (3, c), 0, 1, 7), net_param (g, "fc.b", PJ_SHAPE (3), 0, 1, 7)));
}

void
lab_init_chain (Lab *self, unsigned n, gboolean linear, uint64_t seed)
{
  PjGraph *g = pj_graph_new ("chain");
  int y = net_block (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8)), 6, 3, 1, TRUE);
  PjPoolParams pool = { .kernel = { 2, 2 }, .stride = { 2, 2 } };
  y = pj_graph_add_node (g, "pool", &pj_op_max_pool, &pool, &y, 1, NULL);
  y = net_block (g, "b", y, 8, 3, 1, TRUE);
  y = net_block (g, "c", y, 4, 1, 1, !linear);
  add_classifier (g, y, 4);
  lab_init (self, g, noise_pictures (n, seed), noise_format);
}

void
lab_init_residual (Lab *self, unsigned n)
{
  PjGraph *g = pj_graph_new ("residual");
  int s = net_block (g, "stem", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8)), 4, 3, 1, TRUE);
  int stream = net_block (g, "proj", s, 7, 1, 1, FALSE);
  int y = net_block (g, "x2", net_block (g, "x", s, 5, 3, 1, TRUE), 7, 3, 1, FALSE);
  s = net_unary (g, "relu1", &pj_op_relu, net_add (g, "add1", y, stream));
  y = net_block (g, "y2", net_block (g, "y", s, 5, 1, 1, TRUE), 7, 3, 1, FALSE);
  s = net_unary (g, "relu2", &pj_op_relu, net_add (g, "add2", y, s));
  add_classifier (g, s, 7);
  lab_init (self, g, noise_pictures (n, 0), noise_format);
}

void
lab_swap_graph (Lab *self, PjGraph *graph)
{
  pj_groups_unref (self->groups);
  pj_graph_unref (self->graph);
  self->scoring.graph = self->graph = graph;
  self->scoring.groups = self->groups = pj_groups_new (graph);
}

/* --- cancelling, ratios --- */

static gboolean
is_cancelled_cb (gpointer data)
{
  Lab *self = data;
  return self->cancel_after-- <= 0;
}

void
lab_cancel_after (Lab *self, int after)
{
  self->cancel_after = after;
  self->hooks = (PjHooks) { .data = self, .is_cancelled = is_cancelled_cb };
  self->scoring.hooks = &self->hooks;
}

double *
lab_ratios (const Lab *self, const char *names, double ratio)
{
  double *ratios = g_new (double, pj_groups_n (self->groups));
  g_auto (GStrv) parts = g_strsplit (names, " ", -1);

  for (unsigned i = 0; i < pj_groups_n (self->groups); i++)
    ratios[i] = 1;
  for (char **name = parts; *name != NULL; name++) {
    const PjGroup *group = pj_groups_find (self->groups, *name);
    g_assert_nonnull (group);
    ratios[group->id] = ratio;
  }
  return ratios;
}

void
assert_near (double value, double expected, double tolerance, const char *what)
{
  if (!(fabs (value - expected) <= tolerance))
    g_error ("%s is %.12g, expected %.12g (within %g)", what, value, expected, tolerance);
}

const PjCriterion *
lab_criterion (const char *name)
{
  const PjCriterion *c = pj_criterion_find (name);
  g_assert_nonnull (c);
  return c;
}

PjScores *
lab_score (const Lab *self, const char *name)
{
  g_autoptr (GError) error = NULL;
  PjScores *scores = pj_criterion_score (lab_criterion (name), &self->scoring, &error);
  g_assert_no_error (error);
  return scores;
}

const PjGroupScores *
lab_scores_of (const Lab *self, const PjScores *scores, const char *group)
{
  const PjGroupScores *s = pj_scores_get (scores, pj_groups_find (self->groups, group)->id);
  g_assert_nonnull (s);
  return s;
}

PjGraph *
lab_four_channels (void)
{
  PjGraph *g = pj_graph_new ("four");
  int y = net_block (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 2, 2)), 4, 1, 1, TRUE);
  y = net_unary (g, "flatten", &pj_op_flatten, y);
  pj_graph_set_output (g, net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (2, 16), 0, 1, 1), -1));
  return g;
}
