/* SPDX-License-Identifier: MIT */
/* The parameters of a network on a device: one packed buffer (and, for training, one of gradients and
 * one of momentum) that all plans of the network share.
 *
 *   [ weights of conv and fc | biases, γ, β | running means and variances ]
 *     decayed                  plain          not trained
 *
 * Every tensor starts at a multiple of 64 elements.  Padding is zero and stays zero. */
#pragma once

#include "compute/device.h"
#include "graph/graph.h"

G_BEGIN_DECLS

typedef struct _PjParams PjParams;

/* Uploads the parameters of @graph. @trainable adds gradients and momentum. Engine thread.
 * @device outlives the result. */
PjParams *pj_params_new (PjDevice *device, const PjGraph *graph, gboolean trainable, GError **error);
void pj_params_free (PjParams *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjParams, pj_params_free)

PjDevice *pj_params_device (const PjParams *self);
/* Element offset of parameter @value in every store, or -1 if the graph does not use it in a plan. */
gssize pj_params_offset (const PjParams *self, int value);
size_t pj_params_n_decay (const PjParams *self);
size_t pj_params_n_plain (const PjParams *self);
size_t pj_params_n_elems (const PjParams *self);
PjBuffer *const *pj_params_stores (const PjParams *self);
/* Grows with every change; plans compare it to know when to run their prologue. */
unsigned pj_params_version (const PjParams *self);
void pj_params_touch (PjParams *self);

/* Replaces all parameters by those of @graph (same structure). Momentum is zeroed. */
gboolean pj_params_upload (PjParams *self, const PjGraph *graph, GError **error);
/* Replaces one parameter; @data: as many elements as it has. */
gboolean pj_params_write (PjParams *self, int value, const float *data, GError **error);
/* A copy of @graph with the parameters as they are on the device. (transfer full) */
PjGraph *pj_params_download (PjParams *self, const PjGraph *graph, GError **error);
/* Raw state for checkpoints: params, then momentum if trainable. (transfer full), f32 */
GBytes *pj_params_save (PjParams *self, GError **error);
gboolean pj_params_restore (PjParams *self, GBytes *state, GError **error);
/* Gradients of one parameter into @out (for tests and Taylor scores). */
gboolean pj_params_read_grad (PjParams *self, int value, float *out, GError **error);

G_END_DECLS
