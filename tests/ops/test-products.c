/* SPDX-License-Identifier: MIT */
/* Convolutions and fully connected layers, forward and backward, against the reference.
 *
 * Tolerance: a sum of k products in single precision is off by about √k·6e-8 of its largest terms; the
 * largest k here is 2·13·13·9 = 3042 for a weight gradient, so 1e-5 of the tensor's largest element
 * leaves a factor of three.  A wrong tap, stride or channel is off by the size of the terms. */
#include "rig.h"

#include <math.h>

#define TOLERANCE 1e-5

typedef struct {
  const char *name;
  int n, c_in, h, w, c_out;
  PjConvParams p;
} ConvCase;

#define PLAIN(k, s, q) { .kernel = { k, k }, .stride = { s, s }, .dilation = { 1, 1 }, .pad = { q, q, q, q }, .groups = 1 }

static const ConvCase conv_cases[] = {
  { "1x1-one-of-everything", 1, 1, 1, 1, 1, PLAIN (1, 1, 0) },
  { "1x1", 2, 13, 5, 7, 9, PLAIN (1, 1, 0) },
  { "1x1-stride2", 2, 16, 7, 7, 17, PLAIN (1, 2, 0) },
  { "3x3-one-channel", 3, 1, 13, 13, 15, PLAIN (3, 1, 1) },
  { "3x3-three-channels", 2, 3, 11, 13, 16, PLAIN (3, 1, 1) },
  { "3x3-odd-channels", 2, 13, 13, 13, 7, PLAIN (3, 1, 1) },
  { "3x3-tile", 2, 16, 8, 8, 32, PLAIN (3, 1, 1) },
  { "3x3-below-tile", 1, 15, 7, 9, 31, PLAIN (3, 1, 1) },
  { "3x3-above-tile", 1, 17, 9, 7, 33, PLAIN (3, 1, 1) },
  { "3x3-stride2", 2, 5, 9, 10, 6, PLAIN (3, 2, 1) },
  { "3x3-one-pixel", 2, 3, 1, 1, 4, PLAIN (3, 1, 1) },
  { "3x3-valid", 1, 4, 5, 3, 3, PLAIN (3, 1, 0) },
  /* Enough tiles for Winograd's algorithm: whole ones and parts of them, parts of blocks of channels. */
  { "wide", 2, 32, 16, 16, 48, PLAIN (3, 1, 1) },
  { "wide-parts", 3, 47, 21, 18, 35, PLAIN (3, 1, 1) },
  { "wide-odd-channels", 3, 30, 13, 11, 47, PLAIN (3, 1, 1) },
  { "wide-mostly-padding", 7, 20, 16, 16, 40, PLAIN (3, 1, 1) },
  { "wide-valid", 3, 48, 14, 14, 32, PLAIN (3, 1, 0) },
  { "wide-asymmetric-pads", 3, 31, 15, 17, 29,
    { .kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pad = { 2, 0, 0, 1 }, .groups = 1 } },
  { "wide-large-pads", 2, 24, 14, 20, 32,
    { .kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pad = { 3, 5, 1, 7 }, .groups = 1 } },
  { "wide-map-below-tile", 80, 32, 3, 3, 32, PLAIN (3, 1, 1) },
  { "wide-runs-and-bands-and-one", 5, 16, 8, 68, 16, PLAIN (3, 1, 1) },
  { "wide-one-image", 1, 32, 16, 16, 48, PLAIN (3, 1, 1) },
  { "wide-few-tiles", 3, 32, 12, 12, 48, PLAIN (3, 1, 1) },
  { "wide-many-outputs", 2, 16, 16, 16, 144, PLAIN (3, 1, 1) },
  { "5x5", 1, 3, 7, 6, 5, PLAIN (5, 1, 2) },
  { "7x7-stride2", 1, 3, 15, 17, 8, PLAIN (7, 2, 3) },
  { "asymmetric-pads", 2, 3, 6, 5, 4,
    { .kernel = { 3, 2 }, .stride = { 1, 2 }, .dilation = { 1, 1 }, .pad = { 2, 0, 1, 1 }, .groups = 1 } },
  { "1x3-kernel", 2, 6, 5, 9, 5,
    { .kernel = { 1, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pad = { 0, 1, 0, 1 }, .groups = 1 } },
  { "dilation2", 1, 4, 9, 9, 5,
    { .kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 2, 2 }, .pad = { 2, 2, 2, 2 }, .groups = 1 } },
  { "dilation-1x2-stride2", 1, 4, 9, 10, 5,
    { .kernel = { 3, 3 }, .stride = { 2, 2 }, .dilation = { 1, 2 }, .pad = { 1, 2, 1, 2 }, .groups = 1 } },
  { "groups2", 2, 8, 5, 5, 6,
    { .kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pad = { 1, 1, 1, 1 }, .groups = 2 } },
  { "groups3-odd", 1, 9, 4, 6, 15,
    { .kernel = { 3, 3 }, .stride = { 2, 1 }, .dilation = { 1, 1 }, .pad = { 1, 1, 1, 1 }, .groups = 3 } },
  { "depthwise", 2, 13, 7, 7, 13,
    { .kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pad = { 1, 1, 1, 1 }, .groups = 13, .depthwise = TRUE } },
  { "depthwise-stride2", 2, 16, 8, 7, 16,
    { .kernel = { 3, 3 }, .stride = { 2, 2 }, .dilation = { 1, 1 }, .pad = { 1, 1, 1, 1 }, .groups = 16, .depthwise = TRUE } },
  { "depthwise-multiplier", 1, 5, 6, 6, 10,
    { .kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pad = { 1, 1, 1, 1 }, .groups = 5, .depthwise = TRUE } },
};

static int
outputs (const ConvCase *c, int axis)
{
  int size = axis == 0 ? c->h : c->w;
  return (size + c->p.pad[axis] + c->p.pad[2 + axis] - c->p.dilation[axis] * (c->p.kernel[axis] - 1) - 1) / c->p.stride[axis] + 1;
}

static PjShape
x_shape (const ConvCase *c)
{
  return PJ_SHAPE (c->n, c->c_in, c->h, c->w);
}

static PjShape
w_shape (const ConvCase *c)
{
  return PJ_SHAPE (c->c_out, c->c_in / c->p.groups, c->p.kernel[0], c->p.kernel[1]);
}

static PjShape
y_shape (const ConvCase *c)
{
  return PJ_SHAPE (c->n, c->c_out, outputs (c, 0), outputs (c, 1));
}

/* Terms of the sum for an output. */
static double
terms (const ConvCase *c)
{
  return (double) (c->c_in / c->p.groups * c->p.kernel[0] * c->p.kernel[1]);
}

/* Of the large cases only some variants, for the sake of time. */
static int
variant_step (const ConvCase *c)
{
  return c->c_in * c->c_out >= 256 ? 3 : 1;
}

/* Bias, residual and ReLU in all combinations; or bias, ReLU, and all together. */
static void
conv_forward (gconstpointer data)
{
  const ConvCase *c = data;
  for (int variant = variant_step (c) / 3; variant < 8; variant += variant_step (c)) {
    g_autoptr (Rig) rig = rig_new (10 + (uint64_t) variant);
    if (rig == NULL)
      return;
    int x = rig_input (rig, x_shape (c)), w = rig_param (rig, w_shape (c), 0, 1);
    int b = rig_param_if (rig, variant & 1, PJ_SHAPE (c->c_out)), r = rig_input_if (rig, variant & 2, y_shape (c));
    int y = rig_output (rig, y_shape (c));
    PjCall *call = rig_call (rig, PJ_KERNEL_CONV);
    g_autofree char *what = g_strdup_printf ("conv %s, variant %d", c->name, variant);
    call->conv = c->p;
    call->relu = (variant & 4) != 0;
    call->ceiling = variant >= 6 ? 0.75f : 0.0f;
    rig_in (call, x, w, b, r);
    rig_out (call, y);
    /* What a ceiling leaves is of the size of one term, and small beside the sums. */
    rig_check (rig, what, call->ceiling > 0 ? sqrt (terms (c)) * TOLERANCE : TOLERANCE);
  }
}

/* The first, a middle and the last channel, and none; @z in the layout of the host and in the device's own. */
static void
check_without (const char *name, const PjConvParams *p, PjShape xs, PjShape ws, PjShape ys)
{
  const float channels[] = { 0, (float) (xs.dim[1] / 2), (float) (xs.dim[1] - 1), -1 };
  for (guint i = 0; i < G_N_ELEMENTS (channels); i++) {
    g_autoptr (Rig) rig = rig_new (60 + i);
    if (rig == NULL)
      return;
    gboolean blocked = xs.rank == 4 && (i & 1) && ys.dim[1] <= 48;
    int x = rig_activation (rig, blocked, xs), z = rig_activation (rig, blocked, ys), w = rig_param (rig, ws, 0, 1);
    int channel = rig_input_from (rig, PJ_SHAPE (1), &channels[i]);
    PjCall *call = rig_call (rig, PJ_KERNEL_CONV_WITHOUT);
    g_autofree char *what = g_strdup_printf ("conv_without %s, channel %g", name, (double) channels[i]);
    call->conv = *p;
    call->relu = i != 2;
    call->ceiling = i == 1 ? 0.75f : 0.0f;
    rig_in (call, x, w, z, channel);
    rig_out (call, rig_output (rig, ys));
    rig_check (rig, what, call->ceiling > 0 ? 10 * TOLERANCE : TOLERANCE);
  }
}

static void
conv_without (gconstpointer data)
{
  const ConvCase *c = data;
  check_without (c->name, &c->p, x_shape (c), w_shape (c), y_shape (c));
}

static void
conv_backward_input (gconstpointer data)
{
  const ConvCase *c = data;
  g_autoptr (Rig) rig = rig_new (20);
  if (rig == NULL)
    return;
  int dy = rig_input (rig, y_shape (c)), w = rig_param (rig, w_shape (c), 0, 1), dx = rig_output (rig, x_shape (c));
  PjCall *call = rig_call (rig, PJ_KERNEL_CONV_BWD_INPUT);
  call->conv = c->p;
  rig_in (call, dy, w);
  rig_out (call, dx);
  rig_check (rig, c->name, TOLERANCE);
}

static void
conv_backward_weight (gconstpointer data)
{
  const ConvCase *c = data;
  for (int variant = 0; variant < 4; variant += variant_step (c)) {
    g_autoptr (Rig) rig = rig_new (30 + (uint64_t) variant);
    if (rig == NULL)
      return;
    int x = rig_input (rig, x_shape (c)), dy = rig_input (rig, y_shape (c)), dw = rig_grad (rig, w_shape (c));
    int db = variant & 1 ? rig_grad (rig, PJ_SHAPE (c->c_out)) : -1;
    PjCall *call = rig_call (rig, PJ_KERNEL_CONV_BWD_WEIGHT);
    g_autofree char *what = g_strdup_printf ("conv_bwd_weight %s, variant %d", c->name, variant);
    call->conv = c->p;
    call->accumulate = (variant & 2) != 0;
    rig_in (call, x, dy);
    rig_out (call, dw, db);
    rig_check (rig, what, TOLERANCE);
  }
}

/* conv -> conv -> conv with residuals: layouts between calls; a residual that is used up in place, one that
 * is read again afterwards, and one that is the input of the same call and must not be overwritten. */
static void
conv_chain (gconstpointer data)
{
  const ConvCase *c = data;
  PjConvParams same = PLAIN (3, 1, 1);
  for (int variant = 0; variant < 3; variant++) {
    g_autoptr (Rig) rig = rig_new (40);
    if (rig == NULL)
      return;
    int x = rig_input (rig, x_shape (c)), w1 = rig_param (rig, w_shape (c), 0, 1);
    int w2 = rig_param (rig, PJ_SHAPE (c->c_out, c->c_out, 3, 3), 0, 0.3f);
    int y1 = rig_temp (rig, 0, y_shape (c)), y2 = rig_temp (rig, 0, y_shape (c)), y3 = rig_output (rig, y_shape (c));
    PjCall *call = rig_call (rig, PJ_KERNEL_CONV);
    call->conv = c->p;
    call->relu = TRUE;
    rig_in (call, x, w1);
    rig_out (call, y1);
    call = rig_call (rig, PJ_KERNEL_CONV);
    call->conv = same;
    rig_in (call, y1, w2, -1, y1);
    rig_out (call, y2);
    call = rig_call (rig, PJ_KERNEL_CONV);
    call->conv = same;
    call->relu = TRUE;
    rig_in (call, y2, w2, -1, variant == 1 ? y1 : -1);
    rig_out (call, y3);
    if (variant == 0) {
      call = rig_call (rig, PJ_KERNEL_ADD);
      rig_in (call, y1, y2);
      rig_out (call, rig_output (rig, y_shape (c)));
    }
    rig_check (rig, c->name, TOLERANCE);
  }
}

typedef struct { int n, i, o; } GemmCase;
static const GemmCase gemm_cases[] = { { 1, 1, 1 }, { 3, 13, 10 }, { 17, 33, 15 }, { 64, 128, 10 }, { 2, 65, 129 } };

static void
gemm_without (gconstpointer data)
{
  const GemmCase *c = data;
  const PjConvParams p = PLAIN (1, 1, 0);
  check_without ("of a product", &p, PJ_SHAPE (c->n, c->i), PJ_SHAPE (c->o, c->i), PJ_SHAPE (c->n, c->o));
}

static void
gemm (gconstpointer data)
{
  const GemmCase *c = data;
  for (int variant = 0; variant < 4; variant++) {
    g_autoptr (Rig) rig = rig_new (50 + (uint64_t) variant);
    if (rig == NULL)
      return;
    g_autofree char *what = g_strdup_printf ("gemm %d %d %d, variant %d", c->n, c->i, c->o, variant);
    int x = rig_input (rig, PJ_SHAPE (c->n, c->i)), w = rig_param (rig, PJ_SHAPE (c->o, c->i), 0, 1);
    int b = rig_param_if (rig, variant & 1, PJ_SHAPE (c->o)), dy = rig_input (rig, PJ_SHAPE (c->n, c->o));
    PjCall *call = rig_call (rig, PJ_KERNEL_GEMM);
    call->relu = (variant & 2) != 0;
    rig_in (call, x, w, b);
    rig_out (call, rig_output (rig, PJ_SHAPE (c->n, c->o)));
    call = rig_call (rig, PJ_KERNEL_GEMM_BWD_INPUT);
    rig_in (call, dy, w);
    rig_out (call, rig_output (rig, PJ_SHAPE (c->n, c->i)));
    call = rig_call (rig, PJ_KERNEL_GEMM_BWD_WEIGHT);
    call->accumulate = (variant & 2) != 0;
    rig_in (call, x, dy);
    rig_out (call, rig_grad (rig, PJ_SHAPE (c->o, c->i)), variant & 1 ? rig_grad (rig, PJ_SHAPE (c->o)) : -1);
    rig_check (rig, what, TOLERANCE);
  }
}

static void
add_cases (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (conv_cases); i++) {
    const ConvCase *c = &conv_cases[i];
    g_autofree char *forward = g_strdup_printf ("/ops/conv/forward/%s", c->name);
    g_autofree char *input = g_strdup_printf ("/ops/conv/bwd-input/%s", c->name);
    g_autofree char *weight = g_strdup_printf ("/ops/conv/bwd-weight/%s", c->name);
    g_autofree char *chain = g_strdup_printf ("/ops/conv/chain/%s", c->name);
    g_test_add_data_func (forward, c, conv_forward);
    g_test_add_data_func (input, c, conv_backward_input);
    g_test_add_data_func (weight, c, conv_backward_weight);
    g_autofree char *without = g_strdup_printf ("/ops/conv/without/%s", c->name);
    if (c->p.groups == 1)
      g_test_add_data_func (without, c, conv_without);
    if (c->c_out <= 20)
      g_test_add_data_func (chain, c, conv_chain);
  }
  for (guint i = 0; i < G_N_ELEMENTS (gemm_cases); i++) {
    const GemmCase *c = &gemm_cases[i];
    g_autofree char *path = g_strdup_printf ("/ops/gemm/%dx%dx%d", c->n, c->i, c->o);
    g_autofree char *without = g_strdup_printf ("/ops/gemm/without/%dx%dx%d", c->n, c->i, c->o);
    g_test_add_data_func (path, c, gemm);
    g_test_add_data_func (without, c, gemm_without);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_cases ();
  return g_test_run ();
}
