/* SPDX-License-Identifier: MIT */
#include "data/expand.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

#define MAX_GRID 4

/* The pixel at (@y, @x) between the four around it. @outside: value beyond the border; negative repeats the border. */
static float
sample (const guint8 *plane, int h, int w, double y, double x, float outside)
{
  int y0 = (int) floor (y), x0 = (int) floor (x);
  double fy = y - y0, fx = x - x0, sum = 0;

  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) {
      int py = y0 + i, px = x0 + j;
      double share = (i ? fy : 1 - fy) * (j ? fx : 1 - fx);
      gboolean inside = py >= 0 && py < h && px >= 0 && px < w;
      if (!inside && outside >= 0)
        sum += share * outside;
      else
        sum += share * plane[(size_t) CLAMP (py, 0, h - 1) * (size_t) w + (size_t) CLAMP (px, 0, w - 1)];
    }
  return (float) sum;
}

static guint8
to_byte (float value)
{
  return (guint8) CLAMP (lrintf (value), 0, 255);
}

/* A rectangle of one plane at another size. */
static void
resize_plane (const guint8 *in, int h, int w, const int rect[4], int h_out, int w_out, guint8 *out)
{
  for (int y = 0; y < h_out; y++)
    for (int x = 0; x < w_out; x++) {
      double from_y = rect[0] + (y + 0.5) * rect[2] / h_out - 0.5, from_x = rect[1] + (x + 0.5) * rect[3] / w_out - 0.5;
      out[(size_t) y * (size_t) w_out + (size_t) x] = to_byte (sample (in, h, w, from_y, from_x, -1));
    }
}

static void
shuffle_plane (const guint8 *in, int h, int w, int k, const uint32_t *order, guint8 *out)
{
  int th = h / k, tw = w / k;

  for (int d = 0; d < k * k; d++) {
    int to_y = d / k * th, to_x = d % k * tw, from_y = (int) order[d] / k * th, from_x = (int) order[d] % k * tw;
    for (int y = 0; y < th; y++)
      memcpy (out + (size_t) (to_y + y) * (size_t) w + to_x, in + (size_t) (from_y + y) * (size_t) w + from_x, (size_t) tw);
  }
}

gboolean
pj_expand_shuffle (const guint8 *in, int c, int h, int w, int k, const uint32_t *order, guint8 *out, GError **error)
{
  int kh = k * (h / k), kw = k * (w / k);
  size_t plane = (size_t) h * (size_t) w, small = (size_t) kh * (size_t) kw;
  const int whole[4] = { 0, 0, h, w }, all[4] = { 0, 0, kh, kw };

  if (kh == 0 || kw == 0) {
    /* Fewer pixels than tiles: there is nothing to shuffle. */
    memcpy (out, in, plane * (size_t) c);
    return TRUE;
  }
  guint8 *before = pj_alloc (2 * small, "a shuffled picture", error);
  if (before == NULL)
    return FALSE;
  for (int ch = 0; ch < c; ch++) {
    const guint8 *from = in + (size_t) ch * plane;
    if (kh == h && kw == w) {
      shuffle_plane (from, h, w, k, order, out + (size_t) ch * plane);
      continue;
    }
    resize_plane (from, h, w, whole, kh, kw, before);
    shuffle_plane (before, kh, kw, k, order, before + small);
    resize_plane (before + small, kh, kw, all, h, w, out + (size_t) ch * plane);
  }
  pj_free (before);
  return TRUE;
}

void
pj_expand_erase (guint8 *pixels, int c, int h, int w, int top, int left, int height, int width)
{
  for (int ch = 0; ch < c; ch++)
    for (int y = top; y < MIN (h, top + height); y++)
      memset (pixels + ((size_t) ch * (size_t) h + (size_t) y) * (size_t) w + left, 0, (size_t) MIN (width, w - left));
}

void
pj_expand_crop (const guint8 *in, int c, int h, int w, int top, int left, int height, int width, guint8 *out)
{
  const int rect[4] = { top, left, height, width };
  for (int ch = 0; ch < c; ch++)
    resize_plane (in + (size_t) ch * (size_t) h * (size_t) w, h, w, rect, h, w, out + (size_t) ch * (size_t) h * (size_t) w);
}

void
pj_expand_rotate (const guint8 *in, int c, int h, int w, int degrees, guint8 *out)
{
  double angle = degrees * G_PI / 180, cosine = cos (angle), sine = sin (angle);
  double cy = (h - 1) / 2.0, cx = (w - 1) / 2.0;

  for (int ch = 0; ch < c; ch++) {
    const guint8 *plane = in + (size_t) ch * (size_t) h * (size_t) w;
    for (int y = 0; y < h; y++)
      for (int x = 0; x < w; x++) {
        double dy = y - cy, dx = x - cx;
        /* Rows grow downwards: turning against the clock takes each pixel from further along it. */
        float value = sample (plane, h, w, cy + sine * dx + cosine * dy, cx + cosine * dx - sine * dy, 0);
        *out++ = to_byte (value);
      }
  }
}

/* --- variants --- */

/* A rectangle whose sides are a share @from … @to of the picture's, at any place. */
static void
draw_rectangle (PjRng *rng, int h, int w, double from, double to, int rect[4])
{
  double share = from + (to - from) * pj_rng_uniform (rng);

  rect[2] = MAX (1, (int) (share * h));
  rect[3] = MAX (1, (int) (share * w));
  rect[0] = (int) pj_rng_below (rng, (uint32_t) (h - rect[2] + 1));
  rect[1] = (int) pj_rng_below (rng, (uint32_t) (w - rect[3] + 1));
}

gboolean
pj_expand_variant (const guint8 *in, int c, int h, int w, PjExpand how, uint64_t seed, unsigned index, unsigned variant,
                   guint8 *out, GError **error)
{
  uint32_t order[MAX_GRID * MAX_GRID];
  int rect[4];
  PjRng rng;

  pj_rng_init (&rng, seed, PJ_STREAM (PJ_STREAM_EXPAND, index, variant));
  switch (variant) {
  case 0:
    memcpy (out, in, (size_t) c * (size_t) h * (size_t) w);
    return TRUE;
  case 4:
    draw_rectangle (&rng, h, w, how == PJ_EXPAND_CROP ? 0.5 : 0.2, how == PJ_EXPAND_CROP ? 0.8 : 0.5, rect);
    if (how == PJ_EXPAND_CROP) {
      pj_expand_crop (in, c, h, w, rect[0], rect[1], rect[2], rect[3], out);
      return TRUE;
    }
    memcpy (out, in, (size_t) c * (size_t) h * (size_t) w);
    pj_expand_erase (out, c, h, w, rect[0], rect[1], rect[2], rect[3]);
    return TRUE;
  case 5:
    pj_expand_rotate (in, c, h, w, (int) pj_rng_below (&rng, 361), out);
    return TRUE;
  default:
    for (uint32_t i = 0; i < MAX_GRID * MAX_GRID; i++)
      order[i] = i;
    int k = (int) variant + 1;
    pj_rng_shuffle (&rng, order, (size_t) (k * k));
    return pj_expand_shuffle (in, c, h, w, k, order, out, error);
  }
}
