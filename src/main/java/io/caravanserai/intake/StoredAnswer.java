package io.caravanserai.intake;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.caravanserai.http.Response;
import io.caravanserai.order.OrderJson;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** An answer in stored form, to be repeated byte for byte. */
record StoredAnswer(int status, Map<String, String> headers, String body) {

    static String text(Response response) {
        StoredAnswer answer = new StoredAnswer(
                response.status(), response.headers(), new String(response.body(), StandardCharsets.UTF_8));
        try {
            return OrderJson.MAPPER.writeValueAsString(answer);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an answer could not be written as JSON", e);
        }
    }

    static Response replay(String text) {
        try {
            StoredAnswer answer = OrderJson.MAPPER.readValue(text, StoredAnswer.class);
            Response response = Response.of(answer.status(), "", answer.body());
            for (Map.Entry<String, String> header : answer.headers().entrySet()) {
                response = response.with(header.getKey(), header.getValue());
            }
            return response.with("Idempotency-Replayed", "true");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a kept answer could not be read", e);
        }
    }
}
