/* SPDX-License-Identifier: MIT */
/* Functions of one number and their derivatives, arithmetic with broadcasting, sums over dimensions. */
#include "reference.h"

#include <math.h>

static double
sigmoid (double x)
{
  return 1 / (1 + exp (-x));
}

static double
f (const PjUnaryParams *p, double x)
{
  double a = (double) p->alpha, b = (double) p->beta;
  switch (p->function) {
  case PJ_FN_LINEAR: return a * x + b;
  case PJ_FN_LEAKY_RELU: return x >= 0 ? x : a * x;
  case PJ_FN_ELU: return x >= 0 ? x : a * (exp (x) - 1);
  case PJ_FN_SIGMOID: return sigmoid (x);
  case PJ_FN_HARD_SIGMOID: return MAX (0, MIN (1, a * x + b));
  case PJ_FN_HARD_SWISH: return x * MAX (0, MIN (1, x / 6 + 0.5));
  case PJ_FN_SWISH: return x * sigmoid (x);
  case PJ_FN_TANH: return tanh (x);
  case PJ_FN_GELU: return x * 0.5 * (1 + erf (x / sqrt (2)));
  case PJ_FN_SOFTPLUS: return log (1 + exp (x));
  case PJ_FN_CLIP: return MAX (a, MIN (b, x));
  case PJ_FN_ERF: return erf (x);
  case PJ_FN_EXP: return exp (x);
  case PJ_FN_LOG: return log (x);
  case PJ_FN_SQRT: return sqrt (x);
  case PJ_FN_ABS: return fabs (x);
  case PJ_FN_POWER: return pow (x, a);
  case PJ_FN_RECIPROCAL: return a / x;
  default: g_assert_not_reached ();
  }
}

void
ref_unary (const RefCall *c)
{
  for (size_t i = 0; i < pj_shape_n_elems (c->out_shape[0]); i++)
    c->out[0][i] = f (&c->call->unary, c->in[0][i]);
}

/* The derivative is a central difference in double: independent of any formula for it.  Near a kink both
 * sides are stepped away from: tests keep their inputs off the kinks. */
void
ref_unary_bwd (const RefCall *c)
{
  const double h = 1e-6;
  for (size_t i = 0; i < pj_shape_n_elems (c->out_shape[0]); i++) {
    double x = c->in[0][i], slope = (f (&c->call->unary, x + h) - f (&c->call->unary, x - h)) / (2 * h);
    c->out[0][i] = c->in[1][i] * slope;
  }
}

/* Element of a tensor of @shape for index @i of the output @y, repeating dimensions of 1. */
static size_t
broadcast_index (const PjShape *y, size_t i, const PjShape *shape)
{
  size_t index = 0, step = 1;
  for (unsigned k = y->rank; k-- > 0; i /= (size_t) y->dim[k]) {
    if (shape->dim[k] != 1)
      index += i % (size_t) y->dim[k] * step;
    step *= (size_t) shape->dim[k];
  }
  return index;
}

void
ref_binary (const RefCall *c)
{
  const PjShape *y = c->out_shape[0];
  for (size_t i = 0; i < pj_shape_n_elems (y); i++) {
    double a = c->in[0][broadcast_index (y, i, c->in_shape[0])], b = c->in[1][broadcast_index (y, i, c->in_shape[1])];
    c->out[0][i] = c->call->binary.op == PJ_BINARY_ADD ? a + b : c->call->binary.op == PJ_BINARY_SUB ? a - b
                   : c->call->binary.op == PJ_BINARY_MUL ? a * b : a / b;
  }
}

void
ref_sum_to (const RefCall *c)
{
  const PjShape *x = c->in_shape[0], *y = c->out_shape[0];
  for (size_t k = 0; !c->call->accumulate && k < pj_shape_n_elems (y); k++)
    c->out[0][k] = 0;
  for (size_t i = 0; i < pj_shape_n_elems (x); i++)
    c->out[0][broadcast_index (x, i, y)] += (double) c->call->sum.scale * c->in[0][i];
}
