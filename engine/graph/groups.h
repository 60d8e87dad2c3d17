/* SPDX-License-Identifier: MIT */
/* Groups of channels that can only be cut together, derived once per graph. */
#pragma once

#include <glib.h>

#include "graph/channels.h"
#include "graph/graph.h"

G_BEGIN_DECLS

/**
 * PjMember: one axis that a group runs through.
 * @value, @axis: the axis
 * @is_param: parameter (has @role and @node) or activation
 * @node: node that declared the role; for activations the producer
 * @map: @n entries: the group channel at each position of the axis, or -1 where the position belongs
 *   to another group (concat) — multiplicities are natural: 49 columns of an fc map to one channel
 * @n_slices: 1, but for the input weights of a grouped convolution: its rows fall into @n_slices equal runs,
 *   each of which reads inputs of its own, and @map has @n = n_slices · columns entries, run by run
 */
typedef struct {
  int value, axis;
  gboolean is_param;
  PjAxisRole role;
  int node;
  int n;
  int *map;
  int n_slices;
} PjMember;

/**
 * PjMaskPoint: where a gate multiplies: right after the last affine operation, before the
 * non-linearity.
 * @value: activation
 * @map: index of @n = channels of @value; group channel or -1
 */
typedef struct {
  int value;
  int n;
  const int *map;         /* borrowed from the member */
} PjMaskPoint;

/**
 * PjGroup:
 * @id: index in the list, stable for a graph
 * @name: of the first producing node ("conv1"); unique
 * @n_channels: C
 * @lock_reason: (nullable): why it cannot be cut, as a sentence; NULL if it can
 * @lock_node: node that locks it, or -1
 * @n_blocks: the channels fall into so many equal blocks that must keep as many channels each, at any places
 *   (grouped convolutions); 1 for most groups
 * @block: (nullable): block of each channel, 0 … n_blocks-1; NULL if @n_blocks is 1
 * @block_node: a node that asks for the blocks, or -1
 * @ties: (nullable): nodes that unite several producers (the adds of a residual stage), for display
 */
typedef struct {
  int id;
  char *name;
  int n_channels;
  char *lock_reason;
  int lock_node;
  int n_blocks;
  int *block;
  int block_node;
  unsigned n_members;
  PjMember *members;
  unsigned n_mask_points;
  PjMaskPoint *mask_points;
  GArray *ties;           /* (element-type int) */
  GArray *producers;      /* (element-type int): nodes, ascending */
  GArray *consumers;      /* (element-type int): nodes, ascending */
} PjGroup;

typedef struct _PjGroups PjGroups;

/* Analyses @graph.  Deterministic; O(values x channels).  Groups are ordered by their first producer.
 * Returns: (transfer full): all groups, locked ones included */
PjGroups *pj_groups_new (const PjGraph *graph);
PjGroups *pj_groups_ref (PjGroups *self);
void pj_groups_unref (PjGroups *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjGroups, pj_groups_unref)

unsigned pj_groups_n (const PjGroups *self);
const PjGroup *pj_groups_get (const PjGroups *self, unsigned i);
/* By name, or NULL. */
const PjGroup *pj_groups_find (const PjGroups *self, const char *name);
/* The group that cutting output channels of @node would mean, or NULL. */
const PjGroup *pj_groups_of_node (const PjGroups *self, int node);

/* Block of channel @channel; 0 if the group has one block only. */
int pj_group_block (const PjGroup *group, int channel);
/* TRUE if every block of the group keeps as many channels, or none; otherwise writes what is wrong to @error
 * (PJ_GRAPH_ERROR_INVALID). */
gboolean pj_group_check_even (const PjGraph *graph, const PjGroup *group, const guint8 *keep, GError **error);

/**
 * pj_group_activation:
 * Returns: the value whose channels stand for the group's activity: the output of the last
 *   element-wise non-linearity that still has exactly the group's channels before the first
 *   consumer, or the last mask point if there is none.  -1 never.
 */
int pj_group_activation (const PjGraph *graph, const PjGroup *group);
/* All outputs of ReLUs on the group (residual stages have several). (transfer full) (element-type int) */
GArray *pj_group_relu_outputs (const PjGraph *graph, const PjGroup *group);

G_END_DECLS
