/* SPDX-License-Identifier: MIT */
/* Push constants.  Each struct mirrors the block of the shaders that it names: 32-bit fields in the same
 * order.  128 bytes is what every device has. */
#pragma once

#include <stdint.h>

#define PJ_VK_PUSH_MAX 128
#define PJ_VK_CHECK_PUSH(type) \
  _Static_assert (sizeof (type) <= PJ_VK_PUSH_MAX && sizeof (type) % 4 == 0, #type " is too large")

/* relu, relu_bwd, add, sgd: quads. */
typedef struct {
  uint32_t n;
} PjVkPushFlat;
PJ_VK_CHECK_PUSH (PjVkPushFlat);

/* affine, norm_bwd_apply */
typedef struct {
  uint32_t n, plane, c4;
} PjVkPushChannels;
PJ_VK_CHECK_PUSH (PjVkPushChannels);

/* norm_coefficients */
typedef struct {
  uint32_t c4;
  float eps;
} PjVkPushCoefficients;
PJ_VK_CHECK_PUSH (PjVkPushCoefficients);

/* norm_sums, norm_bwd_sums */
typedef struct {
  uint32_t plane, c4, items, n_slices, image_step, pixel_step, first_row;
} PjVkPushSums;
PJ_VK_CHECK_PUSH (PjVkPushSums);

typedef struct {
  uint32_t c4, c, n_parts, n_slices, items_each, items_last;
  float eps;
} PjVkPushNormFinish;
PJ_VK_CHECK_PUSH (PjVkPushNormFinish);

typedef struct {
  uint32_t c4, c, n_parts, n_slices;
  float items, eps;
} PjVkPushNormBwdFinish;
PJ_VK_CHECK_PUSH (PjVkPushNormBwdFinish);

/* max_pool, max_pool_bwd, avg_pool, avg_pool_bwd */
typedef struct {
  uint32_t n;
  int32_t h, w, oh, ow, pad[4];
} PjVkPushWindow;
PJ_VK_CHECK_PUSH (PjVkPushWindow);

typedef struct {
  uint32_t n, x_c4, x_plane, y_c, y_c4, y_plane;
} PjVkPushReshape;
PJ_VK_CHECK_PUSH (PjVkPushReshape);

/* softmax */
typedef struct {
  uint32_t n, c, c4;
} PjVkPushClasses;
PJ_VK_CHECK_PUSH (PjVkPushClasses);

typedef struct {
  uint32_t n, c, c4;
  float weight;
} PjVkPushCrossEntropy;
PJ_VK_CHECK_PUSH (PjVkPushCrossEntropy);

typedef struct {
  uint32_t n, c, c4;
  float weight, temperature;
} PjVkPushKl;
PJ_VK_CHECK_PUSH (PjVkPushKl);

typedef struct {
  uint32_t images, c, c4, plane;
} PjVkPushStats;
PJ_VK_CHECK_PUSH (PjVkPushStats);

typedef struct {
  uint32_t c4, c;
  float eps;
} PjVkPushFold;
PJ_VK_CHECK_PUSH (PjVkPushFold);

typedef struct {
  uint32_t n, rows, row_elems;
} PjVkPushFoldRows;
PJ_VK_CHECK_PUSH (PjVkPushFoldRows);
