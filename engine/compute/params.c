/* SPDX-License-Identifier: MIT */
#include "compute/params.h"

#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "ops/op.h"

/* 256 bytes: the largest alignment that a Vulkan device may ask of a binding. */
#define ALIGN_ELEMS 64

struct _PjParams {
  PjDevice *device;
  gboolean trainable;
  GHashTable *offsets;               /* value -> element offset */
  GHashTable *sizes;                 /* value -> number of elements */
  GArray *values;                    /* int: parameters in the order of their offsets */
  size_t n_decay, n_plain, n_elems;
  PjBuffer *stores[PJ_N_STORES];
  unsigned version;
};

/* Gives every parameter that is used as @use a place. */
static gboolean
place (PjParams *self, const PjGraph *graph, PjParamUse use, size_t *end)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    for (unsigned i = 0; i < MIN (node->n_inputs, PJ_OP_MAX_INPUTS); i++) {
      int value = node->inputs[i];
      if (node->op->uses[i] != use || value < 0 || g_hash_table_contains (self->offsets, GINT_TO_POINTER (value)))
        continue;
      size_t n_elems = pj_shape_n_elems (&pj_graph_value (graph, value)->shape);
      g_hash_table_insert (self->offsets, GINT_TO_POINTER (value), GSIZE_TO_POINTER (*end));
      g_hash_table_insert (self->sizes, GINT_TO_POINTER (value), GSIZE_TO_POINTER (n_elems));
      g_array_append_val (self->values, value);
      if (!pj_size_add (*end, pj_size_align (n_elems, ALIGN_ELEMS), end))
        return FALSE;
    }
  }
  return TRUE;
}

static gboolean
allocate (PjParams *self, GError **error)
{
  const PjDeviceClass *klass = self->device->klass;
  for (PjStore s = PJ_STORE_PARAMS; s < PJ_N_STORES; s++) {
    if (s != PJ_STORE_PARAMS && !self->trainable)
      continue;
    self->stores[s] = klass->buffer_new (self->device, MAX (self->n_elems, ALIGN_ELEMS) * sizeof (float), error);
    if (self->stores[s] == NULL)
      return FALSE;
  }
  return TRUE;
}

PjParams *
pj_params_new (PjDevice *device, const PjGraph *graph, gboolean trainable, GError **error)
{
  g_autoptr (PjParams) self = g_new0 (PjParams, 1);
  size_t end = 0;

  self->device = device;
  self->trainable = trainable;
  self->offsets = g_hash_table_new (NULL, NULL);
  self->sizes = g_hash_table_new (NULL, NULL);
  self->values = g_array_new (FALSE, FALSE, sizeof (int));
  gboolean fits = place (self, graph, PJ_USE_WEIGHT, &end);
  self->n_decay = end;
  fits = fits && place (self, graph, PJ_USE_PLAIN, &end);
  self->n_plain = end - self->n_decay;
  fits = fits && place (self, graph, PJ_USE_STATE, &end) && end < G_MAXSIZE / sizeof (float);
  self->n_elems = end;
  if (!fits) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "the parameters of “%s” are too large", pj_graph_get_name (graph));
    return NULL;
  }
  if (!allocate (self, error) || !pj_params_upload (self, graph, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
pj_params_free (PjParams *self)
{
  if (self == NULL)
    return;
  for (int s = 0; s < PJ_N_STORES; s++)
    if (self->stores[s] != NULL)
      self->device->klass->buffer_free (self->stores[s]);
  g_hash_table_unref (self->offsets);
  g_hash_table_unref (self->sizes);
  g_array_unref (self->values);
  g_free (self);
}

PjDevice *
pj_params_device (const PjParams *self)
{
  return self->device;
}

gssize
pj_params_offset (const PjParams *self, int value)
{
  gpointer offset;
  if (!g_hash_table_lookup_extended (self->offsets, GINT_TO_POINTER (value), NULL, &offset))
    return -1;
  return (gssize) GPOINTER_TO_SIZE (offset);
}

size_t
pj_params_n_decay (const PjParams *self)
{
  return self->n_decay;
}

size_t
pj_params_n_plain (const PjParams *self)
{
  return self->n_plain;
}

size_t
pj_params_n_elems (const PjParams *self)
{
  return self->n_elems;
}

PjBuffer *const *
pj_params_stores (const PjParams *self)
{
  return self->stores;
}

unsigned
pj_params_version (const PjParams *self)
{
  return self->version;
}

void
pj_params_touch (PjParams *self)
{
  self->version++;
}

static gboolean
write_store (PjParams *self, PjStore store, const float *data, GError **error)
{
  return self->device->klass->buffer_write (self->stores[store], 0, data, self->n_elems * sizeof (float), error);
}

static gboolean
read_store (PjParams *self, PjStore store, float *data, GError **error)
{
  return self->device->klass->buffer_read (self->stores[store], 0, data, self->n_elems * sizeof (float), error);
}

/* Where the parameters are packed before they go to the device: on the device, if the host can write there. */
static float *
begin_upload (PjParams *self, GError **error)
{
  const PjDeviceClass *klass = self->device->klass;
  if (klass->buffer_data != NULL)
    return klass->buffer_data (self->stores[PJ_STORE_PARAMS]);
  return pj_alloc (self->n_elems * sizeof (float), "the parameters", error);
}

static gboolean
clear_momentum (PjParams *self, GError **error)
{
  float *zeros = pj_alloc (self->n_elems * sizeof (float), "the parameters", error);
  gboolean ok = zeros != NULL && write_store (self, PJ_STORE_MOMENTUM, zeros, error);
  pj_free (zeros);
  return ok;
}

gboolean
pj_params_upload (PjParams *self, const PjGraph *graph, GError **error)
{
  gboolean is_there = self->device->klass->buffer_data != NULL;
  float *packed = NULL;
  gboolean ok = (!self->trainable || self->version == 0 || clear_momentum (self, error))
                && (packed = begin_upload (self, error)) != NULL;

  for (guint i = 0; ok && i < self->values->len; i++) {
    int value = g_array_index (self->values, int, i);
    const PjBlob *blob = pj_graph_value (graph, value)->data;
    memcpy (packed + pj_params_offset (self, value), pj_blob_data (blob), pj_blob_n_elems (blob) * sizeof (float));
  }
  if (!is_there) {
    ok = ok && write_store (self, PJ_STORE_PARAMS, packed, error);
    pj_free (packed);
  }
  self->version++;
  return ok;
}

gboolean
pj_params_write (PjParams *self, int value, const float *data, GError **error)
{
  gssize offset = pj_params_offset (self, value);
  g_return_val_if_fail (offset >= 0, FALSE);
  size_t n_elems = GPOINTER_TO_SIZE (g_hash_table_lookup (self->sizes, GINT_TO_POINTER (value)));
  self->version++;
  return self->device->klass->buffer_write (self->stores[PJ_STORE_PARAMS], (size_t) offset * sizeof (float), data,
                                            n_elems * sizeof (float), error);
}

PjGraph *
pj_params_download (PjParams *self, const PjGraph *graph, GError **error)
{
  g_autoptr (PjGraph) copy = pj_graph_copy (graph);
  float *packed = pj_alloc (self->n_elems * sizeof (float), "the parameters", error);
  gboolean ok = packed != NULL && read_store (self, PJ_STORE_PARAMS, packed, error);

  for (guint i = 0; ok && i < self->values->len; i++) {
    int value = g_array_index (self->values, int, i);
    const PjShape *shape = &pj_graph_value (graph, value)->shape;
    PjBlob *blob = pj_blob_new_copy (packed + pj_params_offset (self, value), pj_shape_n_elems (shape), error);
    ok = blob != NULL;
    if (ok)
      pj_graph_set_param (copy, value, *shape, blob);
  }
  pj_free (packed);
  return ok ? g_steal_pointer (&copy) : NULL;
}

GBytes *
pj_params_save (PjParams *self, GError **error)
{
  size_t n = self->n_elems * (self->trainable ? 2 : 1);
  float *state = pj_alloc (n * sizeof (float), "a checkpoint", error);

  if (state == NULL || !read_store (self, PJ_STORE_PARAMS, state, error)
      || (self->trainable && !read_store (self, PJ_STORE_MOMENTUM, state + self->n_elems, error))) {
    pj_free (state);
    return NULL;
  }
  return g_bytes_new_with_free_func (state, n * sizeof (float), pj_free, state);
}

gboolean
pj_params_restore (PjParams *self, GBytes *state, GError **error)
{
  gsize size;
  const float *data = g_bytes_get_data (state, &size);

  if (size != self->n_elems * (self->trainable ? 2 : 1) * sizeof (float)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "the checkpoint has %zu bytes and does not belong to this network", size);
    return FALSE;
  }
  self->version++;
  return write_store (self, PJ_STORE_PARAMS, data, error)
         && (!self->trainable || write_store (self, PJ_STORE_MOMENTUM, data + self->n_elems, error));
}

gboolean
pj_params_read_grad (PjParams *self, int value, float *out, GError **error)
{
  gssize offset = pj_params_offset (self, value);
  g_return_val_if_fail (self->trainable && offset >= 0, FALSE);
  size_t n_elems = GPOINTER_TO_SIZE (g_hash_table_lookup (self->sizes, GINT_TO_POINTER (value)));
  return self->device->klass->buffer_read (self->stores[PJ_STORE_GRADS], (size_t) offset * sizeof (float), out,
                                           n_elems * sizeof (float), error);
}
