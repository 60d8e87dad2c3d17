/* SPDX-License-Identifier: MIT */
/* Body of winograd-v3.c and winograd-v4.c, which set LANES, MAX_ROWS, EACH_ROWS and PJ_CPU_WINOGRAD, the name of their
 * table. See winograd.h for the algorithm and the shapes. */
#include "compute/cpu/winograd.h"

/* Vectors are only passed between functions of one file, where the calling convention does not matter. */
#pragma GCC diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__ ((always_inline))
/* A loop that must go, for its arrays of vectors to become registers. */
#define UNROLL _Pragma ("GCC unroll 16")

typedef float Vec __attribute__ ((vector_size (LANES * sizeof (float)), aligned (4), may_alias));
typedef double Wide __attribute__ ((vector_size (LANES * sizeof (double)), aligned (8), may_alias));
typedef gint32 Mask __attribute__ ((vector_size (LANES * sizeof (float)), aligned (4), may_alias));

#define LOAD(p) (*(const Vec *) (p))
#define STORE(p, v) (*(Vec *) (p) = (v))

/* The points ±P and ±Q. */
#define P 0.625f
#define Q 1.5f
#define P2 (P * P)
#define Q2 (Q * Q)

/* Tiles of a row that are transformed together: the columns that two of them share are computed once, and what lies
 * between the two passes stays in the first-level cache. */
#define RUN 8
#define RUN_COLUMNS (4 * RUN + 2)

static const float zeros[RUN_COLUMNS * LANES];

/* --- the transformations of one row or column --- */

/* Bᵀ d */
INLINE void
transform_input (const Vec *d, Vec *v)
{
  Vec even_p = d[4] - Q2 * d[2], odd_p = P * (d[3] - Q2 * d[1]);
  Vec even_q = d[4] - P2 * d[2], odd_q = Q * (d[3] - P2 * d[1]);
  v[0] = d[4] - (P2 + Q2) * d[2] + P2 * Q2 * d[0];
  v[1] = even_p + odd_p;
  v[2] = even_p - odd_p;
  v[3] = even_q + odd_q;
  v[4] = even_q - odd_q;
  v[5] = d[5] - (P2 + Q2) * d[3] + P2 * Q2 * d[1];
}

/* Aᵀ m */
INLINE void
transform_products (const Vec *m, Vec *y)
{
  Vec even_p = m[1] + m[2], odd_p = m[1] - m[2], even_q = m[3] + m[4], odd_q = m[3] - m[4];
  y[0] = m[0] + even_p + even_q;
  y[1] = P * odd_p + Q * odd_q;
  y[2] = P2 * even_p + Q2 * even_q;
  y[3] = P * P2 * odd_p + (Q * Q2 * odd_q + m[5]);
}

/* A dy */
INLINE void
transform_gradient (const Vec *y, Vec *z)
{
  Vec even_p = y[0] + P2 * y[2], odd_p = P * (y[1] + P2 * y[3]);
  Vec even_q = y[0] + Q2 * y[2], odd_q = Q * (y[1] + Q2 * y[3]);
  z[0] = y[0];
  z[1] = even_p + odd_p;
  z[2] = even_p - odd_p;
  z[3] = even_q + odd_q;
  z[4] = even_q - odd_q;
  z[5] = y[3];
}

/* One over the products of a point's distances from the others. */
#define SCALE_0 (1 / (P2 * Q2))
#define SCALE_P (1 / (2 * P2 * (P2 - Q2)))
#define SCALE_Q (1 / (2 * Q2 * (Q2 - P2)))

/* G g */
INLINE void
transform_filter (const Vec *g, Vec *u)
{
  Vec even_p = SCALE_P * (g[0] + P2 * g[2]), odd_p = SCALE_P * P * g[1];
  Vec even_q = SCALE_Q * (g[0] + Q2 * g[2]), odd_q = SCALE_Q * Q * g[1];
  u[0] = SCALE_0 * g[0];
  u[1] = even_p + odd_p;
  u[2] = even_p - odd_p;
  u[3] = even_q + odd_q;
  u[4] = even_q - odd_q;
  u[5] = g[2];
}

/* Gᵀ s */
INLINE void
transform_sums (const Vec *s, Vec *g)
{
  Vec even_p = SCALE_P * (s[1] + s[2]), odd_p = SCALE_P * (s[1] - s[2]);
  Vec even_q = SCALE_Q * (s[3] + s[4]), odd_q = SCALE_Q * (s[3] - s[4]);
  g[0] = SCALE_0 * s[0] + even_p + even_q;
  g[1] = P * odd_p + Q * odd_q;
  g[2] = P2 * even_p + Q2 * even_q + s[5];
}

/* --- filters --- */

/* Filters of input channel @i, of a block of output channels. */
INLINE void
gather_filters (const PjCpuFilters *f, gboolean turned, const float *w, int i, int block, float (*g)[LANES])
{
  int n = i < f->n_in ? MIN (LANES, f->n_out - block * LANES) : 0;
  size_t o = (size_t) block * LANES, step = 9 * (turned ? 1 : (size_t) f->n_in);
  const float *from = w + 9 * (turned ? (size_t) i * f->n_out + o : o * f->n_in + i);

  if (n < LANES)
    memset (g, 0, 9 * sizeof *g);
  for (int l = 0; l < n; l++, from += step)
    UNROLL for (int tap = 0; tap < 9; tap++)
      g[turned ? 8 - tap : tap][l] = from[tap];
}

static void
filters (const PjCpuTiles *t, const PjCpuFilters *f, const float *w, int first, int last, float *u)
{
  for (int block = 0; block < t->out_blocks; block++)
    for (int i = first; i < last; i++) {
      float g[9][LANES];
      Vec columns[3][6];
      float *to = u + ((size_t) block * t->in_blocks * LANES + i) * LANES;
      if (f->turned)
        gather_filters (f, TRUE, w, i, block, g);
      else
        gather_filters (f, FALSE, w, i, block, g);
      UNROLL for (int c = 0; c < 3; c++)
        transform_filter ((Vec[]) { LOAD (g[c]), LOAD (g[3 + c]), LOAD (g[6 + c]) }, columns[c]);
      UNROLL for (int r = 0; r < 6; r++) {
        Vec row[6];
        transform_filter ((Vec[]) { columns[0][r], columns[1][r], columns[2][r] }, row);
        UNROLL for (int c = 0; c < 6; c++)
          STORE (to + (6 * r + c) * t->u_step, row[c]);
      }
    }
}

/* --- tiles --- */

typedef struct { int n, row, column; } Place;

static Place
place (const PjCpuTiles *t, int tile)
{
  return (Place) { tile / (t->across * t->down), tile / t->across % t->down, tile % t->across };
}

/* The next tiles of the same row that are done together. */
static int
run_of (const PjCpuTiles *t, int tile, int last)
{
  return MIN (MIN (RUN, t->across - tile % t->across), last - tile);
}

/* Bᵀ d of columns [@from, @to) of a run; others are zero. */
INLINE void
input_columns (const float *const *rows, int from, int to, float (*half)[RUN_COLUMNS * LANES])
{
  for (int c = from * LANES; c < to * LANES; c += LANES) {
    Vec d[6], v[6];
    UNROLL for (int r = 0; r < 6; r++)
      d[r] = LOAD (rows[r] + c);
    transform_input (d, v);
    UNROLL for (int r = 0; r < 6; r++)
      STORE (half[r] + c, v[r]);
  }
}

/* V of @n tiles of one block of channels, the first of which begins at row @y and column @x of @plane. */
static void
input_run (const PjCpuTiles *t, const float *plane, int y, int x, int n, float *v)
{
  float half[6][RUN_COLUMNS * LANES] __attribute__ ((aligned (64)));
  int columns = 4 * n + 2, from = CLAMP (-x, 0, columns), to = CLAMP (t->in_w - x, from, columns);
  const float *rows[6];

  for (int r = 0; r < 6; r++) {
    rows[r] = y + r >= 0 && y + r < t->in_h ? plane + ((gssize) (y + r) * t->in_w + x) * LANES : zeros;
    memset (half[r], 0, (size_t) from * LANES * sizeof (float));
    memset (half[r] + to * LANES, 0, (size_t) (columns - to) * LANES * sizeof (float));
  }
  input_columns (rows, from, to, half);
  for (int r = 0; r < 6; r++) {
    const float *d = half[r];
    float *to_v = v + 6 * (size_t) r * t->v_step;
    for (int i = 0; i < n; i++, d += 4 * LANES, to_v += LANES) {
      Vec row[6];
      transform_input ((Vec[]) { LOAD (d), LOAD (d + LANES), LOAD (d + 2 * LANES), LOAD (d + 3 * LANES), LOAD (d + 4 * LANES),
                                 LOAD (d + 5 * LANES) }, row);
      UNROLL for (int c = 0; c < 6; c++)
        STORE (to_v + c * t->v_step, row[c]);
    }
  }
}

/* V of tiles [@first, @last). */
static void
input_tiles (const PjCpuTiles *t, const float *x, int first, int last, float *v)
{
  size_t plane = (size_t) t->in_h * t->in_w * LANES;
  for (int tile = first, n; tile < last; tile += n) {
    Place at = place (t, tile);
    n = run_of (t, tile, last);
    for (int b = 0; b < t->in_blocks; b++)
      input_run (t, x + ((size_t) at.n * t->in_blocks + b) * plane, 4 * at.row - t->pad[0], 4 * at.column - t->pad[1], n,
                 v + ((size_t) b * t->band + (tile - first)) * LANES);
  }
}

/* --- products --- */

/* @n_rows tiles by @n_blocks blocks of output channels, over all input channels. */
INLINE void
multiply (int n_rows, int n_blocks, const PjCpuTiles *t, const float *v, const float *u, float *m)
{
  size_t u_block = (size_t) t->in_blocks * LANES * LANES, v_block = (size_t) t->band * LANES;
  Vec sum[MAX_ROWS][2];

  UNROLL for (int r = 0; r < n_rows; r++)
    sum[r][0] = sum[r][1] = (Vec) { 0 };
  for (int b = 0; b < t->in_blocks; b++, v += v_block)
    for (int c = 0; c < LANES; c++, u += LANES) {
      Vec u0 = LOAD (u), u1 = n_blocks > 1 ? LOAD (u + u_block) : (Vec) { 0 };
      UNROLL for (int r = 0; r < n_rows; r++) {
        sum[r][0] += u0 * v[r * LANES + c];
        if (n_blocks > 1)
          sum[r][1] += u1 * v[r * LANES + c];
      }
    }
  UNROLL for (int r = 0; r < n_rows; r++) {
    STORE (m + r * LANES, sum[r][0]);
    if (n_blocks > 1)
      STORE (m + v_block + r * LANES, sum[r][1]);
  }
}

typedef void (*Multiply) (const PjCpuTiles *t, const float *v, const float *u, float *m);
#define DEFINE(n) \
  static void multiply_##n##_1 (const PjCpuTiles *t, const float *v, const float *u, float *m) { multiply (n, 1, t, v, u, m); } \
  static void multiply_##n##_2 (const PjCpuTiles *t, const float *v, const float *u, float *m) { multiply (n, 2, t, v, u, m); }
#define ROW(n) { multiply_##n##_1, multiply_##n##_2 },
EACH_ROWS (DEFINE)
static const Multiply multiplies[MAX_ROWS][2] = { EACH_ROWS (ROW) };

/* M of @n tiles, of blocks [@block, @block + @n_blocks) of output channels. */
static void
multiply_tiles (const PjCpuTiles *t, int n, const float *v, const float *u, int block, int n_blocks, float *m)
{
  int n_chunks = (n + MAX_ROWS - 1) / MAX_ROWS;
  for (int point = 0; point < 36; point++)
    for (int b = 0; b < n_blocks; b += 2)
      for (int chunk = 0; chunk < n_chunks; chunk++) {
        int first = n * chunk / n_chunks, n_rows = n * (chunk + 1) / n_chunks - first;
        multiplies[n_rows - 1][b + 1 < n_blocks] (t, v + point * t->v_step + first * LANES,
                                                  u + point * t->u_step + (size_t) (block + b) * t->in_blocks * LANES * LANES,
                                                  m + point * t->m_step + ((size_t) b * t->band + first) * LANES);
      }
}

/* --- outputs --- */

INLINE Vec
clip (Vec v, float ceiling)
{
  Vec top = (Vec) { 0 } + ceiling, r = (Vec) ((Mask) (v > 0) & (Mask) v);
  Mask low = (Mask) (r < top);
  return (Vec) ((low & (Mask) r) | (~low & (Mask) top));
}

INLINE void
finish (const PjCpuTail *tail, Vec v, Vec bias, float *y)
{
  v += bias;
  if (tail->add)
    v += LOAD (y);
  STORE (y, tail->ceiling >= 0 ? clip (v, tail->ceiling) : v);
}

/* One tile, of which @n_rows rows and @n_columns columns lie in the map. */
INLINE void
output_tile (const PjCpuTiles *t, const PjCpuTail *tail, const float *m, Vec bias, int n_rows, int n_columns, float *y)
{
  Vec half[4][6];
  UNROLL for (int c = 0; c < 6; c++) {
    Vec column[6], out[4];
    UNROLL for (int r = 0; r < 6; r++)
      column[r] = LOAD (m + (6 * r + c) * t->m_step);
    transform_products (column, out);
    UNROLL for (int r = 0; r < 4; r++)
      half[r][c] = out[r];
  }
  UNROLL for (int r = 0; r < 4; r++) {
    Vec row[4];
    float *to = y + (size_t) r * t->out_w * LANES;
    if (r >= n_rows)
      break;
    transform_products (half[r], row);
    UNROLL for (int c = 0; c < 4; c++)
      if (c < n_columns)
        finish (tail, row[c], bias, to + c * LANES);
  }
}

/* y of tiles [@first, @last), of blocks [@block, @block + @n_blocks) of output channels. */
static void
output_tiles (const PjCpuTiles *t, const PjCpuTail *tail, const float *m, int first, int last, int block, int n_blocks, float *y)
{
  for (int tile = first; tile < last; tile++) {
    Place at = place (t, tile);
    int n_rows = MIN (4, t->out_h - 4 * at.row), n_columns = MIN (4, t->out_w - 4 * at.column);
    for (int b = 0; b < n_blocks; b++) {
      size_t plane = (size_t) at.n * t->out_blocks + block + b;
      Vec bias = { 0 };
      if (tail->bias != NULL)
        memcpy (&bias, tail->bias + (block + b) * LANES, MIN (LANES, tail->n_out - (block + b) * LANES) * sizeof (float));
      output_tile (t, tail, m + ((size_t) b * t->band + (tile - first)) * LANES, bias, n_rows, n_columns,
                   y + ((plane * t->out_h + 4 * at.row) * t->out_w + 4 * at.column) * LANES);
    }
  }
}

/* Bands of even sizes: the last one would be a small one. */
#define EACH_BAND(t, s, from, to) \
  for (int n_bands_ = ((s)->last - (s)->first + (t)->band - 1) / (t)->band, b_ = 0, from = (s)->first, to; \
       b_ < n_bands_ && (to = from + ((s)->last - from) / (n_bands_ - b_), TRUE); b_++, from = to)

static void
forward (const PjCpuTiles *t, const PjCpuTail *tail, const PjCpuShare *s, const float *x, const float *u, float *scratch, float *y)
{
  float *v = scratch, *m = scratch + 36 * t->v_step;
  EACH_BAND (t, s, from, to) {
    input_tiles (t, x, from, to, v);
    for (int block = s->first_block; block < s->last_block; block += t->group) {
      int n_blocks = MIN (t->group, s->last_block - block);
      multiply_tiles (t, to - from, v, u, block, n_blocks, m);
      output_tiles (t, tail, m, from, to, block, n_blocks, y);
    }
  }
}

/* --- gradients by the weights --- */

/* Z of one tile, and the sum of its dy. */
INLINE Vec
gradient_tile (const PjCpuTiles *t, const float *dy, int n_rows, int n_columns, float *z)
{
  Vec half[6][4], total = { 0 };
  UNROLL for (int c = 0; c < 4; c++) {
    Vec column[4], out[6];
    UNROLL for (int r = 0; r < 4; r++) {
      column[r] = r < n_rows && c < n_columns ? LOAD (dy + ((size_t) r * t->out_w + c) * LANES) : (Vec) { 0 };
      total += column[r];
    }
    transform_gradient (column, out);
    UNROLL for (int r = 0; r < 6; r++)
      half[r][c] = out[r];
  }
  UNROLL for (int r = 0; r < 6; r++) {
    Vec row[6];
    transform_gradient (half[r], row);
    UNROLL for (int c = 0; c < 6; c++)
      STORE (z + (6 * r + c) * t->m_step, row[c]);
  }
  return total;
}

/* Z of tiles [@first, @last). */
static void
gradient_tiles (const PjCpuTiles *t, const PjCpuShare *s, const float *dy, int first, int last, float *z, double *bias)
{
  for (int tile = first; tile < last; tile++) {
    Place at = place (t, tile);
    int n_rows = MIN (4, t->out_h - 4 * at.row), n_columns = MIN (4, t->out_w - 4 * at.column);
    for (int b = s->first_block; b < s->last_block; b++) {
      const float *from = dy + ((((size_t) at.n * t->out_blocks + b) * t->out_h + 4 * at.row) * t->out_w + 4 * at.column) * LANES;
      Vec total = gradient_tile (t, from, n_rows, n_columns, z + ((size_t) (b - s->first_block) * t->band + (tile - first)) * LANES);
      if (bias != NULL)
        *(Wide *) (bias + b * LANES) += __builtin_convertvector (total, Wide);
    }
  }
}

/* Adds V ⊙ Z of @n tiles, of @n_rows input channels and @n_blocks blocks of output channels. */
INLINE void
add_products (int n_rows, int n_blocks, const PjCpuTiles *t, int n, const float *v, const float *z, float *sums)
{
  size_t block = (size_t) t->in_blocks * LANES * LANES, z_block = (size_t) t->band * LANES;
  Vec sum[LANES][2];

  UNROLL for (int r = 0; r < n_rows; r++)
    UNROLL for (int b = 0; b < n_blocks; b++)
      sum[r][b] = LOAD (sums + b * block + r * LANES);
  for (int i = 0; i < n; i++, v += LANES, z += LANES) {
    Vec z0 = LOAD (z), z1 = n_blocks > 1 ? LOAD (z + z_block) : (Vec) { 0 };
    UNROLL for (int r = 0; r < n_rows; r++) {
      sum[r][0] += z0 * v[r];
      if (n_blocks > 1)
        sum[r][1] += z1 * v[r];
    }
  }
  UNROLL for (int r = 0; r < n_rows; r++)
    UNROLL for (int b = 0; b < n_blocks; b++)
      STORE (sums + b * block + r * LANES, sum[r][b]);
}

static void
add_tiles (const PjCpuTiles *t, int n, const float *v, const float *z, int n_blocks, float *sums)
{
  for (int b = 0; b < n_blocks; b += 2)
    for (int i = 0; i < t->in_blocks; i++) {
      const float *zb = z + (size_t) b * t->band * LANES, *vi = v + (size_t) i * t->band * LANES;
      float *to = sums + ((size_t) b * t->in_blocks + i) * LANES * LANES;
      if (b + 1 == n_blocks)
        add_products (LANES, 1, t, n, vi, zb, to);
      else
        for (int r = 0; r < LANES; r += LANES / 2)
          add_products (LANES / 2, 2, t, n, vi + r, zb, to + r * LANES);
    }
}

static void
gradients (const PjCpuTiles *t, const PjCpuShare *s, const float *x, const float *dy, float *scratch, float *sums, double *bias)
{
  float *v = scratch, *z = scratch + 36 * t->v_step;
  EACH_BAND (t, s, from, to) {
    input_tiles (t, x, from, to, v);
    gradient_tiles (t, s, dy, from, to, z, bias);
    for (int point = 0; point < 36; point++)
      add_tiles (t, to - from, v + point * t->v_step, z + point * t->m_step, s->last_block - s->first_block,
                 sums + point * t->u_step + (size_t) s->first_block * t->in_blocks * LANES * LANES);
  }
}

/* Filters of input channel @i, of a block of output channels. */
static void
scatter_filters (const PjCpuFilters *f, const float (*g)[LANES], int i, int block, gboolean accumulate, float *dw)
{
  for (int l = 0; l < MIN (LANES, f->n_out - block * LANES); l++) {
    float *to = dw + 9 * ((size_t) (block * LANES + l) * f->n_in + i);
    UNROLL for (int tap = 0; tap < 9; tap++)
      to[tap] = accumulate ? to[tap] + g[tap][l] : g[tap][l];
  }
}

static void
weights (const PjCpuTiles *t, const PjCpuFilters *f, const float *sums, int n_parts, size_t part_step, gboolean accumulate,
         int first, int last, float *dw)
{
  for (int block = 0; block < t->out_blocks; block++)
    for (int i = first; i < MIN (last, f->n_in); i++) {
      Vec columns[6][3];
      float g[9][LANES];
      const float *from = sums + ((size_t) block * t->in_blocks * LANES + i) * LANES;
      UNROLL for (int c = 0; c < 6; c++) {
        Vec s[6];
        UNROLL for (int r = 0; r < 6; r++) {
          s[r] = LOAD (from + (6 * r + c) * t->u_step);
          for (int part = 1; part < n_parts; part++)
            s[r] += LOAD (from + (6 * r + c) * t->u_step + part * part_step);
        }
        transform_sums (s, columns[c]);
      }
      UNROLL for (int r = 0; r < 3; r++) {
        Vec row[3];
        transform_sums ((Vec[]) { columns[0][r], columns[1][r], columns[2][r], columns[3][r], columns[4][r], columns[5][r] }, row);
        UNROLL for (int c = 0; c < 3; c++)
          STORE (g[3 * r + c], row[c]);
      }
      scatter_filters (f, g, i, block, accumulate, dw);
    }
}

const PjCpuWinograd PJ_CPU_WINOGRAD = {
  .lanes = LANES, .filters = filters, .forward = forward, .gradients = gradients, .weights = weights,
};
