/* SPDX-License-Identifier: MIT */
/* What groups.c sees of the channel classes. */
#pragma once

#include "graph/channels.h"
#include "graph/graph.h"
#include "graph/groups.h"

G_BEGIN_DECLS

typedef struct {
  int value, axis;
  int n;               /* elements: n_slices times the positions */
  int n_slices;        /* 1, but for the inputs of grouped convolutions */
  int base;            /* index of the first one among all elements */
} PjAxis;

typedef struct { int axis, node; PjAxisRole role; } PjRoleNote;
typedef struct { int axis, node; char *reason; } PjLockNote;
typedef struct { int axis, node, n_runs; } PjEvenNote;

struct _PjChannels {
  const PjGraph *graph;
  GArray *axes;        /* PjAxis, ascending by (value, axis) */
  int *axis_of;        /* 2 per value: index in @axes for axis 0 and 1, or -1 */
  int *parent;         /* union-find over elements; the root is the lowest member */
  int n_elements;
  GArray *roles;       /* PjRoleNote */
  GArray *locks;       /* PjLockNote */
  GArray *evens;       /* PjEvenNote */
};

/* Runs the channel rules of all nodes and locks the network's ends. */
PjChannels *pj_channels_new (const PjGraph *graph);
void pj_channels_free (PjChannels *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjChannels, pj_channels_free)

int pj_channels_root (PjChannels *self, int element);

/* Finds the blocks of @group, whose members are complete; locks it where they cannot be kept even. */
void pj_group_find_blocks (PjGroup *group, const PjChannels *channels);

G_END_DECLS
