/* SPDX-License-Identifier: MIT */
/* Parameter structs of the operators.  Plain data, zero-initialised, copied byte for byte; devices read
 * them too.  Spatial pairs are (h, w); pads are (top, left, bottom, right). */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct {
  int kernel[2], stride[2], dilation[2], pad[4];
  int groups;
  gboolean depthwise;     /* groups == c_in > 1 when the model was made; survives cutting to one channel */
} PjConvParams;

typedef struct {
  float eps;
} PjNormParams;

typedef struct {
  int kernel[2], stride[2], pad[4];
  gboolean ceil_mode;
  gboolean count_include_pad;   /* average pooling only */
} PjPoolParams;

/* y = x · Wᵀ + b; weights are stored O x I whatever the file had. */
typedef struct {
  int unused;
} PjGemmParams;

typedef struct {
  int axis;               /* flatten: dimensions from @axis on become one; >= 1 */
} PjFlattenParams;

typedef struct {
  unsigned rank;
  int64_t dim[6];         /* per image: dim[0] is the batch and is 1; -1 once for "the rest" */
} PjReshapeParams;

typedef struct {
  int axis;               /* softmax: always the class axis, 1 */
} PjSoftmaxParams;
