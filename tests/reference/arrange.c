/* SPDX-License-Identifier: MIT */
/* Strided views, concatenation and channels by a list, one element at a time. */
#include "reference.h"

#include <string.h>

/* Element of x that makes element @i of y, or FALSE if it is padding. */
static gboolean
viewed (const PjView *v, size_t i, size_t *index)
{
  int64_t at = v->offset;
  for (unsigned k = v->rank; k-- > 0; i /= (size_t) v->dim[k]) {
    int64_t p = (int64_t) (i % (size_t) v->dim[k]) - v->before[k];
    if (p < 0 || p >= v->extent[k])
      return FALSE;
    at += p * v->stride[k];
  }
  *index = (size_t) at;
  return TRUE;
}

void
ref_view_kernel (const RefCall *c)
{
  size_t index;
  for (size_t i = 0; i < pj_shape_n_elems (c->out_shape[0]); i++)
    c->out[0][i] = viewed (&c->call->view, i, &index) ? c->in[0][index] : (double) c->call->view.fill;
}

void
ref_view_bwd (const RefCall *c)
{
  size_t index;
  memset (c->out[0], 0, pj_shape_n_elems (c->out_shape[0]) * sizeof (double));
  for (size_t i = 0; i < pj_shape_n_elems (c->in_shape[0]); i++)
    if (viewed (&c->call->view, i, &index))
      c->out[0][index] += c->in[0][i];
}

void
ref_concat (const RefCall *c)
{
  int axis = c->call->concat.axis;
  const PjShape *y = c->out_shape[0];
  int64_t outer = 1, inner = 1, at = 0;

  for (int i = 0; i < axis; i++)
    outer *= y->dim[i];
  for (unsigned i = (unsigned) axis + 1; i < y->rank; i++)
    inner *= y->dim[i];
  for (int k = 0; k < PJ_CALL_MAX_IN && c->in[k] != NULL; k++) {
    int64_t size = c->in_shape[k]->dim[axis];
    for (int64_t o = 0; o < outer; o++)
      for (int64_t i = 0; i < size * inner; i++)
        c->out[0][(o * y->dim[axis] + at) * inner + i] = c->in[k][o * size * inner + i];
    at += size;
  }
}

void
ref_gather (const RefCall *c)
{
  RefView x = ref_view (c->in_shape[0]), y = ref_view (c->out_shape[0]);
  for (int64_t n = 0; n < y.n; n++)
    for (int64_t k = 0; k < y.c; k++)
      for (int64_t i = 0; i < y.hw; i++)
        c->out[0][(n * y.c + k) * y.hw + i] = c->in[0][(n * x.c + (int64_t) c->in[1][k]) * x.hw + i];
}

void
ref_gather_bwd (const RefCall *c)
{
  RefView dy = ref_view (c->in_shape[0]), dx = ref_view (c->out_shape[0]);
  memset (c->out[0], 0, pj_shape_n_elems (c->out_shape[0]) * sizeof (double));
  for (int64_t n = 0; n < dy.n; n++)
    for (int64_t k = 0; k < dy.c; k++)
      for (int64_t i = 0; i < dy.hw; i++)
        c->out[0][(n * dx.c + (int64_t) c->in[1][k]) * dx.hw + i] += c->in[0][(n * dy.c + k) * dy.hw + i];
}
