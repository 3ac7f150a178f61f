package io.caravanserai.app;

import io.caravanserai.order.Currency;
import io.caravanserai.order.Order;
import io.caravanserai.order.Style;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Measures orders per second of each style, from acceptance until all orders have ended and analytics has counted the
 * events, all durable, without HTTP, on a warm hub; and the duration of a single order. Arguments: orders per style
 * (default 5000), in flight (default 128), rounds (default 3), styles (default all).
 */
public final class StyleBenchmark {
    private static final int MOST_WARM_UPS = 10;

    public static void main(String[] arguments) throws Exception {
        int orders = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5_000;
        int inFlight = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 128;
        int rounds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 3;
        List<Style> styles = arguments.length > 3
                ? Arrays.stream(arguments[3].split(","))
                        .map(name -> Style.ofWire(name).orElseThrow())
                        .toList()
                : List.of(Style.values());
        Path folder = Files.createTempDirectory("styles");
        try (CoreHub hub = CoreHub.start(TestSettings.in(folder))) {
            hub.stock("SADDLE-01", 1_000_000_000L);
            for (Style style : styles) {
                warmUp(hub, style, orders, inFlight);
            }
            System.out.println("| style | orders/s | CPU ms an order | alone, median ms | alone, 99 % ms |");
            System.out.println("| --- | ---: | ---: | ---: | ---: |");
            for (Style style : styles) {
                double[] rates = new double[rounds];
                double[] cpu = new double[rounds];
                for (int round = 0; round < rounds; round++) {
                    long before = cpuNanos();
                    rates[round] = run(hub, style, orders, inFlight);
                    cpu[round] = (cpuNanos() - before) / 1e6 / orders;
                }
                double[] alone = alone(hub, style, 300);
                System.out.printf(
                        "| %s | %,.0f | %.2f | %.1f | %.1f |%n",
                        style.wire(), median(rates), median(cpu), alone[150], alone[297]);
            }
        }
        System.exit(0);
    }

    /** Until the compiler is done: a minute or two on two cores, with half of the orders failing. */
    private static void warmUp(CoreHub hub, Style style, int orders, int inFlight) throws InterruptedException {
        double before = 0;
        double rate = run(hub, style, orders, inFlight);
        System.out.printf("%s, cold: %,.0f orders/s%n", style.wire(), rate);
        for (int round = 0; round < MOST_WARM_UPS && rate > 1.03 * before; round++) {
            before = rate;
            rate = run(hub, style, orders, inFlight);
        }
    }

    private static double run(CoreHub hub, Style style, int orders, int inFlight) throws InterruptedException {
        Semaphore free = new Semaphore(inFlight);
        CountDownLatch all = new CountDownLatch(orders);
        long began = System.nanoTime();
        for (int i = 0; i < orders; i++) {
            free.acquire();
            hub.submit(order(hub), style).whenComplete((done, failure) -> {
                free.release();
                all.countDown();
            });
        }
        all.await();
        awaitCounted(hub);
        return orders * 1e9 / (System.nanoTime() - began);
    }

    /** Waits, so that no style leaves work to the next style. */
    private static void awaitCounted(CoreHub hub) throws InterruptedException {
        while (hub.subscribers.analytics.figures().join().byStatus().getOrDefault("SHIPPED", 0L) < submitted) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static double[] alone(CoreHub hub, Style style, int orders) {
        double[] millis = new double[orders];
        for (int i = 0; i < orders; i++) {
            long began = System.nanoTime();
            hub.submit(order(hub), style).join();
            millis[i] = (System.nanoTime() - began) / 1e6;
        }
        Arrays.sort(millis);
        return millis;
    }

    private static long submitted;

    private static Order order(CoreHub hub) {
        submitted++;
        return new Order(
                hub.core.ids.get(),
                "C-1",
                List.of(new Order.Item("SADDLE-01", 1, new BigDecimal("50.00"))),
                Currency.getInstance("EUR"),
                "pm_card_visa",
                new Order.Address(null, null, null, null, "NL"));
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static double median(double[] figures) {
        double[] sorted = figures.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
