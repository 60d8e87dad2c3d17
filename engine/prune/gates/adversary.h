/* SPDX-License-Identifier: MIT */
/* Who tells a network's answers from its teacher's (GAL): four linear maps 128, 256, 128, 1 on the
 * class scores, without non-linearities between them, as published. */
#pragma once

#include "prune/search/mlp.h"

G_BEGIN_DECLS

/**
 * PjAdversary:
 * @mlp: the maps; @speed: momentum of their weights; both lie in the caller's array
 * @squashed: the judgement goes through a sigmoid before the loss, which has one of its own, as in the authors' program
 */
typedef struct {
  PjMlp mlp;
  double *speed;
  int n_classes;
  gboolean squashed;
} PjAdversary;

/* Numbers that an adversary keeps. */
gsize pj_adversary_n_numbers (int n_classes);
/* @numbers: borrowed; they are left as they are until pj_adversary_start(). */
void pj_adversary_init (PjAdversary *self, double *numbers, int n_classes, gboolean squashed);
void pj_adversary_start (PjAdversary *self, uint64_t seed);

/* Mean binary cross-entropy of judgements @d, before the sigmoid, against @target 0 or 1. */
double pj_adversary_entropy (const double *d, int n, int target);

/* One step of its own: entropy of the teacher's scores against 1 and of the student's against 0, and as a regulariser
 * of the student's against 1. Scores: n × classes. Returns the loss. */
double pj_adversary_learn (PjAdversary *self, const float *teacher, const float *student, int n, double lr);

/**
 * pj_adversary_loss: what the student minimises: mu·MSE (teacher, student) + entropy of its scores against 1.
 * @grads: (out): n × classes ∂loss/∂student
 */
double pj_adversary_loss (const PjAdversary *self, const float *teacher, const float *student, int n, double mu, float *grads);

G_END_DECLS
