package io.caravanserai.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.subscriber.notification.MailServer;
import jakarta.mail.internet.MimeMessage;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A hub that sends mail. */
class CustomerMailIT {
    private static final String ORDER = """
            {"orderId": "mailed-1", "customerId": "C-789", "currency": "EUR", "paymentMethod": "pm_card_visa",
             "items": [{"sku": "SADDLE-01", "quantity": 1, "unitPrice": 50.00}],
             "shippingAddress": {"country": "NL"}}
            """;

    @TempDir
    private Path folder;

    @Test
    void customerGetsMailWhenOrderIsAcceptedAndWhenOrderIsShipped() throws Exception {
        try (MailServer server = new MailServer().start("hub", "s3cret");
                TestHub hub = TestHub.start(
                        folder,
                        Map.of(
                                "hub.notification.mail.url", "smtp://127.0.0.1:" + server.port(),
                                "hub.notification.mail.user", "hub",
                                "hub.notification.mail.password", "s3cret",
                                "hub.notification.mail.from", "orders@shop.example",
                                "hub.notification.mail.to", "{customerId}@customers.example"))) {
            assertThat(hub.post("/orders", ORDER).status()).isEqualTo(201);

            await().untilAsserted(() -> assertThat(server.taken()).hasSize(2));
            for (MimeMessage mail : server.taken()) {
                assertThat(mail.getSubject()).isEqualTo("Your order mailed-1");
                assertThat(mail.getHeader("To")).containsExactly("C-789@customers.example");
            }
            assertThat(server.taken().get(1).getContent().toString()).contains("on its way");
        }
    }
}
