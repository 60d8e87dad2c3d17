/* SPDX-License-Identifier: MIT */
/* The IDX files of the MNIST family: training and test pictures and their labels, each plain or .gz.
 *
 *   OFFSET  SIZE  MEANING
 *   0       2     0
 *   2       1     type of an element; 8 = unsigned byte, the only one read
 *   3       1     number of dimensions: 3 for pictures (n, rows, columns), 1 for labels (n)
 *   4       4·d   the dimensions, big-endian
 *   4+4·d   …     the elements
 */
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "data/kind.h"

#define RANK_PICTURES 3
#define RANK_LABELS 1

typedef struct {
  PjBytes bytes;
  unsigned rank;
  size_t dim[RANK_PICTURES];
  const guint8 *elements;
} Idx;

static void
idx_clear (Idx *idx)
{
  pj_bytes_clear (&idx->bytes);
}

static size_t
get32 (const guint8 *p)
{
  return (size_t) p[0] << 24 | (size_t) p[1] << 16 | (size_t) p[2] << 8 | p[3];
}

/* --- one file --- */

static gboolean
damaged (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
damaged (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_propagate_error (error, g_error_new_valist (PJ_DATA_ERROR, PJ_DATA_ERROR_DAMAGED, format, args));
  va_end (args);
  return FALSE;
}

/* Fills @idx from its bytes; every size is held against what is really there. */
static gboolean
parse (Idx *idx, const char *name, unsigned rank, GError **error)
{
  const guint8 *data = idx->bytes.data;
  size_t size = idx->bytes.size, header = 4 + 4 * (size_t) rank, wanted = 1;

  if (size == 0)
    return damaged (error, "“%s” is empty", name);
  if (size < 4 || data[0] != 0 || data[1] != 0)
    return damaged (error, "“%s” is not an IDX file: it does not begin with two zero bytes and a type", name);
  if (data[2] != 8)
    return damaged (error, "“%s” holds elements of type 0x%02x, expected bytes (0x08)", name, data[2]);
  if (data[3] != rank)
    return damaged (error, "“%s” has %u dimensions, expected %u for %s", name, data[3], rank, rank == RANK_LABELS ? "labels" : "pictures");
  if (size < header)
    return damaged (error, "“%s” ends inside its header", name);
  idx->rank = rank;
  for (unsigned d = 0; d < rank; d++) {
    idx->dim[d] = get32 (data + 4 + 4 * d);
    if (idx->dim[d] < 1 || (d > 0 && idx->dim[d] > PJ_PICTURE_MAX_SIDE) || idx->dim[d] > PJ_DATA_MAX_PICTURES)
      return damaged (error, "“%s” says that dimension %u is %zu", name, d, idx->dim[d]);
    if (!pj_size_mul (wanted, idx->dim[d], &wanted))
      return damaged (error, "“%s” has impossible dimensions", name);
  }
  if (size - header != wanted)
    return damaged (error, "“%s” is %s: its header promises %zu bytes, %zu are there", name,
                    size - header < wanted ? "cut short" : "longer than it should be", wanted, size - header);
  idx->elements = data + header;
  return TRUE;
}

/* Takes @raw; undoes gzip. */
static gboolean
load_bytes (Idx *idx, PjBytes *raw, const char *name, unsigned rank, GError **error)
{
  gboolean ok = TRUE;
  if (pj_bytes_is_gzip (raw->data, raw->size)) {
    ok = pj_bytes_gunzip (raw->data, raw->size, name, PJ_DATA_MAX_BYTES, &idx->bytes, error);
    pj_bytes_clear (raw);
  } else {
    idx->bytes = *raw;
    *raw = (PjBytes) { NULL, 0 };
  }
  return ok && parse (idx, name, rank, error);
}

/* --- from files to a data set --- */

/* Sets whose class names everybody knows, told by their first training labels. */
typedef struct {
  const char *title;
  size_t n;
  guint8 labels[12];
  const char *classes[10];
} Known;

static const Known known[] = {
  { "Fashion-MNIST", 60000, { 9, 0, 0, 3, 0, 2, 7, 2, 5, 5, 0, 9 },
    { "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot" } },
};

static const Known *
find_known (const Idx *labels)
{
  for (gsize k = 0; k < G_N_ELEMENTS (known); k++)
    if (labels->dim[0] == known[k].n && memcmp (labels->elements, known[k].labels, sizeof known[k].labels) == 0)
      return &known[k];
  return NULL;
}

static void
add_classes (PjSource *source, const Known *set, unsigned n_classes)
{
  for (unsigned k = 0; k < n_classes; k++) {
    g_autofree char *digits = g_strdup_printf ("%u", k);
    pj_source_add_class (source, set != NULL && k < G_N_ELEMENTS (set->classes) ? set->classes[k] : digits);
  }
}

/* Number of classes from the training labels.  A label far outside the others is damage, not a class. */
static gboolean
count_classes (const Idx *labels, const char *name, unsigned *n_classes, GError **error)
{
  size_t seen[256] = { 0 };
  unsigned different = 0, largest = 0;
  for (size_t i = 0; i < labels->dim[0]; i++)
    seen[labels->elements[i]]++;
  for (unsigned k = 0; k < 256; k++)
    if (seen[k] > 0) {
      different++;
      largest = k;
    }
  if (largest >= 2 * different + 10) {
    size_t i = 0;
    while (labels->elements[i] != largest)
      i++;
    return damaged (error, "“%s”: label %u of picture %zu is out of range; there are only %u different labels", name,
                    largest, i, different);
  }
  *n_classes = largest + 1;
  return TRUE;
}

/* One part: counts agree, labels are in range. */
static gboolean
check_part (const Idx *images, const Idx *labels, const char *image_name, const char *label_name, unsigned n_classes, GError **error)
{
  if (images->dim[0] != labels->dim[0])
    return damaged (error, "“%s” holds %zu pictures but “%s” holds %zu labels", image_name, images->dim[0], label_name, labels->dim[0]);
  for (size_t i = 0; i < labels->dim[0]; i++)
    if (labels->elements[i] >= n_classes)
      return damaged (error, "“%s”: label %u of picture %zu is out of range; the training labels are 0 … %u", label_name,
                      labels->elements[i], i, n_classes - 1);
  return TRUE;
}

/* @images, @labels: by split; the training part is there. @names: [picture or label][split]. @set: (nullable):
 * gives the names of the classes. */
static gboolean
assemble (PjSource *source, Idx images[2], Idx labels[2], const char *names[2][2], const Known *set, GError **error)
{
  PjPacked *packed = source->data = pj_packed_new ();
  unsigned n_classes;

  if (!count_classes (&labels[PJ_SPLIT_TRAIN], names[1][PJ_SPLIT_TRAIN], &n_classes, error))
    return FALSE;
  source->c = 1;
  source->h = (int) images[PJ_SPLIT_TRAIN].dim[1];
  source->w = (int) images[PJ_SPLIT_TRAIN].dim[2];
  add_classes (source, set, n_classes);
  for (PjSplit s = PJ_SPLIT_TRAIN; s <= PJ_SPLIT_TEST; s++) {
    if (images[s].elements == NULL)
      continue;
    if (!check_part (&images[s], &labels[s], names[0][s], names[1][s], n_classes, error))
      return FALSE;
    if (images[s].dim[1] != images[PJ_SPLIT_TRAIN].dim[1] || images[s].dim[2] != images[PJ_SPLIT_TRAIN].dim[2])
      return damaged (error, "“%s” holds pictures of %zu×%zu, the training pictures are %d×%d", names[0][s],
                      images[s].dim[2], images[s].dim[1], source->w, source->h);
    for (size_t i = 0; i < images[s].dim[0]; i++)
      pj_source_add (source, labels[s].elements[i], s);
    pj_packed_add (packed, images[s].elements, images[s].dim[1] * images[s].dim[2], 0, (uint32_t) images[s].dim[0]);
    pj_packed_own (packed, &images[s].bytes);
  }
  return TRUE;
}

/* --- from a folder --- */

/* What an entry is, from its content, or from its name where the content says nothing (damaged files must
 * be named in an error, not overlooked): number of dimensions, or 0. */
static unsigned
rank_of_entry (const PjEntry *entry)
{
  guint8 head[4];
  if (entry->is_folder)
    return 0;
  if (strstr (entry->name, "idx3-ubyte") != NULL || strstr (entry->name, "idx3.ubyte") != NULL)
    return RANK_PICTURES;
  if (strstr (entry->name, "idx1-ubyte") != NULL || strstr (entry->name, "idx1.ubyte") != NULL)
    return RANK_LABELS;
  /* Only two zero bytes or gzip can be one: other files are not even opened. */
  gboolean maybe = entry->n_head >= 4 && entry->head[0] == 0 && entry->head[1] == 0;
  if (!maybe && !pj_bytes_is_gzip (entry->head, entry->n_head))
    return 0;
  if (pj_bytes_peek (entry->path, head, 4) < 4 || head[0] != 0 || head[1] != 0 || head[2] != 8)
    return 0;
  return head[3] == RANK_PICTURES || head[3] == RANK_LABELS ? head[3] : 0;
}

static gboolean
detect (GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++)
    if (rank_of_entry (pj_entry (entries, i)) == RANK_PICTURES)
      return TRUE;
  return FALSE;
}

/* TRUE if @b is @a packed: "x" and "x.gz". */
static gboolean
is_twin (const PjEntry *a, const PjEntry *b)
{
  size_t n = strlen (a->name);
  return strncmp (a->name, b->name, n) == 0 && strcmp (b->name + n, ".gz") == 0;
}

/* Sorts the IDX files of the folder into [pictures or labels][split]. */
static gboolean
find_parts (GPtrArray *entries, const PjEntry *parts[2][2], GError **error)
{
  for (guint i = 0; i < entries->len; i++) {
    const PjEntry *entry = pj_entry (entries, i);
    unsigned rank = rank_of_entry (entry);
    if (rank == 0)
      continue;
    const PjEntry **part = &parts[rank == RANK_LABELS][pj_split_of_name (entry->name, NULL)];
    if (*part != NULL && is_twin (*part, entry))
      continue;
    if (*part != NULL) {
      g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING,
                   "“%s” and “%s” are both the same part of a data set; keep one set per folder", (*part)->path, entry->name);
      return FALSE;
    }
    *part = entry;
  }
  for (int s = 0; s < 2; s++)
    if (parts[0][s] != NULL && parts[1][s] == NULL) {
      g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING,
                   "“%s” has no labels beside it; expected a file like “%s-labels-idx1-ubyte”", parts[0][s]->path,
                   s == PJ_SPLIT_TRAIN ? "train" : "t10k");
      return FALSE;
    }
  if (parts[0][PJ_SPLIT_TRAIN] == NULL) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISSING,
                 "“%s” has no training pictures beside it; expected a file like “train-images-idx3-ubyte”",
                 parts[0][PJ_SPLIT_TEST]->path);
    return FALSE;
  }
  return TRUE;
}

static gboolean
load_entry (Idx *idx, const PjEntry *entry, unsigned rank, GError **error)
{
  g_auto (PjBytes) raw = { NULL, 0 };
  return pj_bytes_read (entry->path, PJ_DATA_MAX_BYTES, &raw, error) && load_bytes (idx, &raw, entry->path, rank, error);
}

static gboolean
idx_open (PjSource *source, GPtrArray *entries, GError **error)
{
  const PjEntry *parts[2][2] = { { NULL } };
  const char *names[2][2] = { { NULL } };
  Idx files[2][2] = { { { { NULL, 0 } } } };
  gboolean ok = find_parts (entries, parts, error);

  for (int k = 0; k < 2; k++)
    for (int s = 0; ok && s < 2; s++) {
      names[k][s] = parts[k][s] ? parts[k][s]->path : NULL;
      if (parts[0][s] != NULL)
        ok = load_entry (&files[k][s], parts[k][s], k == 0 ? RANK_PICTURES : RANK_LABELS, error);
    }
  const Known *set = ok ? find_known (&files[1][PJ_SPLIT_TRAIN]) : NULL;
  if (set != NULL) {
    g_free (source->name);
    source->name = g_strdup (set->title);
  }
  ok = ok && assemble (source, files[0], files[1], names, set, error);
  for (int i = 0; i < 4; i++)
    idx_clear (&files[i / 2][i % 2]);
  return ok;
}

static gboolean
unpack (GBytes *bytes, const char *name, PjBytes *out, GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  return pj_bytes_gunzip (data, size, name, PJ_DATA_MAX_BYTES, out, error);
}

PjDataset *
pj_idx_open_memory (const char *name, GBytes *const images[2], GBytes *const labels[2], GError **error)
{
  const char *names[2][2] = { { name, name }, { name, name } };
  Idx files[2][2] = { { { { NULL, 0 } } } };
  g_autoptr (PjSource) source = pj_source_new (&pj_data_idx, name, NULL);
  gboolean ok = TRUE;

  for (int k = 0; k < 2; k++)
    for (int s = 0; ok && s < 2; s++)
      ok = unpack (k == 0 ? images[s] : labels[s], name, &files[k][s].bytes, error)
           && parse (&files[k][s], name, k == 0 ? RANK_PICTURES : RANK_LABELS, error);
  ok = ok && assemble (source, files[0], files[1], names, &known[0], error);
  for (int i = 0; i < 4; i++)
    idx_clear (&files[i / 2][i % 2]);
  return ok ? pj_source_finish (g_steal_pointer (&source), error) : NULL;
}

const PjDataKind pj_data_idx = {
  .name = "idx",
  .what = "the IDX files of the MNIST family (train-images-idx3-ubyte, …, plain or .gz)",
  .detect = detect,
  .open = idx_open,
  .read = pj_packed_read,
  .close = pj_packed_free,
};
