package io.caravanserai.api;

import io.caravanserai.http.Cursor;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.service.payment.Payment;
import io.caravanserai.service.payment.Payments;
import io.caravanserai.service.shipping.Shipment;
import io.caravanserai.service.shipping.Shipping;
import io.caravanserai.store.Store;
import io.caravanserai.support.Timestamps;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** REST resource for the records of the payment and shipping services. */
public final class LedgerEndpoints implements HttpEndpoints {
    private final Store store;
    private final Payments payments;
    private final Shipping shipping;

    public LedgerEndpoints(Store store, Payments payments, Shipping shipping) {
        this.store = store;
        this.payments = payments;
        this.shipping = shipping;
    }

    private record PaymentDocument(
            String paymentId,
            String orderId,
            String status,
            BigDecimal amount,
            String currency,
            String createdAt,
            String updatedAt) {

        static PaymentDocument of(Payment payment) {
            return new PaymentDocument(
                    payment.paymentId(),
                    payment.orderId(),
                    payment.status(),
                    payment.amount(),
                    payment.currency(),
                    Timestamps.text(payment.createdAt()),
                    Timestamps.text(payment.updatedAt()));
        }
    }

    private record ShipmentDocument(String trackingNumber, String orderId, String country, String createdAt) {

        static ShipmentDocument of(Shipment shipment) {
            return new ShipmentDocument(
                    shipment.trackingNumber(),
                    shipment.orderId(),
                    shipment.country(),
                    Timestamps.text(shipment.createdAt()));
        }
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.get("/payments", Permission.READ, this::payments).query("orderId", "limit", "cursor");
        routes.get("/shipments", Permission.READ, this::shipments).query("orderId", "limit", "cursor");
    }

    private CompletionStage<Response> payments(Request request) {
        int limit = request.limit();
        String after = Cursor.of("payments", request).orElse("");
        Optional<String> orderId = request.query("orderId");
        return store.list(tx -> orderId.isPresent()
                        ? payments.held(tx, orderId.get()).map(List::of).orElse(List.of())
                        : payments.list(tx, after, limit + 1))
                .thenApply(found ->
                        Response.page(Cursor.page("payments", found, limit, Payment::orderId, PaymentDocument::of)));
    }

    private CompletionStage<Response> shipments(Request request) {
        int limit = request.limit();
        String after = Cursor.of("shipments", request).orElse("");
        Optional<String> orderId = request.query("orderId");
        return store.list(tx -> orderId.isPresent()
                        ? shipping.find(tx, orderId.get()).map(List::of).orElse(List.of())
                        : shipping.list(tx, after, limit + 1))
                .thenApply(found ->
                        Response.page(Cursor.page("shipments", found, limit, Shipment::orderId, ShipmentDocument::of)));
    }
}
