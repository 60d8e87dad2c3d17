/* SPDX-License-Identifier: MIT */
/* Kernels over maps (norms, gates, pooling, element-wise, statistics) against the reference, on plain
 * inputs and on the layout that convolutions make.
 *
 * Tolerance: these are sums of at most a few thousand terms of like size or no sums at all; 1e-5 of the
 * largest element is some ten times their rounding error.  Gradients of norms subtract means and lose
 * another digit. */
#include <math.h>
#include <omp.h>

#include "rig.h"

#define TOLERANCE 1e-5
#define NORM_BWD_TOLERANCE 5e-5

static const PjShape shapes[] = {
  { 4, { 1, 1, 1, 1 } }, { 4, { 2, 1, 3, 3 } }, { 4, { 3, 13, 5, 7 } }, { 4, { 2, 15, 13, 13 } }, { 4, { 1, 16, 8, 8 } },
  { 4, { 2, 17, 1, 3 } }, { 4, { 4, 33, 1, 1 } }, { 4, { 4, 32, 1, 1 } }, { 4, { 2, 3, 65, 67 } }, { 2, { 5, 13 } }, { 2, { 7, 48 } },
  { 3, { 3, 9, 11 } },
};

typedef struct {
  PjShape shape;
  gboolean through_conv;
} MapCase;

static PjShape
channels (const MapCase *c)
{
  return PJ_SHAPE (c->shape.dim[1]);
}

/* γ, β, μ, σ² as parameters. */
static void
norm_params (Rig *rig, const MapCase *c, int *p)
{
  p[0] = rig_param (rig, channels (c), 0.5f, 1);
  p[1] = rig_param (rig, channels (c), 0, 1);
  p[2] = rig_param (rig, channels (c), 0, 0.5f);
  p[3] = rig_param (rig, channels (c), 1, 0.9f);
}

static int
hyper (Rig *rig)
{
  const float values[PJ_N_HYPER] = { 0.1f, 0.9f, 0.01f, 0, 0.3f };
  return rig_input_from (rig, PJ_SHAPE (PJ_N_HYPER), values);
}

/* Forward with and without ReLU, its ceiling and gate, the same again from the kept statistics, then backward. */
static void
train_program (Rig *rig, const MapCase *c, int variant)
{
  gboolean relu = (variant & 1) != 0;
  int p[4], x = rig_activation (rig, c->through_conv, c->shape), dy = rig_activation (rig, c->through_conv, c->shape);
  int gate = variant & 2 ? rig_input_around (rig, channels (c), 0.5f, 1) : -1;
  int mean = rig_output (rig, channels (c)), rstd = rig_output (rig, channels (c)), y = rig_output (rig, c->shape);

  norm_params (rig, c, p);
  PjCall *call = rig_call (rig, PJ_KERNEL_NORM_TRAIN);
  call->norm.eps = 1e-3f;
  call->relu = relu;
  call->ceiling = variant & 8 ? 0.75f : 0.0f;
  rig_in (call, x, p[0], p[1], p[2], p[3], hyper (rig), gate);
  rig_out (call, y, mean, rstd);
  call = rig_call (rig, PJ_KERNEL_NORM_APPLY);
  call->relu = relu;
  call->ceiling = variant & 8 ? 0.75f : 0.0f;
  rig_in (call, x, p[0], p[1], mean, rstd, gate);
  rig_out (call, rig_output (rig, c->shape));
  call = rig_call (rig, PJ_KERNEL_NORM_BWD);
  call->norm.eps = 1e-3f;
  call->relu = relu;
  call->ceiling = variant & 8 ? 0.75f : 0.0f;
  call->accumulate = (variant & 4) != 0;
  rig_in (call, x, relu ? y : -1, dy, p[0], p[1], mean, rstd, gate);
  rig_out (call, rig_output (rig, c->shape), rig_grad (rig, channels (c)), rig_grad (rig, channels (c)),
           gate >= 0 ? rig_output (rig, channels (c)) : -1);
}

static void
norm_train (gconstpointer data)
{
  for (int variant = 0; variant < 16; variant++) {
    g_autoptr (Rig) rig = rig_new (100 + (uint64_t) variant);
    if (rig == NULL)
      return;
    train_program (rig, data, variant);
    rig_check (rig, "norm_train, norm_bwd", NORM_BWD_TOLERANCE);
  }
}

/* All that comes of it; NULL without a device. */
static GBytes *
train_with_threads (const MapCase *c, int variant, int n_threads)
{
  omp_set_num_threads (n_threads);
  g_autoptr (Rig) rig = rig_new (300);
  if (rig == NULL)
    return NULL;
  train_program (rig, c, variant);
  rig_check (rig, "norm_train, norm_bwd by other threads", NORM_BWD_TOLERANCE);
  return rig_bits (rig);
}

/* However many threads share the planes, sums are added up in the same order. */
static void
norm_threads (void)
{
  static const MapCase cases[] = {
    { { 4, { 5, 48, 13, 11 } }, FALSE }, { { 4, { 5, 48, 13, 11 } }, TRUE }, { { 4, { 1, 80, 17, 19 } }, TRUE },
    { { 4, { 2, 13, 29, 31 } }, TRUE }, { { 4, { 13, 1, 40, 40 } }, FALSE },
  };
  int n_default = omp_get_max_threads ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (int variant = 3; variant < 16; variant += 12) {
      g_autoptr (GBytes) one = train_with_threads (&cases[i], variant, 1);
      for (int n = 2; one != NULL && n <= 7; n += 1 + n / 3) {
        g_autoptr (GBytes) more = train_with_threads (&cases[i], variant, n);
        if (!g_bytes_equal (one, more))
          g_error ("case %u, variant %d: %d threads find other bits than one", i, variant, n);
      }
    }
  omp_set_num_threads (n_default);
}

/* A slot inside of the program with noise in it. */
static int
inner (Rig *rig, const MapCase *c)
{
  int in = rig_activation (rig, c->through_conv, c->shape), out = rig_temp (rig, 0, c->shape);
  PjCall *call = rig_call (rig, PJ_KERNEL_RELU);
  rig_in (call, in);
  rig_out (call, out);
  return out;
}

static int
add (Rig *rig, const MapCase *c, int a, int b, gboolean relu, gboolean readable)
{
  int y = readable ? rig_output (rig, c->shape) : rig_temp (rig, 0, c->shape);
  PjCall *call = rig_call (rig, PJ_KERNEL_ADD);
  call->relu = relu;
  rig_in (call, a, b);
  rig_out (call, y);
  return y;
}

/* The backward pass of @norm, which is still the last call, with a gradient that is a sum, behind the ReLU of the
 * addition that wrote @y, and with or without a second reader. */
static void
joint_bwd (Rig *rig, const MapCase *c, PjCall forward, int y, gboolean summed, gboolean shared)
{
  gboolean frozen = forward.kernel == PJ_KERNEL_NORM_EVAL, outer = y >= 0;
  int d = inner (rig, c);
  if (summed)
    d = add (rig, c, d, inner (rig, c), FALSE, FALSE);
  if (outer) {
    int dy = d;
    d = rig_temp (rig, 0, c->shape);
    PjCall *call = rig_call (rig, PJ_KERNEL_RELU_BWD);
    rig_in (call, y, dy);
    rig_out (call, d);
  }
  int dx = rig_temp (rig, 0, c->shape);
  PjCall *call = rig_call (rig, frozen ? PJ_KERNEL_NORM_EVAL_BWD : PJ_KERNEL_NORM_BWD);
  call->norm.eps = forward.norm.eps;
  call->relu = forward.relu;
  rig_in (call, forward.in[0], forward.relu ? forward.out[0] : -1, d, forward.in[1], forward.in[2],
          frozen ? forward.in[3] : forward.out[1], frozen ? forward.in[4] : forward.out[2], forward.in[frozen ? 5 : 6]);
  rig_out (call, dx, rig_grad (rig, channels (c)), rig_grad (rig, channels (c)));
  add (rig, c, dx, shared ? d : forward.in[0], FALSE, TRUE);
}

/* What a residual block does in single calls, which a device may join: norm, addition, ReLU, and the way back. */
static void
norm_joint (gconstpointer data)
{
  const MapCase *c = data;
  /* Thirteen of the sixty-four that have every pair of choices. */
  for (int variant = 0; variant < 64; variant += 5) {
    g_autoptr (Rig) rig = rig_new (900 + (uint64_t) variant);
    if (rig == NULL)
      return;
    gboolean relu = variant & 1, frozen = (variant & 2) != 0, joins = (variant & 4) != 0;
    int p[4], x = inner (rig, c), z = rig_temp (rig, 0, c->shape), gate = variant & 32 ? rig_input_around (rig, channels (c), 0.5f, 1) : -1;
    norm_params (rig, c, p);
    int settings = hyper (rig), mean = rig_output (rig, channels (c)), rstd = rig_output (rig, channels (c));
    PjCall *call = rig_call (rig, frozen ? PJ_KERNEL_NORM_EVAL : PJ_KERNEL_NORM_TRAIN);
    call->norm.eps = 1e-3f;
    call->relu = relu && !joins;
    rig_in (call, x, p[0], p[1], p[2], p[3], frozen ? gate : settings, frozen ? -1 : gate);
    rig_out (call, z, frozen ? -1 : mean, frozen ? -1 : rstd);
    PjCall forward = *call;
    int y = add (rig, c, variant & 8 ? inner (rig, c) : z, variant & 8 ? z : inner (rig, c), relu && joins, TRUE);
    joint_bwd (rig, c, forward, relu && joins ? y : -1, (variant & 8) != 0, (variant & 16) != 0);
    rig_check (rig, "joint norm", NORM_BWD_TOLERANCE);
  }
}

static void
norm_eval (gconstpointer data)
{
  const MapCase *c = data;
  for (int variant = 0; variant < 16; variant++) {
    g_autoptr (Rig) rig = rig_new (200 + (uint64_t) variant);
    if (rig == NULL)
      return;
    gboolean relu = (variant & 1) != 0;
    int p[4], x = rig_activation (rig, c->through_conv, c->shape), dy = rig_activation (rig, c->through_conv, c->shape);
    int gate = variant & 2 ? rig_input_around (rig, channels (c), 0.5f, 1) : -1, y = rig_output (rig, c->shape);
    norm_params (rig, c, p);
    PjCall *call = rig_call (rig, PJ_KERNEL_NORM_EVAL);
    call->norm.eps = 1e-3f;
    call->relu = relu;
    call->ceiling = variant & 8 ? 0.75f : 0.0f;
    rig_in (call, x, p[0], p[1], p[2], p[3], gate);
    rig_out (call, y);
    call = rig_call (rig, PJ_KERNEL_NORM_EVAL_BWD);
    call->norm.eps = 1e-3f;
    call->relu = relu;
    call->ceiling = variant & 8 ? 0.75f : 0.0f;
    call->accumulate = (variant & 4) != 0;
    rig_in (call, x, relu ? y : -1, dy, p[0], p[1], p[2], p[3], gate);
    rig_out (call, rig_output (rig, c->shape), rig_grad (rig, channels (c)), rig_grad (rig, channels (c)),
             gate >= 0 ? rig_output (rig, channels (c)) : -1);
    rig_check (rig, "norm_eval, norm_eval_bwd", NORM_BWD_TOLERANCE);
  }
}

static void
gate (gconstpointer data)
{
  const MapCase *c = data;
  for (int variant = 0; variant < 4; variant++) {
    g_autoptr (Rig) rig = rig_new (300 + (uint64_t) variant);
    if (rig == NULL)
      return;
    gboolean relu = (variant & 1) != 0;
    int x = rig_activation (rig, c->through_conv, c->shape), dy = rig_activation (rig, c->through_conv, c->shape);
    int g = rig_input_around (rig, channels (c), 0, 1), y = rig_output (rig, c->shape);
    PjCall *call = rig_call (rig, PJ_KERNEL_GATE);
    call->relu = relu;
    rig_in (call, x, g);
    rig_out (call, y);
    call = rig_call (rig, PJ_KERNEL_GATE_BWD);
    call->relu = relu;
    rig_in (call, x, relu ? y : -1, dy, g);
    rig_out (call, rig_output (rig, c->shape), variant & 2 ? rig_output (rig, channels (c)) : -1);
    rig_check (rig, "gate, gate_bwd", TOLERANCE);
  }
}

/* ReLU, its gradient and sums; the last ones overwrite what nobody needs any more. */
static void
elementwise (gconstpointer data)
{
  const MapCase *c = data;
  for (int relu = 0; relu < 2; relu++) {
    g_autoptr (Rig) rig = rig_new (400);
    if (rig == NULL)
      return;
    int a = rig_activation (rig, c->through_conv, c->shape), b = rig_activation (rig, FALSE, c->shape);
    int y = rig_temp (rig, 0, c->shape), d = rig_temp (rig, 0, c->shape);
    PjCall *call = rig_call (rig, PJ_KERNEL_RELU);
    rig_in (call, a);
    rig_out (call, y);
    call = rig_call (rig, PJ_KERNEL_RELU_BWD);
    rig_in (call, y, b);
    rig_out (call, d);
    call = rig_call (rig, PJ_KERNEL_ADD);
    call->relu = relu;
    rig_in (call, d, a);
    rig_out (call, rig_output (rig, c->shape));
    call = rig_call (rig, PJ_KERNEL_ADD);
    rig_in (call, y, y);
    rig_out (call, rig_output (rig, c->shape));
    rig_check (rig, "relu, relu_bwd, add", TOLERANCE);
  }
}

static void
reshape (gconstpointer data)
{
  const MapCase *c = data;
  g_autoptr (Rig) rig = rig_new (500);
  if (rig == NULL)
    return;
  int x = rig_activation (rig, c->through_conv, c->shape);
  int64_t n = c->shape.dim[0], rest = (int64_t) pj_shape_n_elems (&c->shape) / n;
  int flat = rig_output (rig, PJ_SHAPE (n, rest));
  PjCall *call = rig_call (rig, PJ_KERNEL_RESHAPE);
  rig_in (call, x);
  rig_out (call, flat);
  call = rig_call (rig, PJ_KERNEL_RESHAPE);
  rig_in (call, flat);
  rig_out (call, rig_output (rig, c->shape));
  rig_check (rig, "reshape", 0);
}

static void
channel_stats (gconstpointer data)
{
  const MapCase *c = data;
  g_autoptr (Rig) rig = rig_new (600);
  if (rig == NULL)
    return;
  int x = rig_activation (rig, c->through_conv, c->shape), y = rig_temp (rig, 0, c->shape);
  PjShape shape = PJ_SHAPE (c->shape.dim[0], c->shape.dim[1], PJ_N_STATS);
  PjCall *call = rig_call (rig, PJ_KERNEL_CHANNEL_STATS);
  rig_in (call, x);
  rig_out (call, rig_output (rig, shape));
  /* Behind a ReLU there are zeros to count. */
  call = rig_call (rig, PJ_KERNEL_RELU);
  rig_in (call, x);
  rig_out (call, y);
  call = rig_call (rig, PJ_KERNEL_CHANNEL_STATS);
  rig_in (call, y);
  rig_out (call, rig_output (rig, shape));
  rig_check (rig, "channel_stats", TOLERANCE);
}

/* A constant plane has no second moment: S2/n − mean² would leave about 1e-3 of its square here. −0 is a
 * zero. */
static void
constant_plane (void)
{
  enum { N = 28 * 28 };
  g_autoptr (Rig) rig = rig_new (700);
  if (rig == NULL)
    return;
  float x[3 * N];
  for (int i = 0; i < N; i++) {
    x[i] = 123.456f;
    x[N + i] = i % 2 ? 0.0f : -0.0f;
    x[2 * N + i] = 1000.0f + (i % 2 ? 0.01f : -0.01f);
  }
  int out = rig_output (rig, PJ_SHAPE (1, 3, PJ_N_STATS));
  PjCall *call = rig_call (rig, PJ_KERNEL_CHANNEL_STATS);
  rig_in (call, rig_input_from (rig, PJ_SHAPE (1, 3, 28, 28), x));
  rig_out (call, out);
  rig_check (rig, "channel_stats of constant planes", TOLERANCE);
  g_autofree float *s = rig_read (rig, out);
  g_assert_cmpfloat (s[PJ_STAT_M2], <=, N * 1e-10 * 123 * 123);
  g_assert_cmpfloat (s[PJ_N_STATS + PJ_STAT_ZEROS], ==, N);
  /* Σ(x − mean)² of ±0.01 about 1000 with the values that single precision can hold. */
  double mean = ((double) x[2 * N] + x[2 * N + 1]) / 2, half = ((double) x[2 * N + 1] - x[2 * N]) / 2;
  g_assert_cmpfloat (fabs (mean - 1000), <, 1e-3);
  g_assert_cmpfloat_with_epsilon (s[2 * PJ_N_STATS + PJ_STAT_M2], N * half * half, 0.01 * N * half * half);
}

/* --- pooling --- */

typedef struct {
  const char *name;
  int n, c, h, w, oh, ow;
  PjPoolParams p;
} PoolCase;

static const PoolCase pool_cases[] = {
  { "2x2", 2, 16, 8, 8, 4, 4, { .kernel = { 2, 2 }, .stride = { 2, 2 } } },
  { "2x2-odd", 2, 13, 7, 9, 3, 4, { .kernel = { 2, 2 }, .stride = { 2, 2 } } },
  { "2x2-one-channel", 3, 1, 6, 6, 3, 3, { .kernel = { 2, 2 }, .stride = { 2, 2 } } },
  { "2x2-overlap", 1, 17, 5, 5, 4, 4, { .kernel = { 2, 2 }, .stride = { 1, 1 } } },
  { "3x3-stride2-pad1", 2, 15, 9, 7, 5, 4, { .kernel = { 3, 3 }, .stride = { 2, 2 }, .pad = { 1, 1, 1, 1 } } },
  { "3x3-stride2-ceil", 1, 5, 8, 8, 4, 4, { .kernel = { 3, 3 }, .stride = { 2, 2 }, .ceil_mode = TRUE } },
  { "3x2-asymmetric", 1, 4, 6, 5, 6, 5, { .kernel = { 3, 2 }, .stride = { 1, 1 }, .pad = { 0, 1, 2, 0 } } },
  { "5x5-pad2", 1, 3, 4, 4, 4, 4, { .kernel = { 5, 5 }, .stride = { 1, 1 }, .pad = { 2, 2, 2, 2 } } },
  { "whole-map", 3, 33, 7, 7, 1, 1, { .kernel = { 7, 7 }, .stride = { 7, 7 } } },
  { "whole-map-of-one", 2, 32, 1, 1, 1, 1, { .kernel = { 1, 1 }, .stride = { 1, 1 } } },
};

static void
max_pool (gconstpointer data)
{
  const PoolCase *c = data;
  for (int through_conv = 0; through_conv < 2; through_conv++) {
    g_autoptr (Rig) rig = rig_new (800);
    if (rig == NULL)
      return;
    PjShape xs = PJ_SHAPE (c->n, c->c, c->h, c->w), ys = PJ_SHAPE (c->n, c->c, c->oh, c->ow);
    int x = rig_activation (rig, through_conv, xs), y = rig_temp (rig, 0, xs), dy = rig_input (rig, ys);
    int index = rig_temp (rig, PJ_SLOT_OPAQUE, ys);
    PjCall *call = rig_call (rig, PJ_KERNEL_MAX_POOL);
    call->pool = c->p;
    rig_in (call, x);
    rig_out (call, rig_output (rig, ys));
    /* Behind a ReLU windows of zeros are ties: the first position gets the gradient. */
    call = rig_call (rig, PJ_KERNEL_RELU);
    rig_in (call, x);
    rig_out (call, y);
    call = rig_call (rig, PJ_KERNEL_MAX_POOL);
    call->pool = c->p;
    rig_in (call, y);
    rig_out (call, rig_output (rig, ys), index);
    call = rig_call (rig, PJ_KERNEL_MAX_POOL_BWD);
    call->pool = c->p;
    rig_in (call, dy, index);
    rig_out (call, rig_output (rig, xs));
    rig_check (rig, "max_pool, max_pool_bwd", TOLERANCE);
  }
}

static void
avg_pool (gconstpointer data)
{
  const PoolCase *c = data;
  for (int variant = 0; variant < 4; variant++) {
    g_autoptr (Rig) rig = rig_new (900);
    if (rig == NULL)
      return;
    PjShape xs = PJ_SHAPE (c->n, c->c, c->h, c->w), ys = PJ_SHAPE (c->n, c->c, c->oh, c->ow);
    int x = rig_activation (rig, variant & 1, xs), dy = rig_activation (rig, variant & 1, ys);
    PjPoolParams p = c->p;
    p.count_include_pad = (variant & 2) != 0;
    PjCall *call = rig_call (rig, PJ_KERNEL_AVG_POOL);
    call->pool = p;
    rig_in (call, x);
    rig_out (call, rig_output (rig, ys));
    call = rig_call (rig, PJ_KERNEL_AVG_POOL_BWD);
    call->pool = p;
    rig_in (call, dy);
    rig_out (call, rig_output (rig, xs));
    rig_check (rig, "avg_pool, avg_pool_bwd", TOLERANCE);
  }
}

/* --- main --- */

static void
add_maps (const char *name, GTestDataFunc func)
{
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    for (int through_conv = 0; through_conv < (shapes[i].rank == 4 ? 2 : 1); through_conv++) {
      g_autofree char *shape = pj_shape_to_string (&shapes[i]);
      g_autofree char *path = g_strdup_printf ("/ops/%s/%s%s", name, shape, through_conv ? "/blocked" : "");
      MapCase *c = g_new (MapCase, 1);
      *c = (MapCase) { shapes[i], through_conv };
      g_test_add_data_func_full (path, c, func, g_free);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_maps ("norm-train", norm_train);
  add_maps ("norm-eval", norm_eval);
  g_test_add_func ("/ops/norm-train/threads", norm_threads);
  add_maps ("norm-joint", norm_joint);
  add_maps ("gate", gate);
  add_maps ("elementwise", elementwise);
  add_maps ("reshape", reshape);
  add_maps ("channel-stats", channel_stats);
  g_test_add_func ("/ops/channel-stats/constant-plane", constant_plane);
  for (guint i = 0; i < G_N_ELEMENTS (pool_cases); i++) {
    g_autofree char *max = g_strdup_printf ("/ops/max-pool/%s", pool_cases[i].name);
    g_autofree char *average = g_strdup_printf ("/ops/avg-pool/%s", pool_cases[i].name);
    g_test_add_data_func (max, &pool_cases[i], max_pool);
    g_test_add_data_func (average, &pool_cases[i], avg_pool);
  }
  return g_test_run ();
}
