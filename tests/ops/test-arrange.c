/* SPDX-License-Identifier: MIT */
/* Kernels that came with the wider set of operators (functions of one number, broadcasting, sums, views,
 * concatenation, lists of channels, LRN, instance norm, resizing) against the reference, forward and
 * backward, on plain inputs and on the layout that convolutions make.
 *
 * Tolerance: single precision functions are good to a few units in the last place, sums of at most some
 * thousand terms to 1e-5 of the largest result. */
#include <math.h>

#include "rig.h"

#define TOLERANCE 2e-5
/* The reference derives by differences in double: 1e-9 or so; single precision dominates. */
#define SLOPE_TOLERANCE 5e-5

static const PjShape shapes[] = {
  { 4, { 1, 1, 1, 1 } }, { 4, { 2, 13, 5, 7 } }, { 4, { 1, 16, 8, 8 } }, { 4, { 3, 17, 1, 3 } }, { 4, { 2, 8, 33, 31 } },
  { 2, { 5, 13 } }, { 3, { 3, 9, 11 } },
};

static float *
spread (size_t n, float from, float to)
{
  float *x = g_new (float, n);
  /* Irrational steps keep off the kinks, which lie at round numbers. */
  for (size_t i = 0; i < n; i++)
    x[i] = from + (to - from) * (float) fmod ((double) i * G_PI / 10 + 0.1234, 1.0);
  return x;
}

/* --- functions of one number --- */

static const struct {
  const char *name;
  PjUnaryParams params;
  float from, to;
} functions[] = {
  { "linear", { PJ_FN_LINEAR, -2.5f, 0.75f }, -3, 3 }, { "leaky-relu", { PJ_FN_LEAKY_RELU, 0.1f, 0 }, -3, 3 },
  { "elu", { PJ_FN_ELU, 1.3f, 0 }, -6, 3 }, { "sigmoid", { PJ_FN_SIGMOID, 0, 0 }, -20, 20 },
  { "hard-sigmoid", { PJ_FN_HARD_SIGMOID, 0.2f, 0.5f }, -4, 4 }, { "hard-swish", { PJ_FN_HARD_SWISH, 0, 0 }, -5, 5 },
  { "swish", { PJ_FN_SWISH, 0, 0 }, -9, 9 }, { "tanh", { PJ_FN_TANH, 0, 0 }, -5, 5 }, { "gelu", { PJ_FN_GELU, 0, 0 }, -6, 6 },
  { "softplus", { PJ_FN_SOFTPLUS, 0, 0 }, -30, 30 }, { "clip", { PJ_FN_CLIP, 0, 6 }, -3, 9 }, { "erf", { PJ_FN_ERF, 0, 0 }, -4, 4 },
  { "exp", { PJ_FN_EXP, 0, 0 }, -8, 4 }, { "log", { PJ_FN_LOG, 0, 0 }, 0.01f, 9 }, { "sqrt", { PJ_FN_SQRT, 0, 0 }, 0.01f, 9 },
  { "abs", { PJ_FN_ABS, 0, 0 }, -3, 3 }, { "square", { PJ_FN_POWER, 2, 0 }, -3, 3 }, { "power", { PJ_FN_POWER, -0.5f, 0 }, 0.1f, 5 },
  { "reciprocal", { PJ_FN_RECIPROCAL, 2, 0 }, 0.2f, 5 },
};

static void
unary (gconstpointer data)
{
  guint k = GPOINTER_TO_UINT (data);
  for (guint s = 0; s < G_N_ELEMENTS (shapes); s++) {
    g_autoptr (Rig) rig = rig_new (1000 + s);
    if (rig == NULL)
      return;
    g_autofree float *values = spread (pj_shape_n_elems (&shapes[s]), functions[k].from, functions[k].to);
    int x = rig_input_from (rig, shapes[s], values), dy = rig_activation (rig, shapes[s].rank == 4, shapes[s]);
    PjCall *call = rig_call (rig, PJ_KERNEL_UNARY);
    call->unary = functions[k].params;
    rig_in (call, x);
    rig_out (call, rig_output (rig, shapes[s]));
    call = rig_call (rig, PJ_KERNEL_UNARY_BWD);
    call->unary = functions[k].params;
    rig_in (call, x, dy);
    rig_out (call, rig_output (rig, shapes[s]));
    rig_check (rig, functions[k].name, SLOPE_TOLERANCE);
  }
}

/* Channel blocks have padding, whose zeros must survive functions that move zero. */
static void
unary_blocked (void)
{
  const PjShape shape = PJ_SHAPE (2, 13, 5, 7);
  for (guint k = 0; k < G_N_ELEMENTS (functions); k++) {
    g_autoptr (Rig) rig = rig_new (1100 + k);
    if (rig == NULL)
      return;
    if (functions[k].from > 0)
      continue;
    int x = rig_activation (rig, TRUE, shape), y = rig_output (rig, shape);
    PjCall *call = rig_call (rig, PJ_KERNEL_UNARY);
    call->unary = functions[k].params;
    rig_in (call, x);
    rig_out (call, y);
    /* A convolution reads every channel of the block. */
    call = rig_call (rig, PJ_KERNEL_CONV);
    call->conv = (PjConvParams) { .kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
    rig_in (call, y, rig_param (rig, PJ_SHAPE (13, 13, 1, 1), 0, 1));
    rig_out (call, rig_output (rig, shape));
    rig_check (rig, functions[k].name, SLOPE_TOLERANCE);
  }
}

/* --- arithmetic --- */

static const PjShape pairs[][2] = {
  { { 4, { 2, 13, 5, 7 } }, { 4, { 2, 13, 5, 7 } } },   { { 4, { 2, 13, 5, 7 } }, { 4, { 2, 13, 1, 1 } } },
  { { 4, { 2, 13, 5, 7 } }, { 4, { 1, 13, 1, 1 } } },   { { 4, { 2, 13, 5, 7 } }, { 4, { 2, 1, 5, 7 } } },
  { { 4, { 2, 13, 1, 1 } }, { 4, { 2, 13, 5, 7 } } },   { { 4, { 3, 1, 5, 1 } }, { 4, { 1, 8, 1, 3 } } },
  { { 4, { 2, 16, 9, 9 } }, { 4, { 2, 16, 1, 1 } } },   { { 2, { 5, 13 } }, { 2, { 1, 13 } } },
  { { 3, { 2, 9, 11 } }, { 3, { 1, 1, 11 } } },         { { 4, { 1, 1, 1, 1 } }, { 4, { 1, 1, 1, 1 } } },
  { { 5, { 2, 3, 2, 2, 3 } }, { 5, { 1, 3, 1, 2, 1 } } },
};

static void
binary (gconstpointer data)
{
  const PjShape *pair = data;
  PjShape y = pair[0];
  for (unsigned i = 0; i < y.rank; i++)
    y.dim[i] = MAX (pair[0].dim[i], pair[1].dim[i]);
  for (int variant = 0; variant < 8; variant++) {
    g_autoptr (Rig) rig = rig_new (1200 + (uint64_t) variant);
    if (rig == NULL)
      return;
    PjBinary op = (PjBinary) (variant & 3);
    gboolean blocked = variant >= 4 && y.rank == 4;
    int a = rig_activation (rig, blocked, pair[0]);
    int b = op == PJ_BINARY_DIV ? rig_input_around (rig, pair[1], 2, 1.5f) : rig_activation (rig, blocked, pair[1]);
    PjCall *call = rig_call (rig, PJ_KERNEL_BINARY);
    call->binary.op = op;
    rig_in (call, a, b);
    rig_out (call, rig_output (rig, y));
    rig_check (rig, "binary", TOLERANCE);
  }
}

static void
sum_to (gconstpointer data)
{
  const PjShape *pair = data;
  for (int variant = 0; variant < 4; variant++) {
    g_autoptr (Rig) rig = rig_new (1300 + (uint64_t) variant);
    if (rig == NULL)
      return;
    PjShape y = pair[0];
    for (unsigned i = 0; i < y.rank; i++)
      y.dim[i] = MIN (pair[0].dim[i], pair[1].dim[i]);
    int x = rig_activation (rig, (variant & 1) && pair[0].rank == 4, pair[0]);
    PjCall *call = rig_call (rig, PJ_KERNEL_SUM_TO);
    call->sum.scale = variant & 1 ? -0.25f : 1;
    call->accumulate = (variant & 2) != 0;
    rig_in (call, x);
    rig_out (call, variant & 2 ? rig_grad (rig, y) : rig_output (rig, y));
    rig_check (rig, "sum_to", TOLERANCE);
  }
}

/* --- moving numbers --- */

static const struct {
  const char *name;
  PjShape x;
  PjShape y;
  PjView view;
} views[] = {
  { "slice-channels", { 4, { 2, 9, 3, 5 } }, { 4, { 2, 4, 3, 5 } },
    { 4, { 2, 4, 3, 5 }, { 0 }, { 2, 4, 3, 5 }, { 135, 15, 5, 1 }, 30, 0 } },
  { "slice-steps", { 4, { 2, 3, 7, 9 } }, { 4, { 2, 3, 3, 4 } },
    { 4, { 2, 3, 3, 4 }, { 0 }, { 2, 3, 3, 4 }, { 189, 63, 18, 2 }, 10, 0 } },
  { "transpose", { 4, { 2, 5, 3, 4 } }, { 4, { 2, 3, 4, 5 } },
    { 4, { 2, 3, 4, 5 }, { 0 }, { 2, 3, 4, 5 }, { 60, 4, 1, 12 }, 0, 0 } },
  { "pad", { 4, { 2, 3, 4, 5 } }, { 4, { 2, 6, 7, 6 } },
    { 4, { 2, 6, 7, 6 }, { 0, 1, 2, 1 }, { 2, 3, 4, 5 }, { 60, 20, 5, 1 }, 0, 1.5f } },
  { "shuffle", { 4, { 2, 6, 2, 2 } }, { 4, { 2, 6, 2, 2 } },
    { 5, { 2, 3, 2, 2, 2 }, { 0 }, { 2, 3, 2, 2, 2 }, { 24, 4, 12, 2, 1 }, 0, 0 } },
  { "depth-to-space", { 4, { 1, 8, 3, 2 } }, { 4, { 1, 2, 6, 4 } },
    { 6, { 1, 2, 3, 2, 2, 2 }, { 0 }, { 1, 2, 3, 2, 2, 2 }, { 48, 6, 2, 24, 1, 12 }, 0, 0 } },
  { "vectors", { 2, { 3, 10 } }, { 2, { 3, 4 } }, { 2, { 3, 4 }, { 0 }, { 3, 4 }, { 10, 2 }, 1, 0 } },
};

static void
view (gconstpointer data)
{
  guint k = GPOINTER_TO_UINT (data);
  for (int blocked = 0; blocked < (views[k].x.rank == 4 ? 2 : 1); blocked++) {
    g_autoptr (Rig) rig = rig_new (1400 + k);
    if (rig == NULL)
      return;
    int x = rig_activation (rig, blocked, views[k].x), dy = rig_activation (rig, blocked, views[k].y);
    PjCall *call = rig_call (rig, PJ_KERNEL_VIEW);
    call->view = views[k].view;
    rig_in (call, x);
    rig_out (call, rig_output (rig, views[k].y));
    call = rig_call (rig, PJ_KERNEL_VIEW_BWD);
    call->view = views[k].view;
    rig_in (call, dy);
    rig_out (call, rig_output (rig, views[k].x));
    rig_check (rig, views[k].name, 0);
  }
}

/* A dimension that is read without moving: a number for all. */
static void
view_repeats (void)
{
  g_autoptr (Rig) rig = rig_new (1450);
  if (rig == NULL)
    return;
  PjCall *call = rig_call (rig, PJ_KERNEL_VIEW);
  call->view = (PjView) { 4, { 2, 3, 4, 5 }, { 0 }, { 2, 3, 4, 5 }, { 3, 1, 0, 0 }, 0, 0 };
  rig_in (call, rig_input (rig, PJ_SHAPE (2, 3, 1, 1)));
  rig_out (call, rig_output (rig, PJ_SHAPE (2, 3, 4, 5)));
  rig_check (rig, "view", 0);
}

static const int64_t parts[][PJ_CALL_MAX_IN] = { { 16, 16, 8 }, { 3, 13, 1 }, { 5 }, { 8, 8, 8, 8, 8, 8, 8, 8 }, { 16, 3 } };

static void
concat (gconstpointer data)
{
  const int64_t *sizes = parts[GPOINTER_TO_UINT (data)];
  for (int variant = 0; variant < 6; variant++) {
    g_autoptr (Rig) rig = rig_new (1500 + (uint64_t) variant);
    if (rig == NULL)
      return;
    int axis = 1 + variant % 3, in[PJ_CALL_MAX_IN], n = 0;
    PjShape y = PJ_SHAPE (2, 3, 5, 4);
    y.dim[axis] = 0;
    for (; n < PJ_CALL_MAX_IN && sizes[n] > 0; n++) {
      PjShape x = y;
      x.dim[axis] = sizes[n];
      y.dim[axis] += sizes[n];
      in[n] = rig_activation (rig, variant >= 3, x);
    }
    PjCall *call = rig_call (rig, PJ_KERNEL_CONCAT);
    call->concat.axis = axis;
    rig_operands (call->in, in, (size_t) n);
    rig_out (call, rig_output (rig, y));
    rig_check (rig, "concat", 0);
  }
}

static void
gather (void)
{
  static const float list[7] = { 4, 0, 0, 8, 3, 7, 8 };
  for (int variant = 0; variant < 4; variant++) {
    g_autoptr (Rig) rig = rig_new (1600 + (uint64_t) variant);
    if (rig == NULL)
      return;
    PjShape x = variant & 1 ? PJ_SHAPE (3, 9) : PJ_SHAPE (2, 9, 3, 5), y = x;
    gboolean blocked = variant == 2;
    y.dim[1] = 7;
    int index = rig_input_from (rig, PJ_SHAPE (7), list), from = rig_activation (rig, blocked, x);
    int dy = rig_activation (rig, blocked, y);
    PjCall *call = rig_call (rig, PJ_KERNEL_GATHER);
    rig_in (call, from, index);
    rig_out (call, rig_output (rig, y));
    call = rig_call (rig, PJ_KERNEL_GATHER_BWD);
    rig_in (call, dy, index);
    rig_out (call, rig_output (rig, x));
    rig_check (rig, "gather", 1e-6);
  }
}

/* --- inside one picture --- */

static void
lrn (void)
{
  static const PjLrnParams params[] = { { 5, 1e-1f, 0.75f, 1 }, { 4, 0.3f, 0.5f, 2 }, { 1, 1, 1, 1 }, { 31, 0.2f, 0.75f, 1 } };
  for (guint k = 0; k < G_N_ELEMENTS (params); k++)
    for (int blocked = 0; blocked < 2; blocked++) {
      const PjShape shape = PJ_SHAPE (2, 11, 3, 5);
      g_autoptr (Rig) rig = rig_new (1700 + k);
      if (rig == NULL)
        return;
      int x = rig_activation (rig, blocked, shape), dy = rig_activation (rig, blocked, shape);
      PjCall *call = rig_call (rig, PJ_KERNEL_LRN);
      call->lrn = params[k];
      rig_in (call, x);
      rig_out (call, rig_output (rig, shape));
      call = rig_call (rig, PJ_KERNEL_LRN_BWD);
      call->lrn = params[k];
      rig_in (call, x, dy);
      rig_out (call, rig_output (rig, shape));
      rig_check (rig, "lrn", TOLERANCE);
    }
}

static void
instance_norm (void)
{
  static const PjShape maps[] = { { 4, { 2, 13, 5, 7 } }, { 4, { 3, 16, 9, 9 } }, { 3, { 2, 4, 33 } } };
  for (guint k = 0; k < G_N_ELEMENTS (maps); k++)
    for (int variant = 0; variant < 4; variant++) {
      g_autoptr (Rig) rig = rig_new (1800 + k);
      if (rig == NULL)
        return;
      gboolean blocked = (variant & 1) && maps[k].rank == 4;
      PjShape c = PJ_SHAPE (maps[k].dim[1]), rows = PJ_SHAPE (maps[k].dim[0], maps[k].dim[1]);
      int x = rig_activation (rig, blocked, maps[k]), dy = rig_activation (rig, blocked, maps[k]);
      int gamma = rig_param (rig, c, 0.5f, 1), mean = rig_output (rig, rows), rstd = rig_output (rig, rows);
      PjCall *call = rig_call (rig, PJ_KERNEL_INSTANCE_NORM);
      call->norm.eps = 1e-3f;
      rig_in (call, x, gamma, rig_param (rig, c, 0, 1));
      rig_out (call, rig_output (rig, maps[k]), mean, rstd);
      call = rig_call (rig, PJ_KERNEL_INSTANCE_NORM_BWD);
      call->norm.eps = 1e-3f;
      call->accumulate = (variant & 2) != 0;
      rig_in (call, x, dy, gamma, mean, rstd);
      rig_out (call, rig_output (rig, maps[k]), rig_grad (rig, c), rig_grad (rig, c));
      rig_check (rig, "instance_norm", 5e-5);
    }
}

static void
resize (void)
{
  static const float scales[][2] = { { 2, 2 }, { 1.5f, 3 }, { 0.5f, 0.75f }, { 1, 4 } };
  for (int variant = 0; variant < 12; variant++)
    for (guint k = 0; k < G_N_ELEMENTS (scales); k++) {
      g_autoptr (Rig) rig = rig_new (1900 + k);
      if (rig == NULL)
        return;
      PjShape x = PJ_SHAPE (2, 3, 6, 8), y = x;
      PjResizeParams p = { .mode = (PjResizeMode) (variant & 1), .grid = (PjResizeGrid) (variant / 4), .floor = (variant & 2) != 0,
                           .scale = { scales[k][0], scales[k][1] } };
      for (int i = 0; i < 2; i++)
        y.dim[2 + i] = (int64_t) ((double) x.dim[2 + i] * (double) scales[k][i]);
      int from = rig_activation (rig, k & 1, x), dy = rig_activation (rig, k & 1, y);
      PjCall *call = rig_call (rig, PJ_KERNEL_RESIZE);
      call->resize = p;
      rig_in (call, from);
      rig_out (call, rig_output (rig, y));
      call = rig_call (rig, PJ_KERNEL_RESIZE_BWD);
      call->resize = p;
      rig_in (call, dy);
      rig_out (call, rig_output (rig, x));
      rig_check (rig, "resize", TOLERANCE);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint k = 0; k < G_N_ELEMENTS (functions); k++) {
    g_autofree char *path = g_strdup_printf ("/ops/unary/%s", functions[k].name);
    g_test_add_data_func (path, GUINT_TO_POINTER (k), unary);
  }
  g_test_add_func ("/ops/unary/blocked", unary_blocked);
  for (guint k = 0; k < G_N_ELEMENTS (pairs); k++) {
    g_autofree char *a = pj_shape_to_string (&pairs[k][0]), *b = pj_shape_to_string (&pairs[k][1]);
    g_autofree char *path = g_strdup_printf ("/ops/binary/%s-%s", a, b), *sum = g_strdup_printf ("/ops/sum-to/%s-%s", a, b);
    g_test_add_data_func (path, pairs[k], binary);
    g_test_add_data_func (sum, pairs[k], sum_to);
  }
  for (guint k = 0; k < G_N_ELEMENTS (views); k++) {
    g_autofree char *path = g_strdup_printf ("/ops/view/%s", views[k].name);
    g_test_add_data_func (path, GUINT_TO_POINTER (k), view);
  }
  g_test_add_func ("/ops/view/repeats", view_repeats);
  for (guint k = 0; k < G_N_ELEMENTS (parts); k++) {
    g_autofree char *path = g_strdup_printf ("/ops/concat/%u", k);
    g_test_add_data_func (path, GUINT_TO_POINTER (k), concat);
  }
  g_test_add_func ("/ops/gather", gather);
  g_test_add_func ("/ops/lrn", lrn);
  g_test_add_func ("/ops/instance-norm", instance_norm);
  g_test_add_func ("/ops/resize", resize);
  return g_test_run ();
}
