/* SPDX-License-Identifier: MIT */
/* Batches of pictures, decoded and augmented ahead of the device by loader threads.  What a batch holds
 * depends on (seed, epoch, position) alone, never on threads. */
#pragma once

#include "data/dataset.h"

G_BEGIN_DECLS

/**
 * PjLoaderOptions:
 * @batch: pictures per batch, >= 1
 * @shuffle: another order in each epoch (training)
 * @crop: pad by this many pixels (zeros after normalisation) and crop at random; 0 for none
 * @flip: mirror half of the pictures
 * @seed: seed
 * @n_threads: 0 for one
 */
typedef struct {
  PjSplit split;
  PjFormat format;
  unsigned batch;
  gboolean shuffle;
  int crop;
  gboolean flip;
  uint64_t seed;
  unsigned n_threads;
} PjLoaderOptions;

/* @images: batch x C x H x W; @labels: batch; @indices: position in the split; @n: pictures that are
 * real — the rest of a last, short batch repeats the first picture. */
typedef struct {
  float *images;
  int32_t *labels;
  uint32_t *indices;
  unsigned n;
} PjBatch;

typedef struct _PjLoader PjLoader;

PjLoader *pj_loader_new (PjDataset *dataset, const PjLoaderOptions *options, GError **error);
void pj_loader_free (PjLoader *self);   /* stops and joins the threads */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjLoader, pj_loader_free)

/* Batches in one epoch (training drops a short last batch; otherwise it is included). */
unsigned pj_loader_n_batches (const PjLoader *self);
/* Starts @epoch at batch @first (0 for its beginning). */
void pj_loader_start (PjLoader *self, unsigned epoch, unsigned first);
/* The next batch, valid until the next call; NULL at the end of the epoch (@error not set) or on a
 * picture that cannot be read (@error set, names the file). */
const PjBatch *pj_loader_next (PjLoader *self, GError **error);

G_END_DECLS
