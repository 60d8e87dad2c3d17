/* SPDX-License-Identifier: MIT */
/* A data set is two lists of items (training, test) over a source that several data sets may share. */
#include "data/dataset.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "data/cache.h"
#include "data/dataset-private.h"
#include "data/expand.h"
#include "data/kind.h"

G_DEFINE_QUARK (pj-data-error-quark, pj_data_error)

#define TEST_SHARE 5                              /* without a test part, every fifth picture is one */
#define CACHE_BYTES ((size_t) 512 << 20)

struct _PjDataset {
  gatomicrefcount ref;
  PjSource *source;
  uint32_t *items[2];
  unsigned n[2];            /* items */
  unsigned n_variants;      /* pictures of each training item: 1, or more in an expanded set */
  PjExpand expand;
  uint64_t expand_seed;
  pthread_mutex_t lock;     /* guards what follows: measured once, by whichever thread asks first */
  GArray *measured;         /* PjFormat */
};

/* --- sources --- */

PjSource *
pj_source_new (const PjDataKind *kind, const char *name, const char *path)
{
  PjSource *self = g_new0 (PjSource, 1);
  g_atomic_ref_count_init (&self->ref);
  self->kind = kind;
  self->name = g_strdup (name);
  self->path = g_strdup (path);
  self->classes = g_ptr_array_new_with_free_func (g_free);
  self->labels = g_array_new (FALSE, FALSE, sizeof (int32_t));
  self->splits = g_array_new (FALSE, FALSE, sizeof (guint8));
  return self;
}

void
pj_source_unref (PjSource *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref))
    return;
  self->kind->close (self->data);
  pj_cache_free (self->cache);
  g_ptr_array_unref (self->classes);
  g_array_unref (self->labels);
  g_array_unref (self->splits);
  g_free (self->name);
  g_free (self->path);
  g_free (self);
}

void
pj_source_add_class (PjSource *self, const char *name)
{
  g_ptr_array_add (self->classes, g_utf8_make_valid (name, -1));
}

void
pj_source_add (PjSource *self, int32_t label, PjSplit split)
{
  guint8 s = (guint8) split;
  g_array_append_val (self->labels, label);
  g_array_append_val (self->splits, s);
}

static int32_t
label_of (const PjSource *self, uint32_t item)
{
  return g_array_index (self->labels, int32_t, item);
}

static gboolean
has_part (const PjSource *self, PjSplit split)
{
  for (guint i = 0; i < self->splits->len; i++)
    if (g_array_index (self->splits, guint8, i) == split)
      return TRUE;
  return FALSE;
}

static void
set_aside_test_part (PjSource *self)
{
  g_autofree unsigned *seen = g_new0 (unsigned, self->classes->len);
  for (guint i = 0; i < self->labels->len; i++)
    if (++seen[label_of (self, i)] % TEST_SHARE == 0)
      g_array_index (self->splits, guint8, i) = PJ_SPLIT_TEST;
}

/* --- data sets --- */

/* Takes @source. */
static PjDataset *
dataset_new (PjSource *source, unsigned n_train, unsigned n_test)
{
  PjDataset *self = g_new0 (PjDataset, 1);
  g_atomic_ref_count_init (&self->ref);
  self->source = source;
  self->n_variants = 1;
  self->items[PJ_SPLIT_TRAIN] = g_new (uint32_t, n_train);
  self->items[PJ_SPLIT_TEST] = g_new (uint32_t, n_test);
  pthread_mutex_init (&self->lock, NULL);
  self->measured = g_array_new (FALSE, FALSE, sizeof (PjFormat));
  return self;
}

PjDataset *
pj_source_finish (PjSource *source, GError **error)
{
  g_autoptr (PjSource) self = source;

  if (!has_part (self, PJ_SPLIT_TEST))
    set_aside_test_part (self);
  if (!has_part (self, PJ_SPLIT_TRAIN)) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING, "“%s” has no training pictures", self->path ? self->path : self->name);
    return NULL;
  }
  if (self->kind->is_decoded)
    self->cache = pj_cache_new (self->labels->len, CACHE_BYTES);
  PjDataset *set = dataset_new (g_steal_pointer (&self), source->labels->len, source->labels->len);
  for (uint32_t i = 0; i < source->labels->len; i++) {
    guint8 split = g_array_index (source->splits, guint8, i);
    set->items[split][set->n[split]++] = i;
  }
  return set;
}

PjDataset *
pj_dataset_ref (PjDataset *self)
{
  g_atomic_ref_count_inc (&self->ref);
  return self;
}

void
pj_dataset_unref (PjDataset *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref))
    return;
  pj_source_unref (self->source);
  g_free (self->items[0]);
  g_free (self->items[1]);
  g_array_unref (self->measured);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

/* Puts the items of one part into a seeded order that takes one of each class in turn. */
static void
balance (PjDataset *self, PjSplit split, uint64_t seed)
{
  unsigned n = self->n[split], n_classes = self->source->classes->len, filled = 0;
  g_autofree uint32_t *items = g_memdup2 (self->items[split], n * sizeof (uint32_t));
  g_autofree unsigned *count = g_new0 (unsigned, n_classes), *start = g_new0 (unsigned, n_classes + 1);
  g_autofree uint32_t *by_class = g_new (uint32_t, n);
  PjRng rng;

  pj_rng_init (&rng, seed, PJ_STREAM (PJ_STREAM_SUBSET, split, 0));
  pj_rng_shuffle (&rng, items, n);
  for (unsigned i = 0; i < n; i++)
    start[label_of (self->source, items[i]) + 1]++;
  for (unsigned k = 0; k < n_classes; k++)
    start[k + 1] += start[k];
  for (unsigned i = 0; i < n; i++) {
    int32_t label = label_of (self->source, items[i]);
    by_class[start[label] + count[label]++] = items[i];
  }
  for (unsigned round = 0; filled < n; round++)
    for (unsigned k = 0; k < n_classes; k++)
      if (round < count[k])
        self->items[split][filled++] = by_class[start[k] + round];
}

PjDataset *
pj_dataset_subset (PjDataset *self, unsigned n_train, unsigned n_test, uint64_t seed)
{
  unsigned wanted[2] = { n_train, n_test };
  g_atomic_ref_count_inc (&self->source->ref);
  PjDataset *subset = dataset_new (self->source, self->n[0], self->n[1]);

  for (PjSplit s = PJ_SPLIT_TRAIN; s <= PJ_SPLIT_TEST; s++) {
    memcpy (subset->items[s], self->items[s], self->n[s] * sizeof (uint32_t));
    subset->n[s] = self->n[s];
    if (wanted[s] == 0 || wanted[s] >= self->n[s])
      continue;
    balance (subset, s, seed);
    subset->n[s] = wanted[s];
  }
  return subset;
}

PjDataset *
pj_dataset_expand (PjDataset *self, PjExpand how, uint64_t seed)
{
  if (how == PJ_EXPAND_NO)
    return pj_dataset_ref (self);
  PjDataset *expanded = pj_dataset_subset (self, 0, 0, 0);
  expanded->n_variants = PJ_EXPAND_VARIANTS;
  expanded->expand = how;
  expanded->expand_seed = seed;
  return expanded;
}

static unsigned
variants_of (const PjDataset *self, PjSplit split)
{
  return split == PJ_SPLIT_TRAIN ? self->n_variants : 1;
}

/* --- facts --- */

const char *
pj_dataset_name (const PjDataset *self)
{
  return self->source->name;
}

const char *
pj_dataset_path (const PjDataset *self)
{
  return self->source->path;
}

unsigned
pj_dataset_n (const PjDataset *self, PjSplit split)
{
  return self->n[split] * variants_of (self, split);
}

unsigned
pj_dataset_n_classes (const PjDataset *self)
{
  return self->source->classes->len;
}

const char *
pj_dataset_class_name (const PjDataset *self, unsigned label)
{
  g_return_val_if_fail (label < self->source->classes->len, NULL);
  return self->source->classes->pdata[label];
}

char *
pj_dataset_class_list (const PjDataset *self)
{
  GString *names = g_string_new (NULL);

  for (unsigned i = 0; i < pj_dataset_n_classes (self); i++) {
    g_autofree char *name = g_strdelimit (g_strdup (pj_dataset_class_name (self, i)), "\r\n", ' ');
    g_string_append_printf (names, "%s%s", i > 0 ? "\n" : "", name);
  }
  return g_string_free (names, FALSE);
}

int32_t
pj_dataset_label (const PjDataset *self, PjSplit split, unsigned i)
{
  g_return_val_if_fail (i < pj_dataset_n (self, split), -1);
  return label_of (self->source, self->items[split][i / variants_of (self, split)]);
}

void
pj_dataset_native_size (const PjDataset *self, int *c, int *h, int *w)
{
  *c = self->source->c;
  *h = self->source->h;
  *w = self->source->w;
}

/* --- pictures --- */

static gboolean
read_item (PjSource *source, uint32_t item, const PjFormat *format, guint8 *out, GError **error)
{
  g_auto (PjPicture) picture = { 0 };

  if (source->cache != NULL && pj_cache_get (source->cache, item, format, out))
    return TRUE;
  if (!source->kind->read (source, item, format, &picture, error) || !pj_picture_fit (&picture, format, out, error))
    return FALSE;
  if (source->cache != NULL)
    pj_cache_put (source->cache, item, format, out);
  return TRUE;
}

gboolean
pj_dataset_pixels (PjDataset *self, PjSplit split, unsigned i, const PjFormat *format, guint8 *out, GError **error)
{
  g_return_val_if_fail (i < pj_dataset_n (self, split), FALSE);
  unsigned n_variants = variants_of (self, split), variant = i % n_variants, index = i / n_variants;
  uint32_t item = self->items[split][index];

  if (variant == 0)
    return read_item (self->source, item, format, out, error);
  guint8 *original = pj_alloc ((size_t) format->c * (size_t) format->h * (size_t) format->w, "a picture", error);
  gboolean ok = original != NULL && read_item (self->source, item, format, original, error)
                && pj_expand_variant (original, format->c, format->h, format->w, self->expand, self->expand_seed, index, variant,
                                      out, error);
  pj_free (original);
  return ok;
}

gboolean
pj_dataset_image (PjDataset *self, PjSplit split, unsigned i, const PjFormat *format, float *out, GError **error)
{
  size_t n = (size_t) format->c * (size_t) format->h * (size_t) format->w;
  guint8 *pixels = pj_alloc (n, "a picture", error);
  gboolean ok = pixels != NULL && pj_dataset_pixels (self, split, i, format, pixels, error);

  if (ok)
    pj_format_normalise (format, pixels, out);
  pj_free (pixels);
  return ok;
}

/* --- what format.c measures, kept --- */

gboolean
pj_dataset_recall (PjDataset *self, PjFormat *format)
{
  gboolean found = FALSE;
  pthread_mutex_lock (&self->lock);
  for (guint i = 0; !found && i < self->measured->len; i++) {
    const PjFormat *known = &g_array_index (self->measured, PjFormat, i);
    found = known->c == format->c && known->h == format->h && known->w == format->w;
    if (found)
      *format = *known;
  }
  pthread_mutex_unlock (&self->lock);
  return found;
}

void
pj_dataset_remember (PjDataset *self, const PjFormat *format)
{
  pthread_mutex_lock (&self->lock);
  g_array_append_val (self->measured, *format);
  pthread_mutex_unlock (&self->lock);
}
