/* SPDX-License-Identifier: MIT */
#include "prune/gates/sparse.h"

#include <math.h>
#include <string.h>

#include "ops/op.h"

double
pj_sparse_deviation (const float *w, size_t n)
{
  double mean = 0, m2 = 0;

  for (size_t i = 0; i < n; i++)
    mean += w[i] / (double) n;
  for (size_t i = 0; i < n; i++)
    m2 += (w[i] - mean) * (w[i] - mean);
  return n > 0 ? sqrt (m2 / (double) n) : 0;
}

void
pj_sparse_by_threshold (const PjSparseLayer *layer, double threshold)
{
  for (size_t i = 0; i < layer->n; i++)
    layer->mask[i] = fabs ((double) layer->w[i]) > threshold;
}

void
pj_sparse_by_quality (const PjSparseLayer *layer, double quality)
{
  double deviation = pj_sparse_deviation (layer->w, layer->n);
  pj_sparse_by_threshold (layer, deviation > 0 ? quality * deviation : -1);
}

/* --- level --- */

/* Bits of |w|, which order like the magnitudes. */
static uint32_t
bits_of (float w)
{
  uint32_t bits;
  memcpy (&bits, &w, sizeof bits);
  return bits & 0x7fffffffu;
}

/* The magnitude below which weights go, as bits, and how many of exactly this one go, too. */
static uint32_t
find_limit (const PjSparseLayer *layers, unsigned n_layers, uint64_t n_gone, uint64_t *n_equal)
{
  g_autofree uint64_t *bins = g_new0 (uint64_t, 1 << 16);
  uint32_t high = 0, low = 0;

  for (unsigned l = 0; l < n_layers; l++)
    for (size_t i = 0; i < layers[l].n; i++)
      bins[bits_of (layers[l].w[i]) >> 16]++;
  while (n_gone >= bins[high])
    n_gone -= bins[high++];
  memset (bins, 0, (1 << 16) * sizeof *bins);
  for (unsigned l = 0; l < n_layers; l++)
    for (size_t i = 0; i < layers[l].n; i++)
      if (bits_of (layers[l].w[i]) >> 16 == high)
        bins[bits_of (layers[l].w[i]) & 0xffff]++;
  while (n_gone >= bins[low])
    n_gone -= bins[low++];
  *n_equal = n_gone;
  return high << 16 | low;
}

void
pj_sparse_by_level (const PjSparseLayer *layers, unsigned n_layers, double sparsity)
{
  uint64_t n = 0, n_equal = 0;

  for (unsigned l = 0; l < n_layers; l++)
    n += layers[l].n;
  uint64_t n_gone = (uint64_t) floor (CLAMP (sparsity, 0, 1) * (double) n + 1e-9);
  gboolean all = n_gone >= n;
  uint32_t limit = all ? 0 : find_limit (layers, n_layers, n_gone, &n_equal);
  for (unsigned l = 0; l < n_layers; l++)
    for (size_t i = 0; i < layers[l].n; i++) {
      uint32_t bits = bits_of (layers[l].w[i]);
      layers[l].mask[i] = !all && (bits > limit || (bits == limit && n_equal == 0));
      if (bits == limit && n_equal > 0)
        n_equal--;
    }
}

/* --- cost --- */

uint64_t
pj_sparse_csr_bytes (uint64_t rows, uint64_t n_left)
{
  return 8 * n_left + 4 * (rows + 1);
}

void
pj_sparse_cost (const PjGraph *graph, PjSparseCost *cost)
{
  *cost = (PjSparseCost) { 0 };
  for (unsigned i = 0; i < pj_graph_n_nodes (graph); i++) {
    const PjNode *node = pj_graph_node (graph, (int) i);
    if (node->op != &pj_op_conv && node->op != &pj_op_gemm)
      continue;
    const PjValue *w = pj_graph_value (graph, node->inputs[1]);
    const float *data = pj_blob_data (w->data);
    uint64_t n = pj_blob_n_elems (w->data), left = 0;
    PjCost dense = { 0 };
    for (size_t k = 0; k < n; k++)
      left += data[k] != 0;
    pj_graph_node_cost (graph, (int) i, &dense);
    cost->n_weights += n;
    cost->n_left += left;
    cost->dense_bytes += 4 * n;
    cost->sparse_bytes += MIN (4 * n, pj_sparse_csr_bytes ((uint64_t) w->shape.dim[0], left));
    cost->macs += dense.macs;
    cost->macs_left += n > 0 ? dense.macs / n * left : 0;
  }
}
