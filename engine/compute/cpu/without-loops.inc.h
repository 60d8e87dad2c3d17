/* SPDX-License-Identifier: MIT */
/* The share of one input channel in a convolution, with BLOCK output channels side by side: included once for each BLOCK. */
#define NAME_(a, b) a ## _ ## b
#define NAME__(a, b) NAME_ (a, b)
#define NAME(a) NAME__ (a, BLOCK)
#define WVec NAME (WVec)
#define WMask NAME (WMask)

typedef float WVec __attribute__ ((vector_size (BLOCK * sizeof (float)), aligned (4), may_alias));
typedef gint32 WMask __attribute__ ((vector_size (BLOCK * sizeof (float)), aligned (4), may_alias));

/* @n_y, @n_x: taps, known to the compiler for the usual kernels. */
static inline __attribute__ ((always_inline)) void
NAME (without_taps) (const PjCpuWithout *p, int n_y, int n_x, int step, const float *x, const float *w, const float *z, float *y)
{
  gboolean relu = p->ceiling >= 0;
  WVec top = (WVec) { 0 } + p->ceiling;

  for (int oy = 0; oy < p->oh; oy++)
    for (int ox = 0; ox < p->ow; ox++) {
      size_t at = ((size_t) oy * (size_t) p->ow + (size_t) ox) * BLOCK;
      WVec v = *(const WVec *) (z + at);
      for (int ky = 0; ky < n_y; ky++) {
        const float *row = x + ((size_t) oy * (size_t) p->stride[0] + (size_t) ky * (size_t) p->dilation[0]) * (size_t) p->width
                           + (size_t) ox * (size_t) p->stride[1];
        for (int kx = 0; kx < n_x; kx++)
          v -= row[kx * step] * *(const WVec *) (w + (size_t) (ky * n_x + kx) * BLOCK);
      }
      if (relu) {
        v = (WVec) ((WMask) (v > 0) & (WMask) v);
        WMask low = (WMask) (v < top);
        v = (WVec) ((low & (WMask) v) | (~low & (WMask) top));
      }
      *(WVec *) (y + at) = v;
    }
}

static void
NAME (without) (const PjCpuWithout *p, const float *x, const float *w, const float *z, float *y)
{
  if (x == NULL)
    NAME (without_taps) (p, 0, 0, 1, w, w, z, y);
  else if (p->kernel[0] == 3 && p->kernel[1] == 3 && p->dilation[1] == 1)
    NAME (without_taps) (p, 3, 3, 1, x, w, z, y);
  else if (p->kernel[0] == 1 && p->kernel[1] == 1)
    NAME (without_taps) (p, 1, 1, 1, x, w, z, y);
  else
    NAME (without_taps) (p, p->kernel[0], p->kernel[1], p->dilation[1], x, w, z, y);
}

#undef NAME_
#undef NAME__
#undef NAME
#undef WVec
#undef WMask
