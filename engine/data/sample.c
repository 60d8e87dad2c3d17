/* SPDX-License-Identifier: MIT */
#include "data/sample.h"

#include <string.h>

#include "base/embedded.h"
#include "data/kind.h"

GBytes *
pj_sample_bytes (const char *name)
{
  for (const PjEmbedded *e = pj_embedded_sample; e->name != NULL; e++)
    if (strcmp (e->name, name) == 0)
      return g_bytes_new_static (e->begin, (gsize) (e->end - e->begin));
  return NULL;
}

PjDataset *
pj_dataset_open_sample (GError **error)
{
  g_autoptr (GBytes) train = pj_sample_bytes ("train-images-idx3-ubyte.gz"), test = pj_sample_bytes ("t10k-images-idx3-ubyte.gz");
  g_autoptr (GBytes) train_labels = pj_sample_bytes ("train-labels-idx1-ubyte.gz");
  g_autoptr (GBytes) test_labels = pj_sample_bytes ("t10k-labels-idx1-ubyte.gz");
  GBytes *images[2] = { [PJ_SPLIT_TRAIN] = train, [PJ_SPLIT_TEST] = test };
  GBytes *labels[2] = { [PJ_SPLIT_TRAIN] = train_labels, [PJ_SPLIT_TEST] = test_labels };
  return pj_idx_open_memory ("Fashion-MNIST sample", images, labels, error);
}
