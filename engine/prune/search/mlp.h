/* SPDX-License-Identifier: MIT */
/* Small fully connected networks in double on the host: the discriminator of GAL, actor and critic of AMC.  Their numbers
 * lie in one array of the caller's, so that a checkpoint is a copy of it.  Sums have a fixed order. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

#define PJ_MLP_LAYERS 4

/**
 * PjMlp:
 * @n_layers: affine maps, at most PJ_MLP_LAYERS; @size: n_layers + 1 widths, inputs first
 * @relu: a ReLU between the maps; else they are linear
 * @w: (borrowed): pj_mlp_n_weights() numbers: of each map inputs × outputs, then outputs biases
 */
typedef struct {
  unsigned n_layers;
  int size[PJ_MLP_LAYERS + 1];
  gboolean relu;
  double *w;
} PjMlp;

gsize pj_mlp_n_weights (const PjMlp *self);
/* Numbers that a pass of @n samples writes: what each map gives. */
gsize pj_mlp_n_acts (const PjMlp *self, int n);
/* Even numbers within ±1/√inputs. */
void pj_mlp_start (PjMlp *self, uint64_t seed, uint32_t which);

/* @x: n × inputs; @acts: (out): pj_mlp_n_acts().  Returns: the n × outputs at its end. */
const double *pj_mlp_run (const PjMlp *self, const double *x, int n, double *acts);
/* @dy: n × outputs; @dw: (nullable): gradients of the weights are added; @dx: (nullable) (out): n × inputs. */
void pj_mlp_back (const PjMlp *self, const double *x, int n, const double *acts, const double *dy, double *dw, double *dx);

/* Adam with the usual 0.9, 0.999, 1e-8; @moments: 2·n numbers, 0 at first; @t: 1 for the first step. */
void pj_adam_step (double *w, const double *grad, double *moments, gsize n, double lr, double t);
/* v = momentum·v + g + decay·w; w −= lr·v */
void pj_momentum_step (double *w, const double *grad, double *speed, gsize n, double lr, double momentum, double decay);

G_END_DECLS
