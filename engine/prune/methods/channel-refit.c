/* SPDX-License-Identifier: MIT */
#include "prune/methods/channel-refit.h"

#include <string.h>

#include "base/alloc.h"
#include "compute/plan.h"
#include "prune/reconstruct/refit.h"

/* Places of each picture; more where there are few pictures for many inputs. */
#define PLACES 10
#define MOST_PLACES 64
#define ROWS_PER_INPUT 4

typedef struct {
  const PjReader *reader;     /* of the original network, reading from the cut one */
  int *taken, n_taken;        /* indices of the reader's positions that stay */
  int window, places;
  PjRefit *sums;
} Fit;

typedef struct {
  const PjScoring *scoring;
  PjCalibration *pictures;
  GArray *fits;               /* Fit */
  PjParams *params[2];
  PjPlan *plan[2];            /* original, cut */
  float *in, *out, *x, *y;
} Refit;

gboolean
pj_channel_refit_fits (const PjGraph *graph, const GPtrArray *readers)
{
  for (guint i = 0; i < readers->len; i++) {
    const PjReader *reader = readers->pdata[i];
    g_autoptr (GArray) users = pj_graph_consumers (graph, pj_graph_node (graph, reader->node)->inputs[1]);
    if (reader->n_slices > 1 || users->len != 1)
      return FALSE;
  }
  return TRUE;
}

static int
output_of (const Fit *fit)
{
  return pj_graph_node (fit->reader->graph, fit->reader->node)->outputs[0];
}

/* --- rows --- */

/* The window of each taken input at @place, zeros where it hangs over the edge. */
static void
take_patch (const Fit *fit, const float *in, PjPlace place, float *row)
{
  const PjReader *r = fit->reader;
  size_t plane = (size_t) r->size[0] * (size_t) r->size[1];
  int top = place.y * r->stride[0] - r->pad[0], left = place.x * r->stride[1] - r->pad[1];

  for (int t = 0; t < fit->n_taken; t++) {
    const float *map = in + (size_t) r->source[fit->taken[t]] * plane;
    for (int i = 0; i < r->kernel[0]; i++)
      for (int j = 0; j < r->kernel[1]; j++) {
        int y = top + i * r->dilation[0], x = left + j * r->dilation[1];
        gboolean inside = y >= 0 && y < r->size[0] && x >= 0 && x < r->size[1];
        *row++ = inside ? map[y * r->size[1] + x] : 0;
      }
  }
}

/* All outputs at @place, without the bias. */
static void
take_outputs (const Fit *fit, const float *out, PjPlace place, float *row)
{
  const PjReader *r = fit->reader;
  const PjNode *node = pj_graph_node (r->graph, r->node);
  const float *bias = node->n_inputs > 2 && node->inputs[2] >= 0 ? pj_blob_data (pj_graph_value (r->graph, node->inputs[2])->data) : NULL;
  size_t plane = (size_t) r->out_size[0] * (size_t) r->out_size[1];

  for (int o = 0; o < r->n_out; o++)
    row[o] = out[(size_t) o * plane + (size_t) (place.y * r->out_size[1] + place.x)] - (bias != NULL ? bias[o] : 0);
}

static gboolean
add_batch (Refit *self, Fit *fit, const PjBatch *batch, unsigned first, GError **error)
{
  const PjReader *r = fit->reader;
  size_t n_in = pj_reader_n_elems (r), n_out = (size_t) r->n_out * (size_t) r->out_size[0] * (size_t) r->out_size[1];
  g_autofree PjPlace *places = g_new (PjPlace, fit->places);

  if (!pj_plan_read_value (self->plan[0], output_of (fit), self->out, error)
      || !pj_plan_read_value (self->plan[1], r->value, self->in, error))
    return FALSE;
  for (unsigned n = 0; n < batch->n; n++) {
    pj_reader_places (r, self->scoring->seed, first + n, places, fit->places);
    for (int p = 0; p < fit->places; p++) {
      size_t row = (size_t) n * (size_t) fit->places + (size_t) p;
      take_patch (fit, self->in + n * n_in, places[p], self->x + row * (size_t) fit->sums->n_in);
      take_outputs (fit, self->out + n * n_out, places[p], self->y + row * (size_t) r->n_out);
    }
  }
  pj_refit_add (fit->sums, self->x, self->y, (size_t) batch->n * (size_t) fit->places);
  return TRUE;
}

/* --- the pass --- */

static void
fit_clear (gpointer data)
{
  Fit *fit = data;
  g_free (fit->taken);
  pj_refit_free (fit->sums);
}

static gboolean
add_fit (Refit *self, const PjReader *reader, const guint8 *keep, GError **error)
{
  Fit fit = { .reader = reader, .taken = g_new (int, reader->n_positions), .window = reader->kernel[0] * reader->kernel[1] };

  for (int k = 0; k < reader->n_positions; k++)
    if (keep[reader->channel[k]])
      fit.taken[fit.n_taken++] = k;
  int n_in = fit.n_taken * fit.window, wanted = (int) ((unsigned) (ROWS_PER_INPUT * n_in) / self->pictures->n_images);
  fit.places = CLAMP (wanted, PLACES, MOST_PLACES);
  fit.sums = pj_refit_new (n_in, reader->n_out, error);
  g_array_append_val (self->fits, fit);
  return fit.sums != NULL;
}

static gboolean
open_plan (Refit *self, int which, PjGraph *graph, GError **error)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (int));

  for (guint i = 0; i < self->fits->len; i++) {
    const Fit *fit = &g_array_index (self->fits, Fit, i);
    int value = which == 0 ? output_of (fit) : fit->reader->value;
    g_array_append_val (values, value);
  }
  PjPlanOptions options = {
    .batch = self->pictures->batch, .mode = PJ_PLAN_INFER, .prefix = TRUE,
    .observed = (const int *) values->data, .n_observed = values->len,
  };
  self->params[which] = pj_params_new (self->scoring->device, graph, FALSE, error);
  self->plan[which] = self->params[which] != NULL ? pj_plan_new (graph, self->params[which], &options, error) : NULL;
  return self->plan[which] != NULL;
}

static gboolean
allocate (Refit *self, GError **error)
{
  size_t in = 1, out = 1, x = 1, y = 1, batch = self->pictures->batch;
  for (guint i = 0; i < self->fits->len; i++) {
    const Fit *fit = &g_array_index (self->fits, Fit, i);
    const PjReader *r = fit->reader;
    in = MAX (in, pj_reader_n_elems (r));
    out = MAX (out, (size_t) r->n_out * (size_t) r->out_size[0] * (size_t) r->out_size[1]);
    x = MAX (x, (size_t) fit->places * (size_t) fit->sums->n_in);
    y = MAX (y, (size_t) fit->places * (size_t) r->n_out);
  }
  struct { float **memory; size_t n; } parts[] = { { &self->in, in * batch }, { &self->out, out * batch }, { &self->x, x * batch }, { &self->y, y * batch } };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    *parts[i].memory = pj_alloc (parts[i].n * sizeof (float), "samples of a layer", error);
    if (*parts[i].memory == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
run (Refit *self, const PjHooks *hooks, GError **error)
{
  const PjBatch *batch;
  GError *reason = NULL;
  unsigned n = 0;

  pj_calibration_rewind (self->pictures);
  while (reason == NULL && (batch = pj_calibration_next (self->pictures, hooks, "new weights", n, &reason)) != NULL) {
    gboolean ok = TRUE;
    for (int i = 0; ok && i < 2; i++)
      ok = pj_plan_set_images (self->plan[i], batch->images, &reason) && pj_plan_forward (self->plan[i], NULL, &reason);
    for (guint i = 0; ok && i < self->fits->len; i++)
      ok = add_batch (self, &g_array_index (self->fits, Fit, i), batch, n, &reason);
    n += batch->n;
  }
  if (reason == NULL)
    return TRUE;
  g_propagate_error (error, reason);
  return FALSE;
}

/* --- the new weights --- */

static gboolean
change_bias (PjGraph *graph, int value, const float *shift, GError **error)
{
  const PjValue *old = pj_graph_value (graph, value);
  size_t n = pj_blob_n_elems (old->data);
  float *data = pj_alloc (n * sizeof (float), "a bias", error);
  if (data == NULL)
    return FALSE;
  for (size_t o = 0; o < n; o++)
    data[o] = ((const float *) pj_blob_data (old->data))[o] + shift[o];
  pj_graph_set_param (graph, value, old->shape, pj_blob_new_take (data, n));
  return TRUE;
}

static gboolean
change_weights (PjGraph *graph, const Fit *fit, GError **error)
{
  const PjReader *r = fit->reader;
  const PjNode *node = pj_graph_node (graph, r->node);
  const PjValue *old = pj_graph_value (graph, node->inputs[1]);
  int bias = node->n_inputs > 2 ? node->inputs[2] : -1;
  size_t n = pj_blob_n_elems (old->data), n_in = (size_t) fit->sums->n_in, window = (size_t) fit->window;
  g_autofree float *w = g_new (float, n_in * (size_t) r->n_out), *shift = g_new (float, r->n_out);
  float *data = pj_alloc (n * sizeof (float), "new weights", error);

  if (data == NULL)
    return FALSE;
  if (!pj_refit_solve (fit->sums, bias >= 0, w, shift, error)) {
    g_prefix_error (error, "node “%s”: ", node->name);
    pj_free (data);
    return FALSE;
  }
  memcpy (data, pj_blob_data (old->data), n * sizeof (float));
  for (int o = 0; o < r->n_out; o++)
    for (int t = 0; t < fit->n_taken; t++)
      memcpy (data + ((size_t) o * (size_t) r->n_in + (size_t) r->position[fit->taken[t]]) * window,
              w + (size_t) o * n_in + (size_t) t * window, window * sizeof (float));
  pj_graph_set_param (graph, node->inputs[1], old->shape, pj_blob_new_take (data, n));
  return bias < 0 || change_bias (graph, bias, shift, error);
}

PjGraph *
pj_channel_refit (const PjScoring *scoring, PjCalibration *pictures, PjGraph *reference, PjGraph *cut,
                  const PjGraph *source, const GPtrArray *readers, const guint8 *keep, const PjHooks *hooks, GError **error)
{
  Refit self = { .scoring = scoring, .pictures = pictures, .fits = g_array_new (FALSE, TRUE, sizeof (Fit)) };
  g_autoptr (PjGraph) changed = pj_graph_copy (source);
  gboolean ok = TRUE;

  g_array_set_clear_func (self.fits, fit_clear);
  for (guint i = 0; ok && i < readers->len; i++)
    ok = add_fit (&self, readers->pdata[i], keep, error);
  ok = ok && open_plan (&self, 0, reference, error) && open_plan (&self, 1, cut, error) && allocate (&self, error)
       && run (&self, hooks, error);
  for (guint i = 0; ok && i < self.fits->len; i++)
    ok = change_weights (changed, &g_array_index (self.fits, Fit, i), error);
  for (int i = 0; i < 2; i++) {
    pj_plan_free (self.plan[i]);
    pj_params_free (self.params[i]);
  }
  pj_free (self.in);
  pj_free (self.out);
  pj_free (self.x);
  pj_free (self.y);
  g_array_unref (self.fits);
  return ok ? g_steal_pointer (&changed) : NULL;
}
