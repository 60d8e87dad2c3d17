/* SPDX-License-Identifier: MIT */
/* Calls that are one pass over memory here.  A pass over activations costs a tenth of a small convolution, and a
 * residual block has many: the norm, the addition, the ReLU, and all of that backwards.
 *
 *   forward     norm; add [ReLU]                            norm with a residual, where the addition was
 *   backward    [add gradients]; [ReLU_bwd]; norm_bwd       norm_bwd that adds, masks and keeps what it made of both
 *               norm_bwd behind its own ReLU                takes the mask from x: y needs not be there any more
 *
 * Every element goes through the same operations in the same order as in the calls apart, so the bits are the same. */
#include "compute/cpu/internal.h"

/* Who touches a slot: how many calls read it, the first of them, and the call that made it; −1 for none. */
typedef struct {
  int n_readers, first_reader, maker;
} Use;

typedef struct {
  PjCpuExec *e;
  Use *uses;        /* by slot */
} Fuser;

static PjCpuCall *
call_at (Fuser *f, int c)
{
  return &f->e->calls[c];
}

static void
find_uses (Fuser *f)
{
  for (guint s = 0; s < f->e->program->slots->len; s++)
    f->uses[s] = (Use) { 0, -1, -1 };
  for (guint c = 0; c < f->e->program->calls->len; c++) {
    const PjCall *call = &call_at (f, (int) c)->call;
    for (int i = 0; i < PJ_CALL_MAX_IN; i++)
      if (call->in[i] >= 0 && f->uses[call->in[i]].n_readers++ == 0)
        f->uses[call->in[i]].first_reader = (int) c;
    for (int i = 0; i < PJ_CALL_MAX_OUT; i++)
      if (call->out[i] >= 0)
        f->uses[call->out[i]].maker = (int) c;
  }
}

/* TRUE if nobody but calls of the program sees what is in the slot. */
static gboolean
is_inside (Fuser *f, int slot)
{
  const PjSlot *s = pj_program_slot (f->e->program, slot);
  return s->store == PJ_STORE_ARENA && !(s->flags & (PJ_SLOT_HOST | PJ_SLOT_KEEP)) && f->uses[slot].maker >= 0;
}

/* The call that made @slot, if it is a @kernel in the same segment as call @c and not part of another one; or NULL. */
static PjCpuCall *
made_by (Fuser *f, int slot, PjKernel kernel, int c)
{
  if (slot < 0 || !is_inside (f, slot))
    return NULL;
  PjCpuCall *maker = call_at (f, f->uses[slot].maker);
  return maker->call.kernel == kernel && maker->call.segment == call_at (f, c)->call.segment && !maker->absorbed
         && f->uses[slot].maker < c ? maker : NULL;
}

/* --- forward --- */

static PjCpuCall *
plain_norm (Fuser *f, int slot, int add)
{
  static const PjKernel norms[] = { PJ_KERNEL_NORM_TRAIN, PJ_KERNEL_NORM_APPLY, PJ_KERNEL_NORM_EVAL };
  for (guint i = 0; i < G_N_ELEMENTS (norms); i++) {
    PjCpuCall *norm = made_by (f, slot, norms[i], add);
    if (norm != NULL && !norm->call.relu && norm->residual < 0 && f->uses[slot].n_readers == 1)
      return norm;
  }
  return NULL;
}

/* Nobody needs the statistics before the norm runs in its new place. */
static gboolean
may_move (Fuser *f, const PjCpuCall *norm, int to)
{
  for (int i = 1; i < PJ_CALL_MAX_OUT; i++)
    if (norm->call.out[i] >= 0 && f->uses[norm->call.out[i]].n_readers > 0 && f->uses[norm->call.out[i]].first_reader <= to)
      return FALSE;
  return TRUE;
}

static void
join_add (Fuser *f, int c)
{
  PjCpuCall *add = call_at (f, c), *best = NULL;
  int residual = -1;

  for (int i = 0; i < 2; i++) {
    PjCpuCall *norm = plain_norm (f, add->call.in[i], c);
    /* Of two the later one: less lives in between. */
    if (norm != NULL && may_move (f, norm, c) && norm > best && add->call.in[0] != add->call.in[1]) {
      best = norm;
      residual = add->call.in[1 - i];
    }
  }
  if (best == NULL)
    return;
  PjCall joined = best->call;
  joined.relu = add->call.relu;
  joined.out[0] = add->call.out[0];
  add->call = joined;
  add->residual = residual;
  best->absorbed = TRUE;
}

/* --- backward --- */

/* dy of @norm comes from a ReLU's backward pass that nobody read before. */
static void
join_relu_bwd (Fuser *f, int c)
{
  PjCpuCall *norm = call_at (f, c);
  int d = norm->call.in[2];
  PjCpuCall *relu = norm->call.relu ? NULL : made_by (f, d, PJ_KERNEL_RELU_BWD, c);

  if (relu == NULL || f->uses[d].first_reader != c)
    return;
  norm->call.relu = TRUE;
  norm->call.ceiling = 0.0f;
  norm->call.in[1] = relu->call.in[0];
  norm->call.in[2] = relu->call.in[1];
  norm->masked = f->uses[d].n_readers > 1 ? d : -1;
  relu->absorbed = TRUE;
}

/* dy of @norm is a sum. @d: what dy was before the ReLU's backward pass was joined. */
static void
join_sum (Fuser *f, int c, int d)
{
  PjCpuCall *norm = call_at (f, c);
  int sum = norm->call.in[2];
  PjCpuCall *add = made_by (f, sum, PJ_KERNEL_ADD, c);
  gboolean behind_relu = sum != d, alone = f->uses[sum].n_readers == 1;

  if (add == NULL || add->call.relu || add->call.in[0] == add->call.in[1] || (!behind_relu && f->uses[sum].first_reader != c)
      || (!alone && (behind_relu || norm->call.relu)))
    return;
  /* Where nobody else wants the sum its slot holds what the second pass reads. */
  norm->masked = behind_relu ? d : sum;
  norm->call.in[2] = add->call.in[0];
  norm->second = add->call.in[1];
  add->absorbed = TRUE;
}

/* Calls that only made again what now nobody reads. */
static void
drop_unread (Fuser *f)
{
  g_autofree gboolean *is_read = g_new0 (gboolean, f->e->program->slots->len + 1);
  for (int c = (int) f->e->program->calls->len - 1; c >= 0; c--) {
    PjCpuCall *self = call_at (f, c);
    gboolean wanted = !self->absorbed && !self->call.again;
    for (int i = 0; i < PJ_CALL_MAX_OUT && !self->absorbed; i++)
      wanted |= self->call.out[i] >= 0 && is_read[self->call.out[i]];
    self->absorbed = !wanted;
    for (int i = 0; wanted && i < PJ_CALL_MAX_IN; i++)
      if (self->call.in[i] >= 0)
        is_read[self->call.in[i]] = TRUE;
    if (wanted && self->residual >= 0)
      is_read[self->residual] = TRUE;
    if (wanted && self->second >= 0)
      is_read[self->second] = TRUE;
  }
}

void
pj_cpu_fuse (PjCpuExec *e)
{
  guint n = e->program->calls->len;
  g_autofree Use *uses = g_new (Use, e->program->slots->len + 1);
  Fuser f = { e, uses };

  e->calls = g_new (PjCpuCall, n + 1);
  for (guint c = 0; c < n; c++)
    e->calls[c] = (PjCpuCall) { .call = *pj_program_call (e->program, c), .residual = -1, .second = -1, .masked = -1 };
  find_uses (&f);
  for (int c = 0; c < (int) n; c++) {
    PjKernel kernel = e->calls[c].call.kernel;
    if (kernel == PJ_KERNEL_ADD)
      join_add (&f, c);
    if (kernel != PJ_KERNEL_NORM_BWD && kernel != PJ_KERNEL_NORM_EVAL_BWD)
      continue;
    int d = e->calls[c].call.in[2];
    if (e->calls[c].call.relu)
      e->calls[c].call.in[1] = -1;
    join_relu_bwd (&f, c);
    join_sum (&f, c, d);
  }
  drop_unread (&f);
}
