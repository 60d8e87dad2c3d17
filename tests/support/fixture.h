/* SPDX-License-Identifier: MIT */
/* Numbers from the JSON fixtures of the specification. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Loads tests/fixtures/@name; aborts the test if it cannot. */
JsonObject *fixture_load (const char *name);
/* The member at @path ("cases/flatten_fc/x"); aborts if it is not there. */
JsonNode *fixture_at (JsonObject *object, const char *path);
/* All numbers below @path in row-major order. (transfer full) */
float *fixture_floats (JsonObject *object, const char *path, int *n);
/* Shape of nested arrays; returns the rank. */
unsigned fixture_shape (JsonObject *object, const char *path, gint64 dim[6]);
int *fixture_ints (JsonObject *object, const char *path, int *n);
double fixture_number (JsonObject *object, const char *path);

/* Largest |a - b| must not exceed @tolerance · max |b|. */
void assert_close (const float *a, const float *b, int n, double tolerance, const char *what);

G_END_DECLS
