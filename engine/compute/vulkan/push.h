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
  uint32_t n, x_c, x_c4, y_c, y_c4;
  int32_t h, w, oh, ow, pad_top, pad_left;
  float ceiling;
} PjVkPushWithout;
PJ_VK_CHECK_PUSH (PjVkPushWithout);

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

/* view, scatter */
typedef struct {
  uint32_t n, n_elems;
  int32_t offset;
  float fill;
  uint32_t whole_c, whole_plane, view_c, view_plane;
  int32_t dim[6], before[6], extent[6], stride[6];
} PjVkPushView;
PJ_VK_CHECK_PUSH (PjVkPushView);

typedef struct {
  uint32_t n, plane, x_c4, y_c4, first_block;
} PjVkPushCopyBlocks;
PJ_VK_CHECK_PUSH (PjVkPushCopyBlocks);

/* Steps are by image, block and pixel. */
typedef struct {
  uint32_t n, c, c4, plane, a[3], b[3];
} PjVkPushBinary;
PJ_VK_CHECK_PUSH (PjVkPushBinary);

typedef struct {
  uint32_t n, n_elems, y_c, y_plane, a_c, a_plane, b_c, b_plane, dim[6], a_stride[6], b_stride[6];
} PjVkPushBinaryAny;
PJ_VK_CHECK_PUSH (PjVkPushBinaryAny);

typedef struct {
  uint32_t out_images, images, c4, plane;
  float scale;
} PjVkPushSumPlanes;
PJ_VK_CHECK_PUSH (PjVkPushSumPlanes);

typedef struct {
  uint32_t n, n_elems, x_c, x_plane, y_c, y_plane;
  float scale;
  uint32_t dim[6], stride[6], count[3], step[3];
} PjVkPushSumTo;
PJ_VK_CHECK_PUSH (PjVkPushSumTo);

/* unary, unary_bwd */
typedef struct {
  uint32_t n, c, c4, plane;
  float alpha, beta;
} PjVkPushUnary;
PJ_VK_CHECK_PUSH (PjVkPushUnary);

typedef struct {
  uint32_t n, plane, x_c4, y_c, y_c4;
} PjVkPushGather;
PJ_VK_CHECK_PUSH (PjVkPushGather);

typedef struct {
  uint32_t n, plane, x_c, x_c4, y_c, y_c4;
} PjVkPushGatherBwd;
PJ_VK_CHECK_PUSH (PjVkPushGatherBwd);

/* lrn, lrn_bwd_parts, lrn_bwd */
typedef struct {
  uint32_t n, c, c4, plane;
  int32_t size;
  float alpha, beta, bias;
} PjVkPushLrn;
PJ_VK_CHECK_PUSH (PjVkPushLrn);

/* resize, resize_bwd */
typedef struct {
  uint32_t n, h, w, oh, ow;
} PjVkPushResize;
PJ_VK_CHECK_PUSH (PjVkPushResize);

typedef struct {
  uint32_t rows, c, c4, plane;
  float eps;
} PjVkPushInstanceStats;
PJ_VK_CHECK_PUSH (PjVkPushInstanceStats);

typedef struct {
  uint32_t rows, plane;
} PjVkPushInstanceSums;
PJ_VK_CHECK_PUSH (PjVkPushInstanceSums);

typedef struct {
  uint32_t images, c4;
} PjVkPushInstanceParameters;
PJ_VK_CHECK_PUSH (PjVkPushInstanceParameters);
