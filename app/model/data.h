/* SPDX-License-Identifier: MIT */
/* The pictures of a session, for a person to look at. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  char *name;
  guint n_train, n_test;
} PjmClass;

/**
 * PjmPreparation: how a picture becomes the network's input.
 * @c, @h, @w: what the network takes; read-only
 * @side: the shorter side is scaled to this before the centre crop; 0: just covers it
 * @bgr: colours in the order blue, green, red
 * @mean, @std: per input channel on the scale 0 … 1: x = (pixel/255 − mean)/std
 */
typedef struct {
  int c, h, w, side;
  gboolean bgr;
  double mean[3], std[3];
} PjmPreparation;

/**
 * PjmData:
 * @path: (nullable): NULL for the bundled pictures
 * @native_c, @native_h, @native_w: of the first picture as it is stored
 * @measured: mean and std are those of the training part, not of the network's notes
 * @n_samples: pictures of @c x @h x @w bytes in @pixels, with their @labels, as the network gets them
 * @problem: (nullable): why there are none
 */
typedef struct {
  char *name, *path, *problem;
  guint n_train, n_test, n_classes;
  PjmClass *classes;
  int native_c, native_h, native_w;
  gboolean measured;
  PjmPreparation preparation;
  guint n_samples;
  int c, h, w;
  guint8 *pixels;
  int *labels;
} PjmData;

void pjm_data_free (PjmData *self);

G_END_DECLS
