/* SPDX-License-Identifier: MIT */
/* What a kernel of this device is, and how it is written.
 *
 * A kernel turns one PjCall into one or more dispatches.  It is one C function, an emitter, and one or
 * more shaders.  The emitter runs once per call at compile(); its dispatches are recorded and replayed.
 *
 *   kernels.c     one row per PjKernel: the emitter
 *   NAME.c        the emitters of one family: relu.c, norm.c, conv.c
 *   push.h        push constants, mirrored from the shaders
 *   shaders/      NAME.comp, one row per compiled variant in shaders/meson.build
 *
 * ## Layout of slots
 *
 * Activations and their gradients are *blocked*: channels in blocks of four, N × ⌈C/4⌉ × H × W × 4.  The
 * four channels of one pixel are one vec4, called a quad here, and one RGBA32F texel.
 *   index of the quad of image n, channels 4k … 4k+3, pixel p = y·W + x:   (n·C4 + k)·plane + p
 * Why: software drivers run texel fetches 6 to 30 times faster than loads from storage buffers, but only
 * of whole aligned vec4s.  With plain NCHW the shifted reads of a convolution or a pooling window are
 * never aligned; here every read is, at any map width, stride and pad, and per-channel work (norms,
 * gates, depthwise) needs no shuffling.  On hardware a quad is a 16-byte load, and neighbouring pixels
 * in neighbouring lanes are coalesced.  Four and not eight: a network cut to 13 channels wastes 3.
 *   - The lanes past C ("pad lanes") always hold zero.  Who writes a blocked slot keeps that true; who reads
 *     one may rely on it.
 *   - A slot of rank 2, N × K, is blocked with plane = 1: plain rows whose stride is 4·⌈K/4⌉ floats.
 *   - Rank 3 and above 4: the dimensions after the channels are one plane.
 *
 * Everything else is *plain* row-major: slots of a store, of rank 1 (gates, statistics of channels, losses),
 * int32 slots, channel statistics, and the weights and biases that FOLD_NORM and FOLD_GATE write.
 *   - A plain slot may be read as quads up to its size rounded up to 4 elements, for rank 1 the excess
 *     holds zeros, so a vector of C channels can be read as C4 quads.  Parameters in stores start at
 *     multiples of 64 elements and what is between them holds zeros.
 *
 * OPAQUE slots get the size that their writer asks for with pj_vk_set_opaque_size().
 *
 * ## Regions and operands
 *
 * A region is memory that dispatches bind: region i is slot i; pj_vk_scratch() makes more.  All arena
 * regions start at multiples of PJ_VK_ALIGN bytes.  A binding is a region or a part of one:
 *   PJ_VK_WHOLE (region), or (PjVkOperand) { region, offset_bytes, size_bytes }
 * A region of -1 binds a few kilobytes of zeros: use it for operands that are absent.  How a binding is
 * seen (RGBA32F texel buffer, R32 integer texel buffer, storage buffer) and whether it is read or written is
 * read from the compiled shader, so mark every buffer `readonly` or `writeonly` where it is; barriers and
 * lifetimes are computed from that.  Write every storage buffer block with exactly one member.
 *
 * Lifetimes are automatic: a region lives from the first to the last dispatch that binds it, and shares
 * memory with regions that are not alive then.  What a prologue dispatch writes is kept for good.
 *
 * ## Prologue
 *
 * pj_vk_emit_prologue() adds a dispatch to the prologue segment, after all calls of the program that belong
 * there.  The host runs the prologue whenever parameters or gates have changed, so this is the place to
 * pack weights: once per training step, once ever for inference.
 *
 * ## Families
 *
 * A kernel has shaders of up to two families and chooses per call with pj_vk_caps():
 *   texel   reads through texel buffers; for drivers that run on the CPU (caps->texel)
 *   tiled   reads through storage buffers; for hardware
 * Element-wise kernels compile one source twice (shaders/include/quads.glsl, PJ_VK_FAMILY); others may use
 * different sources.  PENJING_VULKAN_FAMILY=texel|tiled overrides it, for tests and measurements.
 *
 * ## Rules
 *
 * Fixed order of every sum, no atomics on floats.  Nothing above Vulkan 1.1.  No assumption on the
 * subgroup size (1 to 64) unless the emitter checked caps.  Local size: specialisation constant 0.
 */
#pragma once

#include <vulkan/vulkan.h>

#include "compute/program.h"
#include "compute/vulkan/push.h"
#include "shader-list.h"

G_BEGIN_DECLS

#define PJ_VK_ROW(name) PJ_VK_SHADER_##name,
/* All shader variants: PJ_VK_SHADER_relu … */
typedef enum { PJ_VK_SHADERS (PJ_VK_ROW) PJ_VK_N_SHADERS } PjVkShader;
#undef PJ_VK_ROW

/* Starts of regions: a multiple of every alignment that Vulkan lets a device ask for. */
#define PJ_VK_ALIGN 256
/* Flat kernels index quads below this: quotient() of quads.glsl is exact up to here. */
#define PJ_VK_MAX_QUADS ((size_t) 1 << 24)
#define PJ_VK_MAX_BINDINGS 12
#define PJ_VK_MAX_SPEC 12

/**
 * PjVkCaps: what a kernel may know of the device.
 * @texel: the driver runs on the CPU: use the texel family
 * @texel_zero: texel fetches out of range, negative indices too, return zeros
 * @software: the driver runs on the CPU, whatever the family
 * @half: convolutions and products are to round their operands to float16, and the device has matrix units for that
 * @subgroup_size, @subgroup_ops: as VkPhysicalDeviceSubgroupProperties in compute shaders
 * @max_group: largest number of invocations in a group
 * @max_groups: largest number of groups along x, y, z
 * @max_shared_bytes: shared memory of a group
 * @max_buffer_bytes: largest storage buffer binding
 * @max_texel_bytes: largest binding as RGBA32F texel buffer
 * @align: binding offsets must be multiples of this; at most PJ_VK_ALIGN
 */
typedef struct {
  gboolean texel, texel_zero, software, half;
  uint32_t subgroup_size;
  VkSubgroupFeatureFlags subgroup_ops;
  uint32_t max_group, max_groups[3], max_shared_bytes;
  size_t max_buffer_bytes, max_texel_bytes, align;
} PjVkCaps;

/* The shader variant of an element-wise kernel for this device: NAME or NAME_texel. */
#define PJ_VK_FAMILY(emit, name) \
  (pj_vk_caps (emit)->texel ? PJ_VK_SHADER_##name##_texel : PJ_VK_SHADER_##name)

/**
 * PjVkLayout: the physical shape of a slot.
 * @blocked: see above; for plain slots only @size_bytes means something
 * @n, @c, @c4, @h, @w, @plane: images, channels, blocks of channels, map and its pixels (h = plane
 *   and w = 1 unless the rank is 4)
 * @image_quads: c4 · plane
 * @size_bytes: a multiple of 16
 */
typedef struct {
  gboolean blocked;
  uint32_t n, c, c4, h, w, plane, image_quads;
  size_t size_bytes;
} PjVkLayout;

typedef int PjVkRegion;

typedef struct {
  PjVkRegion region;
  size_t offset_bytes, size_bytes;    /* size 0: up to the end */
} PjVkOperand;

#define PJ_VK_WHOLE(region) ((PjVkOperand) { (region), 0, 0 })

/**
 * PjVkDispatch:
 * @spec, @n_spec: specialisation constants 0, 1, 2 …; all 32 bits wide; constant 0 is the group size
 * @push: push constants, exactly as large as the shader's block; NULL if it has none
 * @operands: one per binding
 * @groups: 1 or more each; see pj_vk_fold_groups()
 */
typedef struct {
  PjVkShader shader;
  uint32_t spec[PJ_VK_MAX_SPEC];
  unsigned n_spec;
  gconstpointer push;
  size_t push_bytes;
  PjVkOperand operands[PJ_VK_MAX_BINDINGS];
  uint32_t groups[3];
} PjVkDispatch;

/* A float as a specialisation constant. */
static inline uint32_t
pj_vk_float_bits (float value)
{
  union { float f; uint32_t u; } bits = { .f = value };
  return bits.u;
}

#define PJ_VK_PUSH(struct_) .push = &(struct_), .push_bytes = sizeof (struct_)

/* The state of one call being turned into dispatches. */
typedef struct _PjVkEmit PjVkEmit;

typedef gboolean (*PjVkEmitter) (PjVkEmit *emit, const PjCall *call, GError **error);

/* NULL where this device has no such kernel. */
extern const PjVkEmitter pj_vk_emitters[PJ_N_KERNELS];

const PjVkCaps *pj_vk_caps (const PjVkEmit *self);
const PjProgram *pj_vk_program (const PjVkEmit *self);
/* Layout of a slot; a zeroed one for -1. */
PjVkLayout pj_vk_layout (const PjVkEmit *self, int slot);
void pj_vk_set_opaque_size (PjVkEmit *self, int slot, size_t size_bytes);

/* Memory for packed weights, partial sums … that only this call's dispatches use. */
PjVkRegion pj_vk_scratch (PjVkEmit *self, size_t size_bytes);
/* Memory that holds @data, which is copied, from compile() on and is only read. */
PjVkRegion pj_vk_constant (PjVkEmit *self, gconstpointer data, size_t size_bytes);
/* The whole of a store, for the optimiser. */
PjVkRegion pj_vk_store (PjVkEmit *self, PjStore store);
size_t pj_vk_region_bytes (const PjVkEmit *self, PjVkRegion region);

/**
 * pj_vk_emit:
 *
 * Adds a dispatch to the segment of the call.  Dispatches run in the order they are added, and each sees what
 * the ones before it wrote.  @dispatch is copied.
 *
 * Returns: FALSE with PJ_ERROR_UNSUPPORTED if a binding is larger than the device allows, or PJ_GPU_ERROR
 */
gboolean pj_vk_emit (PjVkEmit *self, const PjVkDispatch *dispatch, GError **error);
/* The same in the prologue. */
gboolean pj_vk_emit_prologue (PjVkEmit *self, const PjVkDispatch *dispatch, GError **error);
/**
 * pj_vk_variant:
 * @what: describes kernel and shape
 * @variants: @n_variants names, the first the safe choice
 *
 * Which variant of the present call is fastest on this device: measured once and remembered, see compute/tune.h.
 * Variants must give the same bits.
 */
unsigned pj_vk_variant (PjVkEmit *self, const char *what, const char *const *variants, unsigned n_variants);

/* Local size for work without a shape of its own. */
uint32_t pj_vk_group_size (const PjVkEmit *self);
/* Groups for @n_items items, @per_group each, folded into x and y; flat_index() of quads.glsl undoes it.
 * The last groups may have nothing to do. */
void pj_vk_fold_groups (const PjVkEmit *self, uint64_t n_items, uint32_t per_group, uint32_t groups[3]);

/* Groups for a kernel that handles @n_items with item() of quads.glsl; spec[0] is set before. */
void pj_vk_flat_groups (const PjVkEmit *self, PjVkDispatch *dispatch, uint64_t n_items);

/**
 * pj_vk_images_per_dispatch:
 * @slots, @n_slots: blocked slots of the call, -1 allowed
 *
 * How many images one dispatch may take so that every part of every slot can be bound (a software driver
 * binds 128 MiB), starts at an allowed offset and
 * has at most PJ_VK_MAX_QUADS quads.  The batch if all fit; a kernel loops in such steps:
 *
 *   for (uint32_t n = 0; n < batch; n += step)
 *     bind pj_vk_images (emit, slot, n, MIN (step, batch - n))
 *
 * Returns: 1 to the batch
 */
uint32_t pj_vk_images_per_dispatch (const PjVkEmit *self, const int *slots, unsigned n_slots);
/**
 * pj_vk_emit_images:
 * @dispatch: with whole operands; its push constants begin with the number of items, which is set here,
 *   and spec[0] too
 * @like: the blocked slot whose quads are the items
 *
 * Emits a flat kernel once per group of images: whole operands that are blocked slots of as many images are cut
 * to them, the others stay whole.
 */
gboolean pj_vk_emit_images (PjVkEmit *self, const PjVkDispatch *dispatch, int like, GError **error);
/* The same for a further operand with @image_bytes per image: @step or a little less, so that its parts start at
 * allowed offsets too. */
uint32_t pj_vk_align_images (const PjVkEmit *self, uint32_t step, size_t image_bytes);
/* Images @first … @first + @n - 1 of a blocked slot; zeros for -1. */
PjVkOperand pj_vk_images (const PjVkEmit *self, int slot, uint32_t first, uint32_t n);

G_END_DECLS
