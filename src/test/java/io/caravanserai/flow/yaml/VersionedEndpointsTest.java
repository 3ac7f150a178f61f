package io.caravanserai.flow.yaml;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;

class VersionedEndpointsTest {
    @Test
    void topicIsNeverLocalToFlowInAnySpelling() {
        assertThat(names("from: {uri: 'jms:queue:x.a', steps: []}")).containsExactly("jms:queue:x.a");
        assertThat(names("from: {uri: 'jms:topic:x.a', steps: []}")).isEmpty();
        String apart = "from: {uri: jms, parameters: {destinationType: TYPE, destinationName: x.a}, steps: []}";
        assertThat(names(apart.replace("TYPE", "queue"))).containsExactly("jms:queue:x.a");
        assertThat(names(apart.replace("TYPE", "topic"))).isEmpty();
    }

    @Test
    void queueOfVersionIsRecognizedByName() {
        String versioned = VersionedEndpoints.versioned("order-queue", "jms:queue:order-queue.orders", 7);
        assertThat(VersionedEndpoints.isQueueOfVersion(versioned.substring("jms:queue:".length())))
                .isTrue();
        assertThat(VersionedEndpoints.isQueueOfVersion("order-queue.orders")).isFalse();
        assertThat(VersionedEndpoints.isQueueOfVersion("somebody@home")).isFalse();
        assertThat(VersionedEndpoints.isQueueOfVersion("somebody@7")).isFalse();
    }

    private static Set<String> names(String item) {
        return VersionedEndpoints.of("x", Nodes.parse("x", "- " + item).orElseThrow())
                .names();
    }
}
