/* SPDX-License-Identifier: MIT */
/* The inner loops of the CPU device: every set that this processor can run against sums in double, on
 * lengths around the vectors and the partial sums.  The sets round differently, by 1e-6 of the terms. */
#include <math.h>
#include <string.h>

#include "compute/cpu/loops.h"
#include "net.h"

#define MAX_N 9000
#define TOLERANCE 1e-5

static const size_t lengths[] = { 1, 7, 8, 15, 16, 17, 31, 33, 48, 784, 4095, 4096, 4097, 4112, 8209 };

typedef struct {
  float *x, *y, *dy, *out;
  float s[PJ_CPU_LANES], t[PJ_CPU_LANES], mean[PJ_CPU_LANES];
} Data;

/* Of the ReLU: inside the values of the data. */
#define CEILING 0.5f

static void
close_to (double a, double b, double scale, const char *what, size_t n)
{
  if (!(fabs (a - b) <= TOLERANCE * MAX (scale, 1)))
    g_error ("%s of %zu elements: %g, expected %g", what, n, a, b);
}

/* What @channel of a plane has: Σ |d·(x − s)|, mean, Σ (x − mean)², Σ d and Σ d·(x − s), in double. */
static void
channel_sums (const Data *d, size_t n, size_t block, size_t channel, double e[5])
{
  memset (e, 0, 5 * sizeof (double));
  for (size_t i = channel; i < n; i += block) {
    double g = d->y[i] > 0 && d->y[i] < CEILING ? d->dy[i] : 0, off = (double) d->x[i] - d->s[channel];
    e[0] += fabs (g * off);
    e[1] += d->x[i];
    e[3] += g;
    e[4] += g * off;
  }
  e[1] /= (double) (n / block);
  for (size_t i = channel; i < n; i += block)
    e[2] += ((double) d->x[i] - e[1]) * ((double) d->x[i] - e[1]);
}

static void
check_channels (const PjCpuLoops *loops, const Data *d, size_t n, size_t block)
{
  double moments[2 * PJ_CPU_LANES + 1], sums[2 * PJ_CPU_LANES + 1];
  float centre[PJ_CPU_LANES];
  PjCpuBehind in = { .dy = d->dy, .y = d->y, .ceiling = CEILING };

  for (size_t l = 0; l < PJ_CPU_LANES; l++)
    centre[l] = d->s[l % block];
  moments[2 * block] = sums[2 * block] = 12345;
  loops->moments (d->x, n, (int) block, moments);
  loops->sums_bwd (&in, d->x, n, (int) block, centre, sums);
  for (size_t c = 0; c < block; c++) {
    double e[5];
    channel_sums (d, n, block, c, e);
    close_to (moments[c], e[1], fabs (e[1]), "moments, mean", n);
    close_to (moments[block + c], e[2], e[2], "moments, second", n);
    close_to (sums[c], e[3], (double) (n / block), "sums_bwd, first", n);
    close_to (sums[block + c], e[4], e[0], "sums_bwd, second", n);
  }
  g_assert_cmpfloat (moments[2 * block], ==, 12345);
  g_assert_cmpfloat (sums[2 * block], ==, 12345);
}

static void
check_sums (const PjCpuLoops *loops, const Data *d, size_t n)
{
  double m2[PJ_CPU_LANES], stat[4 * PJ_CPU_LANES];

  for (size_t block = 1; block <= 16; block = block == 1 ? 8 : 2 * block)
    if (n % block == 0)
      check_channels (loops, d, n, block);
  loops->centred (d->x, n, d->mean, m2);
  loops->stats (d->y, n, stat);
  for (size_t l = 0; l < PJ_CPU_LANES; l++) {
    double e[5] = { 0 }, scale = 0;
    for (size_t i = l; i < n; i += PJ_CPU_LANES) {
      double off = (double) d->x[i] - d->mean[l];
      e[0] += off * off;
      e[1] += d->y[i] == 0;
      e[2] += d->y[i];
      e[3] += fabs (d->y[i]);
      e[4] += (double) d->y[i] * d->y[i];
      scale += fabs (d->x[i]) + off * off;
    }
    close_to (m2[l], e[0], scale, "centred", n);
    for (int k = 0; k < 4; k++)
      close_to (stat[k * PJ_CPU_LANES + (int) l], e[1 + k], scale, "stats", n);
  }
}

/* A large mean with a small spread, which a difference of sums of squares would lose: at 1000 floats are 6e-5 apart. */
static void
check_offset (const PjCpuLoops *loops, Data d)
{
  g_autofree float *x = g_memdup2 (d.x, MAX_N * sizeof (float));
  for (int i = 0; i < MAX_N; i++)
    x[i] = 1000.0f + 0.25f * (float) (i / PJ_CPU_LANES % 7) + 0.125f * (float) (i % PJ_CPU_LANES);
  d.x = x;
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    for (size_t block = 8; block <= 16; block *= 2)
      if (lengths[i] % block == 0)
        check_channels (loops, &d, lengths[i], block);
}

/* Joined from planes, a channel has what it has in all of them together. */
static void
check_joins (const PjCpuLoops *loops, const Data *d)
{
  enum { N = 5, HW = 48 };
  for (int block = 1; block <= 16; block = block == 1 ? 8 : 2 * block) {
    size_t stride = 2 * PJ_CPU_LANES + 3;
    double planes[N * (2 * PJ_CPU_LANES + 3)], joined[2 * PJ_CPU_LANES + 1], sums[2 * PJ_CPU_LANES + 1], e[5];
    for (int i = 0; i < N; i++)
      loops->moments (d->x + i * HW * block, (size_t) (HW * block), block, planes + (size_t) i * stride);
    joined[2 * block] = sums[2 * block] = 12345;
    loops->join_moments (planes, N, stride, block, HW, joined);
    loops->join_sums (planes, N, stride, 2 * block, sums);
    for (int c = 0; c < block; c++) {
      double sum = 0;
      channel_sums (d, (size_t) (N * HW * block), (size_t) block, (size_t) c, e);
      close_to (joined[c], e[1], fabs (e[1]), "join_moments, mean", N);
      close_to (joined[block + c], e[2], e[2], "join_moments, second", N);
      for (int i = 0; i < N; i++)
        sum += planes[(size_t) i * stride + (size_t) c];
      close_to (sums[c], sum, 1, "join_sums", N);
    }
    g_assert_cmpfloat (joined[2 * block], ==, 12345);
    g_assert_cmpfloat (sums[2 * block], ==, 12345);
  }
}

/* Compares out[0 … n) with @expected and sees that nothing behind it was touched. */
static void
check_out (const Data *d, const double *expected, size_t n, const char *what)
{
  for (size_t i = 0; i < n; i++)
    close_to (d->out[i], expected[i], fabs (expected[i]), what, n);
  for (size_t i = n; i < n + PJ_CPU_LANES; i++)
    if (d->out[i] != 12345.0f)
      g_error ("%s of %zu elements wrote element %zu", what, n, i);
}

static void
reset (const Data *d, size_t n)
{
  for (size_t i = 0; i < n + PJ_CPU_LANES; i++)
    d->out[i] = 12345.0f;
}

static void
check_passes (const PjCpuLoops *loops, const Data *d, size_t n)
{
  g_autofree double *e = g_new (double, n);
#define EXPECT(value) for (size_t i = 0; i < n; i++) { size_t l = i % PJ_CPU_LANES; (void) l; e[i] = (value); }

  for (int k = 0; k < 3; k++) {
    const float ceilings[] = { -1.0f, G_MAXFLOAT, CEILING };
    reset (d, n);
    loops->affine (d->x, n, d->s, d->t, NULL, ceilings[k], d->out);
    EXPECT (CLAMP ((double) d->x[i] * d->s[l] + d->t[l], k > 0 ? 0 : -INFINITY, k > 0 ? ceilings[k] : INFINITY));
    check_out (d, e, n, "affine");
    reset (d, n);
    loops->affine (d->x, n, d->s, d->t, d->dy, ceilings[k], d->out);
    EXPECT (CLAMP ((double) d->x[i] * d->s[l] + d->t[l] + d->dy[i], k > 0 ? 0 : -INFINITY, k > 0 ? ceilings[k] : INFINITY));
    check_out (d, e, n, "affine with something added");
  }
  for (int relu = 0; relu < 2; relu++) {
    reset (d, n);
    loops->add (d->x, d->dy, n, relu, d->out);
    EXPECT (MAX ((double) d->x[i] + d->dy[i], relu ? 0 : -INFINITY));
    check_out (d, e, n, "add");
  }
  reset (d, n);
  loops->relu (d->x, n, d->out);
  EXPECT (MAX (d->x[i], 0));
  check_out (d, e, n, "relu");
  reset (d, n);
  loops->relu_bwd (d->y, d->dy, n, d->out);
  EXPECT (d->y[i] > 0 ? d->dy[i] : 0);
  check_out (d, e, n, "relu_bwd");
  for (int masked = 0; masked < 2; masked++) {
    reset (d, n);
    PjCpuBehind in = { .dy = d->dy, .y = masked ? d->y : NULL, .ceiling = CEILING };
    loops->affine_bwd (&in, d->x, n, d->s, d->t, d->mean, d->out);
    EXPECT (d->s[l] * (masked && (d->y[i] <= 0 || d->y[i] >= CEILING) ? 0.0 : d->dy[i]) + (double) d->t[l] * d->x[i] + d->mean[l]);
    check_out (d, e, n, "affine_bwd");
  }
}

static void
check_pools (const PjCpuLoops *loops, const Data *d)
{
  static const PjCpuWindow windows[] = {
    { .h = 6, .w = 8, .oh = 3, .ow = 4, .kernel = { 2, 2 }, .stride = { 2, 2 } },
    { .h = 7, .w = 5, .oh = 4, .ow = 3, .kernel = { 3, 3 }, .stride = { 2, 2 }, .pad = { 1, 1, 1, 1 } },
  };
  for (guint w = 0; w < G_N_ELEMENTS (windows); w++)
    for (int block = 1; block <= 16; block = block == 1 ? 8 : 2 * block) {
      PjCpuWindow p = windows[w];
      float y[12 * 16 + 1], base[12 * 16 + 1];
      gint32 index[12 * 16];
      p.block = block;
      size_t n_out = (size_t) (p.oh * p.ow * block), n_in = (size_t) (p.h * p.w * block);
      g_autofree double *e = g_new (double, n_in);
      loops->max_pool (&p, d->x, y, index);
      pj_cpu_loops_base.max_pool (&p, d->x, base, NULL);
      g_assert_cmpmem (y, n_out * sizeof (float), base, n_out * sizeof (float));
      /* Every output is the input that its index names. */
      for (size_t i = 0; i < n_out; i++) {
        int at = (int) i / block, iy = at / p.ow * p.stride[0] - p.pad[0] + index[i] / p.kernel[1];
        int ix = at % p.ow * p.stride[1] - p.pad[1] + index[i] % p.kernel[1];
        g_assert_cmpfloat (y[i], ==, d->x[(iy * p.w + ix) * block + (int) i % block]);
      }
      for (int backward = 0; backward < 2; backward++) {
        g_autofree float *expected = g_new (float, n_in);
        reset (d, n_in);
        if (backward == 0) {
          loops->max_pool_bwd (&p, d->dy, index, d->out);
          pj_cpu_loops_base.max_pool_bwd (&p, d->dy, index, expected);
        } else {
          loops->avg_pool_bwd (&p, d->dy, d->out);
          pj_cpu_loops_base.avg_pool_bwd (&p, d->dy, expected);
        }
        for (size_t i = 0; i < n_in; i++)
          e[i] = expected[i];
        check_out (d, e, n_in, backward ? "avg_pool_bwd" : "max_pool_bwd");
      }
    }
}

static void
check_set (gconstpointer set)
{
  const PjCpuLoops *loops = set;
  g_autofree float *x = net_noise (MAX_N, 1), *y = net_noise (MAX_N, 2), *dy = net_noise (MAX_N, 3), *out = g_new (float, MAX_N);
  Data d = { .x = x, .y = y, .dy = dy, .out = out };

  for (int l = 0; l < PJ_CPU_LANES; l++) {
    d.s[l] = 0.5f + 0.1f * (float) l;
    d.t[l] = 0.3f - 0.2f * (float) l;
    d.mean[l] = 0.05f * (float) l;
  }
  for (int i = 0; i < MAX_N; i += 3)
    y[i] = i % 2 ? 0.0f : -0.0f;
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    check_sums (loops, &d, lengths[i]);
    check_passes (loops, &d, lengths[i]);
  }
  check_offset (loops, d);
  check_joins (loops, &d);
  check_pools (loops, &d);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/cpu/loops/plain", &pj_cpu_loops_base, check_set);
#ifdef PJ_CPU_HAS_X86_LOOPS
  if (__builtin_cpu_supports ("x86-64-v3"))
    g_test_add_data_func ("/cpu/loops/avx2", &pj_cpu_loops_v3, check_set);
  if (__builtin_cpu_supports ("x86-64-v4"))
    g_test_add_data_func ("/cpu/loops/avx512", &pj_cpu_loops_v4, check_set);
#endif
  return g_test_run ();
}
