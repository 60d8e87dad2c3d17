/* SPDX-License-Identifier: MIT */
/* A run as bytes, for checkpoints: where it is, the rule's numbers, gates, weights and momentum.  Everything else follows
 * from the settings. */
#include <string.h>

#include "base/error.h"
#include "prune/methods/gated-run.h"

#define MAGIC 0x54414750u

typedef struct { uint32_t magic, n_gates, n_numbers, step; } Header;

/* All numbers but the weights. */
static gsize
count_numbers (const PjGatedRun *self)
{
  gsize n = self->rule->n_state;
  for (unsigned g = 0; g < self->gates->n_gates; g++)
    n += 1 + (gsize) self->gates->gates[g].n * (3 + self->rule->n_extra);
  return n;
}

static void
copy (double **at, double *numbers, gsize n, gboolean out)
{
  /* Rules without a state of their own have no memory for it either. */
  if (n == 0)
    return;
  if (out)
    memcpy (*at, numbers, n * sizeof (double));
  else
    memcpy (numbers, *at, n * sizeof (double));
  *at += n;
}

static void
copy_all (const PjGatedRun *self, double *at, gboolean out)
{
  copy (&at, self->state, self->rule->n_state, out);
  for (unsigned g = 0; g < self->gates->n_gates; g++) {
    PjGate *gate = &self->gates->gates[g];
    double frozen = gate->frozen;
    copy (&at, &frozen, 1, out);
    gate->frozen = frozen != 0;
    copy (&at, gate->gate, (gsize) gate->n, out);
    copy (&at, gate->grad, (gsize) gate->n, out);
    copy (&at, gate->fading, (gsize) gate->n, out);
    copy (&at, gate->extra, (gsize) gate->n * self->rule->n_extra, out);
  }
}

GBytes *
pj_gated_save (const PjGatedRun *self, GError **error)
{
  g_autoptr (GBytes) params = pj_params_save (self->params, error);
  if (params == NULL)
    return NULL;
  gsize n = count_numbers (self), size;
  const Header header = { MAGIC, self->gates->n_gates, (uint32_t) n, self->step };
  g_autofree double *numbers = g_new (double, n);
  const void *data = g_bytes_get_data (params, &size);
  GByteArray *bytes = g_byte_array_new ();
  copy_all (self, numbers, TRUE);
  g_byte_array_append (bytes, (const guint8 *) &header, sizeof header);
  g_byte_array_append (bytes, (const guint8 *) numbers, (guint) (n * sizeof (double)));
  g_byte_array_append (bytes, data, (guint) size);
  return g_byte_array_free_to_bytes (bytes);
}

gboolean
pj_gated_restore (PjGatedRun *self, GBytes *state, GError **error)
{
  gsize size, n = count_numbers (self), before = sizeof (Header) + n * sizeof (double);
  const guint8 *at = g_bytes_get_data (state, &size);
  Header header = { 0 };

  if (size >= sizeof header)
    memcpy (&header, at, sizeof header);
  if (size < before || header.magic != MAGIC || header.n_gates != self->gates->n_gates || header.n_numbers != n
      || header.step > self->n_steps) {
    g_set_error_literal (error, PJ_ERROR, PJ_ERROR_INVALID,
                         "the checkpoint does not belong to a run with these settings; start it again");
    return FALSE;
  }
  g_autofree double *numbers = g_memdup2 (at + sizeof header, n * sizeof (double));
  copy_all (self, numbers, FALSE);
  self->step = header.step;
  g_autoptr (GBytes) params = g_bytes_new_from_bytes (state, before, size - before);
  return pj_params_restore (self->params, params, error);
}
