/* SPDX-License-Identifier: MIT */
/* Whole networks: training and its memory next to PyTorch, inference next to onnxruntime. */
#include <math.h>

#include "cli/bench/figures.h"
#include "io/onnx.h"

typedef struct {
  const char *name;
  int side;
  unsigned batch, n_classes;
  double target;
} Case;

static const Case trained[] = {
  { "vgg-mini", 28, 64, 10, 1.15 }, { "resnet20-b", 32, 64, 10, 1.4 }, { "mobilenetv2", 96, 16, 1000, 2.0 },
};

static char *
case_name (const Case *c)
{
  return g_strdup_printf ("%s %d×%d, batch %u", c->name, c->side, c->side, c->batch);
}

/* The request that makes PyTorch's twin of @c: it stays there as number "net" until it is closed. */
static char *
open_request (const Case *c, gboolean channels_last)
{
  return g_strdup_printf ("{\"do\": \"open\", \"net\": \"%s\", \"channels\": %d, \"side\": %d, \"batch\": %u, \"classes\": %u, "
                          "\"channels_last\": %s}",
                          c->name, c->side == 28 ? 1 : 3, c->side, c->batch, c->n_classes, channels_last ? "true" : "false");
}

static gboolean
open_twins (BenchPeer *torch, const Case *c, int nets[2], GError **error)
{
  for (int i = 0; i < 2; i++) {
    g_autofree char *request = open_request (c, i == 1);
    g_autoptr (JsonObject) answer = bench_peer_ask (torch, error, "%s", request);
    if (answer == NULL)
      return FALSE;
    nets[i] = (int) json_object_get_int_member (answer, "net");
  }
  return TRUE;
}

/* Ours and the better of the two formats, alternately. */
static gboolean
alternate_training (Bench *bench, BenchNet *net, BenchPeer *torch, const int nets[2], double seconds, double *ours, double *theirs,
                    double *ratio, GError **error)
{
  g_autofree double *own = g_new (double, bench->rounds), *peer = g_new (double, bench->rounds);
  g_autofree double *ratios = g_new (double, bench->rounds);

  for (int r = 0; r < bench->rounds; r++) {
    if (!pj_hooks_go_on (&bench->cli->hooks, error))
      return FALSE;
    own[r] = bench_net_ms (net, seconds, error);
    if (own[r] < 0)
      return FALSE;
    peer[r] = HUGE_VAL;
    for (int i = 0; i < 2; i++) {
      g_autofree char *request = g_strdup_printf ("{\"do\": \"train\", \"net\": %d, \"seconds\": %.17g}", nets[i], seconds);
      double ms = bench_peer_ms (torch, request, error);
      if (ms < 0)
        return FALSE;
      peer[r] = MIN (peer[r], ms);
    }
    ratios[r] = peer[r] / own[r];
  }
  *ours = bench_median (own, bench->rounds);
  *theirs = bench_median (peer, bench->rounds);
  *ratio = bench_median (ratios, bench->rounds);
  return TRUE;
}

static gboolean
train_case (Bench *bench, const Case *c, PjDevice *device, double target, GError **error)
{
  g_autofree char *what = case_name (c);
  g_auto (BenchNet) net = { 0 };
  const char *why = NULL;
  double ours, theirs, ratio;
  int nets[2];

  if (!bench_go_on (bench, what, error))
    return FALSE;
  BenchPeer *torch = bench_torch (bench, &why);
  if (torch == NULL) {
    bench_skip (bench, what, why);
    return TRUE;
  }
  g_autoptr (PjGraph) graph = bench_make (c->name, c->side, c->n_classes, error);
  /* The first run chooses kernels and fills caches: it does not count. */
  if (graph == NULL || !bench_net_init (&net, device, graph, PJ_PLAN_TRAIN, c->batch, NULL, error)
      || !bench_net_run (&net, error) || !open_twins (torch, c, nets, error)
      || !alternate_training (bench, &net, torch, nets, bench->seconds, &ours, &theirs, &ratio, error))
    return FALSE;
  g_autoptr (JsonObject) closed = bench_peer_ask (torch, error, "{\"do\": \"close\"}");
  if (closed == NULL)
    return FALSE;
  bench_add (bench, what, "images/s", c->batch / ours * 1e3, bench_peer_name (torch), c->batch / theirs * 1e3, ratio, target, FALSE);
  return TRUE;
}

gboolean
bench_train (Bench *bench, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (trained); i++)
    if (!train_case (bench, &trained[i], bench->cli->device, trained[i].target, error))
      return FALSE;
  return TRUE;
}

gboolean
bench_vulkan_train (Bench *bench, GError **error)
{
  g_autofree char *why = NULL;
  g_autoptr (PjDevice) device = bench_software_vulkan (&why);
  if (device != NULL)
    return train_case (bench, &trained[0], device, 0.15, error);
  bench_skip (bench, "vgg-mini", why);
  return TRUE;
}

/* --- memory: each side in a process of its own, from before the network was made to the peak of its training --- */

static double
resident_mib (JsonObject *answer)
{
  return (json_object_get_double_member_with_default (answer, "peak_bytes", 0.0)
          - json_object_get_double_member_with_default (answer, "start_bytes", 0.0)) / 0x1p20;
}

static double
torch_memory (Bench *bench, const Case *c, char **name, GError **error)
{
  BenchPeer *torch = bench_torch_alone (bench, error);
  g_autofree char *request = open_request (c, FALSE);
  double mib = -1.0;

  if (torch == NULL)
    return mib;
  g_autoptr (JsonObject) opened = bench_peer_ask (torch, error, "%s", request);
  g_autoptr (JsonObject) ran = opened != NULL
                               ? bench_peer_ask (torch, error, "{\"do\": \"train\", \"net\": 0, \"seconds\": 0}") : NULL;
  g_autoptr (JsonObject) answer = ran != NULL ? bench_peer_ask (torch, error, "{\"do\": \"resident\"}") : NULL;
  if (answer != NULL)
    mib = resident_mib (answer);
  *name = g_strdup (bench_peer_name (torch));
  bench_peer_free (torch);
  return mib;
}

static double
own_memory (Bench *bench, const Case *c, GError **error)
{
  g_autofree char *batch = g_strdup_printf ("%u", c->batch), *side = g_strdup_printf ("%d", c->side);
  g_autofree char *classes = g_strdup_printf ("%u", c->n_classes);
  const char *arguments[] = { "bench", "plan", c->name, "--mode", "train", "--batch", batch, "--size", side, "--classes", classes,
                              "--repeats", "1", "--device", "cpu", NULL };
  g_autoptr (JsonObject) answer = bench_own (bench, arguments, NULL, error);
  return answer != NULL ? resident_mib (json_object_get_object_member (answer, "resident")) : -1.0;
}

gboolean
bench_memory (Bench *bench, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (trained); i++) {
    g_autofree char *what = case_name (&trained[i]), *name = NULL;
    g_autoptr (GError) reason = NULL;
    if (!bench_go_on (bench, what, error))
      return FALSE;
    double theirs = torch_memory (bench, &trained[i], &name, &reason);
    if (theirs <= 0) {
      bench_skip (bench, what, reason != NULL ? reason->message : "PyTorch could not say");
      continue;
    }
    double ours = own_memory (bench, &trained[i], error);
    if (ours < 0)
      return FALSE;
    bench_add (bench, what, "MiB", ours, name, theirs, ours / theirs, 0.5, TRUE);
  }
  return TRUE;
}

/* --- inference --- */

/* One network at one batch; adds the logarithm of its ratio to @sum. */
static gboolean
infer_case (Bench *bench, PjGraph *graph, BenchPeer *ort, const char *path, unsigned batch, double *sum, GError **error)
{
  g_autofree char *what = g_strdup_printf ("%s, batch %u", pj_graph_get_name (graph), batch);
  g_autofree double *own = g_new (double, bench->rounds), *peer = g_new (double, bench->rounds);
  g_autofree double *ratios = g_new (double, bench->rounds);
  g_auto (BenchNet) net = { 0 };
  int threads = (int) g_get_num_processors ();

  if (!bench_go_on (bench, what, error)
      || !bench_net_init (&net, bench->cli->device, graph, PJ_PLAN_INFER, batch, NULL, error) || !bench_net_run (&net, error))
    return FALSE;
  g_autoptr (JsonObject) opened = bench_peer_ask (ort, error, "{\"do\": \"open\", \"path\": \"%s\", \"batch\": %u, \"threads\": %d}",
                                                  path, batch, threads);
  if (opened == NULL)
    return FALSE;
  for (int r = 0; r < bench->rounds; r++) {
    g_autofree char *request = g_strdup_printf ("{\"do\": \"run\", \"seconds\": %.17g}", bench->seconds);
    own[r] = bench_net_ms (&net, bench->seconds, error);
    peer[r] = own[r] < 0 ? -1.0 : bench_peer_ms (ort, request, error);
    if (peer[r] < 0 || !pj_hooks_go_on (&bench->cli->hooks, error))
      return FALSE;
    ratios[r] = peer[r] / own[r];
  }
  double ours = bench_median (own, bench->rounds), theirs = bench_median (peer, bench->rounds);
  double ratio = bench_median (ratios, bench->rounds);
  bench_add (bench, what, "images/s", batch / ours * 1e3, bench_peer_name (ort), batch / theirs * 1e3, ratio, 0.0, FALSE);
  *sum += log (ratio);
  return TRUE;
}

gboolean
bench_infer (Bench *bench, GError **error)
{
  static const char *const names[] = { "resnet50", "mobilenetv2", "vgg16" };
  static const unsigned batches[] = { 1, 8 };
  const char *why = NULL;
  BenchPeer *ort = bench_ort (bench, &why);
  double sum = 0.0;
  int n = 0;

  if (ort == NULL) {
    bench_skip (bench, "resnet50, mobilenetv2, vgg16", why);
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_strdup_printf ("%s/%s.onnx", bench->folder, names[i]);
    g_autoptr (PjGraph) graph = bench_make (names[i], 224, 1000, error);
    if (graph == NULL || !pj_onnx_export (graph, NULL, path, error))
      return FALSE;
    for (guint k = 0; k < (bench->quick ? 1 : G_N_ELEMENTS (batches)); k++, n++)
      if (!infer_case (bench, graph, ort, path, batches[k], &sum, error))
        return FALSE;
  }
  bench_add (bench, "geometric mean", "×", exp (sum / n), bench_peer_name (ort), 1.0, exp (sum / n), 1.0, FALSE);
  return TRUE;
}
