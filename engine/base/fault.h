/* SPDX-License-Identifier: MIT */
/* Faults that a test can cause.  Every call that can fail for a reason outside the program (a large
 * allocation, a Vulkan call, a write, an fsync) first asks pj_fault().  Outside tests the answer is
 * always no.  A test arms the n-th call and runs the work for n = 1, 2, 3 … until it succeeds: each
 * failure must leave a clear error and nothing damaged. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  PJ_FAULT_ALLOC,       /* host allocation of more than a page */
  PJ_FAULT_DEVICE_ALLOC,/* device memory */
  PJ_FAULT_DEVICE_RUN,  /* submitting or waiting: device lost */
  PJ_FAULT_WRITE,       /* write, fsync or rename of a file */
  PJ_N_FAULTS
} PjFault;

/**
 * pj_fault:
 * @kind: the kind of call about to be made
 *
 * Any thread.
 *
 * Returns: TRUE if the caller must behave as if the call had failed
 */
gboolean pj_fault (PjFault kind);

/**
 * pj_fault_arm:
 * @kind: a kind
 * @nth: 1 fails the next call, 2 the one after it …; 0 disarms
 *
 * Only for tests.  The fault fires once.
 */
void pj_fault_arm (PjFault kind, unsigned nth);

/* Returns: TRUE if the armed fault of @kind has fired since pj_fault_arm(). */
gboolean pj_fault_fired (PjFault kind);

G_END_DECLS
