package io.caravanserai.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravanserai.flow.deploy.FlowDiff;
import io.caravanserai.flow.deploy.FlowState;
import io.caravanserai.flow.deploy.OrdersCarried;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowRefusedException;
import io.caravanserai.flow.yaml.FlowVersion;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlowsIT {
    private static final String FLOW = "order-queue";
    private static final String FILE = "order-queue.camel.yaml";

    @TempDir
    private Path folder;

    private FlowHub hub;

    @BeforeEach
    void openHub() throws Exception {
        hub = new FlowHub(folder);
    }

    @AfterEach
    void closeHub() {
        hub.close();
    }

    @Test
    void ordersEnterNewestVersionWithOwnLocalNames() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));

        hub.start();

        assertThat(hub.version(FLOW)).isEqualTo(1);
        assertThat(hub.flows.newest(FLOW).orElseThrow().hasSaga()).isFalse();
        assertThat(hub.flows.endpoint(FLOW, 1)).isEqualTo("direct:order-queue@1");
        assertThat(hub.send("direct:order-queue@1")).isEqualTo("hello one served");
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one served");
        assertThat(hub.context.getRoute("order-queue@1")).isNotNull();
        assertThat(hub.context.getRoute("order-queue-2@order-queue.1")).isNotNull();
    }

    @Test
    void onExceptionAfterRoutesAsWrittenByKaotoIsApplied() throws Exception {
        hub.write(FLOW, FlowHub.failing(FLOW) + """
                - onException:
                    exception:
                      - java.lang.IllegalStateException
                    handled:
                      constant: "true"
                    steps:
                      - setBody:
                          constant: caught
                """);

        hub.start();

        assertThat(hub.send("direct:order-queue")).isEqualTo("caught");
    }

    @Test
    void routeConfigurationAppliesOnlyToOwnFile() throws Exception {
        hub.write("a", FlowHub.catching("a") + FlowHub.failing("a") + FlowHub.failing("a-too"));
        hub.write("b", FlowHub.failing("b"));
        hub.start();
        // In the form of Karavan and Kaoto.
        String everyRoute =
                FlowHub.catching("c").replace("- routeConfiguration:", "- routeConfiguration:\n    id: '*'");
        hub.flows.put("c.camel.yaml", FlowHub.failing("c") + everyRoute, "ops");
        hub.flows.put("d.camel.yaml", FlowHub.failing("d"), "ops");

        assertThat(hub.send("direct:a") + ", " + hub.send("direct:a-too") + ", " + hub.send("direct:c"))
                .isEqualTo("caught by a, caught by a, caught by c");
        assertThatThrownBy(() -> hub.send("direct:b")).hasRootCauseMessage("broken");
        assertThatThrownBy(() -> hub.send("direct:d")).hasRootCauseMessage("broken");
    }

    @Test
    void anErrorHandlerCountsForTheRoutesOfItsOwnFileAlone() throws Exception {
        hub.start();
        hub.flows.put("a.camel.yaml", """
                - errorHandler:
                    deadLetterChannel:
                      deadLetterUri: direct:a-dead
                - route:
                    id: a-dead
                    from:
                      uri: direct:a-dead
                      steps:
                        - setBody:
                            constant: caught by a
                """ + FlowHub.failing("a"), "ops");
        hub.flows.put("b.camel.yaml", FlowHub.failing("b"), "ops");

        assertThat(hub.send("direct:a")).isEqualTo("caught by a");
        assertThatThrownBy(() -> hub.send("direct:b")).hasRootCauseMessage("broken");
    }

    @Test
    void refusedOrDeletedRouteConfigurationLeavesNothing() throws Exception {
        hub.start();
        assertThatExceptionOfType(FlowRefusedException.class)
                .isThrownBy(() -> hub.flows.put(
                        "door.camel.yaml",
                        FlowHub.catching("door")
                                + """
                        - route:
                            id: door
                            from:
                              uri: file:FOLDER?autoCreate=false&startingDirectoryMustExist=true
                              steps:
                                - to: direct:service
                        """.replace(
                                        "FOLDER", folder.resolve("missing").toString()),
                        "ops"));
        hub.flows.put("a.camel.yaml", FlowHub.catching("a") + FlowHub.failing("a"), "ops");
        Files.delete(hub.file("a"));
        await().until(() -> hub.flows.running("a.camel.yaml").isEmpty());

        hub.flows.put("a.camel.yaml", FlowHub.failing("a"), "ops");

        assertThatThrownBy(() -> hub.send("direct:a")).hasRootCauseMessage("broken");
        assertThat(hub.context.getRouteConfigurationDefinitions()).isEmpty();
    }

    @Test
    void concurrentVersionsHaveOwnRouteConfiguration() throws Exception {
        String named = "- routeConfiguration:\n    id: caught\n";
        String naming = "- route:\n    routeConfigurationId: caught\n    id: order-queue\n";
        String text = (FlowHub.catching("WORD") + FlowHub.failing(FLOW))
                .replace("- routeConfiguration:\n", named)
                .replace("- route:\n    id: order-queue\n", naming);
        for (String each : List.of(FlowHub.catching("WORD") + FlowHub.failing(FLOW), text)) {
            hub.write(FLOW, each.replace("WORD", "one"));
            hub.restart();
            int one = hub.version(FLOW);
            hub.carried.add(new OrdersCarried.Carried(FLOW, one, 1));

            int two = hub.flows.put(FILE, each.replace("WORD", "two"), "ops").version();

            assertThat(hub.send(hub.flows.endpoint(FLOW, one))).isEqualTo("caught by one");
            assertThat(hub.send(hub.flows.endpoint(FLOW, two))).isEqualTo("caught by two");
            hub.restart();
            assertThat(hub.send(hub.flows.endpoint(FLOW, one))).isEqualTo("caught by one");
            assertThat(hub.send("direct:order-queue")).isEqualTo("caught by two");
        }
    }

    @Test
    void anEditThatKeepsInodeSizeAndTimeIsTakenUp() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));
        FileTime time = FileTime.fromMillis(1_700_000_000_000L);
        Files.setLastModifiedTime(hub.file(FLOW), time);
        hub.start();

        try (FileChannel file = FileChannel.open(hub.file(FLOW), StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(FlowHub.greeting(FLOW, "two").getBytes(StandardCharsets.UTF_8)));
        }
        Files.setLastModifiedTime(hub.file(FLOW), time);

        await().until(() -> hub.send("direct:order-queue").equals("hello two served"));
    }

    @Test
    void unchangedTextKeepsVersionAfterRestart() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));
        hub.start();

        hub.restart();

        assertThat(hub.version(FLOW)).isEqualTo(1);
        assertThat(hub.flows.versions("order-queue.camel.yaml").join()).hasSize(1);
    }

    @Test
    void versionWithUnfinishedOrdersRunsBesideNewestAfterRestart() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));
        hub.start();
        hub.write(FLOW, FlowHub.greeting(FLOW, "two"));
        hub.carried.add(new OrdersCarried.Carried(FLOW, 1, 3));

        hub.restart();

        assertThat(hub.version(FLOW)).isEqualTo(2);
        assertThat(hub.send(hub.flows.endpoint(FLOW, 1))).isEqualTo("hello one served");
        assertThat(hub.send(hub.flows.endpoint(FLOW, 2))).isEqualTo("hello two served");
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello two served");
        assertThat(hub.state(FLOW).versions())
                .extracting(FlowState.Running::orders)
                .containsExactly(0L, 3L);
    }

    @Test
    void addedChangedAndDeletedFlowsTakeEffectWithinTwoSeconds() throws Throwable {
        hub.write(FLOW, FlowHub.greeting(FLOW, "first"));
        hub.start();
        List<Duration> additions = new ArrayList<>();
        List<Duration> edits = new ArrayList<>();
        List<Duration> deletions = new ArrayList<>();

        for (int round = 1; round <= 5; round++) {
            String word = "edit-" + round;
            additions.add(time(
                    () -> hub.write("order-extra", FlowHub.greeting("order-extra", word)),
                    () -> hub.flows.newest("order-extra").isPresent()));
            edits.add(time(
                    () -> hub.write(FLOW, FlowHub.greeting(FLOW, word)),
                    () -> hub.send("direct:order-queue").equals("hello " + word + " served")));
            deletions.add(time(
                    () -> Files.delete(hub.file("order-extra")),
                    () -> hub.flows.newest("order-extra").isEmpty()));
        }

        // The median tolerates one or two delays of the machine.
        assertThat(List.of(median(additions), median(edits), median(deletions)))
                .allSatisfy(each -> assertThat(each).isLessThanOrEqualTo(Duration.ofSeconds(2)));
    }

    private static Duration time(ThrowingRunnable change, Callable<Boolean> isDone) throws Throwable {
        long begun = System.nanoTime();
        change.run();
        await().pollInterval(Duration.ofMillis(50)).until(isDone);
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    private static Duration median(List<Duration> times) {
        return times.stream().sorted().toList().get(times.size() / 2);
    }

    @Test
    void oldVersionIsRemovedAfterLastOrder() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));
        hub.start();
        hub.carried.add(new OrdersCarried.Carried(FLOW, 1, 1));

        hub.write(FLOW, FlowHub.greeting(FLOW, "two"));

        await().until(() -> hub.send("direct:order-queue").equals("hello two served"));
        await().during(Duration.ofSeconds(7)).until(() -> hub.context.getRoute("order-queue@1") != null);
        hub.carried.clear();
        await().until(() -> hub.context.getRoute("order-queue@1") == null);
        assertThat(hub.context.getEndpoints())
                .extracting(endpoint -> endpoint.getEndpointUri())
                .doesNotContain("direct://greet-order-queue@order-queue.1");
        // An order of a removed version starts the version again.
        assertThat(hub.send(hub.flows.endpoint(FLOW, 1))).isEqualTo("hello one served");
    }

    @Test
    void messageInFlightKeepsVersion() throws Exception {
        String slow = """
                - route:
                    id: order-queue
                    from:
                      uri: direct:order-queue
                      steps:
                        - to: direct:slow
                        - to: direct:end
                - route:
                    id: end
                    from:
                      uri: direct:end
                      steps:
                        - setBody:
                            constant: ended by NUMBER
                """;
        hub.write(FLOW, slow.replace("NUMBER", "one"));
        hub.start();
        CompletableFuture<Object> answer = hub.template.asyncRequestBody("direct:order-queue", "hello");
        await().until(() -> hub.context.getInflightRepository().size("order-queue@1") == 1);

        hub.flows.put("order-queue.camel.yaml", slow.replace("NUMBER", "two"), "ops");

        await().during(Duration.ofSeconds(6)).until(() -> hub.context.getRoute("order-queue@1") != null);
        hub.gate.complete(null);
        assertThat(answer.join()).isEqualTo("ended by one");
        assertThat(hub.send("direct:order-queue")).isEqualTo("ended by two");
        await().until(() -> hub.context.getRoute("order-queue@1") == null);
    }

    @Test
    void invalidEditChangesNothingAndIsShownUntilFixed() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));
        hub.start();

        hub.write(FLOW, FlowHub.greeting(FLOW, "two").replace("direct:service", "driect:service"));

        await().until(() -> hub.state(FLOW).refused() != null);
        assertThat(hub.state(FLOW).refused().errors())
                .containsExactly(new Fault(
                        "order-queue.camel.yaml", 20, 15, "unknown component 'driect', did you mean 'direct'?"));
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one served");

        hub.write(FLOW, FlowHub.greeting(FLOW, "two"));

        await().until(() -> hub.version(FLOW) == 2 && hub.state(FLOW).refused() == null);
    }

    @Test
    void aBadFileAtTheStartLeavesTheLastGoodVersionRunning() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));
        hub.start();
        hub.write(FLOW, "- route: [");

        hub.restart();

        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one served");
        assertThat(hub.state(FLOW).refused().errors()).hasSize(1);
    }

    @Test
    void anEmptyOrHalfWrittenFileIsNotActedOn() throws Exception {
        String text = FlowHub.greeting(FLOW, "one");
        hub.write(FLOW, text);
        hub.start();

        hub.write(FLOW, "");
        await().until(() -> hub.state(FLOW).refused() != null);
        hub.write(FLOW, text.substring(0, text.indexOf("- route", 5)));
        await().until(() -> hub.state(FLOW).refused().errors().get(0).line() == 8);

        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one served");
        assertThat(hub.version(FLOW)).isEqualTo(1);
    }

    @Test
    void savingByDeleteAndRenameIsAnEditNotADeletion() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));
        hub.start();
        Path beside = Files.writeString(folder.resolve("new"), FlowHub.greeting(FLOW, "two"));

        Files.delete(hub.file(FLOW));
        Files.move(beside, hub.file(FLOW), StandardCopyOption.ATOMIC_MOVE);

        await().until(() -> hub.version(FLOW) == 2);
    }

    @Test
    void aDeletedFlowTakesNoNewOrdersAndAnAddedOneDoes() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));
        hub.start();

        Files.delete(hub.file(FLOW));
        hub.write("order-extra", FlowHub.greeting("order-extra", "extra"));

        await().until(() -> hub.flows.newest(FLOW).isEmpty());
        await().until(() -> hub.flows.newest("order-extra").isPresent());
        assertThat(hub.send("direct:order-extra")).isEqualTo("hello extra served");
        assertThat(hub.send(hub.flows.endpoint(FLOW, 1))).isEqualTo("hello one served");
    }

    @Test
    void fileWithCallersCannotDropItsEndpoint() throws Exception {
        hub.write("audit", FlowHub.greeting("audit", "noted"));
        hub.write(FLOW, FlowHub.greeting(FLOW, "one").replace("direct:service", "direct:audit"));
        hub.start();

        Files.delete(hub.file("audit"));

        await().until(() -> hub.state("audit").refused() != null);
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one noted served");
        assertThatExceptionOfType(FlowRefusedException.class)
                .isThrownBy(() -> hub.flows.put("audit.camel.yaml", FlowHub.greeting("other", "x"), "ops"))
                .withMessage("audit.camel.yaml:1:1: nothing answers at 'direct:audit' any more, which "
                        + "order-queue.camel.yaml calls");
    }

    @Test
    void textThatDoesNotStartIsRefusedAndOldVersionContinues() throws Exception {
        String door = """
                - route:
                    id: door
                    from:
                      uri: FROM
                      steps:
                        - to: seda:taken
                """;
        hub.write("door", door.replace("FROM", "timer:tick?period=50"));
        hub.start();

        assertThatExceptionOfType(FlowRefusedException.class)
                .isThrownBy(() -> hub.flows.put(
                        "door.camel.yaml",
                        door.replace(
                                "FROM",
                                "file:" + folder.resolve("missing")
                                        + "?autoCreate=false&startingDirectoryMustExist=true"),
                        "ops"))
                .withMessageStartingWith("door.camel.yaml:4:12: ");

        assertThat(hub.context.getRoute("door@1").getConsumer()).isNotNull();
        await().until(() ->
                hub.context.getRouteController().getRouteStatus("door@1").isStarted());
        hub.flows.put("door.camel.yaml", door.replace("FROM", "timer:tick?period=60"), "ops");
        assertThat(hub.context.getRouteController().getRouteStatus("door@1").isStarted())
                .isFalse();
        assertThat(hub.context.getRouteController().getRouteStatus("door@2").isStarted())
                .isTrue();
    }

    @Test
    void rollingBackIsANewVersionOfTheOldText() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));
        hub.start();
        hub.flows.put("order-queue.camel.yaml", FlowHub.greeting(FLOW, "two"), "ops");

        FlowVersion rolledBack = hub.flows.rollback("order-queue.camel.yaml", null, "ops");

        assertThat(rolledBack.version()).isEqualTo(3);
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one served");
        assertThat(Files.readString(hub.file(FLOW))).isEqualTo(FlowHub.greeting(FLOW, "one"));
    }

    @Test
    void editOfKameletCreatesNewVersionsAndOldVersionsKeepOldKamelet() throws Exception {
        hub.writeKamelet("greet", FlowHub.greet("one"));
        hub.write(FLOW, FlowHub.naming(FLOW));
        hub.write("order-extra", FlowHub.naming("order-extra"));
        hub.write("plain", FlowHub.greeting("plain", "plain"));
        hub.start();
        hub.carried.add(new OrdersCarried.Carried(FLOW, 1, 1));

        hub.writeKamelet("greet", FlowHub.greet("two"));

        await().untilAsserted(() -> assertThat(hub.send("direct:order-queue") + hub.send("direct:order-extra"))
                .isEqualTo("hello twohello two"));
        assertThat(hub.version("plain")).isEqualTo(1);
        assertThat(hub.send(hub.flows.endpoint(FLOW, 1))).isEqualTo("hello one");
        FlowVersion one = hub.flows.version(FILE, 1).join().orElseThrow();
        FlowVersion two = hub.flows.version(FILE, 2).join().orElseThrow();
        assertThat(one.hash()).isNotEqualTo(two.hash());
        assertThat(FlowDiff.between(one, two)).isEqualTo("""
                --- kamelets/greet.kamelet.yaml	version 1
                +++ kamelets/greet.kamelet.yaml	version 2
                @@ -10,4 +10,4 @@
                       uri: kamelet:source
                       steps:
                         - setBody:
                -            simple: "${body} one"
                +            simple: "${body} two"
                """);

        hub.restart();

        assertThat(hub.version(FLOW)).isEqualTo(2);
        assertThat(hub.send(hub.flows.endpoint(FLOW, 1))).isEqualTo("hello one");
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello two");
    }

    @Test
    void invalidEditOfKameletIsRefusedWithLineAndChangesNothing() throws Exception {
        hub.writeKamelet("greet", FlowHub.greet("one"));
        hub.write(FLOW, FlowHub.naming(FLOW));
        hub.start();

        hub.writeKamelet("greet", FlowHub.greet("two").replace("setBody", "setBdy"));

        await().until(() -> hub.state(FLOW).refused() != null);
        assertThat(hub.state(FLOW).refused().errors())
                .containsExactly(
                        new Fault("greet.kamelet.yaml", 12, 11, "unknown step 'setBdy', did you mean 'setBody'?"));
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one");

        hub.restart();

        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one");
        assertThat(hub.state(FLOW).refused()).isNotNull();

        hub.writeKamelet("greet", "spec: [");
        await().until(() -> hub.state(FLOW).refused().errors().get(0).message().startsWith("not YAML"));
        assertThat(hub.state(FLOW).refused().errors().get(0).file()).isEqualTo("greet.kamelet.yaml");

        hub.writeKamelet("greet", FlowHub.greet("two"));
        await().until(() -> hub.send("direct:order-queue").equals("hello two")
                && hub.state(FLOW).refused() == null);
    }

    @Test
    void rollbackRestoresKameletOfVersionForThisFlowOnly() throws Exception {
        hub.writeKamelet("greet", FlowHub.greet("one"));
        hub.write(FLOW, FlowHub.naming(FLOW));
        hub.write("order-extra", FlowHub.naming("order-extra"));
        hub.start();
        hub.writeKamelet("greet", FlowHub.greet("two"));
        await().until(() -> hub.version(FLOW) == 2 && hub.version("order-extra") == 2);

        assertThat(hub.flows.rollback(FILE, null, "ops").version()).isEqualTo(3);

        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one");
        assertThat(hub.send("direct:order-extra")).isEqualTo("hello two");
        assertThat(hub.kamelet("greet")).hasContent(FlowHub.greet("two").strip());
        hub.restart();
        assertThat(hub.version(FLOW)).isEqualTo(3);
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one");

        hub.writeKamelet("greet", FlowHub.greet("three"));

        await().until(() -> hub.send("direct:order-queue").equals("hello three"));
    }

    @Test
    void deletedKameletStaysInExistingVersions() throws Exception {
        hub.writeKamelet("greet", FlowHub.greet("one"));
        hub.write(FLOW, FlowHub.naming(FLOW));
        hub.start();

        Files.delete(hub.kamelet("greet"));

        await().until(() -> hub.state(FLOW).refused() != null);
        assertThat(hub.state(FLOW).refused().errors())
                .containsExactly(new Fault(FILE, 6, 15, "there is no Kamelet 'greet'"));
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one");
        hub.restart();
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one");
        hub.flows.put(FILE, FlowHub.greeting(FLOW, "two"), "ops");
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello two served");

        hub.flows.rollback(FILE, null, "ops");

        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one");
    }

    @Test
    void mutuallyDependentFilesMayBeSavedInAnyOrder() throws Exception {
        hub.write("a", FlowHub.greeting("a", "one").replace("direct:service", "direct:z"));
        hub.write("z", FlowHub.greeting("z", "last"));

        hub.start();

        assertThat(hub.send("direct:a")).isEqualTo("hello one last served");
        hub.write(FLOW, FlowHub.naming(FLOW));
        hub.write("b", FlowHub.naming("b").replace("kamelet:greet", "direct:order-queue"));
        await().until(() -> hub.flows.states().join().stream()
                        .filter(state -> state.refused() != null)
                        .count()
                == 2);
        hub.writeKamelet("greet", FlowHub.greet("two"));
        await().until(() -> hub.flows.newest("b").isPresent());
        assertThat(hub.send("direct:b")).isEqualTo("hello two");
    }

    @Test
    void newFilesThatCallEachOtherAreAcceptedTogether() throws Exception {
        hub.start();
        hub.write("a", FlowHub.greeting("a", "one").replace("direct:service", "direct:greet-b"));
        hub.write("b", FlowHub.greeting("b", "two") + """
                - route:
                    from:
                      uri: direct:back
                      steps:
                        - to: direct:a
                """);
        hub.write("c", FlowHub.greeting("c", "three").replace("direct:service", "direct:nowhere"));
        hub.write("d", FlowHub.greeting("d", "four").replace("direct:service", "direct:greet-c"));

        await().until(() -> hub.flows.newest("b").isPresent());
        assertThat(hub.send("direct:back")).isEqualTo("hello one two served");
        assertThat(hub.flows.newest("c")).isEmpty();
        assertThat(hub.flows.newest("d")).isEmpty();
        hub.write("c", FlowHub.greeting("c", "three"));
        await().until(() -> hub.flows.newest("d").isPresent());
        assertThat(hub.send("direct:d")).isEqualTo("hello four three served");
        hub.restart();
        assertThat(hub.send("direct:back")).isEqualTo("hello one two served");
        assertThat(hub.version("a")).isEqualTo(1);
    }

    @Test
    void mutuallyDependentFilesStartTogetherOrNotAtAll() throws Exception {
        hub.write("a", FlowHub.greeting("a", "one").replace("direct:service", "direct:b"));
        hub.write("b", FlowHub.greeting("b", "two").replace("direct:service", "direct:c"));
        hub.write(
                "c",
                FlowHub.greeting("c", "three")
                        + """
                - route:
                    from:
                      uri: file:FOLDER
                      parameters:
                        directoryMustExist: true
                        autoCreate: false
                        startingDirectoryMustExist: true
                      steps:
                        - to: direct:a
                """.replace("FOLDER", folder.resolve("missing").toString()));

        hub.start();

        assertThat(hub.flows.newest("a")).isEmpty();
        assertThat(hub.flows.newest("b")).isEmpty();
        assertThat(hub.flows.newest("c")).isEmpty();
        assertThat(hub.state("a").refused()).isNotNull();
        Files.createDirectory(folder.resolve("missing"));
        hub.restart();
        assertThat(hub.send("direct:a")).isEqualTo("hello one two three served");
    }

    @Test
    void renamedFileContinuesUnderNewName() throws Exception {
        hub.write("old", FlowHub.greeting("greeting", "one"));
        hub.start();
        hub.carried.add(new OrdersCarried.Carried("old", 1, 1));

        Files.move(hub.file("old"), hub.file("new"));

        await().until(() -> hub.flows.running("new.camel.yaml").isPresent());
        assertThat(hub.send("direct:greeting")).isEqualTo("hello one served");
        assertThat(hub.flows.running("old.camel.yaml")).isEmpty();
        hub.restart();
        assertThat(hub.send("direct:greeting@old.1")).isEqualTo("hello one served");
        assertThat(hub.send("direct:greeting@new.1")).isEqualTo("hello one served");
    }

    @Test
    void aFileThatCannotBeReadDoesNotHideTheOthers() throws Exception {
        Path link = hub.file("loop");
        hub.start();

        Files.createSymbolicLink(link, link);
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));

        await().until(() -> hub.flows.newest(FLOW).isPresent());
        await().ignoreException(NoSuchElementException.class)
                .untilAsserted(() -> assertThat(
                                hub.state("loop").refused().errors().get(0).message())
                        .startsWith("cannot be read"));
    }

    @Test
    void missingFolderDoesNotDeleteFlows() throws Exception {
        hub.write(FLOW, FlowHub.greeting(FLOW, "one"));
        hub.write("other", FlowHub.greeting("other", "one"));
        hub.start();
        Path routes = hub.file(FLOW).getParent();
        Path away = routes.resolveSibling("away");

        Files.move(routes, away);

        await().during(Duration.ofSeconds(1)).until(() -> hub.flows.newest(FLOW).isPresent());
        assertThatExceptionOfType(UncheckedIOException.class)
                .isThrownBy(() -> hub.flows.put(FILE, FlowHub.greeting(FLOW, "two"), "ops"))
                .withMessageContaining("cannot be written");
        assertThat(hub.send("direct:order-queue")).isEqualTo("hello one served");
        Files.delete(away.resolve("other.camel.yaml"));
        Files.move(away, routes);
        await().until(() -> hub.flows.newest("other").isEmpty());
        assertThat(hub.version(FLOW)).isEqualTo(1);
    }

    @Test
    void writeThroughLinkReplacesTarget() throws Exception {
        Path elsewhere = Files.writeString(
                Files.createDirectory(folder.resolve("elsewhere")).resolve("flow.yaml"), FlowHub.greeting(FLOW, "one"));
        Files.createSymbolicLink(hub.file(FLOW), elsewhere);
        hub.start();

        hub.flows.put(FILE, FlowHub.greeting(FLOW, "two"), "ops");

        assertThat(Files.isSymbolicLink(hub.file(FLOW))).isTrue();
        assertThat(elsewhere).content().contains("two");
        assertThat(folder.resolve("elsewhere")).isDirectoryNotContaining("glob:**/.*");
    }

    @Test
    void diffOfManyShortLinesFitsInMemory() throws Exception {
        String line = "# abc\n";
        FlowVersion older = FlowVersion.candidate(FILE, "same\n" + line.repeat(100_000) + "same\n", Map.of());
        FlowVersion newer = FlowVersion.candidate(FILE, "same\n" + "# def\n".repeat(100_000) + "same\n", Map.of());

        assertThat(FlowDiff.between(older, newer))
                .startsWith("--- " + FILE + "\tversion 0\n+++ " + FILE
                        + "\tversion 0\n@@ -1,100002 +1,100002 @@\n same\n-# abc\n")
                .endsWith("+# def\n same\n");
    }
}
