# SPDX-License-Identifier: MIT
"""A desktop portal that only knows the appearance settings, for tests of light, dark and high contrast."""
from gi.repository import Gio, GLib

import threading

NODE = """<node><interface name="org.freedesktop.portal.Settings">
<method name="Read"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="out"/></method>
<signal name="SettingChanged"><arg type="s"/><arg type="s"/><arg type="v"/></signal>
</interface></node>"""
SPACE = "org.freedesktop.appearance"


class Portal:
    """scheme: 0 no wish, 1 dark, 2 light; contrast: 0 normal, 1 high."""

    def __init__(self, scheme=0, contrast=0):
        self.values = {"color-scheme": scheme, "contrast": contrast}
        self.context, ready = GLib.MainContext(), threading.Event()

        def serve():
            # On a thread and a connection of its own, so that a test may block.
            self.context.push_thread_default()
            address = Gio.dbus_address_get_for_bus_sync(Gio.BusType.SESSION, None)
            self.bus = Gio.DBusConnection.new_for_address_sync(
                address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
            self.bus.register_object("/org/freedesktop/portal/desktop", Gio.DBusNodeInfo.new_for_xml(NODE).interfaces[0],
                                     self._call, None, None)
            Gio.bus_own_name_on_connection(self.bus, "org.freedesktop.portal.Desktop", Gio.BusNameOwnerFlags.NONE,
                                           lambda *_: ready.set(), None)
            GLib.MainLoop(self.context).run()

        threading.Thread(target=serve, daemon=True).start()
        if not ready.wait(20):
            raise AssertionError("no portal on the bus")

    def _call(self, bus, sender, path, interface, method, parameters, invocation):
        space, key = parameters.unpack()
        if space != SPACE or key not in self.values:
            invocation.return_dbus_error("org.freedesktop.portal.Error.NotFound", "unknown setting")
            return
        value = GLib.Variant("u", self.values[key])
        invocation.return_value(GLib.Variant("(v)", (GLib.Variant("v", value),)))

    def change(self, key, value):
        self.values[key] = value
        self.bus.emit_signal(None, "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings", "SettingChanged",
                             GLib.Variant("(ssv)", (SPACE, key, GLib.Variant("u", value))))
