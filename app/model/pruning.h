/* SPDX-License-Identifier: MIT */
/* What a person can say about pruning by a method and about the training that follows.  Included by project.h. */
#pragma once

#include <gio/gio.h>

#include "model/job.h"

G_BEGIN_DECLS

typedef struct _PjmProject PjmProject;

/* --- what there is to say --- */

/**
 * PjmSetting: a setting of one method's own.
 * @name: of the engine ("between-epochs")
 * @about: a translated phrase that says what it is
 * @usual, @least, @most: the default and the limits; of @choices the index
 * @choices: (nullable): NULL-terminated words instead of a number
 * @zero: (nullable): a translated phrase for what 0 means: "as published (VGG 3, ResNet 8)"
 */
typedef struct {
  const char *name, *about;
  double usual, least, most;
  gboolean whole;
  const char *const *choices;
  const char *zero;
} PjmSetting;

/* (transfer full) (element-type PjmSetting): empty for a method without any. The texts are static. */
GArray *pjm_project_get_settings (PjmProject *self, const char *method);
/* What a person reads for a word of @choices: translated; a criterion or a method by its title; the word itself if it has
 * none. */
const char *pjm_setting_choice_title (const char *word);

/* TRUE if the method can share one budget among all layers, or has least-squares factors that can be left out. */
gboolean pjm_project_method_takes_budget (PjmProject *self, const char *method);
gboolean pjm_project_method_mends (PjmProject *self, const char *method);

/**
 * PjmKeep: how much stays.
 * @PJM_KEEP_MARKED: the ratios that the layers have now
 * @PJM_KEEP_SHARE: this share of every layer that the method can judge
 * @PJM_KEEP_MACS, @PJM_KEEP_PARAMS, @PJM_KEEP_MEMORY, @PJM_KEEP_MS: this share of the whole network's, the weakest channels
 *   anywhere go; memory is bytes of parameters and activations, milliseconds are predicted for one picture on the device
 * @PJM_KEEP_BLOCKS: this share of the residual blocks: AutoPruner trains a gate for each, and those that close go whole
 */
typedef enum {
  PJM_KEEP_MARKED, PJM_KEEP_SHARE, PJM_KEEP_MACS, PJM_KEEP_PARAMS, PJM_KEEP_MEMORY, PJM_KEEP_MS, PJM_KEEP_BLOCKS,
  PJM_N_KEEP
} PjmKeep;

/**
 * PjmTuneKind: how a network is trained after a cut.
 * @PJM_TUNE_PLAIN: on the labels
 * @PJM_TUNE_DISTILL: on the labels and on the answers of a teacher
 * @PJM_TUNE_CURL: CURL's two stages, both with a teacher: mixup and distillation, then label refinement on expanded data
 */
typedef enum { PJM_TUNE_NOT, PJM_TUNE_PLAIN, PJM_TUNE_DISTILL, PJM_TUNE_CURL } PjmTuneKind;

/**
 * PjmTuneOptions: start from pjm_tune_options_init().
 * @epochs: of CURL: of its first stage, 0 leaves it out
 * @epochs_b: of CURL's second stage, 0 leaves it out
 * @max_steps: stop each training after so many batches; 0 for no limit
 * @lr: first learning rate; of CURL's first stage; 0 for the usual one
 * @batch: pictures per step
 * @distill, @temperature: of @PJM_TUNE_DISTILL: weight of the teacher, from 0 to 1, and how much its answers are softened
 * @teacher: index in the history of the step whose network is the teacher; the first one is the network as it was opened
 */
typedef struct {
  PjmTuneKind kind;
  guint epochs, epochs_b, max_steps, batch;
  double lr, distill, temperature;
  guint teacher;
} PjmTuneOptions;

/* Plain, 1 epoch at 0.01; a teacher's weight is 0.5 at temperature 2; CURL has 10 and 2 epochs. */
void pjm_tune_options_init (PjmTuneOptions *options);

/* Kept counts by the rule of AMC's authors: the nearest whole number, then up to a multiple of 8. */
#define PJM_ROUND_AMC (-8)

/**
 * PjmPruneOptions: start from pjm_prune_options_init().
 * @method: identifier
 * @keep, @share: how much stays
 * @floor: under a budget: the smallest share of a layer that stays
 * @multiple: kept counts are rounded up to a multiple of this; or PJM_ROUND_AMC
 * @tied, @widths, @constants: (nullable): rows of pjm_project_get_tied(), pjm_project_get_widths() and
 *   pjm_project_get_constants(); NULL for the usual
 * @set: (nullable): "name=value" of the method's own settings
 * @mends: with least-squares factors, for methods that have them
 * @n_images: calibration pictures; 0 for the method's own number
 * @drop_blocks: before all that, so many residual blocks go whole: those that the answers miss least.  It may be all that is
 *   asked for
 * @cut, @gap, @recalibrate: what follows: remove the channels, put a global average in the place of the classifier, measure
 *   the norms again.  Both of the latter cut first.
 * @tune: the training that follows; @PJM_TUNE_NOT for none.  Its teacher is the network before the cut, whatever @tune says.
 */
typedef struct {
  const char *method;
  PjmKeep keep;
  double share, floor;
  int multiple;
  const char *tied, *widths, *constants;
  const char *const *set;
  gboolean mends;
  guint n_images, drop_blocks;
  guint64 seed;
  gboolean cut, gap, recalibrate;
  PjmTuneOptions tune;
} PjmPruneOptions;

/* The ratios of the layers, nothing afterwards. */
void pjm_prune_options_init (PjmPruneOptions *options, const char *method);

/* --- before the start --- */

/**
 * PjmPruneOutlook: what is known before anything is measured.
 * @refusal: (nullable): a translated sentence that says why it cannot start and what would help
 * @macs, @params: of the network that is left; exact for ratios; 0 where a budget does not say it
 */
typedef struct {
  char *refusal;
  guint64 macs, params;
} PjmPruneOutlook;
void pjm_prune_outlook_free (PjmPruneOutlook *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjmPruneOutlook, pjm_prune_outlook_free)

/* Quick, whatever runs. @options are copied. */
void pjm_project_check_prune_async (PjmProject *self, const PjmPruneOptions *options, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
PjmPruneOutlook *pjm_project_check_prune_finish (PjmProject *self, GAsyncResult *result, GError **error);
/* Seconds that choosing is going to take, from batches timed on the device: waits for the jobs before it. */
void pjm_project_estimate_prune_async (PjmProject *self, const PjmPruneOptions *options, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
/* Negative with @error, and without one where nobody can tell. */
double pjm_project_estimate_prune_finish (PjmProject *self, GAsyncResult *result, GError **error);

/**
 * PjmTransferOptions: the experiment of CURL's authors for those who have few pictures: is a network cut before or after it
 * learns them?  Start from pjm_transfer_options_init().
 * @method: one that pjm_project_method_takes_transfer()
 * @large: (nullable): folder of what the network was trained on; NULL leaves out the way that cuts there
 * @share: of the MACs that stays
 * @epochs: on the pictures of the project, the same for every row; @large_epochs: on the large set after the cut there
 * @batch, @lr: of plain fine-tuning
 * @n_images: pictures that channels are judged by, 0 for the method's own number; @n_test: test pictures, 0 for all
 */
typedef struct {
  const char *method, *large;
  double share, lr;
  guint epochs, large_epochs, batch, n_images, n_test;
  guint64 seed;
} PjmTransferOptions;

/* TRUE for methods that @method may name. */
gboolean pjm_project_method_takes_transfer (PjmProject *self, const char *method);
/* CURL at 0.3 of the MACs, 20 epochs, 2 on the large set, batches of 64 at 0.01. */
void pjm_transfer_options_init (PjmTransferOptions *options);

/* As with pruning; of the outlook only the refusal is known. */
void pjm_project_check_transfer_async (PjmProject *self, const PjmTransferOptions *options, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
PjmPruneOutlook *pjm_project_check_transfer_finish (PjmProject *self, GAsyncResult *result, GError **error);
void pjm_project_estimate_transfer_async (PjmProject *self, const PjmTransferOptions *options, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
double pjm_project_estimate_transfer_finish (PjmProject *self, GAsyncResult *result, GError **error);

/* --- doing it --- */

/* All: (transfer none) (nullable): the first job; those that follow start by themselves as long as each ends well.  NULL
 * if it cannot start; "failed" then said why. */
PjmJob *pjm_project_prune (PjmProject *self, const PjmPruneOptions *options);
PjmJob *pjm_project_tune (PjmProject *self, const PjmTuneOptions *options);
/* Its steps are branches of the history; the best of the small networks is shown in the end. */
PjmJob *pjm_project_transfer (PjmProject *self, const PjmTransferOptions *options);
/* Puts a global average and one new layer in the place of the classifier (ThiNet-GAP). */
PjmJob *pjm_project_replace_classifier (PjmProject *self);

G_END_DECLS
