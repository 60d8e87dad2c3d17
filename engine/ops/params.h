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

typedef struct {
  unsigned rank;
  int64_t dim[6];         /* dim[0] is the batch and is 1; dim[1] is -1: whatever is left */
} PjReshapeParams;

/* An operator that this build does not know. @type: its ONNX name, cut to fit. */
typedef struct {
  char type[64];
  unsigned rank;
  int64_t dim[6];         /* its output, as the file declares it; dim[0] is 1 */
} PjOpaqueParams;
