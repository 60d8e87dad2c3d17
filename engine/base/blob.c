/* SPDX-License-Identifier: MIT */
#include "base/blob.h"

#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

struct _PjBlob {
  gatomicrefcount ref;
  const float *data;
  size_t n_elems;
  gpointer owner;
  GDestroyNotify destroy;
  char *hash;              /* set once with a compare-and-exchange */
};

PjBlob *
pj_blob_new_foreign (const float *data, size_t n_elems, gpointer owner, GDestroyNotify destroy)
{
  PjBlob *self = g_new0 (PjBlob, 1);
  g_atomic_ref_count_init (&self->ref);
  self->data = data;
  self->n_elems = n_elems;
  self->owner = owner;
  self->destroy = destroy;
  return self;
}

PjBlob *
pj_blob_new_take (float *data, size_t n_elems)
{
  return pj_blob_new_foreign (data, n_elems, data, pj_free);
}

PjBlob *
pj_blob_new_copy (const float *data, size_t n_elems, GError **error)
{
  size_t size;
  if (!pj_size_mul (n_elems, sizeof (float), &size)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "a tensor of %zu elements is too large", n_elems);
    return NULL;
  }
  float *copy = pj_alloc (size, "a tensor", error);
  if (copy == NULL)
    return NULL;
  memcpy (copy, data, size);
  return pj_blob_new_take (copy, n_elems);
}

PjBlob *
pj_blob_ref (PjBlob *self)
{
  g_atomic_ref_count_inc (&self->ref);
  return self;
}

void
pj_blob_unref (PjBlob *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref))
    return;
  if (self->destroy != NULL)
    self->destroy (self->owner);
  g_free (self->hash);
  g_free (self);
}

const float *
pj_blob_data (const PjBlob *self)
{
  return self->data;
}

size_t
pj_blob_n_elems (const PjBlob *self)
{
  return self->n_elems;
}

const char *
pj_blob_hash (PjBlob *self)
{
  char *hash = g_atomic_pointer_get (&self->hash);
  if (hash != NULL)
    return hash;
  hash = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) self->data,
                                      self->n_elems * sizeof (float));
  if (!g_atomic_pointer_compare_and_exchange (&self->hash, NULL, hash))
    g_free (hash);
  return g_atomic_pointer_get (&self->hash);
}
