/* SPDX-License-Identifier: MIT */
/* NumPy's .npy files: reading numbers of the usual types as floats, and writing floats.
 *
 *   OFFSET  SIZE  MEANING
 *        0     6  "\x93NUMPY"
 *        6     2  version: 1.0, 2.0 or 3.0
 *        8     2  length of the header (4 bytes in versions 2.0 and 3.0), little-endian
 *       10     n  header: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, padded to 64 bytes
 *     10+n        numbers in row-major order */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/* Ceilings: larger files are refused. */
#define PJ_NPY_MAX_HEADER 65536
#define PJ_NPY_MAX_ELEMS ((size_t) 1 << 31)

/**
 * pj_npy_read:
 * @shape: (out): 0 to PJ_MAX_RANK axes
 * @error: PJ_ERROR_IO; PJ_ERROR_INVALID for a damaged file; PJ_ERROR_UNSUPPORTED for other types than little-endian
 *   or single-byte numbers, and for column-major order; PJ_ERROR_NO_MEMORY.  All name @path.
 *
 * Takes f2, f4, f8, b1, u1, u2, u4, i1, i2, i4, i8.
 *
 * Returns: (transfer full): the numbers as floats
 */
PjBlob *pj_npy_read (const char *path, PjShape *shape, GError **error);

/* Writes @data as '<f4'; @path is replaced in one step. PJ_ERROR_IO. */
gboolean pj_npy_write (const char *path, const PjShape *shape, const float *data, GError **error);

G_END_DECLS
