package io.caravanserai.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.caravanserai.order.Order;
import io.caravanserai.order.Reason;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventCodecTest {
    private static final EventSchemas SCHEMAS = new EventSchemas();
    private static final EventData.PaymentProcessed PAYMENT =
            new EventData.PaymentProcessed(new BigDecimal("100.50"), "EUR", "pay-1");

    static Stream<EventData> everyType() {
        return Stream.of(
                new EventData.OrderCreated(
                        "C-1",
                        List.of(new Order.Item("SADDLE-01", 2, new BigDecimal("50.00"))),
                        "EUR",
                        new BigDecimal("100.00")),
                new EventData.ItemsReserved(),
                PAYMENT,
                new EventData.OrderShipped("T-1"),
                new EventData.Failed(EventType.ReservationFailed, Reason.OUT_OF_STOCK),
                new EventData.Failed(EventType.PaymentFailed, Reason.PAYMENT_DECLINED),
                new EventData.Failed(EventType.ShippingFailed, Reason.SHIPPING_REFUSED),
                new EventData.Failed(EventType.OrderTimedOut, Reason.TIMED_OUT),
                new EventData.PaymentRefunded(new BigDecimal("100.50"), "EUR", "pay-1"),
                new EventData.ItemsReleased(),
                new EventData.OrderCancelled(Reason.TIMED_OUT));
    }

    @ParameterizedTest
    @MethodSource("everyType")
    void everyVersionOfEveryTypeIsReadAsTheNewest(EventData data) {
        for (int version = 1; version <= EventVersions.newest(data.type()); version++) {
            CloudEvent written = codec(Map.of(data.type(), List.of(version)))
                    .write(event(data))
                    .get(0);
            assertThat(written.version()).isEqualTo(version);

            EventCodec reader = codec(Map.of());
            CloudEvent read = reader.newest(reader.read(written.attributes(), written.data()));

            assertThat(read).isEqualTo(event(data));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e5000000", "1e-5000000", "1e99999999999", "1e31"})
    void numberWithTooManyDigitsIsRefusedBeforeAnyCalculation(String amount) {
        EventCodec codec = codec(Map.of());
        CloudEvent event = codec.write(event(PAYMENT)).get(0);

        assertThatThrownBy(() -> codec.read(event.attributes(), event.data().replace("100.50", amount)))
                .isInstanceOf(InvalidEventException.class)
                .hasMessageContaining("number");
    }

    @Test
    void bothVersionsAreEmittedAsOneEvent() {
        List<CloudEvent> written =
                codec(Map.of(EventType.PaymentProcessed, List.of(1, 2))).write(event(PAYMENT));

        assertThat(written)
                .extracting(CloudEvent::dataSchema)
                .containsExactly("/schemas/PaymentProcessed/v1", "/schemas/PaymentProcessed/v2");
        assertThat(written).extracting(CloudEvent::id).containsOnly("e-1");
        assertThat(written.get(0).data()).contains("\"amount\":\"100.50\"");
        assertThat(written.get(1).data()).contains("\"amount\":100.50");
    }

    @Test
    void aVersionThatIsNotThereCannotBeEmitted() {
        assertThatThrownBy(() -> codec(Map.of(EventType.OrderShipped, List.of(3))))
                .hasMessage("hub.events.emit.OrderShipped: no version 3 exists; the newest is 1");
    }

    @Test
    void invalidEventIsRefusedWithReason() {
        CloudEvent event = event(PAYMENT);
        Map<String, String> good = event.attributes();
        assertRefused("invalid-event", with(good, "specversion", null), event.data());
        assertRefused("invalid-event", with(good, "id", null), event.data());
        assertRefused("invalid-event", with(good, "time", "yesterday"), event.data());
        assertRefused("invalid-event", with(good, "time", "+999999999-12-31T00:00:00Z"), event.data());
        assertRefused("invalid-event", with(good, "time", "-0001-01-01T00:00:00Z"), event.data());
        assertRefused("unknown-type", with(good, "type", "OrderEaten"), event.data());
        assertRefused("unknown-version", with(good, "dataschema", "/schemas/PaymentProcessed/v9"), event.data());
        assertRefused("unknown-version", with(good, "dataschema", "/schemas/OrderShipped/v1"), event.data());
        assertRefused("unknown-version", with(good, "dataschema", null), event.data());
        assertRefused("invalid-event", with(good, "subject", "another"), event.data());
        assertRefused("invalid-event", good, null);
        assertRefused("invalid-event", good, "{");
        assertRefused("invalid-event", good, "[]");
        assertRefused("invalid-event", good, event.data().replace("100.50", "-1"));
        assertRefused("invalid-event", good, event.data().replace("100.50", "\"100.50\""));
    }

    @Test
    void eventIsVerifiedByContentAndNotByIdAlone() {
        EventCodec codec = codec(Map.of());
        CloudEvent event = event(PAYMENT);
        codec.read(event.attributes(), event.data());

        assertThatThrownBy(() -> codec.read(event.attributes(), event.data().replace("EUR", "euro")))
                .isInstanceOf(InvalidEventException.class);
    }

    private static void assertRefused(String reason, Map<String, String> attributes, String data) {
        assertThatThrownBy(() -> codec(Map.of()).read(attributes, data))
                .isInstanceOfSatisfying(
                        InvalidEventException.class,
                        refusal -> assertThat(refusal.reason()).isEqualTo(reason));
    }

    private static Map<String, String> with(Map<String, String> attributes, String name, String value) {
        Map<String, String> changed = new HashMap<>(attributes);
        changed.put(name, value);
        return changed;
    }

    private static EventCodec codec(Map<EventType, List<Integer>> emit) {
        return new EventCodec(SCHEMAS, emit);
    }

    private static CloudEvent event(EventData data) {
        return new CloudEvent(
                "e-1",
                data.type(),
                EventVersions.newest(data.type()),
                "o-1",
                Instant.parse("2026-01-02T03:04:05.006Z"),
                new EventContext("s-1", null, null),
                EventJson.write("o-1", data).toString());
    }
}
