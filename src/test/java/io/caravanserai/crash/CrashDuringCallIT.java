package io.caravanserai.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.app.FaultyProvider;
import io.caravanserai.app.FaultyProvider.Fault;
import io.caravanserai.app.FaultyProvider.Request;
import io.caravanserai.app.PaymentOutside;
import io.caravanserai.order.Style;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The hub is killed while an outside service works for an order: the call is repeated with the same key. */
class CrashDuringCallIT {
    private static final String ORDER = """
            {"orderId": "%s", "customerId": "C-1", "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 5.00}],
             "currency": "EUR", "paymentMethod": "pm_card_visa", "shippingAddress": {"country": "%s"}}
            """;

    @TempDir
    Path folder;

    private FaultyProvider provider;
    private HubProcess hub;
    private Rest rest;

    @BeforeEach
    void start() throws Exception {
        provider = new FaultyProvider(0, 0);
        Path routes = PaymentOutside.copyOfRoutes(folder);
        Files.writeString(
                routes.resolve("order-request-reply.camel.yaml"),
                PaymentOutside.of(Style.REQUEST_REPLY, provider.port(), 60_000));
        hub = new HubProcess(Distribution.built(), folder.resolve("run/data"));
        hub.set("hub.routes.dir", routes.toString()).start().awaitReady();
        rest = new Rest(hub.url());
        rest.put("/stock/SADDLE-01", "{\"onHand\": 100}");
    }

    @AfterEach
    void stop() throws Exception {
        hub.close();
        provider.close();
    }

    @Test
    void chargeIsRepeatedWithSameKeyAfterKill() throws Exception {
        provider.faults(request -> Fault.HANG);
        rest.post("/orders", ORDER.formatted("cut", "NL"), "Prefer", "respond-async");
        await().until(() -> !keys().isEmpty());

        restart();

        await().until(() ->
                rest.get("/orders/cut").body().path("status").asText().equals("SHIPPED"));
        assertThat(keys()).containsExactly("cut:process-payment:do", "cut:process-payment:do");
        assertThat(provider.charges("cut")).isEqualTo(1);
    }

    @Test
    void refundIsRepeatedWithSameKeyAfterKill() throws Exception {
        provider.faults(request -> request.path().equals("/refunds") ? Fault.HANG : Fault.NONE);
        rest.post("/orders", ORDER.formatted("back", "AQ"), "Prefer", "respond-async");
        await().until(() -> keys().contains("back:process-payment:undo"));
        List<String> before = keys();

        restart();

        await().until(() ->
                rest.get("/orders/back").body().path("status").asText().equals("CANCELLED"));
        assertThat(keys()).hasSize(before.size() + 1).last().isEqualTo("back:process-payment:undo");
        assertThat(rest.all("/payments?orderId=back"))
                .singleElement()
                .satisfies(
                        payment -> assertThat(payment.path("status").asText()).isEqualTo("REFUNDED"));
    }

    private void restart() {
        hub.kill9();
        provider.faults(request -> Fault.NONE);
        hub.start().awaitReady();
    }

    private List<String> keys() {
        return provider.requests().stream().map(Request::key).toList();
    }
}
