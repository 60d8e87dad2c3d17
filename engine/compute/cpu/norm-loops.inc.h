/* SPDX-License-Identifier: MIT */
/* The part of loops.inc.h for norms and gates.  Everything that depends on a choice is outside of the loops over
 * vectors, and sums have several vectors under way, or they would wait for each addition. */

/* Half of the lanes in double are what the widest registers hold. */
#define HALF (L / 2)
typedef double Half __attribute__ ((vector_size (HALF * sizeof (double)), aligned (8), may_alias));
typedef float HalfVec __attribute__ ((vector_size (HALF * sizeof (float)), aligned (4), may_alias));

#define HALF_AT(p) (*(Half *) (p))
#define HALF_AT_CONST(p) (*(const Half *) (p))

/* --- sums of one plane, forward --- */

/* Σ x; at most CHUNK elements. */
static inline __attribute__ ((always_inline)) Vec
sum_of (const float *x, size_t n)
{
  Vec s0 = { 0 }, s1 = { 0 }, s2 = { 0 }, s3 = { 0 };
  size_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    s0 += LOAD (x + i);
    s1 += LOAD (x + i + L);
    s2 += LOAD (x + i + 2 * L);
    s3 += LOAD (x + i + 3 * L);
  }
  for (; i + L <= n; i += L)
    s0 += LOAD (x + i);
  if (i < n)
    s1 += fetch (x + i, n - i);
  return (s0 + s1) + (s2 + s3);
}

static inline __attribute__ ((always_inline)) Vec
square_about (Vec x, Vec centre)
{
  Vec off = x - centre;
  return off * off;
}

/* Σ (x − centre)²; at most CHUNK elements. */
static inline __attribute__ ((always_inline)) Vec
squares_of (const float *x, size_t n, Vec centre)
{
  Vec s0 = { 0 }, s1 = { 0 }, s2 = { 0 }, s3 = { 0 };
  size_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    s0 += square_about (LOAD (x + i), centre);
    s1 += square_about (LOAD (x + i + L), centre);
    s2 += square_about (LOAD (x + i + 2 * L), centre);
    s3 += square_about (LOAD (x + i + 3 * L), centre);
  }
  for (; i + L <= n; i += L)
    s0 += square_about (LOAD (x + i), centre);
  if (i < n)
    s1 += square_about (fetch (x + i, n - i), centre) * first_lanes (n - i);
  return (s0 + s1) + (s2 + s3);
}

static void
centred (const float *x, size_t n, const float *mean, double *m2)
{
  memset (m2, 0, L * sizeof (double));
  for (size_t start = 0; start < n; start += CHUNK)
    flush (m2, squares_of (x + start, MIN (CHUNK, n - start), LOAD (mean)));
}

/* What two sums are for the channels of a block. */
static inline __attribute__ ((always_inline)) void
put_lanes (double *out, const double *a, const double *b, int block)
{
  int n = block == L ? L : block;     /* a constant for the copies of full blocks */
  memcpy (out, a, (size_t) n * sizeof (double));
  memcpy (out + n, b, (size_t) n * sizeof (double));
}

/* The sum over all lanes of a channel, in each of them. */
static __attribute__ ((noinline)) void
fold (double *lane, int block)
{
  for (int s = L / 2; s >= block; s /= 2)
    for (int l = 0; l < s; l++)
      lane[l] += lane[l + s];
  for (int l = block; l < L; l++)
    lane[l] = lane[l - block];
}

static inline __attribute__ ((always_inline)) void
widen (Vec v, int block, double *lane)
{
  float narrow[L];
  memcpy (narrow, &v, sizeof narrow);
  for (int l = 0; l < L; l += HALF)
    HALF_AT (lane + l) = __builtin_convertvector (*(const HalfVec *) (narrow + l), Half);
  if (block < L)
    fold (lane, block);
}

/* Mean and Σ (x − mean)² of at most CHUNK elements, which the second sum finds in the first level cache. */
static inline __attribute__ ((always_inline)) void
chunk_moments (const float *x, size_t n, int block, double *mean, double *m2)
{
  double count = (double) n / block;
  float centre[L];
  widen (sum_of (x, n), block, mean);
  for (int l = 0; l < L; l += HALF) {
    HALF_AT (mean + l) *= 1 / count;
    *(HalfVec *) (centre + l) = __builtin_convertvector (HALF_AT (mean + l), HalfVec);
  }
  widen (squares_of (x, n, LOAD (centre)), block, m2);
  /* About the rounded mean; put right for the exact one. */
  for (int l = 0; l < L; l += HALF) {
    Half off = HALF_AT (mean + l) - __builtin_convertvector (*(HalfVec *) (centre + l), Half);
    HALF_AT (m2 + l) -= count * off * off;
  }
}

/* Chunk by chunk, joined as in Chan, Golub, LeVeque 1979. */
static void
moments (const float *x, size_t n, int block, double *out)
{
  double mean[L], m2[L], its_mean[L], its_m2[L];
  chunk_moments (x, MIN (CHUNK, n), block, mean, m2);
  for (size_t start = CHUNK; start < n; start += CHUNK) {
    size_t m = MIN (CHUNK, n - start);
    double share = (double) m / (double) (start + m), count = (double) start / block;
    chunk_moments (x + start, m, block, its_mean, its_m2);
    for (int l = 0; l < L; l += HALF) {
      Half delta = HALF_AT (its_mean + l) - HALF_AT (mean + l);
      HALF_AT (m2 + l) += HALF_AT (its_m2 + l) + delta * delta * (count * share);
      HALF_AT (mean + l) += delta * share;
    }
  }
  put_lanes (out, mean, m2, block);
}

/* --- all planes of a block of channels --- */

static inline __attribute__ ((always_inline)) Half
some (const double *p, int n)
{
  Half v = { 0 };
  if (n >= HALF)
    return HALF_AT_CONST (p);
  memcpy (&v, p, (size_t) n * sizeof (double));
  return v;
}

static inline __attribute__ ((always_inline)) void
put_some (double *p, Half v, int n)
{
  memcpy (p, &v, (size_t) MIN (n, HALF) * sizeof (double));
}

/* All planes are of the same size, so the mean is that of the means. */
static void
join_moments (const double *planes, int n, size_t stride, int block, double hw, double *out)
{
  for (int l = 0; l < block; l += HALF) {
    Half mean = { 0 }, m2 = { 0 };
    const double *p = planes + l;
    for (int i = 0; i < n; i++)
      mean += some (p + (size_t) i * stride, block - l);
    mean /= n;
    for (int i = 0; i < n; i++) {
      Half off = some (p + (size_t) i * stride, block - l) - mean;
      m2 += some (p + (size_t) i * stride + block, block - l) + hw * off * off;
    }
    put_some (out + l, mean, block - l);
    put_some (out + block + l, m2, block - l);
  }
}

static void
join_sums (const double *planes, int n, size_t stride, int n_sums, double *out)
{
  for (int l = 0; l < n_sums; l += HALF) {
    Half sum = { 0 };
    for (int i = 0; i < n; i++)
      sum += some (planes + (size_t) i * stride + l, n_sums - l);
    put_some (out + l, sum, n_sums - l);
  }
}

/* --- y = relu? (s·x + t + r) --- */

static inline __attribute__ ((always_inline)) Vec
scaled (const float *x, Vec s, Vec t, const float *r, size_t i, size_t n)
{
  Vec v = get (x, i, n) * s + t;
  if (r != NULL)
    v += get (r, i, n);
  return v;
}

static inline __attribute__ ((always_inline)) void
affine_one (const float *x, size_t n, const float *s, const float *t, const float *r, float ceiling, float *y)
{
  Vec sv = LOAD (s), tv = LOAD (t), top = (Vec) { 0 } + ceiling;
  if (ceiling >= 0)
    EACH_VECTOR (n, i, STORE (y + i, clip (scaled (x, sv, tv, r, i, L), top)),
                 put (y + i, clip (scaled (x, sv, tv, r, i, n - i), top), n - i));
  else
    EACH_VECTOR (n, i, STORE (y + i, scaled (x, sv, tv, r, i, L)),
                 put (y + i, scaled (x, sv, tv, r, i, n - i), n - i));
}

static void
affine (const float *x, size_t n, const float *s, const float *t, const float *r, float ceiling, float *y)
{
  if (r != NULL)
    affine_one (x, n, s, t, r, ceiling, y);
  else
    affine_one (x, n, s, t, NULL, ceiling, y);
}

/* --- backward --- */

/* Where the ReLU's output is known from. */
typedef enum { NO_RELU, FROM_Y, FROM_X } Relu;

static inline Relu
relu_of (const PjCpuBehind *in)
{
  return in->y != NULL ? FROM_Y : in->s != NULL ? FROM_X : NO_RELU;
}

/* What stays in registers while a loop makes d of @in. */
typedef struct {
  PjCpuBehind in;       /* a copy: nothing that is stored can change it */
  const float *x;
  Vec s, t, top;
} Behind;

static inline __attribute__ ((always_inline)) Behind
behind_of (const PjCpuBehind *in, const float *x, Relu relu)
{
  Vec top = (Vec) { 0 } + in->ceiling;
  return (Behind) { *in, x, relu == FROM_X ? LOAD (in->s) : top, relu == FROM_X ? LOAD (in->t) : top, top };
}

/* Lanes i … i + n − 1 of d. */
static inline __attribute__ ((always_inline)) Vec
behind (const Behind *b, Relu relu, gboolean more, size_t i, size_t n)
{
  Vec d = get (b->in.dy, i, n);
  if (more)
    d += get (b->in.more, i, n);
  if (relu == NO_RELU)
    return d;
  Vec v = relu == FROM_Y ? get (b->in.y, i, n) : scaled (b->x, b->s, b->t, NULL, i, n);
  return WHERE ((v > 0) & (v < b->top), d);
}

/* Adds one vector, or the first @n lanes of one, to both sums. */
static inline __attribute__ ((always_inline)) void
sum_one (const Behind *b, Relu relu, gboolean more, gboolean keep, size_t i, size_t n, Vec centre, Vec *sd, Vec *sdx)
{
  Vec d = behind (b, relu, more, i, n);
  if (keep && n == L)
    STORE (b->in.d + i, d);
  else if (keep)
    put (b->in.d + i, d, n);
  *sd += d;
  *sdx += d * (get (b->x, i, n) - centre);
}

static inline __attribute__ ((always_inline)) void
sums_bwd_one (const PjCpuBehind *in, const float *x, size_t n, const float *mean, double *sd, double *sdx, Relu relu,
              gboolean more, gboolean keep)
{
  Behind b = behind_of (in, x, relu);
  Vec centre = LOAD (mean);
  for (size_t start = 0; start < n; start += CHUNK) {
    size_t end = start + MIN (CHUNK, n - start), i = start;
    Vec d0 = { 0 }, d1 = { 0 }, dx0 = { 0 }, dx1 = { 0 };
    for (; i + 2 * L <= end; i += 2 * L) {
      sum_one (&b, relu, more, keep, i, L, centre, &d0, &dx0);
      sum_one (&b, relu, more, keep, i + L, L, centre, &d1, &dx1);
    }
    for (; i + L <= end; i += L)
      sum_one (&b, relu, more, keep, i, L, centre, &d0, &dx0);
    if (i < end)
      sum_one (&b, relu, more, keep, i, end - i, centre, &d1, &dx1);
    flush (sd, d0 + d1);
    flush (sdx, dx0 + dx1);
  }
}

static inline __attribute__ ((always_inline)) void
sums_bwd_of (const PjCpuBehind *in, const float *x, size_t n, const float *mean, double *sd, double *sdx, Relu relu)
{
  if (in->more != NULL)
    sums_bwd_one (in, x, n, mean, sd, sdx, relu, TRUE, TRUE);
  else if (in->d != NULL)
    sums_bwd_one (in, x, n, mean, sd, sdx, relu, FALSE, TRUE);
  else
    sums_bwd_one (in, x, n, mean, sd, sdx, relu, FALSE, FALSE);
}

static void
sums_bwd (const PjCpuBehind *in, const float *x, size_t n, int block, const float *mean, double *out)
{
  double sd[L] = { 0 }, sdx[L] = { 0 };
  switch (relu_of (in)) {
  case NO_RELU: sums_bwd_of (in, x, n, mean, sd, sdx, NO_RELU); break;
  case FROM_Y: sums_bwd_of (in, x, n, mean, sd, sdx, FROM_Y); break;
  case FROM_X: sums_bwd_of (in, x, n, mean, sd, sdx, FROM_X); break;
  }
  if (block < L) {
    fold (sd, block);
    fold (sdx, block);
  }
  put_lanes (out, sd, sdx, block);
}

static inline __attribute__ ((always_inline)) void
affine_bwd_one (const PjCpuBehind *in, const float *x, size_t n, const float *a, const float *b, const float *c, float *dx,
                Relu relu)
{
  Vec av = LOAD (a), bv = LOAD (b), cv = LOAD (c);
  Behind h = behind_of (in, x, relu);
  EACH_VECTOR (n, i, STORE (dx + i, av * behind (&h, relu, FALSE, i, L) + (bv * LOAD (x + i) + cv)),
               put (dx + i, av * behind (&h, relu, FALSE, i, n - i) + (bv * fetch (x + i, n - i) + cv), n - i));
}

static void
affine_bwd (const PjCpuBehind *in, const float *x, size_t n, const float *a, const float *b, const float *c, float *dx)
{
  switch (relu_of (in)) {
  case NO_RELU: affine_bwd_one (in, x, n, a, b, c, dx, NO_RELU); break;
  case FROM_Y: affine_bwd_one (in, x, n, a, b, c, dx, FROM_Y); break;
  case FROM_X: affine_bwd_one (in, x, n, a, b, c, dx, FROM_X); break;
  }
}
