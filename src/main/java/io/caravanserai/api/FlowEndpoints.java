package io.caravanserai.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravanserai.event.CloudEvent;
import io.caravanserai.flow.Flows;
import io.caravanserai.flow.deploy.FlowDiff;
import io.caravanserai.flow.deploy.FlowState;
import io.caravanserai.flow.deploy.UnknownFlowException;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowRefusedException;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.http.HeaderList;
import io.caravanserai.http.HttpEndpoints;
import io.caravanserai.http.HttpRoutes;
import io.caravanserai.http.Permission;
import io.caravanserai.http.Problem;
import io.caravanserai.http.ProblemException;
import io.caravanserai.http.Request;
import io.caravanserai.http.Response;
import io.caravanserai.order.OrderJson;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** REST resource for flows: read, check, change and roll back. */
public final class FlowEndpoints implements HttpEndpoints, AutoCloseable {
    static final String[] YAML = {"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"};

    private final Flows flows;
    /** Checks and swaps block for a while; few run at a time. */
    private final ExecutorService executor = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "flow-edit");
        thread.setDaemon(true);
        return thread;
    });

    public FlowEndpoints(Flows flows) {
        this.flows = flows;
    }

    /** Accepts no further edits. Edits in flight complete. */
    @Override
    public void close() {
        executor.shutdown();
    }

    @Override
    public void register(HttpRoutes routes) {
        routes.get("/flows", Permission.READ, this::list);
        routes.get("/flows/{file}", Permission.READ, this::get);
        routes.put("/flows/{file}", Permission.OPERATE, this::put).consuming(YAML);
        routes.delete("/flows/{file}", Permission.OPERATE, this::delete);
        routes.post("/flows/validate", Permission.OPERATE, this::validate)
                .consuming(YAML)
                .query("file");
        routes.get("/flows/{file}/versions", Permission.READ, this::versions);
        routes.get("/flows/{file}/versions/{version}", Permission.READ, this::version);
        routes.get("/flows/{file}/versions/{version}/kamelets/{name}", Permission.READ, this::kamelet);
        routes.get("/flows/{file}/diff", Permission.READ, this::diff).query("from", "to");
        routes.post("/flows/{file}/rollback", Permission.OPERATE, this::rollback)
                .consumingOptionally(Response.JSON);
    }

    private CompletionStage<Response> list(Request request) {
        return flows.states()
                .thenApply(states -> Response.page(new Response.Page<>(
                        states.stream().map(FlowEndpoints::json).toList(), null)));
    }

    private CompletionStage<Response> get(Request request) {
        FlowVersion running = flows.running(file(request)).orElseThrow(FlowEndpoints::noSuchFlow);
        boolean isKnown = names(request.headers("If-None-Match"), Optional.of(running), true);
        return CompletableFuture.completedFuture(isKnown ? tagged(Response.notModified(), running) : text(running));
    }

    private CompletionStage<Response> delete(Request request) {
        String file = file(request);
        return later(() -> {
            try {
                if (!flows.delete(running -> isExpected(request, running), file, request.caller())) {
                    throw changedMeanwhile();
                }
                return Response.noContent();
            } catch (UnknownFlowException e) {
                throw noSuchFlow();
            }
        });
    }

    private static ProblemException changedMeanwhile() {
        return Problem.of(412, "another text runs than expected; nothing has changed")
                .asException();
    }

    private static Response text(FlowVersion version) {
        return tagged(Response.of(200, YAML[0], version.text()), version);
    }

    private static Response tagged(Response response, FlowVersion version) {
        return response.with("ETag", tag(version)).with("Flow-Version", String.valueOf(version.version()));
    }

    private CompletionStage<Response> put(Request request) {
        String file = file(request);
        String text = yaml(request);
        return later(() -> {
            boolean isNew = flows.running(file).isEmpty();
            FlowVersion version = flows.putIf(running -> isExpected(request, running), file, text, request.caller())
                    .orElseThrow(FlowEndpoints::changedMeanwhile);
            Response response = tagged(Response.json(isNew ? 201 : 200, json(version)), version);
            return isNew ? response.with("Location", "/flows/" + file) : response;
        });
    }

    /** RFC 9110, section 13.1: prevents a lost update, when two clients edit the same version. */
    private static boolean isExpected(Request request, Optional<FlowVersion> running) {
        List<String> match = request.headers("If-Match");
        List<String> noneMatch = request.headers("If-None-Match");
        List<String> excluded = HeaderList.entityTags(noneMatch);
        if (excluded.size() > 1 && excluded.contains("*")) {
            // The sender may have meant "only when the flow does not exist", so the write must not pass.
            throw Problem.of(400, "If-None-Match must be * alone or a list of entity tags")
                    .asException();
        }
        return (match.isEmpty() || names(match, running, false)) && !names(noneMatch, running, true);
    }

    /**
     * Whether a condition of RFC 9110, section 13.1, names the running version. An asterisk counts only as the whole
     * field value; beside or inside other tags the asterisk names nothing.
     * @param weakly whether a weak tag counts, RFC 9110, section 8.8.3.2
     */
    private static boolean names(List<String> values, Optional<FlowVersion> running, boolean weakly) {
        List<String> tags = HeaderList.entityTags(values);
        return running.map(FlowEndpoints::tag)
                .filter(tag -> tags.equals(List.of("*"))
                        || tags.stream()
                                .map(each -> weakly && each.startsWith("W/") ? each.substring(2) : each)
                                .anyMatch(tag::equals))
                .isPresent();
    }

    private static String tag(FlowVersion version) {
        return "\"" + version.hash() + "\"";
    }

    private CompletionStage<Response> validate(Request request) {
        String file = request.query("file").orElse("flow" + FlowVersion.ENDING);
        if (!FlowVersion.isFileName(file)) {
            throw Problem.badParameter("file", "must end with " + FlowVersion.ENDING)
                    .asException();
        }
        String text = yaml(request);
        return later(() -> {
            List<Fault> faults = flows.check(file, text);
            ObjectNode json = OrderJson.MAPPER.createObjectNode().put("valid", faults.isEmpty());
            json.set("errors", OrderJson.MAPPER.valueToTree(faults));
            return Response.json(200, json);
        });
    }

    private CompletionStage<Response> versions(Request request) {
        String file = file(request);
        return flows.versions(file).thenApply(all -> {
            if (all.isEmpty()) {
                throw noSuchFlow();
            }
            return Response.page(
                    new Response.Page<>(all.stream().map(FlowEndpoints::json).toList(), null));
        });
    }

    private CompletionStage<Response> version(Request request) {
        return one(file(request), request.path("version")).thenApply(FlowEndpoints::text);
    }

    /** Answers with the text of a Kamelet as stored with the version, also after a change of the Kamelet file. */
    private CompletionStage<Response> kamelet(Request request) {
        return one(file(request), request.path("version")).thenApply(version -> {
            String text = version.kamelets().get(request.path("name"));
            if (text == null) {
                throw Problem.notFound("Kamelet in this version").asException();
            }
            return Response.of(200, YAML[0], text);
        });
    }

    /** {@code ?from=1&to=2}. The default of to is the newest version, of from the version before to. */
    private CompletionStage<Response> diff(Request request) {
        String file = file(request);
        return flows.versions(file).thenCompose(all -> {
            if (all.isEmpty()) {
                throw noSuchFlow();
            }
            String to = request.query("to").orElse(String.valueOf(all.get(0).version()));
            return one(file, to)
                    .thenCompose(newer -> one(
                                    file,
                                    request.query("from").orElse(String.valueOf(Math.max(1, newer.version() - 1))))
                            .thenApply(older ->
                                    Response.of(200, "text/x-diff; charset=utf-8", FlowDiff.between(older, newer))));
        });
    }

    private CompletionStage<FlowVersion> one(String file, String version) {
        if (!version.matches("[1-9][0-9]{0,8}")) {
            throw Problem.notFound("version of this flow").asException();
        }
        return flows.version(file, Integer.parseInt(version))
                .thenApply(found -> found.orElseThrow(
                        () -> Problem.notFound("version of this flow").asException()));
    }

    /** The body of a rollback request. */
    record Rollback(Integer version) {}

    private CompletionStage<Response> rollback(Request request) {
        String file = file(request);
        Integer version =
                request.body().length == 0 ? null : request.json(Rollback.class).version();
        return later(() -> {
            try {
                return Response.json(200, json(flows.rollback(file, version, request.caller())));
            } catch (UnknownFlowException e) {
                throw Problem.of(404, e.getMessage()).asException();
            }
        });
    }

    private CompletionStage<Response> later(Callable<Response> work) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return work.call();
                    } catch (FlowRefusedException e) {
                        throw refused(e.faults());
                    } catch (UncheckedIOException e) {
                        throw Problem.of(503, e.getMessage() + "; nothing has changed")
                                .asException();
                    } catch (RuntimeException e) {
                        throw e;
                    } catch (Exception e) {
                        throw new CompletionException(e);
                    }
                },
                executor);
    }

    static ProblemException refused(List<Fault> faults) {
        String detail = faults.size() == 1 ? "1 fault" : faults.size() + " faults";
        return Problem.of(422, detail + "; nothing has changed")
                .with("errors", faults)
                .asException();
    }

    static String file(Request request) {
        String file = request.path("file");
        if (!FlowVersion.isFileName(file)) {
            throw Problem.of(
                            404,
                            "there is no such flow: a flow file's name is made of letters, digits, . _ and - and"
                                    + " ends with " + FlowVersion.ENDING)
                    .asException();
        }
        return file;
    }

    static String yaml(Request request) {
        String text = request.text();
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    private static ProblemException noSuchFlow() {
        return Problem.notFound("flow").asException();
    }

    private static ObjectNode json(FlowVersion version) {
        ObjectNode json = OrderJson.MAPPER
                .createObjectNode()
                .put("file", version.file())
                .put("flow", version.flow())
                .put("version", version.version())
                .put("hash", version.hash())
                .put("who", version.who())
                .put("at", CloudEvent.time(version.at()));
        version.kamelets().keySet().stream().sorted().forEach(json.putArray("kamelets")::add);
        return json;
    }

    private static ObjectNode json(FlowState state) {
        ObjectNode json =
                OrderJson.MAPPER.createObjectNode().put("file", state.file()).put("flow", state.flow());
        if (state.version() != null) {
            json.put("version", state.version());
        }
        json.put("status", state.version() == null ? state.versions().isEmpty() ? "REFUSED" : "ENDING" : "RUNNING");
        json.put(
                "orders",
                state.versions().stream().mapToLong(FlowState.Running::orders).sum());
        ArrayNode versions = json.putArray("versions");
        for (FlowState.Running running : state.versions()) {
            versions.addObject()
                    .put("version", running.version())
                    .put("status", running.newest() ? "NEWEST" : "ENDING")
                    .put("orders", running.orders())
                    .put("inFlight", running.inFlight())
                    .put("hash", running.hash())
                    .put("who", running.who())
                    .put("at", CloudEvent.time(running.at()));
        }
        if (state.refused() != null) {
            json.putObject("refused")
                    .put("at", CloudEvent.time(state.refused().at()))
                    .set("errors", OrderJson.MAPPER.valueToTree(state.refused().errors()));
        }
        return json;
    }
}
