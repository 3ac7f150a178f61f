package io.caravanserai.app;

import io.caravanserai.config.HubSettings;
import io.caravanserai.config.Setting;
import io.caravanserai.config.Settings;
import io.caravanserai.config.SettingsException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.util.List;

/** Checks conditions that would make a start fail half-way, with a less clear message. */
final class Preflight {
    private static final String LOOPBACK = "127.0.0.1";

    private Preflight() {}

    /** @throws SettingsException with the setting to change */
    static void check(HubSettings settings) {
        if (!Files.isDirectory(settings.routesDir())) {
            throw fault(Settings.ROUTES_DIR, settings.routesDir().toAbsolutePath() + " is no folder");
        }
        if (settings.store().url().isPresent()) {
            throw fault(
                    Settings.STORE_URL, "a database outside is not supported yet: leave it unset for the embedded one");
        }
        if (settings.jms().isEmbedded()) {
            listen(Settings.JMS_PORT, LOOPBACK, settings.jms().port());
        }
    }

    /** Binds the port as a test, because Artemis logs too much when the port is in use. */
    private static void listen(Setting<?> setting, String host, int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByName(host), port));
        } catch (IOException e) {
            throw fault(setting, port + " on " + host + " cannot be listened on: " + e.getMessage());
        }
    }

    private static SettingsException fault(Setting<?> setting, String what) {
        return new SettingsException(List.of(setting.key() + "=" + what));
    }
}
