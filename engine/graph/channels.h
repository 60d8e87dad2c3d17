/* SPDX-License-Identifier: MIT */
/* Channel classes: which (tensor, axis, index) triples must be cut together.
 *
 * Union-find over the channel axes of all values: axis 1 of activations (N x C x …), axes 0 and 1 of
 * weights, axis 0 of vectors.  Each operator's channel rule unites what the operation ties element by
 * element.  pj_groups_new() turns the classes into groups. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _PjChannels PjChannels;

/**
 * PjAxisRole: what a parameter axis is to the group that runs through it.
 * @PJ_ROLE_PRODUCER: rows that make the channel (conv or fc outputs)
 * @PJ_ROLE_CONSUMER: columns that read the channel (conv or fc inputs)
 * @PJ_ROLE_PER_CHANNEL: one entry per channel on the way (bias, norm, depthwise planes)
 */
typedef enum { PJ_ROLE_PRODUCER, PJ_ROLE_CONSUMER, PJ_ROLE_PER_CHANNEL } PjAxisRole;

/**
 * pj_channels_tie:
 * @value_a, @axis_a: an axis
 * @start_a, @step_a: index of the first element on it and the distance to the next
 * @n: number of elements
 *
 * Unites element start_a + k·step_a of one axis with start_b + k·step_b of the other, k = 0 … n-1.
 * Both axes must be channel axes; ranges are checked by assertions (shapes were inferred before).
 */
void pj_channels_tie (PjChannels *self, int value_a, int axis_a, int start_a, int step_a,
                      int value_b, int axis_b, int start_b, int step_b, int n);

/* Ties two whole axes of equal length one to one. */
void pj_channels_tie_all (PjChannels *self, int value_a, int axis_a, int value_b, int axis_b);

/* Declares what axis @axis of parameter @value is to node @node. */
void pj_channels_role (PjChannels *self, int value, int axis, int node, PjAxisRole role);

/**
 * pj_channels_slice:
 * @value: weights whose rows fall into @n_slices equal runs, each reading inputs of its own
 *
 * Axis 1 gets an element per (run, column): n_slices · columns, run by run.  Call it before the axis is tied
 * or given a role; every node that reads @value must ask for the same number.
 */
void pj_channels_slice (PjChannels *self, int value, int n_slices);

/* Says that the positions of an axis fall into @n_runs equal runs, all of which must keep as many (a grouped
 * convolution's inputs and outputs). */
void pj_channels_even (PjChannels *self, int value, int axis, int node, int n_runs);

/* Locks all channels of an axis: @reason is a sentence fragment ("is the network's input"). */
void pj_channels_lock (PjChannels *self, int value, int axis, int node, const char *reason);

G_END_DECLS
