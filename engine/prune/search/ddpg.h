/* SPDX-License-Identifier: MIT */
/* An agent that learns a number between 0 and 1 for each state it is shown: DDPG (Lillicrap et al. 2016) as AMC has it.
 * All that it knows lies in one array, so that a checkpoint is a copy of it. */
#pragma once

#include "prune/search/mlp.h"

G_BEGIN_DECLS

/**
 * PjAgent:
 * @actor, @critic: 300-300 with ReLU; the actor's output goes through a sigmoid
 * @actor_target, @critic_target: what follows them slowly
 * @n_states: numbers of a state; @capacity: transitions that are remembered
 * @numbers: all of it: borrowed
 */
typedef struct {
  PjMlp actor, critic, actor_target, critic_target;
  double *actor_moments, *critic_moments, *memory, *count;   /* count: transitions so far, updates, baseline */
  int n_states;
  unsigned capacity;
  uint64_t seed;
} PjAgent;

gsize pj_agent_n_numbers (int n_states, unsigned capacity);
void pj_agent_init (PjAgent *self, double *numbers, int n_states, unsigned capacity, uint64_t seed);
/* First weights; nothing is remembered. */
void pj_agent_start (PjAgent *self);

/* What the actor says to @state. */
double pj_agent_act (const PjAgent *self, const double *state);
/* A transition; @last: the episode ends with it. */
void pj_agent_remember (PjAgent *self, const double *state, double action, double reward, const double *next, gboolean last);
/* One update of critic and actor from 64 remembered transitions, rewards minus their moving average. */
void pj_agent_learn (PjAgent *self);

/* target ← target + tau·(source − target) */
void pj_agent_follow (double *target, const double *source, gsize n, double tau);

G_END_DECLS
