/* SPDX-License-Identifier: MIT */
#include "data/cache.h"

#include <pthread.h>
#include <string.h>

/* The pictures of one size. */
typedef struct {
  int c, h, w;
  int side;
  gboolean bgr;
  guint8 **pixels;          /* by item; NULL where not kept */
} Size;

struct _PjCache {
  pthread_mutex_t lock;     /* not GLib's: ThreadSanitizer must see it */
  uint32_t n_items;
  size_t room;
  GArray *sizes;            /* Size */
};

PjCache *
pj_cache_new (uint32_t n_items, size_t max_bytes)
{
  PjCache *self = g_new0 (PjCache, 1);
  pthread_mutex_init (&self->lock, NULL);
  self->n_items = n_items;
  self->room = max_bytes;
  self->sizes = g_array_new (FALSE, FALSE, sizeof (Size));
  return self;
}

void
pj_cache_free (PjCache *self)
{
  if (self == NULL)
    return;
  for (guint s = 0; s < self->sizes->len; s++) {
    Size *size = &g_array_index (self->sizes, Size, s);
    for (uint32_t i = 0; i < self->n_items; i++)
      g_free (size->pixels[i]);
    g_free (size->pixels);
  }
  g_array_unref (self->sizes);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

static size_t
picture_bytes (const PjFormat *format)
{
  return (size_t) format->c * (size_t) format->h * (size_t) format->w;
}

/* NULL if pictures of this size were never kept. */
static Size *
find_size (PjCache *self, const PjFormat *format)
{
  for (guint s = 0; s < self->sizes->len; s++) {
    Size *size = &g_array_index (self->sizes, Size, s);
    if (size->c == format->c && size->h == format->h && size->w == format->w && size->side == format->side
        && size->bgr == format->bgr)
      return size;
  }
  return NULL;
}

gboolean
pj_cache_get (PjCache *self, uint32_t item, const PjFormat *format, guint8 *out)
{
  pthread_mutex_lock (&self->lock);
  const Size *size = find_size (self, format);
  gboolean found = size != NULL && size->pixels[item] != NULL;
  if (found)
    memcpy (out, size->pixels[item], picture_bytes (format));
  pthread_mutex_unlock (&self->lock);
  return found;
}

void
pj_cache_put (PjCache *self, uint32_t item, const PjFormat *format, const guint8 *pixels)
{
  size_t n = picture_bytes (format);
  pthread_mutex_lock (&self->lock);
  Size *size = find_size (self, format);
  size_t table = size == NULL ? self->n_items * sizeof (guint8 *) : 0;
  if (n + table <= self->room && (size == NULL || size->pixels[item] == NULL)) {
    if (size == NULL) {
      Size fresh = { format->c, format->h, format->w, format->side, format->bgr, g_try_new0 (guint8 *, self->n_items) };
      if (fresh.pixels != NULL) {
        g_array_append_val (self->sizes, fresh);
        size = find_size (self, format);
        self->room -= table;
      }
    }
    guint8 *copy = size != NULL ? g_try_malloc (n) : NULL;
    if (copy != NULL) {
      size->pixels[item] = memcpy (copy, pixels, n);
      self->room -= n;
    }
  }
  pthread_mutex_unlock (&self->lock);
}
