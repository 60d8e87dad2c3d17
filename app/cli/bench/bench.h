/* SPDX-License-Identifier: MIT */
/* bench --peers: how fast this build is on this machine, next to others that do the same work.
 *
 * A figure is one thing that is measured, with one row per case (a network, a shape).  What it compares with is
 * another program (a peer, run alternately with this one through its script), another kernel, or a number of
 * seconds that a person is willing to wait.  A figure whose peer is not installed skips its rows, each with a
 * sentence; nothing is estimated.
 *
 * Adding a figure: its function in one of figures-*.c and one row in figures.c. */
#pragma once

#include "cli/cli.h"
#include "compute/plan.h"

G_BEGIN_DECLS

typedef struct _BenchPeer BenchPeer;

/**
 * Bench: one run over the figures.
 * @quick: fewer alternations and shorter ones, and smaller batches: an impression, not a figure to quote
 * @rounds: alternations of which the median counts
 * @seconds: time that each side gets in one alternation, at least one run
 * @folder: for files that peers read; removed at the end
 * @torch, @ort: started when the first figure needs them; see bench_torch()
 * @rows: (element-type BenchRow)
 * @doing: (nullable): the case that bench_go_on() last told of
 */
typedef struct {
  Cli *cli;
  gboolean quick;
  int rounds;
  double seconds;
  char *folder;
  BenchPeer *torch, *ort;
  char *no_torch, *no_ort;
  GPtrArray *rows;
  const char *figure;
  char *doing;
  unsigned index, n_figures;
} Bench;

/**
 * BenchRow: a line of the table.
 * @figure, @what: name of the figure; the case
 * @unit: of @ours and @theirs: "images/s", "ms"
 * @theirs: 0 where the target is a limit of its own
 * @peer: name and version, or what else it is compared with
 * @ratio: what @target is about; for a limit without a peer the measured value itself
 * @at_most: @ratio must not be above @target; otherwise not below
 * @skipped: (nullable): why there is no figure, a sentence
 * @failed: with @skipped: not for want of a peer, but because measuring went wrong
 */
typedef struct {
  char *figure, *what, *unit, *peer, *skipped;
  double ours, theirs, ratio, target;
  gboolean at_most, failed;
} BenchRow;

typedef struct {
  const char *name, *about;
  gboolean (*measure) (Bench *bench, GError **error);
} BenchFigure;

/* NULL-terminated rows. */
extern const BenchFigure bench_figures[];

/* Runs the figures, all or those called in @only (names with commas between), and prints the table.  A figure that goes wrong
 * is a row with its reason; the others are measured and printed all the same, and what is returned is FALSE. */
gboolean bench_peers (Cli *cli, const char *only, gboolean quick, GError **error);

/* --- rows --- */

/* A row with all its numbers; @what and @peer are copied. */
void bench_add (Bench *bench, const char *what, const char *unit, double ours, const char *peer, double theirs,
                double ratio, double target, gboolean at_most);
void bench_skip (Bench *bench, const char *what, const char *why);
/* Progress, and FALSE if the person stopped it. */
gboolean bench_go_on (Bench *bench, const char *what, GError **error);

double bench_median (double *values, int n);

/* --- peers (peer.c) --- */

/* The peers, started once; NULL with *why set to a sentence if it cannot be had. */
BenchPeer *bench_torch (Bench *bench, const char **why);
BenchPeer *bench_ort (Bench *bench, const char **why);
/* A PyTorch of its own for its memory, with the allocator as it is by default. (transfer full) */
BenchPeer *bench_torch_alone (Bench *bench, GError **error);
void bench_peer_free (BenchPeer *self);
/* "PyTorch 1.13.1" */
const char *bench_peer_name (const BenchPeer *self);
/* Sends one JSON object, waits for the answer. (transfer full) NULL with the peer's own words in @error. */
JsonObject *bench_peer_ask (BenchPeer *self, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* Asks and takes the member "ms"; −1 on error. */
double bench_peer_ms (BenchPeer *self, const char *request, GError **error);

/* Another process of this program, with "--json" and @environment ("NAME=VALUE", NULL-terminated, nullable) on top.
 * (transfer full) */
JsonObject *bench_own (Bench *bench, const char *const *arguments, const char *const *environment, GError **error);

/* --- networks (network.c) --- */

/**
 * BenchNet: a network on a device, ready to run on seeded noise.
 */
typedef struct {
  PjGraph *graph;
  PjParams *params;
  PjPlan *plan;
  PjPlanMode mode;
} BenchNet;

void bench_net_clear (BenchNet *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BenchNet, bench_net_clear)

/* @graph (transfer none); @options: NULL for the plain forward or training plan of @batch pictures. */
gboolean bench_net_init (BenchNet *self, PjDevice *device, PjGraph *graph, PjPlanMode mode, unsigned batch,
                         const PjPlanOptions *options, GError **error);
/* Runs once. */
gboolean bench_net_run (BenchNet *self, GError **error);
/* Runs for @seconds, at least once; median milliseconds of a run, −1 on error. */
double bench_net_ms (BenchNet *self, double seconds, GError **error);
/* A network by name for pictures of 3 × side × side, or vgg-mini's 1 × 28 × 28. (transfer full) */
PjGraph *bench_make (const char *name, int side, unsigned n_classes, GError **error);
/* The first software Vulkan device. (transfer full) NULL with *why. */
PjDevice *bench_software_vulkan (char **why);

G_END_DECLS
