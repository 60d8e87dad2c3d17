/* SPDX-License-Identifier: MIT */
#include "base/rng.h"

#include <math.h>

#define ROUNDS 10

static void
philox (const uint32_t key_in[2], const uint32_t counter[4], uint32_t out[4])
{
  uint32_t key[2] = { key_in[0], key_in[1] };
  uint32_t x[4] = { counter[0], counter[1], counter[2], counter[3] };

  for (int round = 0; round < ROUNDS; round++) {
    uint64_t p0 = (uint64_t) 0xD2511F53u * x[0];
    uint64_t p1 = (uint64_t) 0xCD9E8D57u * x[2];
    uint32_t y0 = (uint32_t) (p1 >> 32) ^ x[1] ^ key[0];
    uint32_t y2 = (uint32_t) (p0 >> 32) ^ x[3] ^ key[1];
    x[0] = y0;
    x[1] = (uint32_t) p1;
    x[2] = y2;
    x[3] = (uint32_t) p0;
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  for (int i = 0; i < 4; i++)
    out[i] = x[i];
}

void
pj_rng_init (PjRng *self, uint64_t seed, uint64_t stream)
{
  *self = (PjRng) {
    .key = { (uint32_t) seed, (uint32_t) (seed >> 32) },
    .counter = { 0, 0, (uint32_t) stream, (uint32_t) (stream >> 32) },
    .used = 4,
  };
}

uint32_t
pj_rng_u32 (PjRng *self)
{
  if (self->used == 4) {
    philox (self->key, self->counter, self->block);
    if (++self->counter[0] == 0)
      self->counter[1]++;
    self->used = 0;
  }
  return self->block[self->used++];
}

double
pj_rng_uniform (PjRng *self)
{
  uint64_t high = pj_rng_u32 (self) >> 5;
  uint64_t low = pj_rng_u32 (self) >> 6;
  return (double) (high << 26 | low) * 0x1p-53;
}

double
pj_rng_normal (PjRng *self)
{
  double u = 1.0 - pj_rng_uniform (self);
  double v = pj_rng_uniform (self);
  return sqrt (-2.0 * log (u)) * cos (2.0 * G_PI * v);
}

uint32_t
pj_rng_below (PjRng *self, uint32_t n)
{
  g_return_val_if_fail (n >= 1, 0);
  uint32_t limit = (uint32_t) -n % n;   /* 2^32 mod n: numbers under it would be over-represented */
  uint32_t x;
  do
    x = pj_rng_u32 (self);
  while (x < limit);
  return x % n;
}

void
pj_rng_shuffle (PjRng *self, uint32_t *items, size_t n)
{
  for (size_t i = n; i > 1; i--) {
    size_t j = pj_rng_below (self, (uint32_t) i);
    uint32_t t = items[i - 1];
    items[i - 1] = items[j];
    items[j] = t;
  }
}
