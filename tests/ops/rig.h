/* SPDX-License-Identifier: MIT */
/* A rig runs a hand-made program on a device and in the reference and compares everything that can be
 * read: all output slots and all stores, gaps between the tensors included.
 *
 * The device is PJ_TEST_DEVICE (cpu).  Where it does not exist the test is skipped, or fails with
 * PJ_TEST_REQUIRE_GPU=1. */
#pragma once

#include "compute/device.h"
#include "reference.h"

G_BEGIN_DECLS

typedef struct _Rig Rig;

/* NULL if there is no such device: return from the test. @seed: of the numbers. */
Rig *rig_new (uint64_t seed);
void rig_free (Rig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rig, rig_free)

PjProgram *rig_program (Rig *self);
/* Slots.  Numbers are seeded noise with outliers, @scale · noise + @centre; absent if @present is FALSE. */
int rig_input (Rig *self, PjShape shape);
int rig_input_if (Rig *self, gboolean present, PjShape shape);
/* An activation: an input, or with @through_conv the output of a 1×1 convolution that copies an input, so
 * that it has the layout that a device likes for activations (rank 4 only). */
int rig_activation (Rig *self, gboolean through_conv, PjShape shape);
/* Values around @centre, at least @centre − @spread. */
int rig_input_around (Rig *self, PjShape shape, float centre, float spread);
int rig_input_from (Rig *self, PjShape shape, const float *data);
int rig_labels (Rig *self, int64_t n, int64_t classes);
int rig_param (Rig *self, PjShape shape, float centre, float spread);
int rig_param_if (Rig *self, gboolean present, PjShape shape);
/* A gradient; filled with noise, so that = and += differ. */
int rig_grad (Rig *self, PjShape shape);
int rig_output (Rig *self, PjShape shape);
int rig_temp (Rig *self, PjSlotFlags flags, PjShape shape);
/* A call in the forward segment; the operands are set by the caller. */
PjCall *rig_call (Rig *self, PjKernel kernel);
/* Sets the call's operands from lists of slots. */
#define rig_in(call, ...) rig_operands ((call)->in, (int[]) { __VA_ARGS__ }, sizeof ((int[]) { __VA_ARGS__ }) / sizeof (int))
#define rig_out(call, ...) rig_operands ((call)->out, (int[]) { __VA_ARGS__ }, sizeof ((int[]) { __VA_ARGS__ }) / sizeof (int))
void rig_operands (int *operands, const int *slots, size_t n);

/**
 * rig_check:
 * @what: for the message
 * @tolerance: allowed |device − reference|, as a share of the largest |reference| of the same tensor
 *
 * Also runs the program a second time from the same state: the bits must not change.
 */
void rig_check (Rig *self, const char *what, double tolerance);
/* What the device computed for @slot in the last rig_check(). (transfer full) */
float *rig_read (Rig *self, int slot);
/* The same for all outputs, then all stores, as bits. (transfer full) */
GBytes *rig_bits (Rig *self);

G_END_DECLS
