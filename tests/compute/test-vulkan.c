/* SPDX-License-Identifier: MIT */
/* The parts of the Vulkan device that the parity tests do not see: listing, memory, faults. */
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "compute/device.h"

static gboolean
have_device (void)
{
  g_autofree char *why = NULL;
  g_autoptr (GPtrArray) all = pj_device_vulkan.list (&why);
  gboolean have = all->len > 0;

  g_ptr_array_set_free_func (all, (GDestroyNotify) pj_device_info_free);
  g_assert_true (have || why != NULL);
  if (!have && g_strcmp0 (g_getenv ("PJ_TEST_REQUIRE_GPU"), "1") == 0)
    g_error ("no Vulkan device: %s", why);
  if (!have)
    g_test_skip (why);
  return have;
}

static PjDevice *
open_device (void)
{
  g_autoptr (GError) error = NULL;
  PjDevice *device = pj_device_open ("vulkan:0", &error);
  g_assert_no_error (error);
  return device;
}

/* y = relu (x) with x 2×5×3×1: pad lanes, two slots that the host reaches. */
static PjProgram *
relu_program (int64_t batch)
{
  PjProgram *program = pj_program_new ();
  int x = pj_program_add_slot (program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP, PJ_SHAPE (batch, 5, 3, 1), 0, -1);
  int y = pj_program_add_slot (program, PJ_STORE_ARENA, PJ_SLOT_HOST, PJ_SHAPE (batch, 5, 3, 1), 0, -1);
  PjCall *call = pj_program_add_call (program, PJ_KERNEL_RELU, PJ_SEGMENT_FORWARD, -1);
  call->in[0] = x;
  call->out[0] = y;
  return program;
}

static void
check_relu (PjDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjProgram) program = relu_program (2);
  float x[30], y[30] = { 0 };

  for (int i = 0; i < 30; i++)
    x[i] = (float) (i % 7) - 3;
  PjExecutable *executable = device->klass->compile (device, program, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (device->klass->write (executable, 0, x, &error));
  g_assert_true (device->klass->run (executable, 1 << PJ_SEGMENT_FORWARD, &error));
  g_assert_true (device->klass->read (executable, 1, y, &error));
  for (int i = 0; i < 30; i++)
    g_assert_cmpfloat (y[i], ==, MAX (x[i], 0));
  device->klass->executable_free (executable);
}

static void
relu (void)
{
  if (!have_device ())
    return;
  g_autoptr (PjDevice) device = open_device ();
  check_relu (device);
}

/* The way through the staging buffer, which graphics cards need. */
static void
staging (void)
{
  if (!have_device ())
    return;
  g_setenv ("PENJING_VULKAN_STAGING", "1", TRUE);
  g_autoptr (PjDevice) device = open_device ();
  check_relu (device);
  const size_t n = (20u << 20) + 12;    /* more than the staging buffer holds */
  g_autofree char *in = g_malloc (n), *out = g_malloc0 (n);
  for (size_t i = 0; i < n; i++)
    in[i] = (char) (i * 2654435761u >> 13);
  PjBuffer *buffer = device->klass->buffer_new (device, n + 8, NULL);
  g_assert_true (device->klass->buffer_read (buffer, 0, out, n, NULL));
  for (size_t i = 0; i < n; i++)
    g_assert_cmpint (out[i], ==, 0);
  g_assert_true (device->klass->buffer_write (buffer, 8, in, n, NULL));
  g_assert_true (device->klass->buffer_read (buffer, 8, out, n, NULL));
  g_assert_cmpmem (in, n, out, n);
  device->klass->buffer_free (buffer);
  g_unsetenv ("PENJING_VULKAN_STAGING");
}

/* Opens the device, makes a buffer and runs a program; returns FALSE with the first error. */
static gboolean
whole_way (PjDevice **device, GError **error)
{
  g_autoptr (PjProgram) program = relu_program (2);
  float x[30] = { 1, -1 }, y[30] = { 0 };
  PjExecutable *executable = NULL;
  PjBuffer *buffer = NULL;

  *device = pj_device_open ("vulkan:0", error);
  if (*device == NULL)
    return FALSE;
  const PjDeviceClass *klass = (*device)->klass;
  gboolean ok = (buffer = klass->buffer_new (*device, 1000, error)) != NULL
                && (executable = klass->compile (*device, program, NULL, error)) != NULL
                && klass->write (executable, 0, x, error)
                && klass->run (executable, 1 << PJ_SEGMENT_FORWARD, error) && klass->read (executable, 1, y, error);
  if (ok)
    g_assert_true (y[0] == 1 && y[1] == 0);
  klass->executable_free (executable);
  klass->buffer_free (buffer);
  return ok;
}

/* Every call that can fail fails once: a clear error, nothing kept, and the device lost if it says so. */
static void
faults (gconstpointer staging_mode)
{
  if (!have_device ())
    return;
  g_setenv ("PENJING_VULKAN_STAGING", staging_mode ? "1" : "0", TRUE);
  for (PjFault kind = PJ_FAULT_DEVICE_ALLOC; kind <= PJ_FAULT_DEVICE_RUN; kind++) {
    const int code = kind == PJ_FAULT_DEVICE_ALLOC ? PJ_GPU_ERROR_MEMORY : PJ_GPU_ERROR_LOST;
    unsigned failed = 0;
    for (unsigned nth = 1;; nth++) {
      g_autoptr (GError) error = NULL;
      PjDevice *device = NULL;
      pj_fault_arm (kind, nth);
      gboolean ok = whole_way (&device, &error);
      gboolean fired = pj_fault_fired (kind);
      pj_fault_arm (kind, 0);
      if (ok != (error == NULL) || ok != !fired)
        g_error ("call %u of kind %d: %s, %s, %s", nth, kind, ok ? "done" : "failed", fired ? "as it should" : "but no fault was due",
                 error != NULL ? error->message : "without a reason");
      if (!ok) {
        failed++;
        g_assert_error (error, PJ_GPU_ERROR, code);
        g_assert_nonnull (strstr (error->message, kind == PJ_FAULT_DEVICE_ALLOC ? "VK_ERROR_OUT_OF_DEVICE_MEMORY" : "VK_ERROR_DEVICE_LOST"));
      }
      if (!ok && device != NULL && kind == PJ_FAULT_DEVICE_RUN) {
        g_autoptr (GError) later = NULL;
        g_assert_null (device->klass->buffer_new (device, 16, &later));
        g_assert_error (later, PJ_GPU_ERROR, PJ_GPU_ERROR_LOST);
      }
      pj_device_free (device);
      if (ok)
        break;
    }
    g_assert_cmpuint (failed, >=, kind == PJ_FAULT_DEVICE_ALLOC ? 3 : 1);
  }
  g_unsetenv ("PENJING_VULKAN_STAGING");
}

/* More memory than there is: an error that says how much and how much there is, and everything goes on. */
static void
too_large (void)
{
  if (!have_device ())
    return;
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = open_device ();
  PjBuffer *buffer = device->klass->buffer_new (device, (size_t) 1 << 46, &error);
  g_assert_null (buffer);
  g_assert_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_MEMORY);
  check_relu (device);
}

/* A gradient that cannot be written at once: said before any kernel is compiled, and not that a smaller batch would help. */
static void
gradient_too_large (void)
{
  if (!have_device ())
    return;
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = open_device ();
  g_autoptr (PjProgram) program = relu_program (2);
  /* 8 GiB: no device binds more than 4. */
  pj_program_add_slot (program, PJ_STORE_GRADS, 0, PJ_SHAPE (1 << 16, 1 << 15), 0, -1);
  PjBuffer *const stores[PJ_N_STORES] = { NULL };
  g_assert_null (device->klass->compile (device, program, stores, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "8192 MiB of weights"));
}

/* Memory that was given back is handed out again: the device does not grow. */
static void
memory_is_reused (void)
{
  if (!have_device ())
    return;
  g_autoptr (PjDevice) device = open_device ();
  PjBuffer *buffers[24] = { NULL };
  for (int round = 0; round < 600; round++) {
    int i = round * 7 % 24;
    float in[4] = { (float) round, 1, 2, 3 }, out[4];
    device->klass->buffer_free (buffers[i]);
    buffers[i] = device->klass->buffer_new (device, (size_t) (1 + round % 13) * 50000, NULL);
    g_assert_nonnull (buffers[i]);
    g_assert_true (device->klass->buffer_write (buffers[i], 4096, in, sizeof in, NULL));
    int k = (i + 5) % 24;
    if (buffers[k] != NULL)
      g_assert_true (device->klass->buffer_read (buffers[k], 0, out, sizeof out, NULL) && out[0] == 0);
    g_assert_true (device->klass->buffer_read (buffers[i], 4096, out, sizeof out, NULL));
    g_assert_cmpmem (in, sizeof in, out, sizeof out);
  }
  for (int i = 0; i < 24; i++)
    device->klass->buffer_free (buffers[i]);
}

static void
no_such_device (void)
{
  if (!have_device ())
    return;
  g_autoptr (GError) error = NULL;
  g_assert_null (pj_device_open ("vulkan:99", &error));
  g_assert_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/vulkan/relu", relu);
  g_test_add_func ("/compute/vulkan/staging", staging);
  g_test_add_data_func ("/compute/vulkan/faults/shared-memory", GINT_TO_POINTER (FALSE), faults);
  g_test_add_data_func ("/compute/vulkan/faults/staging", GINT_TO_POINTER (TRUE), faults);
  g_test_add_func ("/compute/vulkan/memory/too-large", too_large);
  g_test_add_func ("/compute/vulkan/memory/gradient-too-large", gradient_too_large);
  g_test_add_func ("/compute/vulkan/memory/reused", memory_is_reused);
  g_test_add_func ("/compute/vulkan/no-such-device", no_such_device);
  return g_test_run ();
}
