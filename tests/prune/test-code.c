/* SPDX-License-Identifier: MIT */
/* The coding layer of AutoPruner on a device: gates and gradients against the specification's numbers. */
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "net.h"
#include "ops/op.h"
#include "ops/params.h"

/* N pictures, C channels of H × H, pooled to P × P, K classes. */
enum { N = 2, C = 3, H = 4, P = 2, PLANE = H * H, FLAT = C * P * P, K = 4 };

/* The mathematics of the coding layer written down directly. */
typedef struct {
  double mean[C * PLANE], flat[FLAT], pre[C], v[C], rate, out[N * C * PLANE];
  double dv[C], dx[C], dw[C * FLAT], db[C], da[N * C * PLANE];
} Gates;

/* @g: gates: one for each channel, or one for all of them */
static void
reference (const float *a, const float *w, const float *b, int g, double alpha, double r, double lambda, const double *upstream,
           Gates *out)
{
  double *mean = out->mean, *flat = out->flat, sum = 0;
  int from[FLAT];

  memset (out, 0, sizeof *out);
  for (int i = 0; i < N * C * PLANE; i++)
    mean[i % (C * PLANE)] += a[i] / (double) N;
  for (int f = 0; f < FLAT; f++) {
    int c = f / (P * P), y = f / P % P, x = f % P;
    from[f] = c * PLANE + 2 * y * H + 2 * x;
    for (int k = 0; k < 4; k++) {
      int at = c * PLANE + (2 * y + k / 2) * H + 2 * x + k % 2;
      from[f] = mean[at] > mean[from[f]] ? at : from[f];
    }
    flat[f] = mean[from[f]];
  }
  for (int c = 0; c < g; c++) {
    out->pre[c] = b[c];
    for (int f = 0; f < FLAT; f++)
      out->pre[c] += w[c * FLAT + f] * flat[f];
    sum += out->v[c] = 1 / (1 + exp (-alpha * out->pre[c]));
  }
  out->rate = lambda * (sum / g - r) * (sum / g - r);
  for (int i = 0; i < N * C * PLANE; i++) {
    int c = g == 1 ? 0 : i / PLANE % C;
    out->out[i] = a[i] * out->v[c];
    out->dv[c] += upstream[i] * a[i];
    out->da[i] = upstream[i] * out->v[c];
  }
  for (int c = 0; c < g; c++) {
    out->dv[c] += 2 * lambda * (sum / g - r) / g;
    out->db[c] = out->dx[c] = out->dv[c] * alpha * out->v[c] * (1 - out->v[c]);
    for (int f = 0; f < FLAT; f++) {
      out->dw[c * FLAT + f] = out->dx[c] * flat[f];
      for (int n = 0; n < N; n++)
        out->da[n * C * PLANE + from[f]] += out->dx[c] * w[c * FLAT + f] / N;
    }
  }
}

static void
assert_doubles (const double *a, const float *b, int n, const char *what)
{
  g_autofree float *single = g_new (float, n);
  for (int i = 0; i < n; i++)
    single[i] = (float) a[i];
  assert_close (single, b, n, 2e-6, what);
}

typedef struct { float *x, *w, *b; double alpha, r, lambda; JsonObject *o; } Fixture;

static void
fixture_open (Fixture *f)
{
  f->o = fixture_load ("spec/autopruner.json");
  f->x = fixture_floats (f->o, "X_NCHW", NULL);
  f->w = fixture_floats (f->o, "fc_weight_OIHW", NULL);
  f->b = fixture_floats (f->o, "fc_bias", NULL);
  f->alpha = fixture_number (f->o, "alpha");
  f->r = fixture_number (f->o, "r");
  f->lambda = fixture_number (f->o, "lambda");
}

static void
fixture_close (Fixture *f)
{
  g_free (f->x);
  g_free (f->w);
  g_free (f->b);
  json_object_unref (f->o);
}

/* The reference of this file is the specification's. */
static void
fixture (void)
{
  Fixture f;
  Gates gates;
  double upstream[N * C * PLANE];
  fixture_open (&f);
  g_autofree float *given = fixture_floats (f.o, "upstream_grad_of_scaled_output", NULL);
  for (int i = 0; i < N * C * PLANE; i++)
    upstream[i] = given[i];
  reference (f.x, f.w, f.b, C, f.alpha, f.r, f.lambda, upstream, &gates);
  const struct { const char *path; const double *mine; int n; } parts[] = {
    { "batch_mean", gates.mean, C * PLANE }, { "pooled", gates.flat, FLAT }, { "code_pre", gates.pre, C }, { "v", gates.v, C },
    { "scaled_output_first_image", gates.out, C * PLANE }, { "d_v", gates.dv, C }, { "d_code_pre", gates.dx, C }, { "d_fc_weight", gates.dw, C * FLAT },
    { "d_X", gates.da, N * C * PLANE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_autofree float *expected = fixture_floats (f.o, parts[i].path, NULL);
    assert_doubles (parts[i].mine, expected, parts[i].n, parts[i].path);
  }
  g_assert_cmpfloat_with_epsilon (gates.rate, fixture_number (f.o, "sparsity_term"), 1e-6);
  fixture_close (&f);
}

/* --- on the device --- */

/* x + shift ─ code, gate ─ flatten ─ fc: the shift's gradient shows what flows back into the activations. */
typedef struct {
  PjGraph *graph;
  PjDevice *device;
  PjParams *params;
  PjPlan *plan;
  int w, b, shift, code, alpha, target, pull, on, fixed;
  float *head;
} Net;

static void
net_open (Net *self, const Fixture *f, int n_gates)
{
  g_autoptr (GError) error = NULL;
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  const float zero[C * PLANE] = { 0 }, one = 1;
  const PjShape number = PJ_SHAPE (1, 1);
  PjGraph *g = self->graph = pj_graph_new ("code");
  float alpha = (float) f->alpha, r = (float) f->r, pull = (float) (2 * f->lambda / n_gates);

  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, C, H, H));
  self->shift = net_param_from (g, "shift", PJ_SHAPE (1, C, H, H), zero);
  int a = pj_graph_add_node (g, "shifted", &pj_op_add_const, NULL, (int[]) { x, self->shift }, 2, &error);
  self->w = net_param_from (g, "w", PJ_SHAPE (n_gates, FLAT), f->w);
  self->b = net_param_from (g, "b", PJ_SHAPE (n_gates), f->b);
  self->alpha = net_param_from (g, "alpha", number, &alpha);
  self->target = net_param_from (g, "target", number, &r);
  self->pull = net_param_from (g, "pull", number, &pull);
  self->on = net_param_from (g, "on", number, &one);
  self->fixed = net_param_from (g, "fixed", PJ_SHAPE (1, n_gates), zero);
  const int inputs[] = { a, self->w, self->b, self->alpha, self->target, self->pull, self->on, self->fixed };
  const PjCodeParams pool = { 2 };
  self->code = pj_graph_add_node (g, "code", &pj_op_code, &pool, inputs, G_N_ELEMENTS (inputs), &error);
  g_assert_no_error (error);
  int gated = pj_graph_add_node (g, "gated", &pj_op_mul, NULL, (int[]) { a, self->code }, 2, &error);
  int flat = net_unary (g, "flat", &pj_op_flatten, gated);
  int head = net_param (g, "head", PJ_SHAPE (K, C * PLANE), 0, 0.3f, 5);
  self->head = g_memdup2 (pj_blob_data (pj_graph_value (g, head)->data), K * C * PLANE * sizeof (float));
  pj_graph_set_output (g, net_gemm (g, "fc", flat, head, -1));
  self->device = pj_device_open (id != NULL ? id : "cpu", &error);
  g_assert_no_error (error);
  self->params = pj_params_new (self->device, g, TRUE, &error);
  PjPlanOptions options = { .batch = N, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1, .observed = &self->code, .n_observed = 1 };
  self->plan = pj_plan_new (g, self->params, &options, &error);
  g_assert_no_error (error);
}

static void
net_close (Net *self)
{
  pj_plan_free (self->plan);
  pj_params_free (self->params);
  pj_device_free (self->device);
  pj_graph_unref (self->graph);
  g_free (self->head);
}

/* One step without moving anything; @v: the gates of both pictures. */
static void
net_step (Net *self, const Fixture *f, float *logits, float *v)
{
  const int32_t labels[N] = { 1, 3 };
  const PjStep step = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_true (pj_plan_set_images (self->plan, f->x, &error) && pj_plan_set_labels (self->plan, labels, &error));
  g_assert_true (pj_plan_train (self->plan, &step, &error) && pj_plan_read_logits (self->plan, logits, &error));
  g_assert_true (pj_plan_read_value (self->plan, self->code, v, &error));
}

/* ∂loss/∂(gated activations) from the logits. */
static void
make_upstream (const Net *self, const float *logits, double *upstream)
{
  static const int labels[N] = { 1, 3 };
  for (int n = 0; n < N; n++) {
    double sum = 0, p[K];
    for (int k = 0; k < K; k++)
      sum += p[k] = exp (logits[n * K + k]);
    for (int i = 0; i < C * PLANE; i++) {
      upstream[n * C * PLANE + i] = 0;
      for (int k = 0; k < K; k++)
        upstream[n * C * PLANE + i] += (p[k] / sum - (k == labels[n])) / N * self->head[k * C * PLANE + i];
    }
  }
}

static void
read_grad (Net *self, int value, float *out)
{
  g_assert_true (pj_params_read_grad (self->params, value, out, NULL));
}

/* @data: number of gates: one for each channel, or one for all of them, as in front of a residual add */
static void
gradients (gconstpointer data)
{
  const int g = GPOINTER_TO_INT (data);
  Fixture f;
  Net net;
  Gates gates;
  double upstream[N * C * PLANE], da[C * PLANE] = { 0 };
  float logits[N * K], v[N * C], dw[C * FLAT], db[C], dshift[C * PLANE];
  fixture_open (&f);
  net_open (&net, &f, g);
  net_step (&net, &f, logits, v);
  make_upstream (&net, logits, upstream);
  reference (f.x, f.w, f.b, g, f.alpha, f.r, f.lambda, upstream, &gates);
  assert_doubles (gates.v, v, g, "v");
  assert_close (v, v + g, g, 0, "v of the second picture");
  read_grad (&net, net.w, dw);
  assert_doubles (gates.dw, dw, g * FLAT, "dw");
  read_grad (&net, net.b, db);
  assert_doubles (gates.db, db, g, "db");
  read_grad (&net, net.shift, dshift);
  for (int i = 0; i < N * C * PLANE; i++)
    da[i % (C * PLANE)] += gates.da[i];
  assert_doubles (da, dshift, C * PLANE, "dA");
  net_close (&net);
  fixture_close (&f);
}

/* α is set between steps; a frozen code neither follows the pictures nor learns. */
static void
controls (void)
{
  static const char *const alphas[] = { "0.1", "1", "10", "100" };
  Fixture f;
  Net net;
  float logits[N * K], v[N * C], dw[C * FLAT];
  fixture_open (&f);
  net_open (&net, &f, C);
  for (guint i = 0; i < G_N_ELEMENTS (alphas); i++) {
    g_autofree char *path = g_strdup_printf ("v_for_alphas/%s", alphas[i]);
    g_autofree float *expected = fixture_floats (f.o, path, NULL);
    float alpha = (float) g_ascii_strtod (alphas[i], NULL);
    g_assert_true (pj_params_write (net.params, net.alpha, &alpha, NULL));
    net_step (&net, &f, logits, v);
    assert_close (v, expected, C, 2e-6, path);
  }
  const float off = 0, fixed[C] = { 1, 0, 1 };
  g_assert_true (pj_params_write (net.params, net.on, &off, NULL) && pj_params_write (net.params, net.fixed, fixed, NULL));
  net_step (&net, &f, logits, v);
  assert_close (v, fixed, C, 0, "frozen");
  read_grad (&net, net.w, dw);
  for (int i = 0; i < C * FLAT; i++)
    g_assert_true (dw[i] == 0);
  net_close (&net);
  fixture_close (&f);
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/code/fixture", fixture);
  g_test_add_data_func ("/prune/code/gradients/channels", GINT_TO_POINTER (C), gradients);
  g_test_add_data_func ("/prune/code/gradients/one", GINT_TO_POINTER (1), gradients);
  g_test_add_func ("/prune/code/controls", controls);
  return g_test_run ();
}
