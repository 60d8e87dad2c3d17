/* SPDX-License-Identifier: MIT */
/* What the ONNX tests share: the committed models, and running a network to its last value. */
#pragma once

#include "fixture.h"
#include "io/onnx.h"
#include "net.h"

G_BEGIN_DECLS

/* Models of tests/fixtures/onnx. @numbers: name of the files with input and output. @pictures: how many. */
typedef struct {
  const char *name, *numbers;
  unsigned pictures;
} OnnxFixture;

extern const OnnxFixture onnx_fixtures[];
extern const unsigned n_onnx_fixtures;

/* "…/tests/fixtures/onnx/@name@suffix". (transfer full) */
char *onnx_path (const char *name, const char *suffix);
PjGraph *onnx_load (const char *name);
/* All floats of a file. (transfer full) */
float *onnx_floats (const char *path, size_t *n);
void onnx_write_floats (const char *path, const float *data, size_t n);

/* The network's output (probabilities where the file has them) on the test device. (transfer full) */
float *onnx_run (PjGraph *graph, const float *x, unsigned batch, size_t *n);

/* A folder that onnx_remove_folder() empties and removes. (transfer full) */
char *onnx_new_folder (void);
void onnx_remove_folder (char *folder);

G_END_DECLS
