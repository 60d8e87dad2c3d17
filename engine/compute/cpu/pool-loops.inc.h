/* SPDX-License-Identifier: MIT */
/* Pooling over one plane with BLOCK channels side by side: included once for each BLOCK. */
#define NAME_(a, b) a ## _ ## b
#define NAME__(a, b) NAME_ (a, b)
#define NAME(a) NAME__ (a, BLOCK)
#define PVec NAME (PVec)
#define PMask NAME (PMask)

typedef float PVec __attribute__ ((vector_size (BLOCK * sizeof (float)), aligned (4), may_alias));
typedef gint32 PMask __attribute__ ((vector_size (BLOCK * sizeof (float)), aligned (4), may_alias));

#define AT(p, i) (*(PVec *) ((p) + (size_t) (i) * BLOCK))
#define CAT(p, i) (*(const PVec *) ((p) + (size_t) (i) * BLOCK))
#define PICK(mask, a, b) ((PVec) (((PMask) (mask) & (PMask) (a)) | (~(PMask) (mask) & (PMask) (b))))

/* Runs @body at every output position with the window's taps that lie inside the input. */
#define EACH_WINDOW(p, body) \
  for (int oy = 0; oy < (p)->oh; oy++) { \
    int ky0, ky1, y0 = oy * (p)->stride[0] - (p)->pad[0]; \
    taps (oy, (p)->stride[0], (p)->pad[0], (p)->kernel[0], (p)->h, &ky0, &ky1); \
    for (int ox = 0; ox < (p)->ow; ox++) { \
      int kx0, kx1, x0 = ox * (p)->stride[1] - (p)->pad[1], at = oy * (p)->ow + ox; \
      taps (ox, (p)->stride[1], (p)->pad[1], (p)->kernel[1], (p)->w, &kx0, &kx1); \
      body; \
    } \
  }
#define PIXEL(p) ((y0 + ky) * (p)->w + x0 + kx)

static inline __attribute__ ((always_inline)) void
NAME (max_window) (const PjCpuWindow *p, const float *x, float *y, gint32 *index, int y0, int x0,
                   int ky0, int ky1, int kx0, int kx1, int at)
{
  PVec best = CAT (x, (y0 + ky0) * p->w + x0 + kx0);
  PMask taken = (PMask) { 0 } + (ky0 * p->kernel[1] + kx0);
  for (int ky = ky0; ky < ky1; ky++)
    for (int kx = kx0; kx < kx1; kx++) {
      PVec v = CAT (x, PIXEL (p));
      PMask larger = (PMask) (v > best);
      best = PICK (larger, v, best);
      if (index != NULL)
        taken = (larger & (ky * p->kernel[1] + kx)) | (~larger & taken);
    }
  AT (y, at) = best;
  if (index != NULL)
    *(PMask *) (index + (size_t) at * BLOCK) = taken;
}

static void
NAME (max_pool) (const PjCpuWindow *p, const float *x, float *y, gint32 *index)
{
  /* The usual window gets a copy whose loops the compiler can unroll. */
  if (p->kernel[0] == 2 && p->kernel[1] == 2 && (p->oh - 1) * p->stride[0] + 2 <= p->h && (p->ow - 1) * p->stride[1] + 2 <= p->w
      && p->pad[0] == 0 && p->pad[1] == 0) {
    PjCpuWindow q = *p;
    q.kernel[0] = q.kernel[1] = 2;
    for (int oy = 0; oy < q.oh; oy++)
      for (int ox = 0; ox < q.ow; ox++)
        NAME (max_window) (&q, x, y, index, oy * q.stride[0], ox * q.stride[1], 0, 2, 0, 2, oy * q.ow + ox);
    return;
  }
  EACH_WINDOW (p, NAME (max_window) (p, x, y, index, y0, x0, ky0, ky1, kx0, kx1, at));
}

static void
NAME (max_pool_bwd) (const PjCpuWindow *p, const float *dy, const gint32 *index, float *dx)
{
  memset (dx, 0, (size_t) p->h * p->w * BLOCK * sizeof (float));
  EACH_WINDOW (p, {
    PVec d = CAT (dy, at);
    PMask taken = *(const PMask *) (index + (size_t) at * BLOCK);
    for (int ky = ky0; ky < ky1; ky++)
      for (int kx = kx0; kx < kx1; kx++)
        AT (dx, PIXEL (p)) += (PVec) ((PMask) (taken == ky * p->kernel[1] + kx) & (PMask) d);
  });
}

static void
NAME (avg_pool) (const PjCpuWindow *p, const float *x, float *y)
{
  EACH_WINDOW (p, {
    PVec sum = { 0 };
    for (int ky = ky0; ky < ky1; ky++) {
      PVec row = { 0 };
      for (int kx = kx0; kx < kx1; kx++)
        row += CAT (x, PIXEL (p));
      sum += row;
    }
    AT (y, at) = sum * share (p, oy, ox, ky0, ky1, kx0, kx1);
  });
}

static void
NAME (avg_pool_bwd) (const PjCpuWindow *p, const float *dy, float *dx)
{
  memset (dx, 0, (size_t) p->h * p->w * BLOCK * sizeof (float));
  EACH_WINDOW (p, {
    PVec d = CAT (dy, at) * share (p, oy, ox, ky0, ky1, kx0, kx1);
    for (int ky = ky0; ky < ky1; ky++)
      for (int kx = kx0; kx < kx1; kx++)
        AT (dx, PIXEL (p)) += d;
  });
}

#undef NAME_
#undef NAME__
#undef NAME
#undef PVec
#undef PMask
#undef AT
#undef CAT
#undef PICK
#undef EACH_WINDOW
#undef PIXEL
