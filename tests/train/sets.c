/* SPDX-License-Identifier: MIT */
#include "sets.h"

#include "base/rng.h"
#include "train/archs/builder.h"

#define SIDE 8

const PjFormat sets_format = { 1, SIDE, SIDE, { .3f }, { .3f } };

PjDevice *
sets_device (void)
{
  g_autoptr (GError) error = NULL;
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  PjDevice *device = pj_device_open (id ? id : "cpu", &error);
  g_assert_no_error (error);
  return device;
}

PjDataset *
sets_bars (int n, int n_test)
{
  g_autofree guint8 *pixels = g_malloc ((gsize) n * SIDE * SIDE);
  g_autofree int32_t *labels = g_new (int32_t, n);
  PjRng rng;
  pj_rng_init (&rng, 17, 1);
  for (int i = 0; i < n; i++) {
    int label = labels[i] = i % 4;
    for (int y = 0; y < SIDE; y++)
      for (int x = 0; x < SIDE; x++) {
        int distance = label == 0 ? y : label == 1 ? SIDE - 1 - y : label == 2 ? x : SIDE - 1 - x;
        pixels[(i * SIDE + y) * SIDE + x] = (guint8) (pj_rng_below (&rng, 140) + (distance < 2 ? 90 : 0));
      }
  }
  return pj_dataset_new_memory ("bars", n, 1, SIDE, SIDE, pixels, labels, 4, n_test);
}

PjGraph *
sets_net (uint64_t seed)
{
  g_autoptr (GError) error = NULL;
  static const PjArch bars = { .name = "bars" };
  PjArchOptions options = { .c = 1, .h = SIDE, .w = SIDE, .n_classes = 4, .width = 1, .seed = seed };
  PjBuilder b;
  int y = pj_builder_init (&b, &bars, &options);
  y = pj_builder_conv (&b, "conv1", y, 8, 3, 1, TRUE);
  y = pj_builder_max_pool (&b, "pool1", y, 2, 2, 0);
  y = pj_builder_conv (&b, "conv2", y, 12, 3, 1, TRUE);
  pj_builder_classifier (&b, y);
  PjGraph *graph = pj_builder_finish (&b, &error);
  g_assert_no_error (error);
  return graph;
}
