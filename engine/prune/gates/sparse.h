/* SPDX-License-Identifier: MIT */
/* Single connections that go by their magnitude (Han et al. 2015), free of networks and devices; and
 * what a network with zeros needs when it is stored sparsely. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "graph/graph.h"

G_BEGIN_DECLS

/* The weights of one layer and their mask: 1 stays. */
typedef struct {
  const float *w;
  size_t n;
  guint8 *mask;
} PjSparseLayer;

/* Population standard deviation. */
double pj_sparse_deviation (const float *w, size_t n);
/* Keeps |w| > @threshold; a layer of equal magnitudes (deviation 0) is kept whole by pj_sparse_by_quality(). */
void pj_sparse_by_threshold (const PjSparseLayer *layer, double threshold);
/* Keeps |w| > @quality · deviation. */
void pj_sparse_by_quality (const PjSparseLayer *layer, double quality);
/* Removes the ⌊@sparsity·n + 1e-9⌋ smallest magnitudes of all @layers together; of equal ones, the first.  O(n): two passes
 * of a histogram over the upper bits of |w|. */
void pj_sparse_by_level (const PjSparseLayer *layers, unsigned n_layers, double sparsity);

/* Compressed rows: f32 values, 32-bit columns and row starts. */
uint64_t pj_sparse_csr_bytes (uint64_t rows, uint64_t n_left);

/**
 * PjSparseCost: of the weights of convolutions and fully connected layers.
 * @n_weights, @n_left: all, and those that are not 0
 * @dense_bytes; @sparse_bytes: each layer in the smaller of both forms
 * @macs, @macs_left: multiply-adds, and those with a weight that is not 0: no dense kernel leaves the others out
 */
typedef struct {
  uint64_t n_weights, n_left, dense_bytes, sparse_bytes, macs, macs_left;
} PjSparseCost;

void pj_sparse_cost (const PjGraph *graph, PjSparseCost *cost);

G_END_DECLS
