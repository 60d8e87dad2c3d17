/* SPDX-License-Identifier: MIT */
/* Random numbers: Philox-4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw: "Parallel
 * Random Numbers: As Easy as 1, 2, 3", SC 2011).  The n-th number of a stream depends on (seed,
 * stream, n) alone, so results do not depend on threads, and a resumed job continues exactly. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Caller memory, no destructor; copying it copies the position in the stream. */
typedef struct {
  uint32_t key[2];
  uint32_t counter[4];
  uint32_t block[4];
  unsigned used;          /* numbers of @block already given out, 0 … 4 */
} PjRng;

/**
 * pj_rng_init:
 * @self: (out caller-allocates): generator
 * @seed: the seed a person sets and every result records
 * @stream: what the numbers are for; see PJ_STREAM
 */
void pj_rng_init (PjRng *self, uint64_t seed, uint64_t stream);

/* A stream number from a purpose and two coordinates, for example (SHUFFLE, epoch, 0). */
#define PJ_STREAM(purpose, a, b) \
  (((uint64_t) (purpose) << 56) ^ ((uint64_t) (uint32_t) (a) << 28) ^ (uint64_t) (uint32_t) (b))

typedef enum {
  PJ_STREAM_INIT = 1,     /* initial weights: (value index, 0) */
  PJ_STREAM_SHUFFLE,      /* order of an epoch: (epoch, 0) */
  PJ_STREAM_AUGMENT,      /* crop and flip of an image: (epoch, position in the epoch) */
  PJ_STREAM_SUBSET,       /* choice of calibration images */
  PJ_STREAM_CRITERION,    /* random criterion: (group, 0) */
  PJ_STREAM_SAMPLE,       /* sampled locations of ThiNet: (group, image) */
  PJ_STREAM_EXPAND,       /* variants of a picture: (picture, variant) */
  PJ_STREAM_MIXUP,        /* pairs and share of a batch: (epoch, batch) */
} PjStreamPurpose;

uint32_t pj_rng_u32 (PjRng *self);
/* Uniform in [0, 1), 53 bits. */
double pj_rng_uniform (PjRng *self);
/* Standard normal by Box-Muller. */
double pj_rng_normal (PjRng *self);
/* Uniform in 0 … @n - 1 without bias; @n >= 1. */
uint32_t pj_rng_below (PjRng *self, uint32_t n);
/* Fisher-Yates over @n items. */
void pj_rng_shuffle (PjRng *self, uint32_t *items, size_t n);

G_END_DECLS
