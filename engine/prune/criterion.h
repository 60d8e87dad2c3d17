/* SPDX-License-Identifier: MIT */
/* The family of criteria: one file per member in criteria/, one row in criteria/registry.c. */
#pragma once

#include "base/hooks.h"
#include "compute/device.h"
#include "data/dataset.h"
#include "prune/life.h"
#include "prune/scores/scores.h"

G_BEGIN_DECLS

/* Calibration pictures where @n_images is 0: of the statistics pass, and of the gradient pass, which costs several
 * times as much per picture. */
#define PJ_DEFAULT_IMAGES 1024
#define PJ_DEFAULT_GRADIENT_IMAGES 512

/* Of the criteria that run the network once per channel. */
#define PJ_DEFAULT_KL_IMAGES 256

/* What a score is measured on. @dataset and @format may be NULL for data-free criteria. */
typedef struct {
  PjDevice *device;
  PjGraph *graph;
  const PjGroups *groups;
  PjDataset *dataset;
  const PjFormat *format;
  unsigned n_images;          /* calibration pictures from the training part; 0 for the criterion's default */
  uint64_t seed;
  const PjHooks *hooks;
  PjTied tied;                /* how groups of several layers are judged */
  const PjMethodLife *life;   /* (nullable): for criteria that run the network once per channel */
} PjScoring;

typedef enum {
  PJ_NEEDS_NOTHING = 0,
  PJ_NEEDS_IMAGES = 1 << 0,
  PJ_NEEDS_LABELS = 1 << 1,
  PJ_NEEDS_STATS = 1 << 2,    /* the shared statistics pass */
  PJ_NEEDS_GRADIENTS = 1 << 3,/* the shared gradient pass, with labels */
} PjNeeds;

/**
 * PjActivity: sums of the shared statistics pass over one value, f64 over images.
 * All arrays have one entry per channel of @value.
 */
typedef struct {
  int value, n_channels;
  double n_positions;         /* H·W */
  uint64_t n_images;
  double *zeros;              /* exact zeros in all */
  double *sum_mean;           /* Σ_n mean */
  double *sum_std;            /* Σ_n population std */
  double *sum_l1, *sum_l2;    /* Σ_n Σ|x|, Σ_n √Σx² */
  double *var_l2;             /* running M2 over images of √Σx²; divide by n_images */
} PjActivity;

/**
 * PjSensitivity: sums of the shared gradient pass over one group.
 *
 * A gate, value 1, multiplies each of @n_gates activations of the group: the output of its norm where one ReLU
 * follows, else every ReLU output (a residual stage has one per block), else its mask points.  With the loss of
 * picture n taken alone, g[n] = ∂loss/∂gate = Σ_p z·∂loss/∂z.
 *
 * @sum_abs: n_gates x n_channels: Σ_n |g[n]/M|, M positions of that activation
 * @sum_squares: n_channels: Σ over mini-batches of (the mean over its pictures of g[n], summed over the gates)²
 * @n_batches: whole mini-batches of PJ_SENSITIVITY_BATCH pictures, or one smaller one if there were fewer
 */
typedef struct {
  int group, n_channels;
  unsigned n_gates;
  double *sum_abs, *sum_squares;
  uint64_t n_images;
  unsigned n_batches;
} PjSensitivity;

#define PJ_SENSITIVITY_BATCH 32

typedef struct _PjStatistics PjStatistics;

/* Runs the statistics pass over all ReLU outputs and activations of all unlocked groups. */
PjStatistics *pj_statistics_measure (const PjScoring *scoring, GError **error);
/* Runs the passes that @needs names, each once: PJ_NEEDS_STATS, PJ_NEEDS_GRADIENTS. */
PjStatistics *pj_statistics_measure_for (const PjScoring *scoring, PjNeeds needs, GError **error);
void pj_statistics_free (PjStatistics *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjStatistics, pj_statistics_free)
/* The passes that were run. */
PjNeeds pj_statistics_has (const PjStatistics *self);
/* Calibration pictures of the pass that @needs names: the gradient pass if it names both. */
unsigned pj_statistics_n_images (const PjStatistics *self, PjNeeds needs);
/* Sums of @value, or NULL if it was not measured. */
const PjActivity *pj_statistics_get (const PjStatistics *self, int value);
/* Sums of a group by id, or NULL. */
const PjSensitivity *pj_statistics_get_sensitivity (const PjStatistics *self, int group);

/**
 * PjCriterion:
 * @name: identifier ("weight-sum"); @title: what a person reads
 * @about: two plain sentences; @source: the paper
 * @needs: see PjNeeds
 * @comparable: scores of different groups are on one scale; else a global budget first divides each group's
 *   scores by their mean
 * @drawn: the scores are a draw: one seed says nothing, a comparison takes several
 * @slow: runs the network once per channel: it takes minutes, saves its work and goes on from it (PjScoring.life)
 * @joins: layers that are cut together are scored one by one and joined as PjScoring.tied says; the others judge what is
 *   tied as one, and take no other policy than the usual one
 * @fit: (nullable): refuses a group that the criterion cannot judge, from its structure alone, with
 *   PJ_PRUNE_ERROR_UNFIT; the message becomes the group's refusal
 * @score: writes @out[0 … C-1] for one group; @statistics is NULL unless needed.  PJ_PRUNE_ERROR_UNFIT
 *   becomes the group's refusal, too; other errors end the work.
 * @score_all: (nullable): instead of @score: fills @scores->n_images and the scores, which are allocated, of all groups
 *   without a refusal
 */
typedef struct {
  const char *name, *title, *about, *source;
  PjNeeds needs;
  gboolean comparable, drawn, slow, joins;
  gboolean (*fit) (const PjScoring *scoring, const PjGroup *group, GError **error);
  gboolean (*score) (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group,
                     double *out, GError **error);
  gboolean (*score_all) (const PjScoring *scoring, PjScores *scores, GError **error);
} PjCriterion;

/* NULL-terminated. */
const PjCriterion *const *pj_criteria (void);
const PjCriterion *pj_criterion_find (const char *name);

/* PJ_PRUNE_ERROR_SETTING for a policy that the criterion does not have; @self: (nullable): none has one. @title: of who judges. */
gboolean pj_criterion_check_tied (const PjCriterion *self, const char *title, PjTied tied, GError **error);

/* Scores all unlocked groups by one criterion.  Scores that are not finite fail with PJ_PRUNE_ERROR_NUMERIC. */
PjScores *pj_criterion_score (const PjCriterion *criterion, const PjScoring *scoring, GError **error);
/* The same with statistics measured before, shared by several criteria; what they lack is measured (NULL: all). */
PjScores *pj_criterion_score_with (const PjCriterion *criterion, const PjScoring *scoring,
                                   const PjStatistics *statistics, GError **error);

G_END_DECLS
