/* SPDX-License-Identifier: MIT */
/* Inside of the Vulkan device.  Everything here belongs to the engine thread. */
#pragma once

#include "compute/device.h"
#include "compute/vulkan/kernel.h"

G_BEGIN_DECLS

typedef struct _PjVkDevice PjVkDevice;

/* --- errors (error.c) --- */

/* "VK_ERROR_DEVICE_LOST" */
const char *pj_vk_result_name (VkResult result);
/* TRUE for VK_SUCCESS; else sets PJ_GPU_ERROR with the code that fits @result and the text of the call. */
gboolean pj_vk_check (VkResult result, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* The same, and remembers when the device was lost. */
gboolean pj_vk_device_check (PjVkDevice *device, VkResult result, GError **error, const char *format, ...) G_GNUC_PRINTF (4, 5);
/* FALSE with PJ_GPU_ERROR_LOST once the device was lost. */
gboolean pj_vk_is_alive (PjVkDevice *device, GError **error);

/* Bytes behind every buffer, and every region of an arena, of a software device: for views that have to be longer. */
#define PJ_VK_SLACK 256

/* --- instance (instance.c) --- */

typedef struct {
  VkInstance instance;
  VkDebugUtilsMessengerEXT messenger;   /* only with PENJING_VULKAN_VALIDATION=1 */
} PjVkInstance;

/* The instance of this process, made when it is first asked for and kept to the end: a driver for graphics cards was seen
 * to refuse the 15th of those that were made and destroyed one after the other.  Any thread.
 *
 * Returns: (transfer none) (nullable): PJ_GPU_ERROR_UNAVAILABLE with a sentence a person can act on */
const PjVkInstance *pj_vk_instance_get (GError **error);
/* Devices that have Vulkan 1.1 and a compute queue, in the driver's order. (transfer full) */
GArray *pj_vk_instance_devices (const PjVkInstance *self, GError **error);

gboolean pj_vk_has_extension (VkPhysicalDevice physical, const char *name);

/* --- half precision (half.c) --- */

#define PJ_VK_N_HALF_EXTENSIONS 3
extern const char *const pj_vk_half_extensions[PJ_VK_N_HALF_EXTENSIONS];

/* A chain for VkDeviceCreateInfo or VkPhysicalDeviceFeatures2; @matrix is its head. */
typedef struct {
  VkPhysicalDeviceCooperativeMatrixFeaturesNV matrix;
  VkPhysicalDeviceVulkanMemoryModelFeatures model;
  VkPhysicalDeviceShaderFloat16Int8Features float16;
} PjVkHalfFeatures;

void pj_vk_half_features (PjVkHalfFeatures *self, gboolean wanted);
/* Whether conv_matrix.comp runs there. */
gboolean pj_vk_has_half (const PjVkInstance *instance, VkPhysicalDevice physical);

/* --- memory (memory.c) --- */

/* A piece of device memory with a buffer over it. */
typedef struct {
  VkBuffer buffer;
  size_t size_bytes;
  void *mapped;             /* NULL if the host cannot reach it: go through the staging buffer */
  struct _PjVkBlock *block;
  VkDeviceSize offset, taken_bytes;     /* in the block */
} PjVkMemory;

typedef struct {
  GPtrArray *blocks;        /* PjVkBlock */
  uint32_t device_type, staging_type;   /* memory types */
  VkDeviceSize used_bytes;
} PjVkHeap;

gboolean pj_vk_heap_init (PjVkDevice *device, GError **error);
void pj_vk_heap_clear (PjVkDevice *device);
/* Memory for shaders; contents undefined.  @what: for the message. PJ_GPU_ERROR_MEMORY */
gboolean pj_vk_memory_init (PjVkDevice *device, PjVkMemory *self, size_t size_bytes, const char *what, GError **error);
void pj_vk_memory_clear (PjVkDevice *device, PjVkMemory *self);
/* Bytes that can still be had, as far as the driver says. */
VkDeviceSize pj_vk_memory_left (PjVkDevice *device);
gboolean pj_vk_memory_write (PjVkDevice *device, PjVkMemory *self, size_t offset, gconstpointer data, size_t size, GError **error);
gboolean pj_vk_memory_read (PjVkDevice *device, PjVkMemory *self, size_t offset, gpointer data, size_t size, GError **error);
gboolean pj_vk_memory_zero (PjVkDevice *device, PjVkMemory *self, GError **error);

/* --- pipelines (pipeline.c) --- */

/* @warm: was dispatched once, so that a driver which compiles at the first dispatch has done so */
typedef struct {
  VkPipeline pipeline;
  VkPipelineLayout layout;
  VkDescriptorSetLayout set_layout;
  gboolean warm;
} PjVkPipeline;

/* Compiled once per device and set of constants. (transfer none) */
PjVkPipeline *pj_vk_pipeline (PjVkDevice *device, PjVkShader shader, const uint32_t *spec, unsigned n_spec, GError **error);
gboolean pj_vk_pipelines_init (PjVkDevice *device, GError **error);
void pj_vk_pipelines_clear (PjVkDevice *device);
/* TRUE if pj_vk_pipeline() would have to compile it. */
gboolean pj_vk_pipeline_is_new (PjVkDevice *device, PjVkShader shader, const uint32_t *spec, unsigned n_spec);
/* Kinds of the bindings in order, see shaders/build.py. */
const char *pj_vk_shader_bindings (PjVkShader shader);
size_t pj_vk_shader_push_bytes (PjVkShader shader);
const char *pj_vk_shader_name (PjVkShader shader);

/* --- device (device.c) --- */

struct _PjVkDevice {
  PjDevice base;
  VkPhysicalDevice physical;
  VkDevice device;
  VkQueue queue;
  uint32_t queue_family;
  VkPhysicalDeviceProperties properties;
  uint8_t driver_uuid[VK_UUID_SIZE];
  uint32_t timestamp_bits;
  gboolean has_memory_budget;
  gboolean lost;
  PjVkCaps caps;
  PjVkHeap heap;
  VkCommandPool command_pool;
  VkFence fence;
  PjVkMemory staging;           /* grows; only where device memory is out of the host's reach */
  PjVkMemory zeros;             /* stands in for absent operands */
  VkPipelineCache cache;
  GHashTable *pipelines;        /* by shader and constants */
  GHashTable *tuned;            /* PjTuneRow by what it is about */
  gboolean tuned_changed;
  unsigned n_measured;          /* rows that this run of the program measured */
  int forced_variant;           /* while the tuner measures; else -1 */
};

/* Submits one after the other and waits for the last.  Apart, because drivers lose patience with one
 * submission that takes seconds. */
gboolean pj_vk_submit (PjVkDevice *device, const VkCommandBuffer *commands, unsigned n_commands, GError **error);

/* --- dispatches of a program (emit.c) --- */

typedef struct {
  PjStore store;
  size_t offset_bytes;      /* in the store; for the arena: in its bank */
  size_t size_bytes;
  unsigned bank;            /* arena only: which buffer */
  int first, last;          /* arena only: dispatches that bind it, in the order they run; -1: none */
  gboolean keep;            /* arena only: alive all the time */
  GBytes *initial;          /* what it holds from the start; NULL: zeros */
} PjVkRegionInfo;

typedef struct {
  PjVkDispatch dispatch;    /* its push constants are in @push */
  uint8_t push[PJ_VK_PUSH_MAX];
  PjSegment segment;
  int call;
} PjVkStep;

typedef struct {
  PjVkDevice *device;
  const PjProgram *program;
  PjVkLayout *layouts;      /* by slot */
  GArray *regions;          /* PjVkRegionInfo */
  GArray *steps;            /* PjVkStep, in the order they run */
} PjVkSteps;

/* Turns all calls into dispatches and finds the lifetimes of the regions. */
gboolean pj_vk_steps_init (PjVkSteps *self, PjVkDevice *device, const PjProgram *program, GError **error);
void pj_vk_steps_clear (PjVkSteps *self);
#define pj_vk_steps_region(self, i) (&g_array_index ((self)->regions, PjVkRegionInfo, i))
#define pj_vk_steps_step(self, i) (&g_array_index ((self)->steps, PjVkStep, i))

/* --- layouts (layout.c) --- */

/* One layout per slot. (transfer full) */
PjVkLayout *pj_vk_layouts (const PjProgram *program);
/* Between the logical row-major elements and the physical ones; 4-byte elements. */
void pj_vk_layout_pack (const PjVkLayout *layout, size_t n_elems, const void *logical, void *physical);
void pj_vk_layout_unpack (const PjVkLayout *layout, size_t n_elems, const void *physical, void *logical);

/* --- executables (executable.c) --- */

PjExecutable *pj_vk_compile (PjDevice *device, const PjProgram *program, PjBuffer *const stores[PJ_N_STORES], GError **error);
void pj_vk_executable_free (PjExecutable *self);
size_t pj_vk_arena_bytes (const PjExecutable *self);
gboolean pj_vk_run (PjExecutable *self, unsigned segments, GError **error);
gboolean pj_vk_write (PjExecutable *self, int slot, gconstpointer data, GError **error);
gboolean pj_vk_read (PjExecutable *self, int slot, gpointer data, GError **error);
gboolean pj_vk_profile (PjExecutable *self, unsigned segments, double *ms, GError **error);

struct _PjBuffer {
  PjVkDevice *device;
  PjVkMemory memory;
};

G_END_DECLS
