/* SPDX-License-Identifier: MIT */
/* The parts of the Vulkan device that the parity tests do not see: listing, memory, faults. */
#include <string.h>

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/vulkan/relu", relu);
  g_test_add_func ("/compute/vulkan/staging", staging);
  return g_test_run ();
}
