/* SPDX-License-Identifier: MIT */
/* Convolutions and matrix products of the Vulkan device against plain loops, in both families of shaders.
 *
 * All values are small whole numbers, so every sum is exact in f32 in whatever order it is taken, and results must
 * be equal to the last bit.  Shapes are chosen so that every path is met: tiles of 8 and 16 channels, taps side by
 * side and not, phases of strided gradients with and without taps, groups that share a block of channels. */
#include <string.h>

#include "base/rng.h"
#include "compute/device.h"

typedef struct {
  const char *name;
  int n, c, h, w, out;
  PjConvParams conv;
  gboolean relu, bias, residual, accumulate;
} Case;

#define K(a, b) { a, b }
static const Case cases[] = {
  { "3x3", 2, 16, 9, 11, 32, { K (3, 3), K (1, 1), K (1, 1), { 1, 1, 1, 1 }, 1 }, TRUE, TRUE, TRUE },
  { "3x3-odd", 3, 5, 7, 6, 13, { K (3, 3), K (1, 1), K (1, 1), { 0, 1, 2, 0 }, 1 }, FALSE, TRUE },
  { "3x3-narrow", 2, 3, 5, 1, 7, { K (3, 3), K (1, 1), K (1, 1), { 1, 1, 1, 1 }, 1 }, TRUE },
  { "3x3-stride2", 2, 8, 9, 10, 16, { K (3, 3), K (2, 2), K (1, 1), { 1, 1, 1, 1 }, 1 }, TRUE, FALSE, TRUE },
  { "3x3-stride-2-1", 1, 6, 8, 7, 9, { K (3, 3), K (2, 1), K (1, 1), { 1, 0, 0, 1 }, 1 } },
  { "3x3-dilation", 2, 7, 11, 12, 20, { K (3, 3), K (1, 1), K (2, 3), { 2, 3, 2, 3 }, 1 }, FALSE, TRUE, FALSE, TRUE },
  { "stride-and-dilation", 2, 4, 17, 15, 6, { K (3, 4), K (3, 2), K (2, 2), { 3, 0, 1, 4 }, 1 } },
  { "1x1", 2, 33, 5, 7, 17, { K (1, 1), K (1, 1), K (1, 1), { 0, 0, 0, 0 }, 1 }, TRUE, TRUE, TRUE },
  { "1x1-stride2", 2, 12, 7, 8, 24, { K (1, 1), K (2, 2), K (1, 1), { 0, 0, 0, 0 }, 1 } },
  { "1x1-pad", 1, 4, 3, 3, 5, { K (1, 1), K (1, 1), K (1, 1), { 1, 0, 2, 1 }, 1 }, TRUE, TRUE },
  { "7x7-stride2", 1, 3, 19, 18, 10, { K (7, 7), K (2, 2), K (1, 1), { 3, 3, 3, 3 }, 1 }, TRUE },
  { "1x3", 2, 4, 6, 9, 4, { K (1, 3), K (1, 1), K (1, 1), { 0, 1, 0, 1 }, 1 } },
  { "stride-over-kernel", 1, 5, 11, 13, 4, { K (2, 2), K (4, 3), K (1, 1), { 0, 0, 0, 0 }, 1 } },
  { "full-map", 3, 9, 4, 4, 11, { K (4, 4), K (1, 1), K (1, 1), { 0, 0, 0, 0 }, 1 }, FALSE, TRUE },
  { "wide", 1, 4, 3, 70, 130, { K (3, 3), K (1, 1), K (1, 1), { 1, 1, 1, 1 }, 1 } },
  { "channels", 1, 130, 5, 5, 70, { K (3, 3), K (1, 1), K (1, 1), { 1, 1, 1, 1 }, 1 }, TRUE },
  { "groups-of-3-2", 2, 9, 6, 5, 6, { K (3, 3), K (1, 1), K (1, 1), { 1, 1, 1, 1 }, 3 }, TRUE, TRUE },
  { "groups-of-8", 2, 32, 5, 5, 32, { K (3, 3), K (1, 1), K (1, 1), { 1, 1, 1, 1 }, 4 } },
  { "groups-of-5-20", 1, 10, 7, 7, 40, { K (3, 3), K (2, 2), K (1, 1), { 1, 1, 1, 1 }, 2 } },
  { "groups-1x1", 2, 24, 4, 6, 12, { K (1, 1), K (1, 1), K (1, 1), { 0, 0, 0, 0 }, 3 }, FALSE, TRUE },
  { "multiplier", 2, 6, 5, 7, 12, { K (3, 3), K (1, 1), K (1, 1), { 1, 1, 1, 1 }, 6 }, TRUE, TRUE },
  { "depthwise", 2, 13, 7, 9, 13, { K (3, 3), K (1, 1), K (1, 1), { 1, 1, 1, 1 }, 13 }, TRUE, TRUE, TRUE, TRUE },
  { "depthwise-stride2", 2, 8, 9, 8, 8, { K (3, 3), K (2, 2), K (1, 1), { 1, 1, 1, 1 }, 8 }, FALSE, TRUE },
  { "depthwise-5x5", 1, 6, 8, 7, 6, { K (5, 5), K (1, 1), K (1, 1), { 2, 2, 2, 2 }, 6 } },
  { "depthwise-dilation", 1, 5, 9, 9, 5, { K (3, 3), K (1, 1), K (2, 2), { 2, 2, 2, 2 }, 5 }, TRUE },
  { "many-strips", 6, 4, 30, 31, 8, { K (3, 3), K (1, 1), K (1, 1), { 1, 1, 1, 1 }, 1 } },
  { "many-strips-1x1", 6, 8, 30, 31, 8, { K (1, 1), K (1, 1), K (1, 1), { 0, 0, 0, 0 }, 1 }, FALSE, TRUE },
  { "many-strips-depthwise", 6, 4, 30, 31, 4, { K (3, 3), K (1, 1), K (1, 1), { 1, 1, 1, 1 }, 4 }, FALSE, TRUE },
};

/* A matrix product is the case of one pixel; out = O, c = I. */
static const Case products[] = {
  { "10x128", 9, 128, 1, 1, 10, { K (1, 1), K (1, 1), K (1, 1), { 0, 0, 0, 0 }, 1 }, FALSE, TRUE },
  { "one", 1, 1, 1, 1, 1, { K (1, 1), K (1, 1), K (1, 1), { 0, 0, 0, 0 }, 1 }, TRUE, TRUE },
  { "odd", 33, 67, 1, 1, 45, { K (1, 1), K (1, 1), K (1, 1), { 0, 0, 0, 0 }, 1 }, TRUE, FALSE, FALSE, TRUE },
  { "large", 70, 130, 1, 1, 140, { K (1, 1), K (1, 1), K (1, 1), { 0, 0, 0, 0 }, 1 }, FALSE, TRUE, FALSE, TRUE },
};

static int
out_size (const Case *c, int axis)
{
  int in = axis == 0 ? c->h : c->w;
  return (in + c->conv.pad[axis] + c->conv.pad[axis + 2] - c->conv.dilation[axis] * (c->conv.kernel[axis] - 1) - 1)
           / c->conv.stride[axis] + 1;
}

/* --- plain loops --- */

/* Calls out every product of the convolution: (input element, weight element, output element). */
typedef void (*Visit) (size_t x, size_t w, size_t y, gpointer data);

static void
visit_image (const Case *c, int n, Visit visit, gpointer data)
{
  const PjConvParams *p = &c->conv;
  int oh = out_size (c, 0), ow = out_size (c, 1), in = c->c / p->groups, out = c->out / p->groups;

  for (int o = 0; o < c->out; o++)
    for (int i = 0; i < in; i++)
      for (int ky = 0; ky < p->kernel[0]; ky++)
        for (int kx = 0; kx < p->kernel[1]; kx++)
          for (int y = 0; y < oh; y++)
            for (int x = 0; x < ow; x++) {
              int row = y * p->stride[0] - p->pad[0] + ky * p->dilation[0];
              int column = x * p->stride[1] - p->pad[1] + kx * p->dilation[1];
              if (row < 0 || row >= c->h || column < 0 || column >= c->w)
                continue;
              visit ((((size_t) n * c->c + o / out * in + i) * c->h + row) * c->w + column,
                     (((size_t) o * in + i) * p->kernel[0] + ky) * p->kernel[1] + kx,
                     (((size_t) n * c->out + o) * oh + y) * ow + x, data);
            }
}

typedef struct {
  const float *x, *w, *dy;
  float *y, *dx, *dw;
} Sums;

static void
visit_all (size_t x, size_t w, size_t y, gpointer data)
{
  Sums *s = data;
  s->y[y] += s->x[x] * s->w[w];
  s->dx[x] += s->dy[y] * s->w[w];
  s->dw[w] += s->dy[y] * s->x[x];
}

/* --- the device --- */

/* Everything one case reads and writes, as the host sees it. */
typedef struct {
  size_t x, w, b, y;            /* elements */
  float *in, *weights, *bias, *residual, *dy;
  float *out, *dx, *dw, *db;
} Data;

static float *
whole_numbers (PjRng *rng, size_t n)
{
  float *values = g_new (float, n);
  for (size_t i = 0; i < n; i++)
    values[i] = (float) ((int) pj_rng_below (rng, 7) - 3);
  return values;
}

static void
data_init (Data *d, const Case *c)
{
  PjRng rng;
  pj_rng_init (&rng, 7, 0);
  d->x = (size_t) c->n * c->c * c->h * c->w;
  d->w = (size_t) c->out * (c->c / c->conv.groups) * c->conv.kernel[0] * c->conv.kernel[1];
  d->b = (size_t) c->out;
  d->y = (size_t) c->n * c->out * out_size (c, 0) * out_size (c, 1);
  d->in = whole_numbers (&rng, d->x);
  d->weights = whole_numbers (&rng, d->w);
  d->bias = whole_numbers (&rng, d->b);
  d->residual = whole_numbers (&rng, d->y);
  d->dy = whole_numbers (&rng, d->y);
  d->dw = whole_numbers (&rng, d->w);     /* what the gradients hold before: added to or overwritten */
  d->db = whole_numbers (&rng, d->b);
  d->out = g_new0 (float, d->y);
  d->dx = g_new0 (float, d->x);
}

static void
data_clear (Data *d)
{
  float *all[] = { d->in, d->weights, d->bias, d->residual, d->dy, d->dw, d->db, d->out, d->dx };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_free (all[i]);
}

/* Parameters start at multiples of 64 elements, like those of a network. */
static size_t
round_up (size_t n)
{
  return (n + 63) / 64 * 64;
}

static PjBuffer *
store_new (PjDevice *device, const float *w, size_t n_w, const float *b, size_t n_b)
{
  PjBuffer *buffer = device->klass->buffer_new (device, (round_up (n_w) + round_up (n_b)) * 4, NULL);
  g_assert_true (device->klass->buffer_write (buffer, 0, w, n_w * 4, NULL));
  g_assert_true (device->klass->buffer_write (buffer, round_up (n_w) * 4, b, n_b * 4, NULL));
  return buffer;
}

enum { X, R, DY, Y, DX, W, B, DW, DB };

static PjProgram *
program_new (const Case *c, const Data *d, gboolean gemm)
{
  PjProgram *p = pj_program_new ();
  int64_t oh = out_size (c, 0), ow = out_size (c, 1);
  PjShape x = gemm ? PJ_SHAPE (c->n, c->c) : PJ_SHAPE (c->n, c->c, c->h, c->w);
  PjShape y = gemm ? PJ_SHAPE (c->n, c->out) : PJ_SHAPE (c->n, c->out, oh, ow);
  PjShape w = gemm ? PJ_SHAPE (c->out, c->c)
                   : PJ_SHAPE (c->out, c->c / c->conv.groups, c->conv.kernel[0], c->conv.kernel[1]);
  PjSlotFlags in = PJ_SLOT_HOST | PJ_SLOT_KEEP;

  pj_program_add_slot (p, PJ_STORE_ARENA, in, x, 0, -1);
  pj_program_add_slot (p, PJ_STORE_ARENA, in, y, 0, -1);
  pj_program_add_slot (p, PJ_STORE_ARENA, in, y, 0, -1);
  pj_program_add_slot (p, PJ_STORE_ARENA, PJ_SLOT_HOST, y, 0, -1);
  pj_program_add_slot (p, PJ_STORE_ARENA, PJ_SLOT_HOST, x, 0, -1);
  pj_program_add_slot (p, PJ_STORE_PARAMS, 0, w, 0, -1);
  pj_program_add_slot (p, PJ_STORE_PARAMS, 0, PJ_SHAPE (c->out), round_up (d->w), -1);
  pj_program_add_slot (p, PJ_STORE_GRADS, 0, w, 0, -1);
  pj_program_add_slot (p, PJ_STORE_GRADS, 0, PJ_SHAPE (c->out), round_up (d->w), -1);

  PjCall *call = pj_program_add_call (p, gemm ? PJ_KERNEL_GEMM : PJ_KERNEL_CONV, PJ_SEGMENT_FORWARD, -1);
  call->conv = c->conv;
  call->in[0] = X;
  call->in[1] = W;
  call->in[2] = c->bias ? B : -1;
  call->in[3] = c->residual ? R : -1;
  call->out[0] = Y;
  call->relu = c->relu;
  call = pj_program_add_call (p, gemm ? PJ_KERNEL_GEMM_BWD_WEIGHT : PJ_KERNEL_CONV_BWD_WEIGHT, PJ_SEGMENT_BACKWARD, -1);
  call->conv = c->conv;
  call->in[0] = X;
  call->in[1] = DY;
  call->out[0] = DW;
  call->out[1] = c->bias ? DB : -1;
  call->accumulate = c->accumulate;
  call = pj_program_add_call (p, gemm ? PJ_KERNEL_GEMM_BWD_INPUT : PJ_KERNEL_CONV_BWD_INPUT, PJ_SEGMENT_BACKWARD, -1);
  call->conv = c->conv;
  call->in[0] = DY;
  call->in[1] = W;
  call->out[0] = DX;
  return p;
}

/* Results of the device. */
static void
run_device (PjDevice *device, const Case *c, gboolean gemm, const Data *d, Data *out)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjProgram) program = program_new (c, d, gemm);
  PjBuffer *params = store_new (device, d->weights, d->w, d->bias, d->b), *grads = store_new (device, d->dw, d->w, d->db, d->b);
  PjBuffer *stores[PJ_N_STORES] = { [PJ_STORE_PARAMS] = params, [PJ_STORE_GRADS] = grads };
  const PjDeviceClass *klass = device->klass;
  PjExecutable *e = klass->compile (device, program, stores, &error);

  g_assert_no_error (error);
  g_assert_true (klass->write (e, X, d->in, &error));
  g_assert_true (klass->write (e, R, d->residual, &error));
  g_assert_true (klass->write (e, DY, d->dy, &error));
  g_assert_true (klass->run (e, 1 << PJ_SEGMENT_PROLOGUE | 1 << PJ_SEGMENT_FORWARD | 1 << PJ_SEGMENT_BACKWARD, &error));
  g_assert_true (klass->read (e, Y, out->out, &error));
  g_assert_true (klass->read (e, DX, out->dx, &error));
  g_assert_true (klass->buffer_read (grads, 0, out->dw, d->w * 4, &error));
  g_assert_true (klass->buffer_read (grads, round_up (d->w) * 4, out->db, d->b * 4, &error));
  klass->executable_free (e);
  klass->buffer_free (params);
  klass->buffer_free (grads);
}

/* --- comparison --- */

static void
run_plain (const Case *c, Data *d)
{
  Sums sums = { d->in, d->weights, d->dy, d->out, d->dx, d->dw };
  size_t plane = d->y / (size_t) (c->n * c->out);

  if (!c->accumulate) {
    memset (d->dw, 0, d->w * sizeof (float));
    memset (d->db, 0, c->bias ? d->b * sizeof (float) : 0);
  }
  for (int n = 0; n < c->n; n++)
    visit_image (c, n, visit_all, &sums);
  for (size_t i = 0; i < d->y; i++) {
    size_t o = i / plane % (size_t) c->out;
    if (c->bias) {
      d->out[i] += d->bias[o];
      d->db[o] += d->dy[i];
    }
    if (c->residual)
      d->out[i] += d->residual[i];
    if (c->relu)
      d->out[i] = MAX (d->out[i], 0);
  }
}

static void
compare (const Case *c, const char *family, const char *what, const float *got, const float *want, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (got[i] != want[i])
      g_error ("%s, %s, %s: element %zu of %zu is %g, expected %g", c->name, family, what, i, n, (double) got[i], (double) want[i]);
}

/* Opened once per family: every device compiles its shaders anew. */
static PjDevice *devices[2];
static const char *const families[2] = { "texel", "tiled" };

static PjDevice *
family_device (int i)
{
  g_autoptr (GError) error = NULL;

  if (devices[i] == NULL) {
    g_setenv ("PENJING_VULKAN_FAMILY", families[i], TRUE);
    devices[i] = pj_device_open ("vulkan:0", &error);
    g_assert_no_error (error);
    g_unsetenv ("PENJING_VULKAN_FAMILY");
  }
  return devices[i];
}

static void
check_family (const Case *c, gboolean gemm, int i)
{
  Data plain, device_data;
  data_init (&plain, c);
  data_init (&device_data, c);
  run_device (family_device (i), c, gemm, &plain, &device_data);
  run_plain (c, &plain);
  compare (c, families[i], "y", device_data.out, plain.out, plain.y);
  compare (c, families[i], "dx", device_data.dx, plain.dx, plain.x);
  compare (c, families[i], "dw", device_data.dw, plain.dw, plain.w);
  compare (c, families[i], "db", device_data.db, plain.db, plain.b);
  data_clear (&plain);
  data_clear (&device_data);
}

static void
check (const Case *c, gboolean gemm)
{
  g_autofree char *why = NULL;
  g_autoptr (GPtrArray) all = pj_device_vulkan.list (&why);
  gboolean have = all->len > 0;

  g_ptr_array_set_free_func (all, (GDestroyNotify) pj_device_info_free);
  if (!have && g_strcmp0 (g_getenv ("PJ_TEST_REQUIRE_GPU"), "1") == 0)
    g_error ("no Vulkan device: %s", why);
  if (!have) {
    g_test_skip (why);
    return;
  }
  for (int i = 0; i < 2; i++)
    check_family (c, gemm, i);
}

static void
conv (gconstpointer data)
{
  check (data, FALSE);
}

static void
gemm (gconstpointer data)
{
  check (data, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/compute/vulkan/conv/", cases[i].name, NULL);
    g_test_add_data_func (path, &cases[i], conv);
  }
  for (guint i = 0; i < G_N_ELEMENTS (products); i++) {
    g_autofree char *path = g_strconcat ("/compute/vulkan/gemm/", products[i].name, NULL);
    g_test_add_data_func (path, &products[i], gemm);
  }
  int status = g_test_run ();
  for (int i = 0; i < 2; i++)
    pj_device_free (devices[i]);
  return status;
}
