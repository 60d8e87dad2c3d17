/* SPDX-License-Identifier: MIT */
/* Data sets whose pictures lie in memory as records of one size, and the kind made from memory. */
#include <string.h>

#include "base/alloc.h"
#include "data/kind.h"

static void
clear_bytes (gpointer bytes)
{
  pj_bytes_clear (bytes);
}

PjPacked *
pj_packed_new (void)
{
  PjPacked *self = g_new (PjPacked, 1);
  self->segments = g_array_new (FALSE, FALSE, sizeof (PjRecords));
  self->owned = g_array_new (FALSE, FALSE, sizeof (PjBytes));
  g_array_set_clear_func (self->owned, clear_bytes);
  return self;
}

void
pj_packed_own (PjPacked *self, PjBytes *bytes)
{
  g_array_append_val (self->owned, *bytes);
  *bytes = (PjBytes) { NULL, 0 };
}

void
pj_packed_add (PjPacked *self, const guint8 *first, size_t stride, size_t skip, uint32_t n)
{
  PjRecords records = { first, stride, skip, n };
  g_array_append_val (self->segments, records);
}

void
pj_packed_free (gpointer data)
{
  PjPacked *self = data;
  if (self == NULL)
    return;
  g_array_unref (self->segments);
  g_array_unref (self->owned);
  g_free (self);
}

gboolean
pj_packed_read (const PjSource *source, uint32_t item, const PjFormat *wanted, PjPicture *picture, GError **error)
{
  const PjPacked *self = source->data;
  guint s = 0;
  while (item >= g_array_index (self->segments, PjRecords, s).n)
    item -= g_array_index (self->segments, PjRecords, s++).n;
  const PjRecords *records = &g_array_index (self->segments, PjRecords, s);
  *picture = (PjPicture) {
    source->c, source->h, source->w, records->first + item * records->stride + records->skip,
    (ptrdiff_t) source->h * source->w, source->w, 1, NULL,
  };
  return TRUE;
}

const PjDataKind pj_data_memory = { .name = "memory", .read = pj_packed_read, .close = pj_packed_free };

PjDataset *
pj_dataset_new_memory (const char *name, int n, int c, int h, int w, const guint8 *pixels, const int32_t *labels,
                       int n_classes, int n_test)
{
  g_return_val_if_fail (n > n_test && n_test >= 0 && (c == 1 || c == 3) && h > 0 && w > 0, NULL);
  size_t one = (size_t) c * (size_t) h * (size_t) w;
  PjBytes bytes = { pj_alloc (one * (size_t) n, name, NULL), one * (size_t) n };
  g_return_val_if_fail (bytes.data != NULL, NULL);
  PjSource *source = pj_source_new (&pj_data_memory, name, NULL);
  PjPacked *packed = source->data = pj_packed_new ();

  memcpy (bytes.data, pixels, bytes.size);
  pj_packed_add (packed, bytes.data, one, 0, (uint32_t) n);
  pj_packed_own (packed, &bytes);
  source->c = c;
  source->h = h;
  source->w = w;
  for (int k = 0; k < n_classes; k++) {
    g_autofree char *digits = g_strdup_printf ("%d", k);
    pj_source_add_class (source, digits);
  }
  for (int i = 0; i < n; i++)
    pj_source_add (source, labels[i], i < n - n_test ? PJ_SPLIT_TRAIN : PJ_SPLIT_TEST);
  return pj_source_finish (source, NULL);
}
