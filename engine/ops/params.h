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

/* @extra: rows and columns added at the end of the output. */
typedef struct {
  PjConvParams conv;      /* of the convolution whose input gradient it is */
  int extra[2];
} PjConvTransposeParams;

typedef struct {
  float eps;
} PjNormParams;

/* Dimensions @first … @first + @n − 1 are normalised together. */
typedef struct {
  float eps;
  int first, n;
} PjLayerNormParams;

typedef struct {
  int kernel[2], stride[2], pad[4];
  gboolean ceil_mode;
  gboolean count_include_pad;   /* average pooling only */
} PjPoolParams;

typedef struct {
  unsigned rank;
  int64_t dim[6];         /* dim[0] is the batch and is 1; dim[1] is -1: whatever is left */
} PjReshapeParams;

/* Edge and step of the max pooling of a coding layer; 1 for none. */
typedef struct { int pool; } PjCodeParams;

/* An operator that this build does not know, or a variant of one that it cannot run. @type: its ONNX name,
 * @reason: why it cannot be run; both cut to fit. */
typedef struct {
  char type[64];
  char reason[192];
  unsigned rank;
  int64_t dim[6];         /* its output, as the file declares it; dim[0] is 1 */
} PjOpaqueParams;

/* Functions of one number, see ops/unary.c for the operators.  α and β: PjUnaryParams. */
typedef enum {
  PJ_FN_LINEAR,           /* αx + β */
  PJ_FN_LEAKY_RELU,       /* x >= 0 ? x : αx */
  PJ_FN_ELU,              /* x >= 0 ? x : α(eˣ − 1) */
  PJ_FN_SIGMOID,          /* 1/(1 + e⁻ˣ) */
  PJ_FN_HARD_SIGMOID,     /* max (0, min (1, αx + β)) */
  PJ_FN_HARD_SWISH,       /* x·max (0, min (1, x/6 + ½)) */
  PJ_FN_SWISH,            /* x/(1 + e⁻ˣ) */
  PJ_FN_TANH,
  PJ_FN_GELU,             /* x·½(1 + erf (x/√2)) */
  PJ_FN_SOFTPLUS,         /* log (1 + eˣ) */
  PJ_FN_CLIP,             /* max (α, min (β, x)) */
  PJ_FN_ERF,
  PJ_FN_EXP,
  PJ_FN_LOG,
  PJ_FN_SQRT,
  PJ_FN_ABS,
  PJ_FN_POWER,            /* x^α */
  PJ_FN_RECIPROCAL,       /* α/x */
  PJ_N_FUNCTIONS
} PjFunction;

typedef struct {
  PjFunction function;
  float alpha, beta;
} PjUnaryParams;

typedef enum { PJ_BINARY_ADD, PJ_BINARY_SUB, PJ_BINARY_MUL, PJ_BINARY_DIV } PjBinary;

/* In dimension i: elements start[i], start[i] + step[i] … count[i] of them; dimension 0 is whole.
 * step >= 1. @rank: dimensions described, the input's. */
typedef struct {
  unsigned rank;
  int64_t start[6], step[6], count[6];
} PjSliceParams;

typedef struct {
  int axis;               /* 1 … rank − 1 */
} PjConcatParams;

typedef struct {
  int axis;               /* 1 … rank − 1; 0 stands for 1 */
} PjSoftmaxParams;

/* Mean over the dimensions i with reduced[i]. @keep: they stay as 1. */
typedef struct {
  guint8 reduced[6];
  gboolean keep;
} PjReduceParams;

/* Padding with a constant, dimensions 1 … rank − 1. */
typedef struct {
  int64_t before[6], after[6];
  float fill;
} PjPadParams;

/* Output dimension i is input dimension order[i]; order[0] is 0. */
typedef struct {
  unsigned rank;
  int order[6];
} PjTransposeParams;

/* A blocks × blocks square of channels becomes a square of pixels.  @channels_first: the channel is the
 * slow index of the input channels (CRD), else the fast one (DCR). */
typedef struct {
  int block;
  gboolean channels_first;
} PjSpaceParams;

/* y = x/(bias + alpha/size·Σ x²)^beta over @size neighbouring channels. */
typedef struct {
  int size;
  float alpha, beta, bias;
} PjLrnParams;

typedef enum { PJ_RESIZE_NEAREST, PJ_RESIZE_LINEAR } PjResizeMode;
typedef enum { PJ_RESIZE_HALF_PIXEL, PJ_RESIZE_ALIGN_CORNERS, PJ_RESIZE_ASYMMETRIC } PjResizeGrid;

/* @scale: output over input size of (h, w). @floor: nearest takes the floor, else the pixel at the
 * rounded place (halves go down). */
typedef struct {
  PjResizeMode mode;
  PjResizeGrid grid;
  gboolean floor;
  float scale[2];
} PjResizeParams;
