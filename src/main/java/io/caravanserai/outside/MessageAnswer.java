package io.caravanserai.outside;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

/**
 * Evaluates a reply message. In a JSON object the field {@code outcome} gives the result (the public contract, section
 * 10); any other reply is an answer for the flow to evaluate.
 */
final class MessageAnswer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST_JSON = 1024 * 1024;

    private MessageAnswer() {}

    /** Returns the text of a reply, which JMS delivers as text or bytes; null for any other type. */
    private static String text(Object body) {
        if (body instanceof byte[] bytes && bytes.length <= LONGEST_JSON) {
            return new String(bytes, StandardCharsets.UTF_8);
        }
        return body instanceof String text ? text : null;
    }

    static CallResult judge(Object body, Map<String, Object> headers) {
        CallResult answered = new CallResult.Answered(body, headers);
        String text = text(body);
        if (text == null || !text.stripLeading().startsWith("{") || text.length() > LONGEST_JSON) {
            return answered;
        }
        try {
            JsonNode reply = JSON.readTree(text);
            return switch (reply.path("outcome").asText()) {
                case "pending" -> new CallResult.Pending("replied that the outcome is pending", Duration.ZERO);
                case "refused" ->
                    new CallResult.Refused(
                            "replied refused: " + reply.path("reason").asText(), true);
                default -> answered;
            };
        } catch (JsonProcessingException e) {
            return answered;
        }
    }
}
