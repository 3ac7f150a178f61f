package io.caravanserai.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.caravanserai.deadletter.DeadLetter;
import io.caravanserai.deadletter.ReplayListener;
import io.caravanserai.order.OrderJson;
import io.caravanserai.service.StepLog;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Records each replay of a dead letter in the history of the order that the message names. Thread-safe. */
public final class ReplayHistory implements ReplayListener {
    /** Name of the history entry. */
    static final String REPLAY = "dead-letter.replay";

    /** Headers with an order id: of commands and of events by JMS and by Kafka. */
    private static final List<String> ORDER_ID_HEADERS = List.of("orderId", "cloudEvents_subject", "ce_subject");

    private final Orders orders;
    private final StepLog stepLog;

    public ReplayHistory(Orders orders, StepLog stepLog) {
        this.orders = orders;
        this.stepLog = stepLog;
    }

    @Override
    public void replayed(Transaction tx, DeadLetter letter, Throwable error) throws SQLException {
        Optional<String> orderId = orderId(letter);
        if (orderId.isPresent() && orders.standingOf(tx, orderId.get()).isPresent()) {
            String result = error == null ? "handled" : "failed again: " + DeadLetter.firstLine(error);
            stepLog.acted(tx, orderId.get(), REPLAY, letter.source() + ", " + letter.reason() + ": " + result);
        }
    }

    private static Optional<String> orderId(DeadLetter letter) {
        return ORDER_ID_HEADERS.stream()
                .map(letter.headers()::get)
                .filter(Objects::nonNull)
                .findFirst()
                .or(() -> orderIdOfBody(letter));
    }

    private static Optional<String> orderIdOfBody(DeadLetter letter) {
        if (letter.body() == null || letter.base64()) {
            return Optional.empty();
        }
        try {
            JsonNode orderId = OrderJson.MAPPER.readTree(letter.body()).path("orderId");
            return Optional.ofNullable(orderId.textValue());
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }
}
