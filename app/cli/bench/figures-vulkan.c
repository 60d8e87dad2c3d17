/* SPDX-License-Identifier: MIT */
/* A software Vulkan driver: what a person without a driver for a graphics card can still expect. */
#include <dlfcn.h>
#include <math.h>

#include "base/error.h"
#include "base/rng.h"
#include "cli/bench/figures.h"
#include "ops/op.h"
#include "ops/params.h"

/* --- single kernels --- */

static PjBlob *
noise (size_t n, GError **error)
{
  g_autofree float *data = g_new (float, n);
  PjRng rng;
  pj_rng_init (&rng, 1, PJ_STREAM (PJ_STREAM_INIT, 0, 0));
  for (size_t i = 0; i < n; i++)
    data[i] = (float) pj_rng_uniform (&rng) - 0.5f;
  return pj_blob_new_copy (data, n, error);
}

static int
add_weights (PjGraph *graph, PjShape shape, GError **error)
{
  PjBlob *blob = noise (pj_shape_n_elems (&shape), error);
  return blob != NULL ? pj_graph_add_param (graph, "weight", shape, blob) : -1;
}

/* A network of one product: x[rows, inner] · w[columns, inner]ᵀ; the rows are the batch. (transfer full) */
static PjGraph *
product_graph (int columns, int inner, GError **error)
{
  g_autoptr (PjGraph) graph = pj_graph_new ("product");
  int inputs[] = { pj_graph_add_input (graph, "x", PJ_SHAPE (1, inner)), add_weights (graph, PJ_SHAPE (columns, inner), error) };
  int y = inputs[1] < 0 ? -1 : pj_graph_add_node (graph, "product", &pj_op_gemm, NULL, inputs, 2, error);
  if (y < 0)
    return NULL;
  pj_graph_set_output (graph, y);
  return g_steal_pointer (&graph);
}

/* A network of one 3 × 3 convolution that keeps the size. (transfer full) */
static PjGraph *
conv_graph (int channels, int side, gboolean depthwise, GError **error)
{
  g_autoptr (PjGraph) graph = pj_graph_new ("convolution");
  PjConvParams params = { .kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pad = { 1, 1, 1, 1 },
                          .groups = depthwise ? channels : 1, .depthwise = depthwise };
  int inputs[] = { pj_graph_add_input (graph, "x", PJ_SHAPE (1, channels, side, side)),
                   add_weights (graph, PJ_SHAPE (channels, depthwise ? 1 : channels, 3, 3), error) };
  int y = inputs[1] < 0 ? -1 : pj_graph_add_node (graph, "convolution", &pj_op_conv, &params, inputs, 2, error);
  if (y < 0)
    return NULL;
  pj_graph_set_output (graph, y);
  return g_steal_pointer (&graph);
}

static gboolean
kernel_init (BenchNet *net, PjDevice *device, PjGraph *graph, unsigned batch, GError **error)
{
  int output = pj_graph_get_output (graph);
  PjPlanOptions options = { .batch = batch, .mode = PJ_PLAN_INFER, .observed = &output, .n_observed = 1, .prefix = TRUE };
  return bench_net_init (net, device, graph, PJ_PLAN_INFER, batch, &options, error) && bench_net_run (net, error);
}

/* --- OpenBLAS, in this process --- */

typedef void (*Sgemm) (int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda, const float *b,
                       int ldb, float beta, float *c, int ldc);

typedef struct {
  Sgemm sgemm;
  char *name;
} Blas;

static gboolean
blas_open (Blas *self, const char **why)
{
  const char *path = g_getenv ("PENJING_OPENBLAS");
  void *library = dlopen (path != NULL ? path : "libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  char *(*config) (void) = library != NULL ? (char *(*) (void)) dlsym (library, "openblas_get_config") : NULL;
  void (*set_threads) (int) = library != NULL ? (void (*) (int)) dlsym (library, "openblas_set_num_threads") : NULL;

  self->sgemm = library != NULL ? (Sgemm) dlsym (library, "cblas_sgemm") : NULL;
  if (self->sgemm == NULL || config == NULL || set_threads == NULL) {
    *why = "OpenBLAS is not installed (package libopenblas0-pthread; PENJING_OPENBLAS names the library elsewhere)";
    return FALSE;
  }
  set_threads ((int) g_get_num_processors ());
  /* "OpenBLAS 0.3.21 DYNAMIC_ARCH …": name and version say enough. */
  g_auto (GStrv) words = g_strsplit (config (), " ", 3);
  self->name = g_strdup_printf ("%s %s", words[0], words[0] != NULL && words[1] != NULL ? words[1] : "");
  return TRUE;
}

static double
blas_ms (const Blas *self, int rows, int columns, int inner, const float *x, const float *w, float *y, double seconds)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 start = g_get_monotonic_time (), now = start;
  do {
    gint64 before = now;
    self->sgemm (101, 111, 112, rows, columns, inner, 1.0f, x, inner, w, inner, 0.0f, y, columns);
    now = g_get_monotonic_time ();
    double ms = (double) (now - before) / 1e3;
    g_array_append_val (times, ms);
  } while ((double) (now - start) < seconds * 1e6);
  return bench_median ((double *) times->data, (int) times->len);
}

static gboolean
product_case (Bench *bench, PjDevice *device, const Blas *blas, int rows, int columns, int inner, double *sum, GError **error)
{
  g_autofree char *what = g_strdup_printf ("product %d×%d×%d", columns, rows, inner);
  g_autofree double *own = g_new (double, bench->rounds), *peer = g_new (double, bench->rounds);
  g_autofree double *ratios = g_new (double, bench->rounds);
  g_auto (BenchNet) net = { 0 };
  g_autoptr (PjGraph) graph = product_graph (columns, inner, error);
  g_autoptr (PjBlob) x = noise ((size_t) rows * (size_t) inner, error), w = noise ((size_t) columns * (size_t) inner, error);
  g_autofree float *y = g_new (float, (size_t) rows * (size_t) columns);

  if (graph == NULL || x == NULL || w == NULL || !bench_go_on (bench, what, error)
      || !kernel_init (&net, device, graph, (unsigned) rows, error))
    return FALSE;
  blas_ms (blas, rows, columns, inner, pj_blob_data (x), pj_blob_data (w), y, 0.0);
  for (int r = 0; r < bench->rounds; r++) {
    own[r] = bench_net_ms (&net, bench->seconds / 2, error);
    if (own[r] < 0)
      return FALSE;
    peer[r] = blas_ms (blas, rows, columns, inner, pj_blob_data (x), pj_blob_data (w), y, bench->seconds / 4);
    ratios[r] = peer[r] / own[r];
  }
  double gflop = 2e-6 * rows * columns * inner, ratio = bench_median (ratios, bench->rounds);
  bench_add (bench, what, "GFLOP/s", gflop / bench_median (own, bench->rounds), blas->name, gflop / bench_median (peer, bench->rounds),
             ratio, 0.0, FALSE);
  *sum += log (ratio);
  return TRUE;
}

static gboolean
products (Bench *bench, PjDevice *device, GError **error)
{
  static const int shapes[][3] = { { 1024, 256, 512 }, { 12544, 64, 576 }, { 1024, 256, 1152 } };
  Blas blas = { 0 };
  const char *why = NULL;
  double sum = 0.0;
  gboolean ok = TRUE;

  if (!blas_open (&blas, &why)) {
    bench_skip (bench, "products", why);
    return TRUE;
  }
  for (guint i = 0; ok && i < G_N_ELEMENTS (shapes); i++)
    ok = product_case (bench, device, &blas, shapes[i][0], shapes[i][1], shapes[i][2], &sum, error);
  if (ok)
    bench_add (bench, "products, geometric mean", "×", exp (sum / G_N_ELEMENTS (shapes)), blas.name, 1.0,
               exp (sum / G_N_ELEMENTS (shapes)), 0.20, FALSE);
  g_free (blas.name);
  return ok;
}

/* --- convolutions --- */

static gboolean
conv_case (Bench *bench, PjDevice *device, BenchPeer *torch, int channels, int side, gboolean depthwise, double *sum, GError **error)
{
  unsigned batch = bench->quick ? 8 : 32;
  g_autofree char *what = g_strdup_printf ("%s 3×3 %d, %d×%d, batch %u", depthwise ? "depthwise" : "convolution", channels, side, side, batch);
  g_autofree double *own = g_new (double, bench->rounds), *peer = g_new (double, bench->rounds);
  g_autofree double *ratios = g_new (double, bench->rounds);
  g_auto (BenchNet) net = { 0 };
  g_autoptr (PjGraph) graph = conv_graph (channels, side, depthwise, error);

  if (graph == NULL || !bench_go_on (bench, what, error) || !kernel_init (&net, device, graph, batch, error))
    return FALSE;
  for (int r = 0; r < bench->rounds; r++) {
    g_autofree char *request =
      g_strdup_printf ("{\"do\": \"conv\", \"channels\": %d, \"side\": %d, \"batch\": %u, \"groups\": %d, \"seconds\": %.17g}", channels,
                       side, batch, depthwise ? channels : 1, bench->seconds / 2);
    own[r] = bench_net_ms (&net, bench->seconds / 2, error);
    peer[r] = own[r] < 0 ? -1.0 : bench_peer_ms (torch, request, error);
    if (peer[r] < 0 || !pj_hooks_go_on (&bench->cli->hooks, error))
      return FALSE;
    ratios[r] = peer[r] / own[r];
  }
  double gflop = 18e-6 * channels * (depthwise ? 1 : channels) * side * side * batch, ratio = bench_median (ratios, bench->rounds);
  bench_add (bench, what, "GFLOP/s", gflop / bench_median (own, bench->rounds), bench_peer_name (torch),
             gflop / bench_median (peer, bench->rounds), ratio, 0.0, FALSE);
  *sum += log (ratio);
  return TRUE;
}

static gboolean
convolutions (Bench *bench, PjDevice *device, GError **error)
{
  static const struct { int channels, side; gboolean depthwise; } shapes[] = {
    { 64, 28, FALSE }, { 64, 56, FALSE }, { 128, 28, FALSE }, { 32, 56, FALSE }, { 192, 28, TRUE }, { 96, 56, TRUE },
  };
  const char *why = NULL;
  BenchPeer *torch = bench_torch (bench, &why);
  double sums[2] = { 0.0, 0.0 };
  int n[2] = { 0, 0 };

  if (torch == NULL) {
    bench_skip (bench, "convolutions", why);
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    if (!conv_case (bench, device, torch, shapes[i].channels, shapes[i].side, shapes[i].depthwise, &sums[shapes[i].depthwise], error))
      return FALSE;
    n[shapes[i].depthwise]++;
  }
  for (int d = 0; d < 2; d++)
    bench_add (bench, d ? "depthwise, geometric mean" : "convolutions, geometric mean", "×", exp (sums[d] / n[d]), bench_peer_name (torch),
               1.0, exp (sums[d] / n[d]), d ? 1.0 : 0.20, FALSE);
  return TRUE;
}

/* --- the two families of kernels on the same driver --- */

static gboolean
families (Bench *bench, PjDevice *device, GError **error)
{
  static const char *const what = "texel family, 3×3 64, 28×28, batch 2";
  g_autoptr (PjGraph) graph = conv_graph (64, 28, FALSE, error);
  g_autofree char *before = g_strdup (g_getenv ("PENJING_VULKAN_FAMILY")), *id = g_strdup (device->info.id);
  g_auto (BenchNet) texel = { 0 }, tiled = { 0 };
  double ratio[64];

  if (graph == NULL || !bench_go_on (bench, what, error))
    return FALSE;
  /* The family is chosen when a device is opened. */
  g_setenv ("PENJING_VULKAN_FAMILY", "tiled", TRUE);
  g_autoptr (PjDevice) hardware = pj_device_open (id, error);
  if (before != NULL)
    g_setenv ("PENJING_VULKAN_FAMILY", before, TRUE);
  else
    g_unsetenv ("PENJING_VULKAN_FAMILY");
  gboolean ok = hardware != NULL && kernel_init (&texel, device, graph, 2, error) && kernel_init (&tiled, hardware, graph, 2, error);
  double own = 0.0, other = 0.0;
  for (int r = 0; ok && r < bench->rounds; r++) {
    own = bench_net_ms (&texel, bench->seconds / 4, error);
    other = own < 0 ? -1.0 : bench_net_ms (&tiled, 0.0, error);
    ok = other >= 0 && pj_hooks_go_on (&bench->cli->hooks, error);
    ratio[r] = other / own;
  }
  bench_net_clear (&tiled);
  if (ok)
    bench_add (bench, what, "ms", own, "the tiled family for hardware", other, bench_median (ratio, bench->rounds), 10.0, FALSE);
  return ok;
}

gboolean
bench_vulkan_kernels (Bench *bench, GError **error)
{
  g_autofree char *why = NULL;
  g_autoptr (PjDevice) device = bench_software_vulkan (&why);
  if (device == NULL) {
    bench_skip (bench, "products and convolutions", why);
    return TRUE;
  }
  return products (bench, device, error) && convolutions (bench, device, error) && families (bench, device, error);
}

/* --- start --- */

/* Seconds until the first training step of vgg-mini is done, beyond what a step takes once it is warm. */
static double
start_seconds (Bench *bench, const char *id, const char *const *environment, GError **error)
{
  const char *arguments[] = { "bench", "plan", "vgg-mini", "--mode", "train", "--batch", "64", "--repeats", "1", "--device", id, NULL };
  g_autoptr (JsonObject) answer = bench_own (bench, arguments, environment, error);
  return answer != NULL ? json_object_get_double_member_with_default (answer, "start_ms", 0.0) / 1e3 : -1.0;
}

gboolean
bench_vulkan_start (Bench *bench, GError **error)
{
  g_autofree char *why = NULL, *id = NULL;
  g_autofree char *own = g_strdup_printf ("XDG_CACHE_HOME=%s/cache", bench->folder);
  g_autofree char *driver = g_strdup_printf ("MESA_SHADER_CACHE_DIR=%s/cache", bench->folder);
  const char *environment[] = { own, driver, NULL };
  PjDevice *device = bench_software_vulkan (&why);

  if (device == NULL) {
    bench_skip (bench, "vgg-mini training", why);
    return TRUE;
  }
  id = g_strdup (device->info.id);
  pj_device_free (device);
  if (!bench_go_on (bench, "vgg-mini training", error))
    return FALSE;
  double first = start_seconds (bench, id, environment, error);
  double later = first < 0 ? -1.0 : start_seconds (bench, id, environment, error);
  if (later < 0)
    return FALSE;
  bench_add (bench, "first start, vgg-mini training", "s", first, "with no cache", 0.0, first, 20.0, TRUE);
  bench_add (bench, "later start, vgg-mini training", "s", later, "with the caches of the first", 0.0, later, 2.0, TRUE);
  return TRUE;
}
