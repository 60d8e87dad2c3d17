/* SPDX-License-Identifier: MIT */
#include "prune/search/ddpg.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "prune/search/amc.h"

#define HIDDEN 300
#define BATCH 64
#define TAU 0.01
#define ACTOR_LR 1e-4
#define CRITIC_LR 1e-3

enum { SEEN, UPDATES, BASELINE, N_COUNT };

static PjMlp
maps (int n_in)
{
  return (PjMlp) { .n_layers = 3, .size = { n_in, HIDDEN, HIDDEN, 1 }, .relu = TRUE };
}

/* state, next state, action, reward, last */
static gsize
row_size (int n_states)
{
  return 2 * (gsize) n_states + 3;
}

gsize
pj_agent_n_numbers (int n_states, unsigned capacity)
{
  PjMlp actor = maps (n_states), critic = maps (n_states + 1);
  return 4 * (pj_mlp_n_weights (&actor) + pj_mlp_n_weights (&critic)) + capacity * row_size (n_states) + N_COUNT;
}

void
pj_agent_init (PjAgent *self, double *numbers, int n_states, unsigned capacity, uint64_t seed)
{
  *self = (PjAgent) { .n_states = n_states, .capacity = capacity, .seed = seed };
  self->actor = self->actor_target = maps (n_states);
  self->critic = self->critic_target = maps (n_states + 1);
  gsize n_actor = pj_mlp_n_weights (&self->actor), n_critic = pj_mlp_n_weights (&self->critic);
  self->actor.w = numbers;
  self->actor_target.w = self->actor.w + n_actor;
  self->actor_moments = self->actor_target.w + n_actor;
  self->critic.w = self->actor_moments + 2 * n_actor;
  self->critic_target.w = self->critic.w + n_critic;
  self->critic_moments = self->critic_target.w + n_critic;
  self->memory = self->critic_moments + 2 * n_critic;
  self->count = self->memory + capacity * row_size (n_states);
}

void
pj_agent_start (PjAgent *self)
{
  gsize n_actor = pj_mlp_n_weights (&self->actor), n_critic = pj_mlp_n_weights (&self->critic);
  pj_mlp_start (&self->actor, self->seed, 0xac);
  pj_mlp_start (&self->critic, self->seed, 0xc1);
  memcpy (self->actor_target.w, self->actor.w, n_actor * sizeof (double));
  memcpy (self->critic_target.w, self->critic.w, n_critic * sizeof (double));
  memset (self->actor_moments, 0, 2 * n_actor * sizeof (double));
  memset (self->critic_moments, 0, 2 * n_critic * sizeof (double));
  self->count[SEEN] = self->count[UPDATES] = 0;
  self->count[BASELINE] = NAN;
}

/* What an actor says to @n states. */
static void
say (const PjMlp *actor, const double *states, int n, double *acts, double *actions)
{
  const double *y = pj_mlp_run (actor, states, n, acts);
  for (int i = 0; i < n; i++)
    actions[i] = 1 / (1 + exp (-y[i]));
}

double
pj_agent_act (const PjAgent *self, const double *state)
{
  g_autofree double *acts = g_new (double, pj_mlp_n_acts (&self->actor, 1));
  double action;
  say (&self->actor, state, 1, acts, &action);
  return action;
}

void
pj_agent_remember (PjAgent *self, const double *state, double action, double reward, const double *next, gboolean last)
{
  gsize row = row_size (self->n_states);
  double *at = self->memory + ((gsize) self->count[SEEN] % self->capacity) * row;
  memcpy (at, state, (gsize) self->n_states * sizeof (double));
  memcpy (at + self->n_states, next, (gsize) self->n_states * sizeof (double));
  at[row - 3] = action;
  at[row - 2] = reward;
  at[row - 1] = last;
  self->count[SEEN]++;
}

/* --- learning --- */

/* One drawn batch; pairs are states with an action behind each. */
typedef struct {
  double *state, *next, *pair, *action, *reward, *last, *acts;
} Batch;

static void
join (const double *states, const double *actions, int n_states, double *pairs)
{
  for (int i = 0; i < BATCH; i++) {
    memcpy (pairs + (gsize) i * (n_states + 1), states + (gsize) i * n_states, (gsize) n_states * sizeof (double));
    pairs[(gsize) i * (n_states + 1) + n_states] = actions[i];
  }
}

static void
draw (const PjAgent *self, Batch *batch)
{
  gsize row = row_size (self->n_states), n = MIN ((gsize) self->count[SEEN], self->capacity);
  PjRng rng;

  pj_rng_init (&rng, self->seed, PJ_STREAM (PJ_STREAM_SAMPLE, 0xdd99, self->count[UPDATES]));
  for (int i = 0; i < BATCH; i++) {
    const double *at = self->memory + pj_rng_below (&rng, (uint32_t) n) * row;
    memcpy (batch->state + (gsize) i * self->n_states, at, (gsize) self->n_states * sizeof (double));
    memcpy (batch->next + (gsize) i * self->n_states, at + self->n_states, (gsize) self->n_states * sizeof (double));
    batch->action[i] = at[row - 3];
    batch->reward[i] = at[row - 2];
    batch->last[i] = at[row - 1];
  }
}

/* Towards reward − baseline + what the slow critic says of the next state; the discount is 1. */
static void
teach_critic (PjAgent *self, Batch *batch)
{
  gsize n = pj_mlp_n_weights (&self->critic);
  g_autofree double *dw = g_new0 (double, n), *dy = g_new (double, BATCH), *next_action = g_new (double, BATCH);
  g_autofree double *wanted = g_new (double, BATCH);

  say (&self->actor_target, batch->next, BATCH, batch->acts, next_action);
  join (batch->next, next_action, self->n_states, batch->pair);
  const double *later = pj_mlp_run (&self->critic_target, batch->pair, BATCH, batch->acts);
  for (int i = 0; i < BATCH; i++)
    wanted[i] = batch->reward[i] - self->count[BASELINE] + (batch->last[i] != 0 ? 0 : later[i]);
  join (batch->state, batch->action, self->n_states, batch->pair);
  const double *said = pj_mlp_run (&self->critic, batch->pair, BATCH, batch->acts);
  for (int i = 0; i < BATCH; i++)
    dy[i] = 2 * (said[i] - wanted[i]) / BATCH;
  pj_mlp_back (&self->critic, batch->pair, BATCH, batch->acts, dy, dw, NULL);
  pj_adam_step (self->critic.w, dw, self->critic_moments, n, CRITIC_LR, self->count[UPDATES]);
}

/* Towards what the critic likes better. */
static void
teach_actor (PjAgent *self, Batch *batch)
{
  gsize n = pj_mlp_n_weights (&self->actor);
  int width = self->n_states + 1;
  g_autofree double *dw = g_new0 (double, n), *dy = g_new (double, BATCH), *action = g_new (double, BATCH);
  g_autofree double *dpair = g_new (double, (gsize) BATCH * width), *acts = g_new (double, pj_mlp_n_acts (&self->actor, BATCH));

  say (&self->actor, batch->state, BATCH, acts, action);
  join (batch->state, action, self->n_states, batch->pair);
  pj_mlp_run (&self->critic, batch->pair, BATCH, batch->acts);
  for (int i = 0; i < BATCH; i++)
    dy[i] = -1.0 / BATCH;
  pj_mlp_back (&self->critic, batch->pair, BATCH, batch->acts, dy, NULL, dpair);
  for (int i = 0; i < BATCH; i++)
    dy[i] = dpair[(gsize) i * width + self->n_states] * action[i] * (1 - action[i]);
  pj_mlp_back (&self->actor, batch->state, BATCH, acts, dy, dw, NULL);
  pj_adam_step (self->actor.w, dw, self->actor_moments, n, ACTOR_LR, self->count[UPDATES]);
}

void
pj_agent_follow (double *target, const double *source, gsize n, double tau)
{
  for (gsize i = 0; i < n; i++)
    target[i] += tau * (source[i] - target[i]);
}

void
pj_agent_learn (PjAgent *self)
{
  gsize states = (gsize) BATCH * self->n_states;
  g_autofree double *numbers = g_new (double, 3 * states + 4 * BATCH);
  g_autofree double *acts = g_new (double, pj_mlp_n_acts (&self->critic, BATCH));
  double mean = 0;
  if (self->count[SEEN] < 1)
    return;
  Batch batch = {
    numbers, numbers + states, numbers + 2 * states, numbers + 3 * states + BATCH, numbers + 3 * states + 2 * BATCH,
    numbers + 3 * states + 3 * BATCH, acts,
  };
  draw (self, &batch);
  for (int i = 0; i < BATCH; i++)
    mean += batch.reward[i] / BATCH;
  self->count[BASELINE] = pj_amc_baseline (self->count[BASELINE], mean);
  self->count[UPDATES]++;
  teach_critic (self, &batch);
  teach_actor (self, &batch);
  pj_agent_follow (self->actor_target.w, self->actor.w, pj_mlp_n_weights (&self->actor), TAU);
  pj_agent_follow (self->critic_target.w, self->critic.w, pj_mlp_n_weights (&self->critic), TAU);
}
