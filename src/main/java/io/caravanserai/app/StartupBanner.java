package io.caravanserai.app;

import io.caravanserai.config.HubSettings;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/** Prints the state of a started hub, and an example order. */
public record StartupBanner(HubSettings settings, int port) {
    public static final String ORDER = """
            {"customerId": "C-789", "items": [{"sku": "SADDLE-01", "quantity": 2, "unitPrice": 50.00}], \
            "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "NL"}}""";

    /** @param trouble why the hub is not ready yet; empty when the hub is ready */
    public void print(PrintStream out, Duration startup, Optional<String> trouble) {
        String url = "http://" + host() + ":" + port;
        String state = trouble.isEmpty() ? "is ready" : "runs";
        out.printf(Locale.ROOT, "Caravanserai %s at %s after %.1f s%n", state, url, startup.toMillis() / 1000.0);
        trouble.ifPresent(why -> out.println("  not ready yet: " + why));
        out.println("  flows    " + settings.routesDir().toAbsolutePath());
        out.println("  data     " + settings.dataDir().toAbsolutePath());
        out.println("  health   " + url + "/observe/health");
        out.println(
                settings.security().keys().isEmpty()
                        ? "Try an order:"
                        : "Try an order, with a key of the role sender or operator in KEY:");
        out.println("  curl -i " + url + "/orders" + key() + " -H 'Content-Type: application/json' -d '" + ORDER + "'");
        out.flush();
    }

    /** The hub has only hashes of keys; the reader inserts the key. */
    private String key() {
        return settings.security().keys().isEmpty() ? "" : " -H \"X-API-Key: $KEY\"";
    }

    /** Returns an address to call when the hub listens on all addresses. */
    private String host() {
        if (settings.http().host().equals("0.0.0.0")) {
            return "127.0.0.1";
        }
        if (settings.http().host().equals("::")) {
            return "[::1]";
        }
        return settings.http().host().contains(":")
                ? "[" + settings.http().host() + "]"
                : settings.http().host();
    }
}
