/* SPDX-License-Identifier: MIT */
/* A graphics card by Vulkan next to PyTorch by CUDA on the same card, in the better of PyTorch's two memory formats: both in
 * float32, PyTorch without TF32; then ours with products of float16 and PyTorch's with TF32, which has as many bits. */
#include "cli/bench/figures.h"

#include <math.h>

typedef struct {
  const char *name;
  int side;
  unsigned batch, n_classes;
} Case;

/* What every case is measured with. */
typedef struct {
  PjDevice *device;
  BenchPeer *torch;
  gboolean half;
} Card;

static const Case cases[] = {
  { "vgg-mini", 28, 64, 10 }, { "vgg-mini", 28, 512, 10 }, { "resnet20-b", 32, 64, 10 }, { "resnet20-b", 32, 512, 10 },
  { "mobilenetv2", 224, 64, 1000 }, { "resnet50", 224, 32, 1000 }, { "vgg16-bn", 224, 32, 1000 },
};

/* The first Vulkan device that is no software driver, or its half precision. (transfer full) NULL with *why. */
static PjDevice *
graphics_card (gboolean half, char **why)
{
  g_autoptr (GPtrArray) devices = pj_devices_list (NULL);

  for (guint i = 0; i < devices->len; i++) {
    const PjDeviceInfo *info = devices->pdata[i];
    g_autoptr (GError) error = NULL;
    if (info->is_software || !g_str_has_prefix (info->id, "vulkan:") || half != g_str_has_suffix (info->id, ":" PJ_DEVICE_HALF))
      continue;
    PjDevice *device = pj_device_open (info->id, &error);
    if (device == NULL)
      *why = g_strdup (error->message);
    return device;
  }
  *why = g_strdup (half ? "the graphics card has no cooperative matrices of float16" : "there is no graphics card with a Vulkan driver");
  return NULL;
}

/* Opens the network of @c in PyTorch in both formats. */
static gboolean
open_twins (const Card *card, const Case *c, gboolean train, int nets[2], GError **error)
{
  for (int last = 0; last < 2; last++) {
    g_autoptr (JsonObject) answer =
      bench_peer_ask (card->torch, error, "{\"do\": \"gpu_open\", \"net\": \"%s\", \"channels\": %d, \"side\": %d, \"batch\": %u, \"classes\": %u, "
                      "\"channels_last\": %s, \"train\": %s, \"tf32\": %s}",
                      c->name, c->side == 28 ? 1 : 3, c->side, c->batch, c->n_classes, last ? "true" : "false", train ? "true" : "false",
                      card->half ? "true" : "false");
    if (answer == NULL)
      return FALSE;
    nets[last] = (int) json_object_get_int_member_with_default (answer, "net", 0);
  }
  return TRUE;
}

static gboolean
one_case (Bench *bench, const Card *card, const Case *c, gboolean train, GError **error)
{
  g_autofree char *what = g_strdup_printf ("%s%s %s %d×%d, batch %u", card->half ? "float16 products, " : "", train ? "training" : "inference",
                                           c->name, c->side, c->side, c->batch);
  g_autofree double *own = g_new (double, bench->rounds), *peer = g_new (double, bench->rounds), *ratios = g_new (double, bench->rounds);
  g_auto (BenchNet) net = { 0 };
  int nets[2];

  if (!bench_go_on (bench, what, error))
    return FALSE;
  g_autoptr (PjGraph) graph = bench_make (c->name, c->side, c->n_classes, error);
  if (graph == NULL || !bench_net_init (&net, card->device, graph, train ? PJ_PLAN_TRAIN : PJ_PLAN_INFER, c->batch, NULL, error)
      || !bench_net_run (&net, error) || !open_twins (card, c, train, nets, error))
    return FALSE;
  for (int r = 0; r < bench->rounds; r++) {
    own[r] = bench_net_ms (&net, bench->seconds / 4, error);
    peer[r] = own[r] < 0 ? -1.0 : HUGE_VAL;
    for (int i = 0; i < 2 && peer[r] >= 0; i++) {
      g_autofree char *request = g_strdup_printf ("{\"do\": \"gpu_run\", \"net\": %d, \"seconds\": %.17g}", nets[i], bench->seconds / 8);
      double ms = bench_peer_ms (card->torch, request, error);
      peer[r] = ms < 0 ? -1.0 : MIN (peer[r], ms);
    }
    if (peer[r] < 0 || !pj_hooks_go_on (&bench->cli->hooks, error))
      return FALSE;
    ratios[r] = peer[r] / own[r];
  }
  g_autoptr (JsonObject) closed = bench_peer_ask (card->torch, error, "{\"do\": \"close\"}");
  if (closed == NULL)
    return FALSE;
  bench_add (bench, what, "images/s", c->batch / bench_median (own, bench->rounds) * 1e3, bench_peer_name (card->torch),
             c->batch / bench_median (peer, bench->rounds) * 1e3, bench_median (ratios, bench->rounds), 0.0, FALSE);
  return TRUE;
}

static gboolean
all_cases (Bench *bench, gboolean half, GError **error)
{
  g_autofree char *why = NULL;
  const char *no_torch = NULL, *what = half ? "float16 products, training and inference" : "training and inference";
  g_autoptr (GError) no_cuda = NULL;
  g_autoptr (PjDevice) device = graphics_card (half, &why);
  BenchPeer *torch = device != NULL ? bench_torch (bench, &no_torch) : NULL;
  g_autoptr (JsonObject) name = torch != NULL ? bench_peer_ask (torch, &no_cuda, "{\"do\": \"gpu\"}") : NULL;
  Card card = { device, torch, half };

  if (name == NULL) {
    bench_skip (bench, what, device == NULL ? why : torch == NULL ? no_torch : no_cuda->message);
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (int train = 1; train >= 0; train--)
      if (!one_case (bench, &card, &cases[i], train, error))
        return FALSE;
  return TRUE;
}

gboolean
bench_gpu (Bench *bench, GError **error)
{
  return all_cases (bench, FALSE, error) && all_cases (bench, TRUE, error);
}
