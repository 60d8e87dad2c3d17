/* SPDX-License-Identifier: MIT */
/* A reader: one convolution or fully connected layer that reads a group, and the samples that ThiNet takes
 * from it: at an output place p of filter o, channel c adds x̂_c = Σ W[o,c,·]·x[c,·]. */
#pragma once

#include "base/rng.h"
#include "graph/groups.h"

G_BEGIN_DECLS

/**
 * PjReader:
 * @value: the activation that is read
 * @n_positions: entries of the weight's axis 1 that belong to the group
 * @position: index of each such entry on axis 1 of the weight, counted on through the slices
 * @channel: group channel of each such entry
 * @source: index of each such entry on axis 1 of @value; differs from @position in a network that was cut elsewhere
 * @n_source: length of axis 1 of @value
 * @size: H and W of @value, 1 for fully connected layers
 * @n_out, @out_size: filters and places of the output
 */
typedef struct {
  const PjGraph *graph;
  int group, index, node, value;
  int n_channels, n_positions;
  int *position, *channel, *source;
  int n_source, size[2], n_out, out_size[2];
  int kernel[2], stride[2], dilation[2], pad[2];
  int n_in;                /* axis 1 of the weight */
  int n_slices;            /* groups of the convolution, each with @n_in inputs of its own; else 1 */
  const float *weight;
} PjReader;

/* All readers of @group, whose graph must outlive them. (transfer full) (element-type PjReader) */
GPtrArray *pj_readers_new (const PjGraph *graph, const PjGroup *group);

/* Takes @source, @n_source and @value from the same reader in a network in which other groups were cut. FALSE if
 * the two do not belong together. */
gboolean pj_reader_follow (PjReader *self, const PjReader *other);

/* An output place. */
typedef struct { int filter, y, x; } PjPlace;

/* The @n places of picture number @image: uniform over filters and output positions, padding included; keyed by
 * (seed, group, reader, image) alone. */
void pj_reader_places (const PjReader *self, uint64_t seed, unsigned image, PjPlace *places, int n);

/* One row. @in: @value of one picture.  @row: (out): n_channels contributions.  Their sum is the output without bias. */
void pj_reader_row (const PjReader *self, const float *in, PjPlace place, float *row);

/* Elements of @value per picture. */
size_t pj_reader_n_elems (const PjReader *self);

G_END_DECLS
