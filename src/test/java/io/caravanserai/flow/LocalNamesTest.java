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

    private static Set<String> names(String item) {
        return LocalNames.of("x", Nodes.parse("x", "- " + item).orElseThrow()).names();
    }
}
