package io.caravanserai.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.bus.HubName;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.event.EventContext;
import io.caravanserai.event.EventSchemas;
import io.caravanserai.event.EventType;
import io.caravanserai.event.EventVersions;
import io.caravanserai.intake.JmsOrders;
import io.caravanserai.jms.JmsDeadLetters;
import io.caravanserai.jms.JmsEventBus;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.Style;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** Compares the AsyncAPI document with the code. */
class AsyncApiTest {
    private final ObjectNode document = read();

    @Test
    void theChannelsAreTheDestinationsInUse() {
        assertThat(document.path("asyncapi").asText()).isEqualTo("3.0.0");
        List<String> addresses = new ArrayList<>();
        document.path("channels")
                .forEach(channel -> addresses.add(channel.path("address").asText(null)));
        assertThat(addresses)
                .contains(JmsOrders.QUEUE, JmsEventBus.TOPIC, JmsDeadLetters.QUEUE)
                .contains("orders.DLT")
                .hasSize(5);
    }

    @Test
    void everyVersionOfEveryEventIsThereWithItsSchema() throws Exception {
        EventSchemas schemas = new EventSchemas();
        int versions = 0;
        for (EventType type : EventType.values()) {
            for (int version = 1; version <= EventVersions.newest(type); version++) {
                String name = type + "-v" + version;
                versions++;
                ObjectNode schema = (ObjectNode)
                        OrderJson.MAPPER.readTree(schemas.text(type, version).orElseThrow());
                schema.remove(List.of("$schema", "$id"));
                assertThat(document.at("/components/schemas/" + name)).isEqualTo(schema);
                assertThat(document.at("/components/messages/" + name + "/name").asText())
                        .isEqualTo(type.name());
            }
        }
        assertThat(document.at("/channels/order-events/messages")).hasSize(versions);
    }

    @Test
    void theHeadersAreTheAttributesOfEvents() {
        CloudEvent event = new CloudEvent(
                "e",
                EventType.ItemsReleased,
                1,
                "o",
                Instant.EPOCH,
                new EventContext("s", "c", "t", Style.QUEUE),
                "{}");
        Set<String> attributes = new HashSet<>(event.attributes().keySet());
        attributes.addAll(new HubName("east").attributes().keySet());
        List<String> headers = new ArrayList<>();
        document.at("/components/schemas/CloudEventHeaders/properties")
                .fieldNames()
                .forEachRemaining(headers::add);
        assertThat(headers).containsExactlyInAnyOrderElementsOf(attributes);
    }

    @Test
    void theStylesAreTheStyles() {
        JsonNode styles = document.at("/components/messages/order/headers/properties/style/examples");
        assertThat(StreamSupport.stream(styles.spliterator(), false).map(JsonNode::asText))
                .allMatch(style -> Style.ofWire(style).isPresent())
                .hasSize(Style.values().length);
    }

    /** AsyncAPI's own validator rejects {@code true} as a schema, although JSON Schema allows {@code true}. */
    @Test
    void everySchemaOfAMessageIsAnObject() {
        document.at("/components/messages").forEach(message -> {
            assertThat(message.path("payload").isObject()).as("%s", message).isTrue();
            assertThat(message.path("headers").isBoolean()).as("%s", message).isFalse();
        });
    }

    @Test
    void everyReferenceLeadsSomewhere() {
        document.findValues("$ref").forEach(reference -> {
            String pointer = reference.asText().substring(1);
            assertThat(document.at(pointer).isMissingNode()).as(pointer).isFalse();
        });
    }

    private static ObjectNode read() {
        try (InputStream text = AsyncApiTest.class.getResourceAsStream("/asyncapi.yaml")) {
            Object yaml = new Load(LoadSettings.builder().build()).loadFromInputStream(text);
            // Converted to text and back, so that numbers have the same types as in the schemas.
            return (ObjectNode) OrderJson.MAPPER.readTree(OrderJson.MAPPER.writeValueAsString(yaml));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
