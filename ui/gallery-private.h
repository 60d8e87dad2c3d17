/* SPDX-License-Identifier: MIT */
/* What gallery.c, gallery-tiles.c and gallery-paint.c share. */
#pragma once

#include "gallery.h"

/* Heights in pixels: the strip of pictures, the slanted titles over a heat map; the width of the marks at its left. */
#define STRIP 34
#define HEAD 58
#define MARK 8

struct _PjuGallery {
  GtkWidget parent;
  PjuStudio *studio;
  PjmLayer *layer;
  PjuGalleryMode mode;
  guint picture;
  int hover;
  GPtrArray *tiles;                /* cairo_surface_t of MAPS or FILTERS */
  GPtrArray *thumbs;               /* cairo_surface_t of the pictures */
};

typedef struct { guint columns; double cell; } PjuGrid;

/* What the model saw in the layer; NULL until it looked. */
const PjmLook *pju_gallery_get_look (PjuGallery *self);
gboolean pju_gallery_is_kept (PjuGallery *self, guint channel);
/* The sentence that stands where there is nothing to draw; NULL where there is. */
const char *pju_gallery_missing (PjuGallery *self, const PjmLook *look);
/* How @n tiles lie in @width. */
PjuGrid pju_gallery_grid (guint n, double width);
/* 0 … 1 of the scale for an answer, @high being the strongest. */
double pju_gallery_shade (double value, double high);
/* Fills the tiles and thumbnails that are not there yet. */
void pju_gallery_make_tiles (PjuGallery *self, const PjmLook *look);
