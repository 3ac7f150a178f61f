package io.caravanserai.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.event.EventType;
import io.caravanserai.flow.Flows;
import io.caravanserai.flow.dryrun.DryRun;
import io.caravanserai.flow.dryrun.Trace;
import io.caravanserai.flow.yaml.FlowRefusedException;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Problem;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.order.OrderJson;
import io.caravanserai.order.OrderStyle;
import io.caravanserai.order.Reason;
import io.caravanserai.order.Step;
import io.caravanserai.service.OrderClosedException;
import io.caravanserai.service.OrderLookup;
import io.caravanserai.service.StepRefusedException;
import io.caravanserai.service.order.HistoryEntry;
import io.caravanserai.service.order.OrderFilter;
import io.caravanserai.service.order.OrderHistory;
import io.caravanserai.service.order.OrderView;
import io.caravanserai.service.order.Orders;
import io.caravanserai.store.Store;
import io.caravanserai.store.Transaction;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** {@code POST /flows/{file}/try}: runs past orders through a flow text without effects and reports the differences. */
public final class FlowTryEndpoint implements HttpEndpoints, DryRun, AutoCloseable {
    private final Flows flows;
    private final Store store;
    private final Orders orders;
    private final OrderHistory history;
    /** One dry run at a time: a dry run is heavy on the processor, and live orders have priority. */
    private final ExecutorService executor = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(work, "flow-try");
        thread.setDaemon(true);
        return thread;
    });

    public FlowTryEndpoint(Flows flows, Store store, Orders orders, OrderHistory history) {
        this.flows = flows;
        this.store = store;
        this.orders = orders;
        this.history = history;
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.post("/flows/{file}/try", Permission.OPERATE, this::attempt)
                .consuming(FlowEndpoints.YAML)
                .query("limit", "orderIds");
    }

    /** {@code ?limit=N} selects the last N orders of the flow, {@code ?orderIds=a,b} the named orders. */
    private CompletionStage<Response> attempt(Request request) {
        String file = FlowEndpoints.file(request);
        String text = FlowEndpoints.yaml(request);
        int limit = request.limit();
        List<String> ids =
                request.query("orderIds").map(list -> List.of(list.split(","))).orElse(List.of());
        return store.read(tx -> ids.isEmpty() ? last(tx, FlowVersion.flowOf(file), limit) : given(tx, ids))
                .thenApplyAsync(samples -> report(file, text, samples), executor);
    }

    private Response report(String file, String text, List<Sample> samples) {
        try {
            return Response.json(200, json(file, flows.dryRun(file, text, samples, this)));
        } catch (FlowRefusedException e) {
            throw FlowEndpoints.refused(e.faults());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CompletionException(e);
        }
    }

    private List<Sample> last(Transaction tx, String flow, int limit) throws SQLException {
        Optional<OrderStyle> style = OrderStyle.ofFlow(flow);
        if (style.isEmpty()) {
            // No order enters a flow with a name that is no style.
            return List.of();
        }
        List<Sample> samples = new ArrayList<>();
        for (OrderView order : orders.list(tx, new OrderFilter(null, style.get(), null, null, limit))) {
            sample(tx, order.orderId()).ifPresent(samples::add);
        }
        return samples;
    }

    private List<Sample> given(Transaction tx, List<String> ids) throws SQLException {
        List<Sample> samples = new ArrayList<>();
        for (String id : ids) {
            samples.add(sample(tx, id)
                    .orElseThrow(
                            () -> Problem.of(404, "there is no order " + id).asException()));
        }
        return samples;
    }

    private Optional<Sample> sample(Transaction tx, String orderId) throws SQLException {
        Optional<OrderLookup.Known> known = orders.find(tx, orderId);
        if (known.isEmpty()) {
            return Optional.empty();
        }
        Map<String, String> refusals = new HashMap<>();
        for (HistoryEntry entry : history.of(tx, orderId)) {
            if (entry.kind().equals("step") && entry.outcome().equals("failed") && entry.detail() != null) {
                refusals.put(entry.name(), entry.detail());
            }
        }
        return Optional.of(new Sample(orderId, OrderJson.write(known.get().order()), refusals));
    }

    @Override
    public RuntimeException refusal(String reason) {
        return new StepRefusedException(Reason.ofWire(reason));
    }

    @Override
    public RuntimeException closed(String orderId, String endpoint) {
        return new OrderClosedException(orderId, endpoint);
    }

    @Override
    public Optional<String> event(String endpoint, boolean refused) {
        EventType.Kind kind = refused ? EventType.Kind.FAILURE : EventType.Kind.PROGRESS;
        return Arrays.stream(Step.values())
                .flatMap(step -> endpoint.equals(step.action())
                        ? typeOf(step, kind).stream()
                        : step.compensation().filter(endpoint::equals).isPresent()
                                ? typeOf(step, EventType.Kind.COMPENSATION).stream()
                                : java.util.stream.Stream.empty())
                .findFirst();
    }

    private static Optional<String> typeOf(Step step, EventType.Kind kind) {
        return Arrays.stream(EventType.values())
                .filter(type ->
                        type.kind() == kind && type.step().filter(step::equals).isPresent())
                .map(Enum::name)
                .findFirst();
    }

    private static ObjectNode json(String file, Report report) {
        List<Comparison> changed =
                report.orders().stream().filter(order -> !order.isSame()).toList();
        ObjectNode json = OrderJson.MAPPER
                .createObjectNode()
                .put("file", file)
                .put("orders", report.orders().size())
                .put("changed", changed.size());
        ArrayNode items = json.putArray("items");
        for (Comparison order : changed) {
            ObjectNode item = items.addObject().put("orderId", order.orderId());
            if (order.before() != null) {
                item.set("before", json(order.before()));
            }
            item.set("after", json(order.after()));
        }
        return json;
    }

    private static ObjectNode json(Trace trace) {
        ObjectNode json = OrderJson.MAPPER.createObjectNode().put("status", trace.status());
        trace.steps().forEach(json.putArray("steps")::add);
        return json;
    }

    /** Drops the dry runs that wait. */
    @Override
    public void close() {
        executor.shutdownNow();
    }
}
