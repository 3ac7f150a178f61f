package io.caravanserai.crash;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/**
 * Customers that post orders with every outcome, each in sequence. When the hub dies during a post, the customer
 * repeats the post until an answer arrives.
 */
public final class Customers implements AutoCloseable {
    private static final List<Function<String, String[]>> HEADERS = List.of(
            id -> new String[0],
            id -> new String[] {"Prefer", "respond-async"},
            id -> new String[] {"Idempotency-Key", id},
            id -> new String[] {"Idempotency-Key", id, "Prefer", "wait=1"});

    private final Rest rest;
    private final String path;
    private final String run;
    private final long seed;
    private final Map<String, TestOrder> posted = new ConcurrentHashMap<>();
    private final Set<String> answered = ConcurrentHashMap.newKeySet();
    private final AtomicReference<String> surprise = new AtomicReference<>();
    private final AtomicInteger count = new AtomicInteger();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private volatile boolean isOpen = true;

    /**
     * @param path the path to post to, for example {@code /orders?style=queue}
     * @param seed of the random choices
     */
    public Customers(Rest rest, String path, long seed) {
        this.rest = rest;
        this.path = path;
        this.seed = seed;
        this.run = Long.toString(seed, 36).replace("-", "m");
    }

    /** Sets the stock for the orders. */
    public void stock() throws IOException {
        rest.put("/stock/" + TestOrder.PLENTY, "{\"onHand\": 1000000}");
        rest.put("/stock/" + TestOrder.SCARCE, "{\"onHand\": 20}");
    }

    public Customers start(int customers) {
        for (int i = 0; i < customers; i++) {
            Random choice = new Random(seed * 31 + i);
            threads.execute(() -> buy(choice));
        }
        return this;
    }

    private void buy(Random choice) {
        while (isOpen && surprise.get() == null) {
            TestOrder order = TestOrder.any("o-" + run + "-" + count.incrementAndGet(), choice);
            posted.put(order.id(), order);
            String[] headers = HEADERS.get(choice.nextInt(HEADERS.size())).apply(order.id());
            boolean cancels = choice.nextInt(10) == 0;
            while (isOpen && !isAnswered(order, headers)) {
                pause();
            }
            if (cancels) {
                cancel(order);
            }
        }
    }

    private boolean isAnswered(TestOrder order, String[] headers) {
        try {
            Rest.Answer answer = rest.post(path, order.json(), headers);
            if (Set.of(200, 201, 202).contains(answer.status())
                    || answer.status() == 409 && answer.body().has("orderStatus")) {
                answered.add(order.id());
                return true;
            }
            // 503: the hub stops. 404: the hub starts. 409: the first request with the key is in flight.
            if (!Set.of(404, 409, 503).contains(answer.status())) {
                surprise.compareAndSet(null, order.json() + " was answered " + answer);
            }
            return false;
        } catch (IOException e) {
            // The hub is dead or dying.
            return false;
        }
    }

    private void cancel(TestOrder order) {
        try {
            rest.post("/orders/" + order.id() + "/cancel", "");
        } catch (IOException e) {
            // A customer without an answer stops.
        }
    }

    private void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(50);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Posted orders, with or without an answer. */
    public Map<String, TestOrder> posted() {
        return Map.copyOf(posted);
    }

    /** Ids of orders that the hub has acknowledged. */
    public List<String> answered() {
        return new ArrayList<>(answered);
    }

    /** Waits until more orders have been answered. */
    public void awaitMore(int orders) {
        int before = answered.size();
        await().atMost(Duration.ofMinutes(5)).until(() -> {
            if (surprise.get() != null) {
                throw new AssertionError(surprise.get());
            }
            return answered.size() >= before + orders;
        });
    }

    /** Stops the customers when no hub will answer any more. */
    public void leave() {
        isOpen = false;
        threads.shutdownNow();
    }

    /** Stops the customers; the hub should run, so that the last posts are answered. */
    @Override
    public void close() {
        isOpen = false;
        threads.shutdown();
        try {
            if (!threads.awaitTermination(4, TimeUnit.MINUTES)) {
                throw new AssertionError("customers still wait for answers");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (surprise.get() != null) {
            throw new AssertionError(surprise.get());
        }
    }
}
