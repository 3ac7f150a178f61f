package io.caravanserai.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.Router;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.CamelContext;
import org.apache.camel.component.platform.http.PlatformHttpConstants;
import org.apache.camel.component.platform.http.spi.PlatformHttpEngine;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServerConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server of a hub, for the API and for the {@code platform-http} and {@code rest} routes of flows. The hub
 * owns the server instead of Camel: the port is open before Camel starts and after Camel has stopped, and every request
 * in between is answered. Before {@link #serve} and after {@link #stopAccepting} the answer is 503 with
 * {@code Retry-After}, so that no client mistakes a starting hub for a hub without the path.
 * <p>Bounds the resources of a connection (see {@link ConnectionDeadlines}) and keeps requests apart (see {@link
 * RequestSequence}). Speaks HTTP/1.0 and HTTP/1.1 only: an HTTP/2 connection would bypass the bounds. Thread-safe.
 */
public final class BoundedHttpServer extends VertxPlatformHttpServer implements AutoCloseable {
    /** Vert.x names the handlers of its pipelines so. */
    static final String DECODER = "httpDecoder";

    static final String HANDLER = "handler";

    private static final Logger LOG = LoggerFactory.getLogger(BoundedHttpServer.class);

    /** RFC 9112, section 3, recommends at least 8,000 octets. */
    private static final int MAX_REQUEST_LINE = 8_192;

    private static final int MAX_HEADERS = 16_384;
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final Vertx vertx = Vertx.vertx();
    private final Router router = Router.router(vertx);
    private final ConnectionDeadlines deadlines;
    private final HttpServer server;
    private final NotServing starting = new NotServing("the hub is starting", 1);
    private final NotServing stopping = new NotServing("the hub is stopping", 5);
    /** Null while requests go to the router. */
    private volatile NotServing notServing = starting;

    private BoundedHttpServer(String host, int port, ConnectionDeadlines deadlines) {
        super(configuration(host, port));
        this.deadlines = deadlines;
        HttpServerOptions options = new HttpServerOptions()
                .setHost(host)
                .setPort(port)
                .setHttp2ClearTextEnabled(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setPerMessageWebSocketCompressionSupported(false)
                .setMaxInitialLineLength(MAX_REQUEST_LINE)
                .setMaxHeaderSize(MAX_HEADERS);
        this.server = vertx.createHttpServer(options)
                .connectionHandler(connection -> prepare(((ConnectionBase) connection).channel(), options))
                .invalidRequestHandler(ProtocolProblems::invalidRequest)
                .exceptionHandler(error -> LOG.debug("an HTTP connection failed", error))
                .requestHandler(this::handle);
    }

    private void prepare(Channel channel, HttpServerOptions options) {
        ChannelPipeline pipeline = channel.pipeline();
        pipeline.addFirst("lingering-close", new LingeringClose());
        pipeline.replace(DECODER, DECODER, new RequestDecoder(options));
        pipeline.addBefore(HANDLER, "sequence-of-requests", new RequestSequence());
        deadlines.watch(channel);
    }

    private static VertxPlatformHttpServerConfiguration configuration(String host, int port) {
        VertxPlatformHttpServerConfiguration configuration = new VertxPlatformHttpServerConfiguration();
        configuration.setBindHost(host);
        configuration.setBindPort(port);
        return configuration;
    }

    /**
     * Opens the port.
     * @param port 0 takes a free port
     * @param requestTimeout maximum time from the first to the last byte of a request
     * @param idleTimeout maximum idle time of a connection without a request in progress
     * @throws IllegalStateException when the port cannot be bound; the message is from the operating system
     */
    public static BoundedHttpServer open(String host, int port, Duration requestTimeout, Duration idleTimeout) {
        BoundedHttpServer server =
                new BoundedHttpServer(host, port, new ConnectionDeadlines(requestTimeout, idleTimeout));
        try {
            server.server.listen().toCompletionStage().toCompletableFuture().join();
            return server;
        } catch (CompletionException e) {
            server.close();
            throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
        }
    }

    /** Makes the routes of flows use this server. Call before the context starts. */
    public void bindTo(CamelContext context) {
        String name = VertxPlatformHttpRouter.getRouterNameFromPort(getPort());
        setCamelContext(context);
        context.getRegistry().bind(name, new VertxPlatformHttpRouter(this, vertx, router, name));
        FlowHttpEngine engine = new FlowHttpEngine(vertx);
        engine.setCamelContext(context);
        context.getRegistry().bind(PlatformHttpConstants.PLATFORM_HTTP_ENGINE_NAME, PlatformHttpEngine.class, engine);
    }

    /** The router of the API and of the routes of flows. */
    public Router router() {
        return router;
    }

    /** Passes requests to the router from now on. */
    public void serve() {
        notServing = null;
    }

    /** Answers every new request with 503. The router still answers the requests in flight. */
    public void stopAccepting() {
        notServing = stopping;
    }

    /** Number of open connections. */
    public int connections() {
        return deadlines.connections();
    }

    private void handle(HttpServerRequest request) {
        NotServing answer = notServing;
        Optional<Response> refusal = RequestLine.answer(request);
        if (refusal.isPresent()) {
            Answers.write(request, refusal.get());
        } else if (answer == null) {
            router.handle(request);
        } else {
            answer.handle(request);
        }
    }

    @Override
    public HttpServer getServer() {
        return server;
    }

    @Override
    public Vertx getVertx() {
        return vertx;
    }

    @Override
    public int getPort() {
        return server.actualPort();
    }

    /** Closes the port and all connections, also connections of clients that do not read. */
    @Override
    public void close() {
        stopAccepting();
        // Comes first: Vert.x would wait until each client has read all bytes.
        deadlines.closeAll();
        await(server.close());
        deadlines.closeAll();
        await(vertx.close());
    }

    private static void await(Future<Void> closed) {
        try {
            closed.toCompletionStage().toCompletableFuture().get(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (TimeoutException | java.util.concurrent.ExecutionException e) {
            LOG.atWarn().setCause(e).log("HTTP server not closed in time; stopping goes on without it");
        }
    }
}
