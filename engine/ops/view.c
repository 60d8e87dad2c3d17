/* SPDX-License-Identifier: MIT */
#include "ops/view.h"

#include <string.h>

/* Strides of row-major @shape in elements. */
static void
row_major (const PjShape *shape, int64_t stride[PJ_MAX_RANK])
{
  int64_t step = 1;
  for (unsigned i = shape->rank; i-- > 0;) {
    stride[i] = step;
    step *= shape->dim[i];
  }
}

void
pj_view_plain (const PjShape *x, const PjShape *y, PjView *view)
{
  memset (view, 0, sizeof *view);
  view->rank = y->rank;
  row_major (x, view->stride);
  for (unsigned i = 0; i < y->rank; i++)
    view->dim[i] = view->extent[i] = y->dim[i];
}

static void
batch_view (PjLower *l, int index, PjViewFunc func, PjView *view)
{
  const PjGraph *graph = pj_lower_graph (l);
  const PjNode *node = pj_graph_node (graph, index);
  PjShape x = *input_shape (graph, node, 0), y = pj_graph_value (graph, node->outputs[0])->shape;
  x.dim[0] *= pj_lower_batch (l);
  y.dim[0] *= pj_lower_batch (l);
  func (node, &x, &y, view);
}

void
pj_view_lower (PjLower *l, int index, PjViewFunc func)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjView view;
  batch_view (l, index, func, &view);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_VIEW, index);
  call->view = view;
  call->in[0] = pj_lower_slot (l, node->inputs[0]);
  call->out[0] = pj_lower_output (l, index);
}

void
pj_view_lower_backward (PjLower *l, int index, PjViewFunc func)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  PjView view;
  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return;
  int dx = pj_lower_temp (l, node->inputs[0]);
  int dy = pj_lower_grad (l, index, FALSE);
  batch_view (l, index, func, &view);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_VIEW_BWD, index);
  call->view = view;
  call->in[0] = dy;
  call->out[0] = dx;
  pj_lower_add_grad (l, node->inputs[0], dx);
}
