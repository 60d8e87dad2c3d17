/* SPDX-License-Identifier: MIT */
/* The family of data sets: one file per kind in this folder, one row in kinds.c.  A kind finds out what a
 * folder holds, lists its pictures and gives one of them as bytes; sizes, channels, splits, subsets,
 * caching and errors of use are the same for all of them and live in dataset.c.  Private to this folder. */
#pragma once

#include "data/bytes.h"
#include "data/dataset.h"
#include "data/picture.h"

G_BEGIN_DECLS

/* Ceilings for what comes from files. */
#define PJ_DATA_MAX_BYTES ((size_t) 2 << 30)      /* one file of a packed set, unpacked */
#define PJ_DATA_MAX_PICTURES (1u << 24)
#define PJ_DATA_MAX_CLASSES (1u << 16)

/* An entry of a folder. @head: its first bytes (regular files only). */
typedef struct {
  char *name, *path;
  gboolean is_folder;
  uint64_t size, device, inode;
  guint8 head[8];
  unsigned n_head;
} PjEntry;

/* All entries of @path but hidden ones, in the order of strcmp(). (transfer container)
 * (element-type PjEntry).  PJ_DATA_ERROR_MISSING, PJ_ERROR_IO. */
GPtrArray *pj_entries_list (const char *path, GError **error);
#define pj_entry(entries, i) ((const PjEntry *) (entries)->pdata[i])

/* The part that a file or folder name speaks of ("train-images", "t10k", "Test", "val"); @says
 * (nullable): FALSE if the name says nothing; the training part is then returned. */
PjSplit pj_split_of_name (const char *name, gboolean *says);

typedef struct _PjSource PjSource;

/**
 * PjDataKind:
 * @name: identifier ("idx")
 * @what: what is looked for, for the message of a folder that holds nothing known
 * @is_decoded: reading a picture is expensive: results are cached
 * @detect: TRUE if the folder holds this kind, even if damaged.  NULL: never opened from a folder.
 * @open: lists classes and pictures with pj_source_add_class() and pj_source_add(), sets the native size
 * @read: one picture; any thread.  @wanted: size that will be made of it, a hint.
 * @close: frees @data of the source
 */
typedef struct {
  const char *name, *what;
  gboolean is_decoded;
  gboolean (*detect) (GPtrArray *entries);
  gboolean (*open) (PjSource *source, GPtrArray *entries, GError **error);
  gboolean (*read) (const PjSource *source, uint32_t item, const PjFormat *wanted, PjPicture *picture, GError **error);
  void (*close) (gpointer data);
} PjDataKind;

/* NULL-terminated: the kinds in the order in which a folder is tried. */
extern const PjDataKind *const pj_data_kinds[];
extern const PjDataKind pj_data_idx, pj_data_cifar, pj_data_folder, pj_data_memory;

/* What the data sets that came from one place share; complete before any data set is made of it. */
struct _PjSource {
  gatomicrefcount ref;
  const PjDataKind *kind;
  char *name, *path;
  GPtrArray *classes;       /* (element-type utf8) */
  GArray *labels;           /* int32_t by item */
  GArray *splits;           /* guint8 by item */
  int c, h, w;              /* of the first picture */
  gpointer data;            /* of the kind */
  struct _PjCache *cache;   /* (nullable): for kinds that decode */
};

/* @name, @path (nullable): copied. */
PjSource *pj_source_new (const PjDataKind *kind, const char *name, const char *path);
void pj_source_unref (PjSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjSource, pj_source_unref)
void pj_source_add_class (PjSource *self, const char *name);
void pj_source_add (PjSource *self, int32_t label, PjSplit split);
/* Without a test part every fifth picture of each class becomes one; takes @self.
 * PJ_DATA_ERROR_MISSING if there is no training picture. */
PjDataset *pj_source_finish (PjSource *self, GError **error);

/* --- sets whose pictures lie in memory: IDX, CIFAR, memory --- */

/* @n records of @stride bytes at @first; the picture begins @skip bytes into a record, channel by channel. */
typedef struct {
  const guint8 *first;
  size_t stride, skip;
  uint32_t n;
} PjRecords;

/* A GArray of PjRecords and the memory that they point into, for source->data. */
typedef struct {
  GArray *segments, *owned;     /* PjRecords, PjBytes */
} PjPacked;

PjPacked *pj_packed_new (void);
/* Takes @bytes (transfer full): the contents are moved. */
void pj_packed_own (PjPacked *self, PjBytes *bytes);
void pj_packed_add (PjPacked *self, const guint8 *first, size_t stride, size_t skip, uint32_t n);
void pj_packed_free (gpointer self);
gboolean pj_packed_read (const PjSource *source, uint32_t item, const PjFormat *wanted, PjPicture *picture, GError **error);

/* IDX from memory, gzip allowed; for the embedded subset. */
PjDataset *pj_idx_open_memory (const char *name, GBytes *const images[2], GBytes *const labels[2], GError **error);

G_END_DECLS
