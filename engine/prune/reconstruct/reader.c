/* SPDX-License-Identifier: MIT */
#include "prune/reconstruct/reader.h"

#include <string.h>

#include "ops/op.h"
#include "ops/params.h"

static void
reader_free (gpointer data)
{
  PjReader *self = data;
  g_free (self->position);
  g_free (self->channel);
  g_free (self->source);
  g_free (self);
}

static void
set_window (PjReader *self, const PjNode *node)
{
  const PjShape *in = &pj_graph_value (self->graph, self->value)->shape;
  const PjShape *out = &pj_graph_value (self->graph, node->outputs[0])->shape;
  gboolean conv = node->op == &pj_op_conv;

  for (int i = 0; i < 2; i++) {
    self->size[i] = in->rank > 2u + i ? (int) in->dim[2 + i] : 1;
    self->out_size[i] = out->rank > 2u + i ? (int) out->dim[2 + i] : 1;
    self->kernel[i] = self->stride[i] = self->dilation[i] = 1;
    if (conv) {
      const PjConvParams *p = node->params;
      self->kernel[i] = p->kernel[i];
      self->stride[i] = p->stride[i];
      self->dilation[i] = p->dilation[i];
      self->pad[i] = p->pad[i];
    }
  }
}

static PjReader *
reader_new (const PjGraph *graph, const PjGroup *group, const PjMember *member, int index)
{
  PjReader *self = g_new0 (PjReader, 1);
  const PjNode *node = pj_graph_node (graph, member->node);
  const PjValue *weight = pj_graph_value (graph, member->value);

  self->graph = graph;
  self->group = group->id;
  self->index = index;
  self->node = member->node;
  self->value = node->inputs[0];
  self->n_channels = group->n_channels;
  self->weight = pj_blob_data (weight->data);
  self->n_out = (int) weight->shape.dim[0];
  self->n_slices = member->n_slices;
  self->n_in = member->n / member->n_slices;
  self->n_source = (int) pj_graph_value (graph, self->value)->shape.dim[1];
  self->position = g_new (int, member->n);
  self->channel = g_new (int, member->n);
  for (int k = 0; k < member->n; k++)
    if (member->map[k] >= 0) {
      self->position[self->n_positions] = k;
      self->channel[self->n_positions++] = member->map[k];
    }
  self->source = g_memdup2 (self->position, self->n_positions * sizeof (int));
  set_window (self, node);
  return self;
}

GPtrArray *
pj_readers_new (const PjGraph *graph, const PjGroup *group)
{
  GPtrArray *readers = g_ptr_array_new_with_free_func (reader_free);

  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    if (member->is_param && member->role == PJ_ROLE_CONSUMER && member->axis == 1)
      g_ptr_array_add (readers, reader_new (graph, group, member, (int) readers->len));
  }
  return readers;
}

gboolean
pj_reader_follow (PjReader *self, const PjReader *other)
{
  if (self->n_positions != other->n_positions || self->n_channels != other->n_channels)
    return FALSE;
  self->value = other->value;
  self->n_source = other->n_source;
  memcpy (self->source, other->position, self->n_positions * sizeof (int));
  return TRUE;
}

void
pj_reader_places (const PjReader *self, uint64_t seed, unsigned image, PjPlace *places, int n)
{
  PjRng rng;

  pj_rng_init (&rng, seed, PJ_STREAM (PJ_STREAM_SAMPLE, self->group + (self->index << 16), image));
  for (int i = 0; i < n; i++) {
    places[i].filter = (int) pj_rng_below (&rng, (uint32_t) self->n_out);
    places[i].y = (int) pj_rng_below (&rng, (uint32_t) self->out_size[0]);
    places[i].x = (int) pj_rng_below (&rng, (uint32_t) self->out_size[1]);
  }
}

/* Σ over the window of one plane; what lies outside is padding, zero. */
static float
window_sum (const PjReader *self, const float *plane, const float *weight, PjPlace place)
{
  int top = place.y * self->stride[0] - self->pad[0], left = place.x * self->stride[1] - self->pad[1];
  float sum = 0;

  for (int i = 0; i < self->kernel[0]; i++) {
    int y = top + i * self->dilation[0];
    if (y < 0 || y >= self->size[0])
      continue;
    for (int j = 0; j < self->kernel[1]; j++) {
      int x = left + j * self->dilation[1];
      if (x >= 0 && x < self->size[1])
        sum += plane[y * self->size[1] + x] * weight[i * self->kernel[1] + j];
    }
  }
  return sum;
}

void
pj_reader_row (const PjReader *self, const float *in, PjPlace place, float *row)
{
  size_t plane = (size_t) self->size[0] * self->size[1];
  size_t window = (size_t) self->kernel[0] * self->kernel[1];
  const float *filter = self->weight + (size_t) place.filter * self->n_in * window;

  /* The first input that the filter reads; all of them but in a grouped convolution. */
  int first = place.filter / (self->n_out / self->n_slices) * self->n_in;

  memset (row, 0, self->n_channels * sizeof (float));
  for (int k = 0; k < self->n_positions; k++) {
    int column = self->position[k] - first;
    if (column >= 0 && column < self->n_in)
      row[self->channel[k]] += window_sum (self, in + self->source[k] * plane, filter + column * window, place);
  }
}

size_t
pj_reader_n_elems (const PjReader *self)
{
  return (size_t) self->n_source * self->size[0] * self->size[1];
}
