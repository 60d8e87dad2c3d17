/* SPDX-License-Identifier: MIT */
/* A labelled set of pictures, found in a folder whose kind is detected, never declared:
 * the IDX files of the MNIST family (optionally .gz), the binary batches of CIFAR-10 and CIFAR-100, or
 * class sub-folders of JPEG and PNG files (with or without train/val/test above them).  Immutable after opening; any thread may read it. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

#define PJ_DATA_ERROR (pj_data_error_quark ())

/**
 * PjDataError:
 * @PJ_DATA_ERROR_MISSING: no such folder, or nothing in it that is a known data set
 * @PJ_DATA_ERROR_DAMAGED: a file is truncated or contradicts itself; the message names it
 * @PJ_DATA_ERROR_MISMATCH: classes or image size do not fit the model
 */
typedef enum { PJ_DATA_ERROR_MISSING, PJ_DATA_ERROR_DAMAGED, PJ_DATA_ERROR_MISMATCH } PjDataError;

GQuark pj_data_error_quark (void);

typedef enum { PJ_SPLIT_TRAIN, PJ_SPLIT_TEST } PjSplit;

/**
 * PjFormat: the pictures that a network wants.
 * @c: channels, 1 (grey) or 3 (RGB)
 * @h, @w: size in pixels; other sizes are resized (shorter side, then centre crop)
 * @mean, @std: per channel, on the scale 0 … 1: x = (pixel/255 − mean)/std
 * @side: the shorter side is scaled to this before the centre crop of @h × @w; 0 or less than @h and @w: just covers them
 * @bgr: colours in the order blue, green, red, as networks from Caffe want them; @mean and @std too
 */
typedef struct {
  int c, h, w;
  float mean[3], std[3];
  int side;
  gboolean bgr;
} PjFormat;

typedef struct _PjDataset PjDataset;

/**
 * pj_dataset_open:
 * @path: a folder
 * @error: PJ_DATA_ERROR_*
 *
 * Reads what is needed to know the counts, classes and sizes.  IDX sets are held as bytes; pictures of
 * folders are decoded on demand.  Without a test part, every fifth picture of each class is the test part.
 */
PjDataset *pj_dataset_open (const char *path, GError **error);
/* The embedded subset of Fashion-MNIST. */
PjDataset *pj_dataset_open_sample (GError **error);
/* From memory, for tests: @pixels n x c x h x w bytes (copied). @n_test of them, at the end, are the test part. */
PjDataset *pj_dataset_new_memory (const char *name, int n, int c, int h, int w, const guint8 *pixels,
                                  const int32_t *labels, int n_classes, int n_test);
/* The first @n_train and @n_test pictures of a seeded choice, balanced over the classes; 0 means all. */
PjDataset *pj_dataset_subset (PjDataset *self, unsigned n_train, unsigned n_test, uint64_t seed);
PjDataset *pj_dataset_ref (PjDataset *self);
void pj_dataset_unref (PjDataset *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjDataset, pj_dataset_unref)

const char *pj_dataset_name (const PjDataset *self);
const char *pj_dataset_path (const PjDataset *self);   /* (nullable): NULL for embedded sets */
unsigned pj_dataset_n (const PjDataset *self, PjSplit split);
unsigned pj_dataset_n_classes (const PjDataset *self);
const char *pj_dataset_class_name (const PjDataset *self, unsigned label);
/* All of them, one a line; a line break in a name becomes a space. (transfer full) */
char *pj_dataset_class_list (const PjDataset *self);
int32_t pj_dataset_label (const PjDataset *self, PjSplit split, unsigned i);
/* Channels of the stored pictures (1 or 3) and the size of the first one. */
void pj_dataset_native_size (const PjDataset *self, int *c, int *h, int *w);

/**
 * pj_dataset_default_format:
 * Fits @c, @h, @w of @format (0 = native) and sets mean and std to those of the training part
 * (measured once on at most 10,000 pictures, seeded choice).
 */
gboolean pj_dataset_default_format (PjDataset *self, PjFormat *format, GError **error);

/* One picture as bytes c x h x w of @format's size, not normalised. Decodes if needed. Any thread. */
gboolean pj_dataset_pixels (PjDataset *self, PjSplit split, unsigned i, const PjFormat *format, guint8 *out, GError **error);
/* The same, normalised floats. */
gboolean pj_dataset_image (PjDataset *self, PjSplit split, unsigned i, const PjFormat *format, float *out, GError **error);

/* x = (pixel/255 − mean)/std for every byte, by channel. */
void pj_format_table (const PjFormat *format, float table[3][256]);
/* One picture of pj_dataset_pixels() as pj_dataset_image() gives it. */
void pj_format_normalise (const PjFormat *format, const guint8 *pixels, float *out);

/* Where the pictures of model @graph's input come from: format from the model's shape and its notes
 * ("penjing.mean", "penjing.std": comma-separated; "penjing.side": a number; "penjing.order": "rgb" or "bgr"), else the data set's default.  Fails with
 * PJ_DATA_ERROR_MISMATCH, naming both sides, if classes differ (@check_classes). */
struct _PjGraph;
/* TRUE if @graph gives one score for each class of the data set; else PJ_DATA_ERROR_MISMATCH, naming both sides. */
gboolean pj_dataset_check_classes (PjDataset *self, const struct _PjGraph *graph, GError **error);
/* The shorter side that notes and settings may ask for. */
#define PJ_FORMAT_MAX_SIDE 4096
gboolean pj_dataset_format_for (PjDataset *self, const struct _PjGraph *graph, gboolean check_classes,
                                PjFormat *format, GError **error);
/* Writes the notes that pj_dataset_format_for() reads. */
void pj_format_note (const PjFormat *format, struct _PjGraph *graph);

G_END_DECLS
