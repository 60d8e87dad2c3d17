/* SPDX-License-Identifier: MIT */
/* Functions of one number, element by element: one row of the table below each, one kernel for all. */
#include "ops/util.h"

#include <math.h>
#include <string.h>

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_UNARY, index);
  call->unary = *(const PjUnaryParams *) node->params;
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return TRUE;
  int dx = pj_lower_temp (l, node->inputs[0]);
  int dy = pj_lower_grad (l, index, FALSE);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_UNARY_BWD, index);
  call->unary = *(const PjUnaryParams *) node->params;
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->in[1] = dy;
  call->out[0] = dx;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

/* --- reading --- */

/* Attributes alpha and beta with the defaults of the file format. */
static gboolean
read_alpha_beta (PjOnnxIn *in, PjUnaryParams *p, PjFunction function, double alpha, double beta, GError **error)
{
  p->function = function;
  p->alpha = (float) pj_onnx_in_float (in, "alpha", alpha);
  p->beta = (float) pj_onnx_in_float (in, "beta", beta);
  return (isfinite (p->alpha) && isfinite (p->beta)) || pj_onnx_in_refuse (in, error, "alpha or beta is not a number");
}

#define FROM_ONNX(name, function, alpha, beta) \
  static gboolean \
  name##_from_onnx (PjOnnxIn *in, gpointer params, GError **error) \
  { \
    return read_alpha_beta (in, params, function, alpha, beta, error); \
  }

FROM_ONNX (leaky_relu, PJ_FN_LEAKY_RELU, 0.01, 0)
FROM_ONNX (elu, PJ_FN_ELU, 1, 0)
FROM_ONNX (sigmoid, PJ_FN_SIGMOID, 0, 0)
FROM_ONNX (hard_sigmoid, PJ_FN_HARD_SIGMOID, 0.2, 0.5)
FROM_ONNX (hard_swish, PJ_FN_HARD_SWISH, 0, 0)
FROM_ONNX (tanh, PJ_FN_TANH, 0, 0)
FROM_ONNX (softplus, PJ_FN_SOFTPLUS, 0, 0)
FROM_ONNX (erf, PJ_FN_ERF, 0, 0)
FROM_ONNX (exp, PJ_FN_EXP, 0, 0)
FROM_ONNX (log, PJ_FN_LOG, 0, 0)
FROM_ONNX (sqrt, PJ_FN_SQRT, 0, 0)
FROM_ONNX (abs, PJ_FN_ABS, 0, 0)

static gboolean
gelu_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  if (strcmp (pj_onnx_in_string (in, "approximate", "none"), "none") != 0)
    return pj_onnx_in_refuse (in, error, "only the exact form of GELU is supported");
  return read_alpha_beta (in, params, PJ_FN_GELU, 0, 0, error);
}

static gboolean
reciprocal_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  return read_alpha_beta (in, params, PJ_FN_RECIPROCAL, 1, 0, error);
}

/* A bound of Clip: an optional input since operator version 11, an attribute before. */
static gboolean
read_bound (PjOnnxIn *in, unsigned i, const char *name, float otherwise, float *bound, GError **error)
{
  *bound = (float) pj_onnx_in_float (in, name, (double) otherwise);
  if (!pj_onnx_in_has_input (in, i))
    return TRUE;
  if (!pj_onnx_in_scalar (in, i, bound))
    return pj_onnx_in_refuse (in, error, "%s is computed at run time; only a stored bound is supported", name);
  return TRUE;
}

static gboolean
clip_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjUnaryParams *p = params;
  p->function = PJ_FN_CLIP;
  if (!read_bound (in, 1, "min", -G_MAXFLOAT, &p->alpha, error) || !read_bound (in, 2, "max", G_MAXFLOAT, &p->beta, error))
    return FALSE;
  if (!(p->alpha <= p->beta))
    return pj_onnx_in_refuse (in, error, "min is %g and max is %g", (double) p->alpha, (double) p->beta);
  if (p->alpha > 0 || p->beta < 0)
    return pj_onnx_in_refuse (in, error, "a range that leaves out 0 is not supported: %g to %g", (double) p->alpha, (double) p->beta);
  pj_onnx_in_keep_inputs (in, 1);
  return TRUE;
}

static gboolean
power_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjUnaryParams *p = params;
  p->function = PJ_FN_POWER;
  if (!pj_onnx_in_scalar (in, 1, &p->alpha) || !isfinite (p->alpha))
    return pj_onnx_in_refuse (in, error, "only one stored exponent is supported");
  pj_onnx_in_keep_inputs (in, 1);
  return TRUE;
}

/* The stored number of c·x and c + x comes second. */
static void
put_number_second (PjOnnxIn *in)
{
  float c;
  if (pj_onnx_in_has_input (in, 1) && pj_onnx_in_scalar (in, 0, &c))
    pj_onnx_in_swap (in, 0, 1);
}

/* x·c, x/c, −x: the members that arithmetic with one stored number becomes. */
static gboolean
scale_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjUnaryParams *p = params;
  const char *type = pj_onnx_in_op_type (in);
  float c = 1;

  p->function = PJ_FN_LINEAR;
  if (strcmp (type, "Neg") == 0) {
    p->alpha = -1;
    return TRUE;
  }
  put_number_second (in);
  pj_onnx_in_scalar (in, 1, &c);
  p->alpha = strcmp (type, "Div") == 0 ? 1 / c : c;
  pj_onnx_in_keep_inputs (in, 1);
  return isfinite (p->alpha) || pj_onnx_in_refuse (in, error, "its constant is %g", (double) c);
}

static gboolean
shift_from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjUnaryParams *p = params;
  float c = 0;

  put_number_second (in);
  pj_onnx_in_scalar (in, 1, &c);
  *p = (PjUnaryParams) { PJ_FN_LINEAR, 1, strcmp (pj_onnx_in_op_type (in), "Sub") == 0 ? -c : c };
  pj_onnx_in_keep_inputs (in, 1);
  return isfinite (p->beta) || pj_onnx_in_refuse (in, error, "its constant is %g", (double) c);
}

/* --- writing --- */

static void
alpha_to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  pj_onnx_out_float (out, "alpha", ((const PjUnaryParams *) node->params)->alpha);
}

static void
hard_sigmoid_to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  alpha_to_onnx (out, graph, node);
  pj_onnx_out_float (out, "beta", ((const PjUnaryParams *) node->params)->beta);
}

static void
clip_to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjUnaryParams *p = node->params;
  if (pj_onnx_out_opset (out) < 11) {
    pj_onnx_out_float (out, "min", p->alpha);
    pj_onnx_out_float (out, "max", p->beta);
    return;
  }
  pj_onnx_out_add_const_floats (out, "min", &p->alpha, 0);
  pj_onnx_out_add_const_floats (out, "max", &p->beta, 0);
}

static void
alpha_as_input (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  pj_onnx_out_add_const_floats (out, "value", &((const PjUnaryParams *) node->params)->alpha, 0);
}

static void
beta_as_input (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  pj_onnx_out_add_const_floats (out, "value", &((const PjUnaryParams *) node->params)->beta, 0);
}

/* --- the members --- */

#define MEMBER(id, named, shown, rule, activation, read, write, ...) \
  MEMBER_SINCE (0, id, named, shown, rule, activation, read, write, __VA_ARGS__)
#define MEMBER_SINCE(opset, id, named, shown, rule, activation, read, write, ...) \
  const PjOp pj_op_##id = { \
    .name = named, .title = shown, .min_opset = opset, .onnx_names = (const char *const[]) { __VA_ARGS__, NULL }, \
    .params_size = sizeof (PjUnaryParams), .min_inputs = 1, .max_inputs = 1, .zero = rule, .is_activation = activation, \
    .infer = pj_op_infer_same, .channels = pj_op_channels_through, .lower = lower, .lower_backward = lower_backward, \
    .from_onnx = read, .to_onnx = write, \
  }

MEMBER (leaky_relu, "leaky_relu", "Leaky ReLU", PJ_ZERO_KEEPS, TRUE, leaky_relu_from_onnx, alpha_to_onnx, "LeakyRelu");
MEMBER (elu, "elu", "ELU", PJ_ZERO_KEEPS, TRUE, elu_from_onnx, alpha_to_onnx, "Elu");
MEMBER (sigmoid, "sigmoid", "Sigmoid", PJ_ZERO_BREAKS, TRUE, sigmoid_from_onnx, pj_op_to_onnx_plain, "Sigmoid");
MEMBER (hard_sigmoid, "hard_sigmoid", "Hard sigmoid", PJ_ZERO_BREAKS, TRUE, hard_sigmoid_from_onnx, hard_sigmoid_to_onnx,
        "HardSigmoid");
MEMBER_SINCE (14, hard_swish, "hard_swish", "Hard swish", PJ_ZERO_KEEPS, TRUE, hard_swish_from_onnx, pj_op_to_onnx_plain, "HardSwish");
MEMBER (tanh, "tanh", "Tanh", PJ_ZERO_KEEPS, TRUE, tanh_from_onnx, pj_op_to_onnx_plain, "Tanh");
MEMBER_SINCE (20, gelu, "gelu", "GELU", PJ_ZERO_KEEPS, TRUE, gelu_from_onnx, pj_op_to_onnx_plain, "Gelu");
MEMBER (softplus, "softplus", "Softplus", PJ_ZERO_BREAKS, TRUE, softplus_from_onnx, pj_op_to_onnx_plain, "Softplus");
MEMBER (clip, "clip", "Clip", PJ_ZERO_KEEPS, TRUE, clip_from_onnx, clip_to_onnx, "Clip");
MEMBER (erf, "erf", "Error function", PJ_ZERO_KEEPS, TRUE, erf_from_onnx, pj_op_to_onnx_plain, "Erf");
MEMBER (exp, "exp", "Exponential", PJ_ZERO_BREAKS, TRUE, exp_from_onnx, pj_op_to_onnx_plain, "Exp");
MEMBER (log, "log", "Logarithm", PJ_ZERO_BREAKS, TRUE, log_from_onnx, pj_op_to_onnx_plain, "Log");
MEMBER (sqrt, "sqrt", "Square root", PJ_ZERO_KEEPS, TRUE, sqrt_from_onnx, pj_op_to_onnx_plain, "Sqrt");
MEMBER (abs, "abs", "Absolute value", PJ_ZERO_KEEPS, TRUE, abs_from_onnx, pj_op_to_onnx_plain, "Abs");
MEMBER (power, "power", "Power", PJ_ZERO_KEEPS, TRUE, power_from_onnx, alpha_as_input, "Pow");
MEMBER (reciprocal, "reciprocal", "Reciprocal", PJ_ZERO_BREAKS, TRUE, reciprocal_from_onnx, pj_op_to_onnx_plain, "Reciprocal");
/* Reached through Mul, Div, Add and Sub with one stored number; see binary.c. */
MEMBER (scale, "scale", "Multiply by a number", PJ_ZERO_KEEPS, FALSE, scale_from_onnx, alpha_as_input, "Mul", "Neg");
MEMBER (shift, "shift", "Add a number", PJ_ZERO_BREAKS, FALSE, shift_from_onnx, beta_as_input, "Add");
