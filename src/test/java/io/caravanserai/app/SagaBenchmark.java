package io.caravanserai.app;

import com.sun.management.OperatingSystemMXBean;
import io.caravanserai.flow.FlowEntry;
import io.caravanserai.order.Currency;
import io.caravanserai.order.Order;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.Style;
import io.caravanserai.store.SqliteStore;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;
import org.apache.camel.CamelContext;
import org.apache.camel.ExchangePattern;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.SagaPropagation;
import org.apache.camel.saga.InMemorySagaService;
import org.apache.camel.support.DefaultExchange;

/**
 * Measures sagas per second of the request-reply flow without HTTP, all durable, and in the same run Camel's in-memory
 * saga service with four empty steps and the same number of sagas. The in-memory service keeps data of each failed saga
 * and slows down, so its figures fall from line to line. Arguments: sagas per round (default 20000), rounds (default
 * 3).
 */
public final class SagaBenchmark {
    private static final int[] IN_FLIGHT = {16, 64, 256};
    private static final int WARM_UP_IN_FLIGHT = 64;
    private static final int MOST_WARM_UPS = 10;

    public static void main(String[] arguments) throws Exception {
        int sagas = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 20_000;
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 3;
        Path folder = Files.createTempDirectory("bench");
        CamelContext context = new DefaultCamelContext();
        CamelContext memory = new DefaultCamelContext();
        try (SqliteStore store = SqliteStore.open(folder)) {
            OrderModule core = new OrderModule(TestSettings.in(folder), store, context, Clock.systemUTC(), event -> {});
            context.addRoutes(core.routes());
            context.addRoutes(new RouteBuilder() {
                @Override
                public void configure() {
                    // Excludes the subscribers from the measurement.
                    List.of("notify-customer", "count-order")
                            .forEach(
                                    name -> from("direct:" + name).routeId(name).stop());
                }
            });
            context.start();
            core.start();
            store.write("stock", "stock", tx -> core.shelf.set(tx, "SADDLE-01", 1_000_000_000L))
                    .join();
            startInMemory(memory);
            System.out.println(
                    "| outcome | in flight | durable sagas/s | CPU s per 1,000 | in memory sagas/s | ratio |");
            System.out.println("| --- | ---: | ---: | ---: | ---: | ---: |");
            for (boolean shipped : new boolean[] {true, false}) {
                warmUp(core, shipped, sagas);
                for (int inFlight : IN_FLIGHT) {
                    report(core, memory, shipped, inFlight, sagas, rounds);
                }
            }
            core.close();
            context.stop();
            memory.stop();
        } finally {
            delete(folder);
        }
    }

    /** Until the compiler is done: a minute or two on two cores, with half of the sagas failing. */
    private static void warmUp(OrderModule core, boolean shipped, int sagas) throws InterruptedException {
        double before = 0;
        double rate = run(WARM_UP_IN_FLIGHT, sagas, i -> travel(core, shipped));
        for (int round = 0; round < MOST_WARM_UPS && rate > 1.03 * before; round++) {
            before = rate;
            rate = run(WARM_UP_IN_FLIGHT, sagas, i -> travel(core, shipped));
        }
    }

    private static void report(
            OrderModule core, CamelContext memory, boolean shipped, int inFlight, int sagas, int rounds)
            throws Exception {
        double[] durable = new double[rounds];
        double[] inMemory = new double[rounds];
        run(inFlight, sagas / 4, i -> inMemory(memory, shipped));
        double[] cpu = new double[rounds];
        for (int round = 0; round < rounds; round++) {
            long before = cpuNanos();
            durable[round] = run(inFlight, sagas, i -> travel(core, shipped));
            cpu[round] = (cpuNanos() - before) / 1e6 / sagas;
            inMemory[round] = run(inFlight, sagas, i -> inMemory(memory, shipped));
        }
        double ours = median(durable);
        double theirs = median(inMemory);
        System.out.printf(
                "| %s | %d | %,.0f | %.2f | %,.0f | %.2f |%n",
                shipped ? "all shipped" : "all refused by shipping",
                inFlight,
                ours,
                median(cpu),
                theirs,
                ours / theirs);
    }

    private static long cpuNanos() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private static double median(double[] figures) {
        double[] sorted = figures.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** Runs sagas with a limit on sagas in flight; returns sagas per second. */
    private static double run(int inFlight, int count, IntFunction<CompletableFuture<?>> saga)
            throws InterruptedException {
        Semaphore free = new Semaphore(inFlight);
        CountDownLatch all = new CountDownLatch(count);
        long began = System.nanoTime();
        for (int i = 0; i < count; i++) {
            free.acquire();
            saga.apply(i).whenComplete((done, failure) -> {
                free.release();
                all.countDown();
            });
        }
        all.await();
        return count * 1e9 / (System.nanoTime() - began);
    }

    private static CompletableFuture<?> travel(OrderModule core, boolean shipped) {
        String orderId = core.ids.get();
        Order order = new Order(
                orderId,
                "C-1",
                List.of(new Order.Item("SADDLE-01", 1, new BigDecimal("50.00"))),
                Currency.getInstance("EUR"),
                "pm_card_visa",
                new Order.Address(null, null, null, null, shipped ? "NL" : "AQ"));
        String sagaId = core.ids.get();
        String flow = Style.REQUEST_REPLY.flow();
        int version = core.flows.newest(flow).orElseThrow().version().version();
        CompletableFuture<Void> ended = core.outcomes.await(orderId);
        return core.store
                .write(
                        "accept",
                        orderId,
                        tx -> core.orders.accept(tx, order, Style.REQUEST_REPLY, version, sagaId, null))
                .thenCompose(accepted -> {
                    core.entry.dispatch(
                            new FlowEntry.Journey(orderId, OrderJson.write(order), flow, version, sagaId, null));
                    return ended;
                });
    }

    private static void startInMemory(CamelContext context) throws Exception {
        context.addService(new InMemorySagaService());
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:saga")
                        .errorHandler(noErrorHandler())
                        .saga()
                        .propagation(SagaPropagation.REQUIRES_NEW)
                        .to("direct:step-1", "direct:step-2", "direct:step-3", "direct:step-4");
                for (int i = 1; i <= 4; i++) {
                    boolean last = i == 4;
                    from("direct:step-" + i)
                            .errorHandler(noErrorHandler())
                            .saga()
                            .propagation(SagaPropagation.MANDATORY)
                            .compensation("direct:undo")
                            .option("orderId", header("orderId"))
                            .process(exchange -> {
                                if (last && exchange.getMessage().getHeader("fail", Boolean.class)) {
                                    exchange.setException(new IllegalStateException("refused"));
                                }
                            });
                }
                from("direct:undo").errorHandler(noErrorHandler()).process(exchange -> {
                    CompletableFuture<?> undone =
                            UNDONE.get(exchange.getMessage().getHeader("orderId", String.class));
                    if (undone != null) {
                        ((Countdown) undone).count();
                    }
                });
            }
        });
        context.start();
    }

    /** Camel's service answers before a saga is compensated, so the compensations are counted. */
    private static final class Countdown extends CompletableFuture<Void> {
        private final AtomicInteger left = new AtomicInteger(4);

        void count() {
            if (left.decrementAndGet() == 0) {
                complete(null);
            }
        }
    }

    private static final Map<String, Countdown> UNDONE = new ConcurrentHashMap<>();
    private static final AtomicLong NEXT = new AtomicLong();

    private static CompletableFuture<?> inMemory(CamelContext context, boolean succeed) {
        String orderId = "o" + NEXT.incrementAndGet();
        DefaultExchange exchange = new DefaultExchange(context, ExchangePattern.InOnly);
        exchange.getMessage().setHeader("orderId", orderId);
        exchange.getMessage().setHeader("fail", !succeed);
        Countdown undone = new Countdown();
        if (!succeed) {
            UNDONE.put(orderId, undone);
        }
        CompletableFuture<?> ended = template(context).asyncSend("direct:saga", exchange);
        return succeed ? ended : undone.whenComplete((done, failure) -> UNDONE.remove(orderId));
    }

    private static ProducerTemplate template;

    private static synchronized ProducerTemplate template(CamelContext context) {
        if (template == null) {
            template = context.createProducerTemplate();
        }
        return template;
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
