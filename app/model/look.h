/* SPDX-License-Identifier: MIT */
/* What a layer sees and does: its filters, and what its channels answer to some test pictures. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PjmLook: of one layer of the whole network (nothing masked).
 * @n_channels: as pjm_layer_get_channels()
 * @n_pictures: pictures looked at, spread over the test part
 * @c, @h, @w: of a picture; @pixels: n_pictures x c x h x w bytes, planes in the order that the network wants
 * @bgr: the planes are blue, green, red
 * @labels: class of each picture
 * @filter_planes: 1 or 3; 0 if the layer has no filters that can be looked at
 * @filter_inputs: input channels of a filter; with one plane and more inputs it shows their mean
 * @filters: n_channels x filter_planes x filter_h x filter_w weights
 * @map_h, @map_w: size of a feature map
 * @maps: n_pictures x n_channels x map_h x map_w activations
 * @strength: n_channels x n_pictures: mean of |activation| over the map
 */
typedef struct {
  guint n_channels, n_pictures;
  int c, h, w;
  gboolean bgr;
  guint8 *pixels;
  int *labels;
  guint filter_planes, filter_inputs, filter_h, filter_w;
  float *filters;
  guint map_h, map_w;
  float *maps;
  double *strength;
} PjmLook;

void pjm_look_free (PjmLook *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjmLook, pjm_look_free)

G_END_DECLS
