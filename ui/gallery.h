/* SPDX-License-Identifier: MIT */
/* PjuGallery: a layer's channels as pictures: feature maps, filters, heat maps and a histogram. */
#pragma once

#include "palette.h"
#include "studio.h"

G_BEGIN_DECLS

typedef enum {
  PJU_GALLERY_MAPS,         /* what each channel answers to one picture */
  PJU_GALLERY_FILTERS,      /* the weights of each filter */
  PJU_GALLERY_PICTURES,     /* channels x pictures */
  PJU_GALLERY_CRITERIA,     /* channels x criteria */
  PJU_GALLERY_HISTOGRAM,    /* of the scores */
  PJU_N_GALLERIES
} PjuGalleryMode;

#define PJU_TYPE_GALLERY (pju_gallery_get_type ())
G_DECLARE_FINAL_TYPE (PjuGallery, pju_gallery, PJU, GALLERY, GtkWidget)

/* Signal "toggled" (channel: uint): a person wants it cut or kept. */
void pju_gallery_set_studio (PjuGallery *self, PjuStudio *studio);
/* @layer (nullable). */
void pju_gallery_set_layer (PjuGallery *self, PjmLayer *layer);
/* Scores, marks or the look changed. */
void pju_gallery_refresh (PjuGallery *self);
void pju_gallery_set_mode (PjuGallery *self, PjuGalleryMode mode);
const char *pju_gallery_mode_title (PjuGalleryMode mode);
/* What the picture shows, a sentence or two. */
const char *pju_gallery_mode_about (PjuGalleryMode mode);
/* A PjuPainter with the widget as data. */
void pju_gallery_paint (gpointer self, cairo_t *cr, double width, double height, const PjuPalette *palette);
double pju_gallery_height (PjuGallery *self, double width);

G_END_DECLS
