/* SPDX-License-Identifier: MIT */
/* What a person did to make a step: a kind of mark and its values.
 *
 * A session keeps both among the step's settings, so that the title can be read in every language, and an English title
 * for programs that know nothing of kinds.  Sessions of older versions have the title alone. */
#pragma once

#include "session/session.h"

G_BEGIN_DECLS

/**
 * PjmMarkKind: with the values that its title names, in this order.
 * @PJM_MARK_KEEP_LAYER: percent, layer
 * @PJM_MARK_KEEP_GROUPS: percent, how many groups
 * @PJM_MARK_KEEP_ALL: percent
 * @PJM_MARK_CHOOSE: name of a criterion or method
 * @PJM_MARK_REMOVE_CHANNEL, @PJM_MARK_KEEP_CHANNEL: channel, layer
 * @PJM_MARK_REMOVE_CHANNELS, @PJM_MARK_KEEP_CHANNELS: channel, layer; one of every other group goes along
 * @PJM_MARK_AGAIN: what was marked while a job made another network
 * @PJM_MARK_PREPARE: pictures are prepared another way
 */
typedef enum {
  PJM_MARK_KEEP_LAYER,
  PJM_MARK_KEEP_GROUPS,
  PJM_MARK_KEEP_ALL,
  PJM_MARK_CHOOSE,
  PJM_MARK_REMOVE_CHANNEL,
  PJM_MARK_KEEP_CHANNEL,
  PJM_MARK_REMOVE_CHANNELS,
  PJM_MARK_KEEP_CHANNELS,
  PJM_MARK_AGAIN,
  PJM_MARK_PREPARE,
  PJM_N_MARKS
} PjmMarkKind;

typedef struct {
  PjmMarkKind kind;
  const char *values[2];         /* NULL where the kind has fewer */
} PjmMark;

/* Sets title and settings of @record. */
void pjm_mark_write (const PjmMark *mark, PjStepRecord *record);
/* The title in the person's language; NULL if a person did not make the step by a mark. (transfer full) */
char *pjm_mark_title (const PjStepRecord *record);

G_END_DECLS
