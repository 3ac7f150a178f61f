package io.caravanserai.flow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;

class LocalNamesTest {
    @Test
    void aTopicIsNotPrivateToAFlowHoweverItIsWritten() {
        assertThat(names("from: {uri: 'jms:queue:x.a', steps: []}")).containsExactly("jms:queue:x.a");
        assertThat(names("from: {uri: 'jms:topic:x.a', steps: []}")).isEmpty();
        String apart = "from: {uri: jms, parameters: {destinationType: TYPE, destinationName: x.a}, steps: []}";
        assertThat(names(apart.replace("TYPE", "queue"))).containsExactly("jms:queue:x.a");
        assertThat(names(apart.replace("TYPE", "topic"))).isEmpty();
    }

    @Test
    void aQueueOfAVersionIsToldFromOthersByItsName() {
        String versioned = LocalNames.versioned("order-queue", "jms:queue:order-queue.orders", 7);
        assertThat(LocalNames.isQueueOfVersion(versioned.substring("jms:queue:".length())))
                .isTrue();
        assertThat(LocalNames.isQueueOfVersion("order-queue.orders")).isFalse();
        assertThat(LocalNames.isQueueOfVersion("somebody@home")).isFalse();
        assertThat(LocalNames.isQueueOfVersion("somebody@7")).isFalse();
    }

    private static Set<String> names(String item) {
        return LocalNames.of("x", Nodes.parse("x", "- " + item).orElseThrow()).names();
    }
}
