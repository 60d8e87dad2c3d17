/* SPDX-License-Identifier: MIT */
/* From any picture to the size and channels that a network wants.  Rows and columns are resampled one
 * after the other with a triangle filter whose half width is one source pixel when enlarging and one
 * target pixel when shrinking. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "data/picture.h"

/* For each target position the first source position, how many, and their weights. */
typedef struct {
  int n_max;
  int *first, *n;
  float *weight;            /* [target][n_max] */
} Taps;

static void
taps_clear (Taps *t)
{
  g_free (t->first);
  g_free (t->n);
  pj_free (t->weight);
}

/* @scale: target pixels per source pixel; the scaled side is centred over the @target positions. */
static gboolean
taps_init (Taps *t, int source, int target, double scale, GError **error)
{
  double half = MAX (1.0, 1.0 / scale);
  double offset = (source * scale - target) / 2;

  *t = (Taps) { .n_max = (int) ceil (2 * half) + 2 };
  t->weight = pj_alloc ((size_t) target * (size_t) t->n_max * sizeof (float), "resizing a picture", error);
  if (t->weight == NULL)
    return FALSE;
  t->first = g_new0 (int, target);
  t->n = g_new0 (int, target);
  for (int i = 0; i < target; i++) {
    double centre = (i + 0.5 + offset) / scale - 0.5, sum = 0;
    int from = CLAMP ((int) ceil (centre - half), 0, source - 1);
    int to = CLAMP ((int) floor (centre + half), from, source - 1);
    float *weight = t->weight + (size_t) i * (size_t) t->n_max;
    t->first[i] = from;
    t->n[i] = to - from + 1;
    for (int k = from; k <= to; k++)
      sum += weight[k - from] = (float) MAX (0.0, 1 - fabs (k - centre) / half);
    for (int k = from; k <= to; k++)
      weight[k - from] = sum > 0 ? (float) (weight[k - from] / sum) : 1.0f / (float) t->n[i];
  }
  return TRUE;
}

/* Channel @ch of a target with @c channels, at one source pixel. */
static inline float
sample (const PjPicture *p, const guint8 *pixel, int c, int ch)
{
  if (c == p->c)
    return pixel[ch * p->plane];
  if (p->c == 1)
    return pixel[0];
  return 0.299f * pixel[0] + 0.587f * pixel[p->plane] + 0.114f * pixel[2 * p->plane];
}

static inline guint8
to_byte (float x)
{
  return (guint8) (CLAMP (x, 0.0f, 255.0f) + 0.5f);
}

/* The picture has the wanted size already. */
static void
copy_pixels (const PjPicture *p, int c, guint8 *out)
{
  for (int ch = 0; ch < c; ch++)
    for (int y = 0; y < p->h; y++) {
      const guint8 *row = p->pixels + y * p->row;
      if (c == p->c && p->column == 1) {
        memcpy (out, row + ch * p->plane, (size_t) p->w);
        out += p->w;
        continue;
      }
      for (int x = 0; x < p->w; x++)
        *out++ = to_byte (sample (p, row + x * p->column, c, ch));
    }
}

static void
resample (const PjPicture *p, const PjFormat *f, const Taps *rows, const Taps *columns, int y0, int y1, float *narrow, guint8 *out)
{
  for (int ch = 0; ch < f->c; ch++) {
    for (int y = y0; y < y1; y++)
      for (int x = 0; x < f->w; x++) {
        const guint8 *pixel = p->pixels + y * p->row + columns->first[x] * p->column;
        const float *weight = columns->weight + (size_t) x * (size_t) columns->n_max;
        float sum = 0;
        for (int k = 0; k < columns->n[x]; k++, pixel += p->column)
          sum += weight[k] * sample (p, pixel, f->c, ch);
        narrow[(size_t) (y - y0) * (size_t) f->w + (size_t) x] = sum;
      }
    for (int y = 0; y < f->h; y++) {
      const float *weight = rows->weight + (size_t) y * (size_t) rows->n_max;
      const float *from = narrow + (size_t) (rows->first[y] - y0) * (size_t) f->w;
      for (int x = 0; x < f->w; x++) {
        float sum = 0;
        for (int k = 0; k < rows->n[y]; k++)
          sum += weight[k] * from[(size_t) k * (size_t) f->w + (size_t) x];
        *out++ = to_byte (sum);
      }
    }
  }
}

/* Red and blue change places. */
static void
swap_colours (const PjFormat *format, guint8 *pixels)
{
  size_t plane = (size_t) format->h * (size_t) format->w;
  for (size_t i = 0; i < plane; i++) {
    guint8 red = pixels[i];
    pixels[i] = pixels[2 * plane + i];
    pixels[2 * plane + i] = red;
  }
}

static gboolean
fit (const PjPicture *self, const PjFormat *format, guint8 *out, GError **error)
{
  Taps rows = { 0 }, columns = { 0 };
  float *narrow = NULL;

  gboolean larger = format->side > MAX (format->h, format->w) || format->side > MIN (self->h, self->w);
  if (self->h == format->h && self->w == format->w && !larger) {
    copy_pixels (self, format->c, out);
    return TRUE;
  }
  double scale = MAX ((double) format->h / self->h, (double) format->w / self->w);
  if (format->side > 0)
    scale = MAX (scale, (double) format->side / MIN (self->h, self->w));
  gboolean ok = taps_init (&rows, self->h, format->h, scale, error) && taps_init (&columns, self->w, format->w, scale, error);
  if (ok) {
    /* Only the source rows that some target row looks at. */
    int y0 = rows.first[0], y1 = rows.first[format->h - 1] + rows.n[format->h - 1];
    narrow = pj_alloc ((size_t) (y1 - y0) * (size_t) format->w * sizeof (float), "resizing a picture", error);
    ok = narrow != NULL;
    if (ok)
      resample (self, format, &rows, &columns, y0, y1, narrow, out);
  }
  pj_free (narrow);
  taps_clear (&rows);
  taps_clear (&columns);
  return ok;
}

gboolean
pj_picture_fit (const PjPicture *self, const PjFormat *format, guint8 *out, GError **error)
{
  if (!fit (self, format, out, error))
    return FALSE;
  if (format->bgr && format->c == 3)
    swap_colours (format, out);
  return TRUE;
}
