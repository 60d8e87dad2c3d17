/* SPDX-License-Identifier: MIT */
/* What groups.c sees of the channel classes. */
#pragma once

#include "graph/channels.h"
#include "graph/graph.h"

G_BEGIN_DECLS

typedef struct {
  int value, axis;
  int n;               /* elements */
  int base;            /* index of the first one among all elements */
} PjAxis;

typedef struct { int axis, node; PjAxisRole role; } PjRoleNote;
typedef struct { int axis, node; char *reason; } PjLockNote;

struct _PjChannels {
  const PjGraph *graph;
  GArray *axes;        /* PjAxis, ascending by (value, axis) */
  int *axis_of;        /* 2 per value: index in @axes for axis 0 and 1, or -1 */
  int *parent;         /* union-find over elements; the root is the lowest member */
  int n_elements;
  GArray *roles;       /* PjRoleNote */
  GArray *locks;       /* PjLockNote */
};

/* Runs the channel rules of all nodes and locks the network's ends. */
PjChannels *pj_channels_new (const PjGraph *graph);
void pj_channels_free (PjChannels *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjChannels, pj_channels_free)

int pj_channels_root (PjChannels *self, int element);

G_END_DECLS
