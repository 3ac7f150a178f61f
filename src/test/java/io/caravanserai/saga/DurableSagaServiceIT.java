package io.caravanserai.saga;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.caravanserai.store.SqliteStore;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.SagaCompletionMode;
import org.apache.camel.model.SagaPropagation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The saga service under plain Camel routes with the Saga EIP. */
class DurableSagaServiceIT {
    @TempDir
    Path folder;

    private final List<String> happened = new CopyOnWriteArrayList<>();
    private final AtomicBoolean lastStepFails = new AtomicBoolean();
    private final AtomicInteger failuresOfUndoB = new AtomicInteger();
    private final AtomicBoolean mayCompensate = new AtomicBoolean(true);
    private final AtomicBoolean mayComplete = new AtomicBoolean(true);
    private final AtomicBoolean undoBHangs = new AtomicBoolean();
    private final CountDownLatch released = new CountDownLatch(1);
    private final List<String> compensated = new CopyOnWriteArrayList<>();
    private final List<OperatorAct> acts = new CopyOnWriteArrayList<>();
    private Store store;
    private CamelContext context;
    private DurableSagaService sagas;
    private ProducerTemplate template;

    @BeforeEach
    void start() throws Exception {
        store = SqliteStore.open(folder);
        startCamel();
    }

    private void startCamel() throws Exception {
        context = new DefaultCamelContext();
        sagas = new DurableSagaService(
                store,
                Clock.systemUTC(),
                () -> UUID.randomUUID().toString(),
                Duration.ofSeconds(30),
                new Backoff(3, Duration.ofMillis(10)),
                new Listener());
        sagas.setCamelContext(context);
        context.getRegistry().bind("sagas", sagas);
        context.addRoutes(new Routes());
        context.start();
        template = context.createProducerTemplate();
    }

    @AfterEach
    void stop() throws Exception {
        context.stop();
        sagas.close();
        released.countDown();
        store.close();
    }

    @Test
    void aSagaIsCompletedInTheLogBeforeTheCallerGetsTheAnswer() {
        Exchange answer = run("direct:flow", "1");

        assertThat(answer.getException()).isNull();
        assertThat(status("1")).isEqualTo(SagaStatus.COMPLETED);
        assertThat(happened).containsExactly("do A 1", "do B 1", "do C 1");
    }

    @Test
    void aFailedSagaIsCompensatedInReverseBeforeTheCallerGetsTheAnswer() {
        lastStepFails.set(true);

        Exchange answer = run("direct:flow", "1");

        assertThat(answer.getException()).hasMessage("C fails");
        assertThat(status("1")).isEqualTo(SagaStatus.COMPENSATED);
        assertThat(happened).containsExactly("do A 1", "do B 1", "undo B 1", "undo A 1");
    }

    @Test
    void compensationHasEmptyBodyAndOptionsAsHeaders() {
        lastStepFails.set(true);

        run("direct:flow", "7");

        assertThat(happened).contains("undo B 7");
    }

    @Test
    void optionsAreStoredPerJoinAlsoInSplit() {
        lastStepFails.set(true);

        run("direct:split", "x");

        assertThat(happened).containsSubsequence("undo item 3", "undo item 2", "undo item 1");
    }

    @Test
    void aCompensationIsRetriedUntilItSucceeds() {
        lastStepFails.set(true);
        failuresOfUndoB.set(2);

        run("direct:flow", "1");

        assertThat(status("1")).isEqualTo(SagaStatus.COMPENSATED);
        assertThat(happened)
                .containsExactly("do A 1", "do B 1", "undo B fails", "undo B fails", "undo B 1", "undo A 1");
        assertThat(compensated).hasSize(2);
        assertThat(compensated.get(0)).endsWith(" 3");
        assertThat(compensated.get(1)).endsWith(" 1");
    }

    @Test
    void sagaIsStuckAfterLastAttemptUntilOperatorActs() {
        lastStepFails.set(true);
        failuresOfUndoB.set(3);
        run("direct:flow", "1");
        assertThat(status("1")).isEqualTo(SagaStatus.STUCK);
        assertThat(happened).doesNotContain("undo A 1");

        OperatorAct act = new OperatorAct(OperatorAct.Kind.RETRY, "ada", "the bank is back");
        sagas.retry("1", act).join();

        await().untilAsserted(() -> assertThat(status("1")).isEqualTo(SagaStatus.COMPENSATED));
        assertThat(happened).endsWith("undo B 1", "undo A 1");
        assertThat(acts).containsExactly(act);
        assertThat(act.detail()).isEqualTo("by ada: the bank is back");
    }

    @Test
    void aStuckSagaCanBeResolvedByHand() {
        lastStepFails.set(true);
        failuresOfUndoB.set(3);
        run("direct:flow", "1");

        sagas.resolve("1", new OperatorAct(OperatorAct.Kind.RESOLVE, null, "refunded at the bank"))
                .join();

        SagaRecord saga = find("1");
        assertThat(saga.state().status()).isEqualTo(SagaStatus.COMPENSATED);
        assertThat(saga.state().why().orElseThrow().detail()).contains("refunded at the bank");
        assertThat(happened).doesNotContain("undo A 1");
    }

    @Test
    void runningSagaInLogIsResumedAndStepsJoinOnce() throws Exception {
        CompletableFuture<Exchange> first = runLater("direct:slow", "1");
        await().untilAsserted(() -> assertThat(happened).contains("do slow 1"));
        assertThat(status("1")).isEqualTo(SagaStatus.RUNNING);
        restart();
        first.cancel(true);

        run("direct:flow-of-slow", "1");

        assertThat(status("1")).isEqualTo(SagaStatus.COMPLETED);
        assertThat(store.read(tx -> sagas.log().steps(tx, "1")).get(60, SECONDS))
                .hasSize(1);
    }

    @Test
    void aCompensationInterruptedByACrashIsResumed() throws Exception {
        lastStepFails.set(true);
        undoBHangs.set(true);
        runLater("direct:flow", "1");
        await().untilAsserted(() -> assertThat(happened).contains("undo B begins"));
        restart();
        assertThat(status("1")).isEqualTo(SagaStatus.COMPENSATING);
        undoBHangs.set(false);

        sagas.runOnce().join();

        await().untilAsserted(() -> assertThat(status("1")).isEqualTo(SagaStatus.COMPENSATED));
        assertThat(happened).endsWith("undo B 1", "undo A 1");
    }

    @Test
    void aSagaPastItsDeadlineIsCompensatedAndLateStepsAreRefused() throws Exception {
        CompletableFuture<Exchange> flow = runLater("direct:timeout", "1");
        await().untilAsserted(() -> assertThat(happened).contains("do slow 1"));

        await().untilAsserted(() -> {
            sagas.runOnce().join();
            assertThat(status("1")).isEqualTo(SagaStatus.COMPENSATED);
        });

        assertThat(find("1").state().why().orElseThrow().kind()).isEqualTo(Cause.Kind.TIMED_OUT);
        assertThat(happened).contains("undo slow 1");
        released.countDown();
        assertThat(flow.get(60, SECONDS).getException()).isInstanceOf(SagaNotRunningException.class);
    }

    @Test
    void aSagaPastThePointOfNoReturnIsCompletedNotCompensated() throws Exception {
        mayCompensate.set(false);
        lastStepFails.set(true);

        run("direct:flow", "1");

        assertThat(status("1")).isEqualTo(SagaStatus.COMPLETED);
        assertThat(happened).containsExactly("do A 1", "do B 1");
    }

    @Test
    void aSagaWithUnfinishedWorkIsCompensatedNotCompleted() {
        mayComplete.set(false);

        Exchange answer = run("direct:flow", "1");

        assertThat(answer.getException()).isInstanceOf(SagaNotRunningException.class);
        assertThat(status("1")).isEqualTo(SagaStatus.COMPENSATED);
        assertThat(happened).endsWith("undo B 1", "undo A 1");
    }

    @Test
    void completionsAreCalledAndRecordedAsDone() {
        run("direct:completing", "1");

        await().untilAsserted(() -> {
            assertThat(happened).contains("told 1");
            assertThat(store.read(tx -> sagas.log().steps(tx, "1")).join())
                    .extracting(SagaStep::status)
                    .containsOnly(SagaStep.Status.COMPLETED);
        });
    }

    @Test
    void stoppingARouteWithASagaDoesNotAffectOtherRoutes() throws Exception {
        context.getRouteController().stopRoute("other");

        run("direct:flow", "1");

        assertThat(status("1")).isEqualTo(SagaStatus.COMPLETED);
    }

    @Test
    void finishedSagasLeaveNoMemoryBehind() {
        for (int i = 0; i < 50; i++) {
            lastStepFails.set(i % 2 == 0);
            run("direct:flow", "saga-" + i);
        }

        assertThat(sagas.active()).isZero();
    }

    @Test
    void manualCompletionIsLeftToTheSagaEndpoints() {
        run("direct:manual", "1");
        assertThat(status("1")).isEqualTo(SagaStatus.RUNNING);

        template.sendBodyAndHeader("saga:compensate", null, Exchange.SAGA_LONG_RUNNING_ACTION, "1");

        assertThat(status("1")).isEqualTo(SagaStatus.COMPENSATED);
        assertThat(happened).endsWith("undo A 1");
    }

    @Test
    void aStepOfAnUnknownSagaIsRefused() {
        Exchange answer = template.send(
                "direct:a", exchange -> exchange.getMessage().setHeader(Exchange.SAGA_LONG_RUNNING_ACTION, "nobody"));

        assertThat(answer.getException()).hasMessageContaining("not part of a saga");
        assertThatThrownBy(() -> find("nobody")).isInstanceOf(java.util.NoSuchElementException.class);
    }

    private Exchange run(String uri, String id) {
        return template.send(uri, exchange -> headers(exchange, id));
    }

    private CompletableFuture<Exchange> runLater(String uri, String id) {
        return template.asyncSend(uri, exchange -> headers(exchange, id));
    }

    private static void headers(Exchange exchange, String id) {
        exchange.getMessage().setHeader(DurableSagaService.SAGA_ID, id);
        exchange.getMessage().setHeader("id", id);
        exchange.getMessage().setBody("1,2,3");
    }

    /** Simulates a crash: the log stays, all memory is lost. */
    private void restart() throws Exception {
        sagas.close();
        CamelContext old = context;
        startCamel();
        old.getShutdownStrategy().setTimeout(1);
        Thread stopping = new Thread(old::stop);
        stopping.setDaemon(true);
        stopping.start();
    }

    private SagaStatus status(String sagaId) {
        return find(sagaId).state().status();
    }

    private SagaRecord find(String sagaId) {
        return store.read(tx -> sagas.log().find(tx, sagaId)).join().orElseThrow();
    }

    private final class Listener implements SagaListener {
        @Override
        public boolean mayCompensate(Transaction tx, String sagaId, Cause cause) {
            return mayCompensate.get();
        }

        @Override
        public boolean mayComplete(Transaction tx, String sagaId) {
            return mayComplete.get();
        }

        @Override
        public void ended(Transaction tx, String sagaId, SagaStatus status) {}

        @Override
        public void compensated(Transaction tx, String sagaId, CompensationAttempt attempt) {
            compensated.add(attempt.compensation() + " " + attempt.number());
        }

        @Override
        public void compensationFailed(
                Transaction tx, String sagaId, CompensationAttempt attempt, String error, Instant next) {}

        @Override
        public Optional<String> subject(Transaction tx, String sagaId) {
            return Optional.empty();
        }

        @Override
        public void acted(Transaction tx, String sagaId, OperatorAct act) {
            acts.add(act);
        }
    }

    private final class Routes extends RouteBuilder {
        @Override
        public void configure() {
            errorHandler(noErrorHandler());
            saga("direct:flow").to("direct:a", "direct:b", "direct:c");
            saga("direct:other", "other").to("direct:a");
            saga("direct:split")
                    .split(body().tokenize(","))
                    .stopOnException()
                    .to("direct:item")
                    .end()
                    .to("direct:c");
            saga("direct:slow").to("direct:slow-step");
            saga("direct:flow-of-slow").to("direct:slow-step-again");
            saga("direct:completing").to("direct:telling");
            from("direct:timeout")
                    .saga()
                    .propagation(SagaPropagation.REQUIRES_NEW)
                    .timeout(Duration.ofMillis(300))
                    .to("direct:slow-step", "direct:a");
            from("direct:manual")
                    .saga()
                    .propagation(SagaPropagation.REQUIRES_NEW)
                    .completionMode(SagaCompletionMode.MANUAL)
                    .to("direct:a");

            step("direct:a", "direct:undo-a").process(exchange -> record("do A", exchange));
            step("direct:b", "direct:undo-b").process(exchange -> record("do B", exchange));
            from("direct:c").process(exchange -> {
                if (lastStepFails.get()) {
                    throw new IllegalStateException("C fails");
                }
                record("do C", exchange);
            });
            from("direct:item")
                    .saga()
                    .propagation(SagaPropagation.MANDATORY)
                    .compensation("direct:undo-item")
                    .option("item", body())
                    .process(exchange -> happened.add("do item"));
            step("direct:slow-step", "direct:undo-slow")
                    .process(exchange -> record("do slow", exchange))
                    .process(exchange -> released.await());
            step("direct:slow-step-again", "direct:undo-slow").process(exchange -> record("do slow again", exchange));
            from("direct:telling")
                    .saga()
                    .propagation(SagaPropagation.MANDATORY)
                    .completion("direct:told")
                    .option("id", header("id"))
                    .process(exchange -> record("do telling", exchange));

            from("direct:undo-a").process(exchange -> undone("undo A", exchange));
            from("direct:undo-b").process(exchange -> {
                if (undoBHangs.get()) {
                    happened.add("undo B begins");
                    released.await();
                    throw new IllegalStateException("of a process that died");
                }
                if (failuresOfUndoB.getAndDecrement() > 0) {
                    happened.add("undo B fails");
                    throw new IllegalStateException("undo B fails");
                }
                undone("undo B", exchange);
            });
            from("direct:undo-slow").process(exchange -> undone("undo slow", exchange));
            from("direct:undo-item")
                    .process(exchange ->
                            happened.add("undo item " + exchange.getMessage().getHeader("item")));
            from("direct:told").process(exchange -> record("told", exchange));
        }

        private org.apache.camel.model.SagaDefinition saga(String uri) {
            return saga(uri, uri.replace("direct:", ""));
        }

        private org.apache.camel.model.SagaDefinition saga(String uri, String id) {
            return from(uri).routeId(id).saga().propagation(SagaPropagation.REQUIRES_NEW);
        }

        private org.apache.camel.model.SagaDefinition step(String uri, String compensation) {
            return from(uri)
                    .saga()
                    .propagation(SagaPropagation.MANDATORY)
                    .compensation(compensation)
                    .option("id", header("id"));
        }

        private void record(String what, Exchange exchange) {
            happened.add(what + " " + exchange.getMessage().getHeader("id"));
        }

        private void undone(String what, Exchange exchange) {
            assertThat(exchange.getMessage().getBody()).isNull();
            record(what, exchange);
        }
    }
}
