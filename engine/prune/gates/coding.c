/* SPDX-License-Identifier: MIT */
#include "prune/gates/coding.h"

#include <math.h>
#include <string.h>

/* α start, α end, step of the controller, iterations per entry. */
static const struct { double start, end, step; unsigned every; } schedules[] = {
  [PJ_CODING_VGG] = { 0.1, 2, 0.1, 100 },
  [PJ_CODING_RESNET] = { 1, 100, 1, 100 },
  [PJ_CODING_MOBILENET] = { 0.1, 100, 0, 1 },
};

#define WINDOW 20
#define LEAST_ENTRIES 20
#define FIRST_THRESHOLD 0.95
#define THRESHOLD_STEP 0.05

void
pj_coding_plan_init (PjCodingPlan *self, PjCodingNet net, unsigned epochs, unsigned per_epoch)
{
  unsigned n_steps = MAX (1, epochs * per_epoch), most = MAX (1, n_steps / LEAST_ENTRIES);

  *self = (PjCodingPlan) {
    .net = net, .start = schedules[net].start, .end = schedules[net].end, .step = schedules[net].step,
    .every = MIN (schedules[net].every, most), .n_steps = n_steps, .window = MIN (WINDOW, most), .lambda = 10,
    .last_epoch = n_steps - MIN (n_steps, per_epoch),
  };
  /* After the first epoch; for VGG after 20 entries, which a short run reaches too late. */
  self->settled = net == PJ_CODING_VGG ? MIN (20 * self->every, per_epoch) : per_epoch;
}

void
pj_coding_state_init (PjCodingState *self, const PjCodingPlan *plan, int n)
{
  size_t size = (size_t) n;
  *self = (PjCodingState) {
    .n = n, .threshold = FIRST_THRESHOLD, .lambda = plan->lambda, .votes = g_new0 (unsigned, size),
    .sum = g_new0 (double, size), .gate = g_new (float, size), .mean = g_new (float, size), .code = g_malloc (size),
  };
  /* Nothing is removed before something was measured. */
  for (int c = 0; c < n; c++) {
    self->gate[c] = self->mean[c] = 1;
    self->code[c] = 1;
  }
}

void
pj_coding_state_clear (PjCodingState *self)
{
  g_clear_pointer (&self->votes, g_free);
  g_clear_pointer (&self->sum, g_free);
  g_clear_pointer (&self->gate, g_free);
  g_clear_pointer (&self->mean, g_free);
  g_clear_pointer (&self->code, g_free);
}

/* --- keeping --- */

typedef struct { void *data; size_t size; } Part;

/* Everything that a state consists of, in the order of a checkpoint. */
static unsigned
parts_of (const PjCodingState *s, Part parts[9])
{
  size_t n = (size_t) s->n;
  const Part all[] = {
    { (void *) &s->offset, sizeof s->offset }, { (void *) &s->threshold, sizeof s->threshold },
    { (void *) &s->lambda, sizeof s->lambda }, { (void *) &s->n_votes, sizeof s->n_votes },
    { s->votes, n * sizeof *s->votes }, { s->sum, n * sizeof *s->sum }, { s->gate, n * sizeof *s->gate },
    { s->mean, n * sizeof *s->mean }, { s->code, n },
  };
  memcpy (parts, all, sizeof all);
  return G_N_ELEMENTS (all);
}

void
pj_coding_state_write (const PjCodingState *self, GByteArray *bytes)
{
  Part parts[9];
  unsigned n = parts_of (self, parts);
  for (unsigned i = 0; i < n; i++)
    g_byte_array_append (bytes, parts[i].data, (guint) parts[i].size);
}

gboolean
pj_coding_state_read (PjCodingState *self, const guint8 **data, const guint8 *end)
{
  Part parts[9];
  unsigned n = parts_of (self, parts);
  for (unsigned i = 0; i < n; i++) {
    if ((size_t) (end - *data) < parts[i].size)
      return FALSE;
    memcpy (parts[i].data, *data, parts[i].size);
    *data += parts[i].size;
  }
  return TRUE;
}

/* --- α, votes --- */

double
pj_coding_alpha (const PjCodingPlan *plan, const PjCodingState *state, unsigned i)
{
  unsigned n = (plan->n_steps + plan->every - 1) / plan->every, k = MIN (i / plan->every, n - 1);
  double slope = (plan->end - plan->start) / n;
  return plan->start + slope * k + state->offset;
}

gboolean
pj_coding_is_open (unsigned votes, unsigned n_votes)
{
  return 2 * votes > n_votes;
}

gboolean
pj_coding_vote (PjCodingState *s, const PjCodingPlan *plan, const float *v)
{
  for (int c = 0; c < s->n; c++) {
    s->votes[c] += v[c] > 0.5f;
    s->sum[c] += v[c];
    s->gate[c] = v[c];
  }
  if (++s->n_votes < plan->window)
    return FALSE;
  for (int c = 0; c < s->n; c++) {
    s->code[c] = pj_coding_is_open (s->votes[c], s->n_votes);
    s->mean[c] = (float) (s->sum[c] / s->n_votes);
    s->votes[c] = 0;
    s->sum[c] = 0;
  }
  s->n_votes = 0;
  return TRUE;
}

double
pj_coding_removed (const PjCodingState *state)
{
  int n = 0;
  for (int c = 0; c < state->n; c++)
    n += !state->code[c];
  return (double) n / state->n;
}

double
pj_coding_two_sided (const float *v, int n, double margin)
{
  int sides = 0;
  for (int c = 0; c < n; c++)
    sides += v[c] > 1 - margin || v[c] < margin;
  return (double) sides / n;
}

/* --- the controller --- */

void
pj_coding_control (const PjCodingPlan *plan, PjCodingState *s, double r, double removed, double two_sided, gboolean settled)
{
  if (plan->net == PJ_CODING_MOBILENET)
    return;
  /* Shares such as 19 of 20 are not exact in binary. */
  if (removed >= s->threshold - 1e-9) {
    s->offset += plan->step;
    s->threshold = MAX (s->threshold - THRESHOLD_STEP, 1 - r);
  }
  if (settled && two_sided < 0.9)
    s->offset += plan->step;
  s->lambda = MAX (100 * fabs (removed - (1 - r)), plan->lambda_least);
}

double
pj_coding_rate_loss (const PjCodingState *state, double r)
{
  double sum = 0;
  for (int c = 0; c < state->n; c++)
    sum += state->gate[c];
  return state->lambda * (sum / state->n - r) * (sum / state->n - r);
}
