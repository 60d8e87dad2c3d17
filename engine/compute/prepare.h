/* SPDX-License-Identifier: MIT */
/* What drivers want to know before they are loaded. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * pj_devices_prepare:
 *
 * To be called first of all in main(), while there is one thread, because it sets environment variables.
 *
 * Mesa's software driver compiles shaders for vectors of 256 bits, whatever the processor has.  Where that has AVX-512,
 * LP_NATIVE_VECTOR_WIDTH=512 makes the convolutions of the texel family one and a half times as fast; depthwise ones
 * lose a quarter.  A value that a person has set stays.
 *
 * Not for programs that draw: Mesa's software OpenGL reads the variable too, and was seen to crash with it.
 */
void pj_devices_prepare (void);

G_END_DECLS
