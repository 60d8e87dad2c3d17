/* SPDX-License-Identifier: MIT */
/* What an operator sees of an ONNX node while it is imported or exported.  io/onnx implements this;
 * operators never see the wire format. */
#pragma once

#include <glib.h>

#include "graph/graph.h"

G_BEGIN_DECLS

#define PJ_ONNX_ERROR (pj_onnx_error_quark ())

/**
 * PjOnnxError:
 * @PJ_ONNX_ERROR_DAMAGED: not an ONNX file, truncated, or sizes that contradict each other
 * @PJ_ONNX_ERROR_LIMIT: a size beyond a named ceiling
 * @PJ_ONNX_ERROR_UNSUPPORTED: a valid file that uses something this build does not do
 */
typedef enum { PJ_ONNX_ERROR_DAMAGED, PJ_ONNX_ERROR_LIMIT, PJ_ONNX_ERROR_UNSUPPORTED } PjOnnxError;

GQuark pj_onnx_error_quark (void);

typedef struct _PjOnnxIn PjOnnxIn;
typedef struct _PjOnnxOut PjOnnxOut;

/* --- import --- */

const char *pj_onnx_in_op_type (const PjOnnxIn *in);
int64_t pj_onnx_in_opset (const PjOnnxIn *in);
/* TRUE if input @i is present (its name is not empty). */
gboolean pj_onnx_in_has_input (const PjOnnxIn *in, unsigned i);
/* Shape of input @i, an activation (batch 1) or a constant; FALSE if absent. */
gboolean pj_onnx_in_shape (const PjOnnxIn *in, unsigned i, PjShape *shape);
/* Attributes; the default when absent. Wrong types count as absent. */
int64_t pj_onnx_in_int (const PjOnnxIn *in, const char *name, int64_t otherwise);
double pj_onnx_in_float (const PjOnnxIn *in, const char *name, double otherwise);
const char *pj_onnx_in_string (const PjOnnxIn *in, const char *name, const char *otherwise);
/* Fills up to @max integers; returns how many the attribute has, 0 when absent. */
unsigned pj_onnx_in_ints (const PjOnnxIn *in, const char *name, int64_t *values, unsigned max);
/* Input @i as constant integers (int64 or int32 tensor known at import). -1 if it is not constant. */
int pj_onnx_in_const_ints (const PjOnnxIn *in, unsigned i, int64_t *values, unsigned max);
/* Input @i as constant floats, or NULL. The blob is borrowed. */
PjBlob *pj_onnx_in_const_floats (const PjOnnxIn *in, unsigned i, PjShape *shape);
/* Attribute of floats; as pj_onnx_in_ints(). */
unsigned pj_onnx_in_floats (const PjOnnxIn *in, const char *name, float *values, unsigned max);
/* Replaces input @i by a new constant (transfer full), e.g. transposed weights. */
void pj_onnx_in_set_const (PjOnnxIn *in, unsigned i, PjShape shape, PjBlob *data);
/* Exchanges inputs @i and @k. */
void pj_onnx_in_swap (PjOnnxIn *in, unsigned i, unsigned k);
/* The graph's node gets only the first @n inputs (the rest went into the parameter struct). */
void pj_onnx_in_keep_inputs (PjOnnxIn *in, unsigned n);
/* Raises PJ_ONNX_ERROR_UNSUPPORTED as "node “x” (Conv): …"; always returns FALSE. */
gboolean pj_onnx_in_refuse (const PjOnnxIn *in, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* --- export: the node's type is op->onnx_names[0], inputs and outputs are already written --- */

void pj_onnx_out_int (PjOnnxOut *out, const char *name, int64_t value);
void pj_onnx_out_float (PjOnnxOut *out, const char *name, float value);
void pj_onnx_out_ints (PjOnnxOut *out, const char *name, const int64_t *values, unsigned n);
/* The operator version that is written. */
int pj_onnx_out_opset (const PjOnnxOut *out);
/* Appends an absent optional input. */
void pj_onnx_out_add_absent (PjOnnxOut *out);
void pj_onnx_out_text (PjOnnxOut *out, const char *name, const char *text);
/* Appends a float constant of shape [@n], or a scalar if @n is 0, as a further input of the node. */
void pj_onnx_out_add_const_floats (PjOnnxOut *out, const char *suffix, const float *values, unsigned n);
/* Appends an int64 constant as a further input of the node. */
void pj_onnx_out_add_const_ints (PjOnnxOut *out, const char *suffix, const int64_t *values, unsigned n);

G_END_DECLS
