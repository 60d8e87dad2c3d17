/* SPDX-License-Identifier: MIT */
/* A ring of batches between the threads that fill them and the one that uses them.
 *
 *   ticket: next batch to fill      next: batch that is handed out next
 *
 *   slots     [ in use ][ ready ][ being filled ][ free ]
 *               next-1    next …        … ticket-1
 *
 * A thread takes the next ticket while its slot is free, fills it without the lock and marks it ready.
 * Batch b of an epoch goes to slot b mod n_slots, and what it holds follows from (seed, epoch, b): the
 * order in which threads finish does not matter.  Locks are pthread's, which ThreadSanitizer sees. */
#include "data/loader.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"

#define MAX_THREADS 64

typedef struct {
  PjBatch batch;
  gboolean ready;
  GError *error;            /* why the batch could not be made */
} Slot;

struct _PjLoader {
  PjDataset *dataset;
  PjLoaderOptions options;
  float table[3][256];      /* byte to normalised value */
  size_t picture_elems;
  unsigned n_items, n_batches, n_slots, n_scratch;
  Slot *slots;
  uint32_t *order;          /* item at each position of the epoch */
  guint8 **scratch;         /* one picture for each thread */

  pthread_mutex_t lock;     /* guards all below, and ready of the slots */
  pthread_cond_t work, done;
  pthread_t *threads;
  unsigned n_threads, n_scratch_taken;
  unsigned epoch, ticket, next, n_busy;
  gboolean started, stopping, in_use;
};

/* --- making one picture --- */

/* Copies @pixels into @out, moved by (dy, dx) and mirrored; what falls outside stays zero. */
static void
place (const PjLoader *self, const guint8 *pixels, int dy, int dx, gboolean mirrored, float *out)
{
  int c = self->options.format.c, h = self->options.format.h, w = self->options.format.w;
  memset (out, 0, self->picture_elems * sizeof (float));
  for (int ch = 0; ch < c; ch++)
    for (int y = MAX (0, -dy); y < MIN (h, h - dy); y++) {
      const guint8 *from = pixels + ((size_t) ch * (size_t) h + (size_t) (y + dy)) * (size_t) w;
      float *to = out + ((size_t) ch * (size_t) h + (size_t) y) * (size_t) w;
      for (int x = MAX (0, -dx); x < MIN (w, w - dx); x++)
        to[x] = self->table[ch][from[mirrored ? w - 1 - x - dx : x + dx]];
    }
}

/* The picture at @position of the epoch, augmented by random numbers of that position alone. */
static gboolean
make_picture (const PjLoader *self, unsigned position, guint8 *pixels, float *out, GError **error)
{
  const PjLoaderOptions *o = &self->options;
  int dy = 0, dx = 0;
  gboolean mirrored = FALSE;

  if (!pj_dataset_pixels (self->dataset, o->split, self->order[position], &o->format, pixels, error))
    return FALSE;
  if (o->crop > 0 || o->flip) {
    PjRng rng;
    pj_rng_init (&rng, o->seed, PJ_STREAM (PJ_STREAM_AUGMENT, self->epoch, position));
    mirrored = o->flip && (pj_rng_u32 (&rng) & 1) != 0;
    if (o->crop > 0) {
      dy = (int) pj_rng_below (&rng, 2 * (uint32_t) o->crop + 1) - o->crop;
      dx = (int) pj_rng_below (&rng, 2 * (uint32_t) o->crop + 1) - o->crop;
    }
  }
  place (self, pixels, dy, dx, mirrored, out);
  return TRUE;
}

static gboolean
make_batch (const PjLoader *self, unsigned index, guint8 *pixels, PjBatch *batch, GError **error)
{
  const PjLoaderOptions *o = &self->options;
  unsigned first = index * o->batch;

  batch->n = MIN (o->batch, self->n_items - first);
  for (unsigned i = 0; i < o->batch; i++) {
    float *out = batch->images + i * self->picture_elems;
    unsigned real = i < batch->n ? i : 0;
    batch->indices[i] = self->order[first + real];
    batch->labels[i] = pj_dataset_label (self->dataset, o->split, batch->indices[i]);
    if (real != i)
      memcpy (out, batch->images, self->picture_elems * sizeof (float));
    else if (!make_picture (self, first + i, pixels, out, error))
      return FALSE;
  }
  return TRUE;
}

/* --- threads --- */

static gboolean
has_work (const PjLoader *self)
{
  /* The slot before @next is still in the hands of the user. */
  return self->started && self->ticket < self->n_batches && self->ticket + self->in_use < self->next + self->n_slots;
}

static void *
loader_thread (void *data)
{
  PjLoader *self = data;

  pthread_mutex_lock (&self->lock);
  guint8 *pixels = self->scratch[self->n_scratch_taken++];
  while (!self->stopping) {
    if (!has_work (self)) {
      pthread_cond_wait (&self->work, &self->lock);
      continue;
    }
    unsigned index = self->ticket++;
    Slot *slot = &self->slots[index % self->n_slots];
    self->n_busy++;
    pthread_mutex_unlock (&self->lock);
    GError *error = NULL;
    make_batch (self, index, pixels, &slot->batch, &error);
    pthread_mutex_lock (&self->lock);
    slot->error = error;
    slot->ready = TRUE;
    self->n_busy--;
    pthread_cond_broadcast (&self->done);
  }
  pthread_mutex_unlock (&self->lock);
  return NULL;
}

static void
stop_threads (PjLoader *self)
{
  pthread_mutex_lock (&self->lock);
  self->stopping = TRUE;
  pthread_cond_broadcast (&self->work);
  pthread_mutex_unlock (&self->lock);
  for (unsigned t = 0; t < self->n_threads; t++)
    pthread_join (self->threads[t], NULL);
  self->n_threads = 0;
}

static gboolean
start_threads (PjLoader *self, unsigned n, GError **error)
{
  self->threads = g_new0 (pthread_t, n);
  for (; self->n_threads < n; self->n_threads++) {
    int status = pthread_create (&self->threads[self->n_threads], NULL, loader_thread, self);
    if (status == 0)
      continue;
    if (self->n_threads > 0)
      break;          /* fewer threads than asked for do the same work */
    g_set_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "no thread for loading pictures: %s", g_strerror (status));
    return FALSE;
  }
  return TRUE;
}

/* --- public --- */

static gboolean
check (PjDataset *dataset, const PjLoaderOptions *o, GError **error)
{
  unsigned n = pj_dataset_n (dataset, o->split);
  const char *part = o->split == PJ_SPLIT_TRAIN ? "training" : "test";

  if (o->batch < 1 || o->crop < 0 || o->crop >= MIN (o->format.h, o->format.w)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "a batch of %u cropped by %d pixels is not possible for pictures of %d×%d",
                 o->batch, o->crop, o->format.w, o->format.h);
    return FALSE;
  }
  if (n == 0 || (o->shuffle && n < o->batch)) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH, "“%s” has %u %s pictures, fewer than one batch of %u",
                 pj_dataset_name (dataset), n, part, o->batch);
    return FALSE;
  }
  return TRUE;
}

static gboolean
allocate (PjLoader *self, GError **error)
{
  unsigned batch = self->options.batch;
  self->slots = g_new0 (Slot, self->n_slots);
  self->order = g_new (uint32_t, self->n_items);
  for (unsigned s = 0; s < self->n_slots; s++) {
    PjBatch *b = &self->slots[s].batch;
    b->labels = g_new0 (int32_t, batch);
    b->indices = g_new0 (uint32_t, batch);
    b->images = pj_alloc (batch * self->picture_elems * sizeof (float), "batches of pictures", error);
    if (b->images == NULL)
      return FALSE;
  }
  self->scratch = g_new0 (guint8 *, self->n_scratch);
  for (unsigned t = 0; t < self->n_scratch; t++) {
    self->scratch[t] = pj_alloc (self->picture_elems, "a picture", error);
    if (self->scratch[t] == NULL)
      return FALSE;
  }
  return TRUE;
}

PjLoader *
pj_loader_new (PjDataset *dataset, const PjLoaderOptions *options, GError **error)
{
  unsigned n_threads = CLAMP (options->n_threads, 1, MAX_THREADS);

  if (!check (dataset, options, error))
    return NULL;
  g_autoptr (PjLoader) self = g_new0 (PjLoader, 1);
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->work, NULL);
  pthread_cond_init (&self->done, NULL);
  self->dataset = pj_dataset_ref (dataset);
  self->options = *options;
  pj_format_table (&options->format, self->table);
  self->picture_elems = (size_t) options->format.c * (size_t) options->format.h * (size_t) options->format.w;
  self->n_items = pj_dataset_n (dataset, options->split);
  self->n_batches = options->shuffle ? self->n_items / options->batch : (self->n_items + options->batch - 1) / options->batch;
  self->n_slots = n_threads + 2;
  self->n_scratch = n_threads;
  if (!allocate (self, error) || !start_threads (self, n_threads, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
pj_loader_free (PjLoader *self)
{
  if (self == NULL)
    return;
  stop_threads (self);
  for (unsigned s = 0; self->slots != NULL && s < self->n_slots; s++) {
    pj_free (self->slots[s].batch.images);
    g_free (self->slots[s].batch.labels);
    g_free (self->slots[s].batch.indices);
    g_clear_error (&self->slots[s].error);
  }
  for (unsigned t = 0; self->scratch != NULL && t < self->n_scratch; t++)
    pj_free (self->scratch[t]);
  g_free (self->slots);
  g_free (self->order);
  g_free (self->scratch);
  g_free (self->threads);
  pj_dataset_unref (self->dataset);
  pthread_cond_destroy (&self->work);
  pthread_cond_destroy (&self->done);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

unsigned
pj_loader_n_batches (const PjLoader *self)
{
  return self->n_batches;
}

void
pj_loader_start (PjLoader *self, unsigned epoch, unsigned first)
{
  pthread_mutex_lock (&self->lock);
  self->started = FALSE;
  while (self->n_busy > 0)
    pthread_cond_wait (&self->done, &self->lock);
  for (unsigned s = 0; s < self->n_slots; s++) {
    self->slots[s].ready = FALSE;
    g_clear_error (&self->slots[s].error);
  }
  for (unsigned i = 0; i < self->n_items; i++)
    self->order[i] = i;
  if (self->options.shuffle) {
    PjRng rng;
    pj_rng_init (&rng, self->options.seed, PJ_STREAM (PJ_STREAM_SHUFFLE, epoch, 0));
    pj_rng_shuffle (&rng, self->order, self->n_items);
  }
  self->epoch = epoch;
  self->ticket = self->next = first;
  self->in_use = FALSE;
  self->started = TRUE;
  pthread_cond_broadcast (&self->work);
  pthread_mutex_unlock (&self->lock);
}

const PjBatch *
pj_loader_next (PjLoader *self, GError **error)
{
  const PjBatch *batch = NULL;

  pthread_mutex_lock (&self->lock);
  if (self->started && self->next < self->n_batches) {
    Slot *slot = &self->slots[self->next % self->n_slots];
    /* The batch handed out before is free now. */
    if (self->in_use) {
      self->slots[(self->next - 1) % self->n_slots].ready = FALSE;
      self->in_use = FALSE;
      pthread_cond_broadcast (&self->work);
    }
    while (!slot->ready)
      pthread_cond_wait (&self->done, &self->lock);
    if (slot->error != NULL) {
      /* The epoch cannot go on; asking again gives the same answer. */
      g_propagate_error (error, g_error_copy (slot->error));
    } else {
      batch = &slot->batch;
      self->next++;
      self->in_use = TRUE;
    }
  }
  pthread_mutex_unlock (&self->lock);
  return batch;
}
