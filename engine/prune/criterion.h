/* SPDX-License-Identifier: MIT */
/* The family of criteria: one file per member in criteria/, one row in criteria/registry.c. */
#pragma once

#include "base/hooks.h"
#include "compute/device.h"
#include "data/dataset.h"
#include "prune/scores.h"

G_BEGIN_DECLS

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
} PjScoring;

typedef enum {
  PJ_NEEDS_NOTHING = 0,
  PJ_NEEDS_IMAGES = 1 << 0,
  PJ_NEEDS_LABELS = 1 << 1,
  PJ_NEEDS_STATS = 1 << 2,    /* the shared statistics pass */
} PjNeeds;

/**
 * PjActivity: sums of the shared statistics pass over one value (algorithms.md 0.6), f64 over images.
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

typedef struct _PjStatistics PjStatistics;

/* Runs the statistics pass over all ReLU outputs and activations of all unlocked groups. */
PjStatistics *pj_statistics_measure (const PjScoring *scoring, GError **error);
void pj_statistics_free (PjStatistics *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjStatistics, pj_statistics_free)
const PjActivity *pj_statistics_get (const PjStatistics *self, int value);

/**
 * PjCriterion:
 * @name: identifier ("weight-sum"); @title: what a person reads
 * @about: two plain sentences; @source: the paper
 * @needs: see PjNeeds
 * @score: writes @out[0 … C-1] for one group; @statistics is NULL unless needed.  A group it cannot
 *   judge: return FALSE with PJ_PRUNE_ERROR_UNFIT, which becomes the group's refusal.
 */
typedef struct {
  const char *name, *title, *about, *source;
  PjNeeds needs;
  gboolean (*score) (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group,
                     double *out, GError **error);
} PjCriterion;

/* NULL-terminated. */
const PjCriterion *const *pj_criteria (void);
const PjCriterion *pj_criterion_find (const char *name);

/* Scores all unlocked groups by one criterion. */
PjScores *pj_criterion_score (const PjCriterion *criterion, const PjScoring *scoring, GError **error);
/* The same with statistics measured before, shared by several criteria (NULL to measure). */
PjScores *pj_criterion_score_with (const PjCriterion *criterion, const PjScoring *scoring,
                                   const PjStatistics *statistics, GError **error);

G_END_DECLS
