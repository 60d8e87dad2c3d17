/* SPDX-License-Identifier: MIT */
/* The binary batches of CIFAR-10 and CIFAR-100: files of records without any header.
 *
 *   CIFAR-10   data_batch_1.bin … data_batch_5.bin, test_batch.bin    label, 3·32·32 bytes
 *   CIFAR-100  train.bin, test.bin                       coarse label, label, 3·32·32 bytes
 *
 * Bytes are R, G, B planes.  What tells the two apart is the size of the files and their labels. */
#include <string.h>

#include "base/error.h"
#include "data/kind.h"

#define SIDE 32
#define PIXELS (3 * SIDE * SIDE)

/* @label: byte of a record that is the class. @names: file with one class name a line. */
typedef struct {
  size_t n_labels, label;
  unsigned n_classes;
  const char *title, *names;
} Variant;

static const Variant variants[] = {
  { 1, 0, 10, "CIFAR-10", "batches.meta.txt" },
  { 2, 1, 100, "CIFAR-100", "fine_label_names.txt" },
};

/* By name alone: damaged files must be named, not overlooked. NULL if it is none. */
static const Variant *
variant_of_entry (const PjEntry *entry)
{
  if (entry->is_folder || !g_str_has_suffix (entry->name, ".bin"))
    return NULL;
  if (g_str_has_prefix (entry->name, "data_batch") || strcmp (entry->name, "test_batch.bin") == 0)
    return &variants[0];
  if (strcmp (entry->name, "train.bin") == 0 || strcmp (entry->name, "test.bin") == 0)
    return &variants[1];
  return NULL;
}

/* train.bin may be anybody's file: its size must be right as well, or the list of names must be there. */
static gboolean
detect (GPtrArray *entries)
{
  gboolean listed = FALSE;
  for (guint i = 0; i < entries->len; i++)
    listed = listed || strcmp (pj_entry (entries, i)->name, variants[1].names) == 0;
  for (guint i = 0; i < entries->len; i++) {
    const PjEntry *entry = pj_entry (entries, i);
    const Variant *v = variant_of_entry (entry);
    if (v == &variants[0] || (v != NULL && (listed || (entry->size > 0 && entry->size % (v->n_labels + PIXELS) == 0))))
      return TRUE;
  }
  return FALSE;
}

/* The names of the classes, or their numbers if the list is missing or has another length. */
static gboolean
add_classes (PjSource *source, const Variant *v, GPtrArray *entries)
{
  g_auto (GStrv) lines = NULL;
  for (guint i = 0; i < entries->len; i++) {
    g_auto (PjBytes) bytes = { NULL, 0 };
    if (strcmp (pj_entry (entries, i)->name, v->names) == 0 && pj_bytes_read (pj_entry (entries, i)->path, 1 << 16, &bytes, NULL)) {
      g_autofree char *text = g_strndup ((const char *) bytes.data, bytes.size);
      lines = g_strsplit (g_strstrip (text), "\n", -1);
    }
  }
  gboolean named = lines != NULL && g_strv_length (lines) == v->n_classes;
  for (unsigned k = 0; k < v->n_classes; k++) {
    g_autofree char *digits = g_strdup_printf ("%u", k);
    pj_source_add_class (source, named && g_utf8_validate (lines[k], -1, NULL) ? g_strstrip (lines[k]) : digits);
  }
  return named;
}

static gboolean
add_file (PjSource *source, const Variant *v, const PjEntry *entry, GError **error)
{
  g_auto (PjBytes) bytes = { NULL, 0 };
  size_t record = v->n_labels + PIXELS;
  PjPacked *packed = source->data;
  PjSplit split = pj_split_of_name (entry->name, NULL);

  if (!pj_bytes_read (entry->path, PJ_DATA_MAX_BYTES, &bytes, error))
    return FALSE;
  if (bytes.size == 0 || bytes.size % record != 0) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED,
                 "“%s” has %zu bytes, which is no whole number of %s records of %zu bytes; it may be cut short",
                 entry->path, bytes.size, v->title, record);
    return FALSE;
  }
  size_t n = bytes.size / record;
  for (size_t i = 0; i < n; i++) {
    unsigned label = bytes.data[i * record + v->label];
    if (label >= v->n_classes) {
      g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, "“%s”: label %u of picture %zu is out of range; %s has 0 … %u",
                   entry->path, label, i, v->title, v->n_classes - 1);
      return FALSE;
    }
    pj_source_add (source, (int32_t) label, split);
  }
  pj_packed_add (packed, bytes.data, record, v->n_labels, (uint32_t) n);
  pj_packed_own (packed, &bytes);
  return TRUE;
}

static gboolean
cifar_open (PjSource *source, GPtrArray *entries, GError **error)
{
  const Variant *v = NULL;
  for (guint i = 0; v == NULL && i < entries->len; i++)
    v = variant_of_entry (pj_entry (entries, i));
  g_return_val_if_fail (v != NULL, FALSE);
  source->data = pj_packed_new ();
  source->c = 3;
  source->h = source->w = SIDE;
  if (add_classes (source, v, entries)) {
    g_free (source->name);
    source->name = g_strdup (v->title);
  }
  for (guint i = 0; i < entries->len; i++)
    if (variant_of_entry (pj_entry (entries, i)) == v && !add_file (source, v, pj_entry (entries, i), error))
      return FALSE;
  return TRUE;
}

const PjDataKind pj_data_cifar = {
  .name = "cifar",
  .what = "the binary batches of CIFAR-10 or CIFAR-100 (data_batch_1.bin, …)",
  .detect = detect,
  .open = cifar_open,
  .read = pj_packed_read,
  .close = pj_packed_free,
};
