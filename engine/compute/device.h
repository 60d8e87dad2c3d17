/* SPDX-License-Identifier: MIT */
/* The device interface: all that the engine knows of the hardware.
 *
 * A device is used by one thread at a time, the engine thread.  A device that was lost returns
 * PJ_GPU_ERROR_LOST from every call until it is freed. */
#pragma once

#include <glib.h>

#include "base/hooks.h"
#include "compute/program.h"

G_BEGIN_DECLS

/* What the id of a device in half precision ends with. */
#define PJ_DEVICE_HALF "half"

#define PJ_GPU_ERROR (pj_gpu_error_quark ())

/**
 * PjGpuError:
 * @PJ_GPU_ERROR_UNAVAILABLE: no driver, no such device, a required feature is missing
 * @PJ_GPU_ERROR_MEMORY: out of device memory; the message names what is needed and what there is
 * @PJ_GPU_ERROR_LOST: the device was lost; make a new one or go on with the CPU device
 * @PJ_GPU_ERROR_FAILED: another failing call, named with its result
 */
typedef enum {
  PJ_GPU_ERROR_UNAVAILABLE, PJ_GPU_ERROR_MEMORY, PJ_GPU_ERROR_LOST, PJ_GPU_ERROR_FAILED
} PjGpuError;

GQuark pj_gpu_error_quark (void);

typedef struct _PjDevice PjDevice;
typedef struct _PjBuffer PjBuffer;
typedef struct _PjExecutable PjExecutable;

/**
 * PjDeviceInfo: for `devices` and the studio's device menu.  Strings are owned by the struct.
 * @id: what a person types: "cpu", "vulkan:0", or "vulkan:0:half" for its half precision, which is listed as a device of its own
 * @name: "AMD EPYC, 2 threads, AVX2", "NVIDIA H200"
 * @driver: library or driver with its version
 * @memory_bytes: memory it can use, 0 if unknown
 * @is_software: a Vulkan device that runs on the CPU: never chosen by "auto"
 */
typedef struct {
  char *id, *name, *driver;
  uint64_t memory_bytes;
  gboolean is_software;
} PjDeviceInfo;

void pj_device_info_free (PjDeviceInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjDeviceInfo, pj_device_info_free)

/**
 * PjDeviceClass: one per kind of device, in compute/cpu and compute/vulkan.
 *
 * @kind: "cpu", "vulkan"
 * @list: all devices of this kind. (transfer container) (element-type PjDeviceInfo).  Never fails: a
 *   missing driver is an empty list, and @why (out, nullable) says why in one sentence.
 * @open: opens device number @index; @half: products of matrices and convolutions round their operands to float16, sums stay
 *   float32; refused where @list does not offer it
 * @close: frees it; every buffer and executable was freed before
 * @buffer_new: @size_bytes zeroed bytes
 * @buffer_data: (nullable): the bytes themselves, where the host and the device share them: what is written there is in
 *   the buffer
 * @buffer_write, @buffer_read: plain bytes, @offset_bytes into the buffer; may wait for the device
 * @compile: prepares @program (borrowed, outlives the executable) for replay: chooses layouts and
 *   kernels, lays out the arena, allocates it.  @stores: one buffer per PjStore, NULL where unused.
 *   Refuses with PJ_ERROR_UNSUPPORTED naming the kernel and why.
 * @arena_bytes: peak memory of the executable without the stores
 * @run: runs all calls of the segments in the bit set @segments (1 << PjSegment), in order, and waits
 * @write, @read: one slot with PJ_SLOT_HOST, all elements, logical row-major f32 or int32
 * @profile: (nullable): runs @segments once with a clock around each call; @ms has one entry per call
 */
typedef struct {
  const char *kind;
  GPtrArray *(*list) (char **why);
  PjDevice *(*open) (unsigned index, gboolean half, GError **error);
  void (*close) (PjDevice *device);
  PjBuffer *(*buffer_new) (PjDevice *device, size_t size_bytes, GError **error);
  void (*buffer_free) (PjBuffer *buffer);
  gpointer (*buffer_data) (PjBuffer *buffer);
  gboolean (*buffer_write) (PjBuffer *buffer, size_t offset_bytes, gconstpointer data, size_t size_bytes, GError **error);
  gboolean (*buffer_read) (PjBuffer *buffer, size_t offset_bytes, gpointer data, size_t size_bytes, GError **error);
  PjExecutable *(*compile) (PjDevice *device, const PjProgram *program, PjBuffer *const stores[PJ_N_STORES], GError **error);
  void (*executable_free) (PjExecutable *executable);
  size_t (*arena_bytes) (const PjExecutable *executable);
  gboolean (*run) (PjExecutable *executable, unsigned segments, GError **error);
  gboolean (*write) (PjExecutable *executable, int slot, gconstpointer data, GError **error);
  gboolean (*read) (PjExecutable *executable, int slot, gpointer data, GError **error);
  gboolean (*profile) (PjExecutable *executable, unsigned segments, double *ms, GError **error);
} PjDeviceClass;

/**
 * PjDevice: every device begins with this.
 * @hooks: (nullable): set by whoever starts work and taken back when the work ends.  compile() reports to them what takes
 *   seconds the first time, "compiling kernels: 12 of 40", with a fraction below 0, which says that the share of
 *   the whole work is as it was, and stops with PJ_ERROR_CANCELLED where they say so
 * @host_us: what all calls of run() spent on the host before they began to wait for the device; 0 for the CPU device
 */
struct _PjDevice {
  const PjDeviceClass *klass;
  PjDeviceInfo info;
  const PjHooks *hooks;
  double host_us;
};

extern const PjDeviceClass pj_device_cpu, pj_device_vulkan;

/* All devices, the CPU first. (transfer full) (element-type PjDeviceInfo). @why: (out) (optional)
 * (nullable): why there is no Vulkan device, one sentence. */
GPtrArray *pj_devices_list (char **why);

/**
 * pj_device_open:
 * @id: "auto", "cpu", "vulkan:N", "vulkan:N:half"; auto takes the first Vulkan device that is real hardware, else the CPU
 * @error: PJ_GPU_ERROR_UNAVAILABLE with what there is
 *
 * Returns: (transfer full): a device for pj_device_free()
 */
PjDevice *pj_device_open (const char *id, GError **error);
void pj_device_free (PjDevice *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjDevice, pj_device_free)

G_END_DECLS
