package io.caravanserai.outside;

import io.vertx.core.AsyncResult;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls an HTTP service. An attempt that times out closes the connection: no late answer arrives, and unsent bytes stay
 * unsent.
 */
final class HttpTransport implements Transport {
    private static final Logger LOG = LoggerFactory.getLogger(HttpTransport.class);
    private static final int LONGEST_ANSWER = 1024 * 1024;
    /**
     * Shorter than the keep-alive time of common servers, so that no request goes out on a connection that the server
     * has just closed.
     */
    private static final int KEEP_ALIVE_SECONDS = 4;

    private final Vertx vertx;
    private final HttpClient client;
    private final Target target;
    private final Clock clock = Clock.systemUTC();

    /**
     * The request line and the limits of a call.
     * @param timeout from the start of the connection to the last byte of the answer
     */
    record Target(String url, String method, AcceptedStatuses accepted, Duration timeout) {}

    /** @param maxConcurrent maximum number of calls in flight */
    HttpTransport(Vertx vertx, Target target, int maxConcurrent) {
        this.vertx = vertx;
        this.target = target;
        HttpClientOptions options = new HttpClientOptions()
                .setProtocolVersion(HttpVersion.HTTP_1_1)
                .setKeepAliveTimeout(KEEP_ALIVE_SECONDS)
                .setConnectTimeout((int) target.timeout().toMillis());
        // A connection that is being closed keeps a place in the pool for a moment; the doubled size keeps the next
        // call from waiting.
        this.client = vertx.httpClientBuilder()
                .with(options)
                .with(new PoolOptions().setHttp1MaxSize(2 * maxConcurrent))
                // The attempt reports a broken connection; Vert.x would log each as an error.
                .withConnectHandler(connection -> connection.exceptionHandler(
                        cause -> LOG.debug("a connection to {} broke: {}", target.url(), cause.getMessage())))
                .build();
    }

    @Override
    public Sending send(Request request) {
        Attempt attempt = new Attempt(request);
        attempt.start();
        return new Sending(attempt.result, attempt.result.thenApply(done -> null));
    }

    private final class Attempt {
        private final Request request;
        private final CompletableFuture<CallResult> result = new CompletableFuture<>();
        private final Buffer body = Buffer.buffer();
        private long timer;
        private HttpClientRequest open;

        Attempt(Request request) {
            this.request = request;
        }

        void start() {
            timer = vertx.setTimer(
                    target.timeout().toMillis(),
                    due -> end(new CallResult.Failed(
                            "no whole answer within " + target.timeout().toMillis() + " ms")));
            RequestOptions options =
                    new RequestOptions().setAbsoluteURI(target.url()).setMethod(HttpMethod.valueOf(target.method()));
            request.headers().forEach(options::putHeader);
            client.request(options).onComplete(this::opened);
        }

        private synchronized void opened(AsyncResult<HttpClientRequest> opened) {
            if (opened.failed()) {
                end(failed(opened.cause()));
            } else if (result.isDone()) {
                opened.result().reset();
            } else {
                open = opened.result();
                open.send(Buffer.buffer(bytes(request.body()))).onComplete(this::answered);
            }
        }

        private void answered(AsyncResult<HttpClientResponse> answered) {
            if (answered.failed()) {
                end(failed(answered.cause()));
                return;
            }
            HttpClientResponse response = answered.result();
            response.exceptionHandler(cause -> end(failed(cause)));
            response.handler(chunk -> {
                if (body.length() + chunk.length() > LONGEST_ANSWER) {
                    end(new CallResult.Failed("answered more than " + LONGEST_ANSWER + " bytes"));
                } else {
                    body.appendBuffer(chunk);
                }
            });
            response.endHandler(done -> whole(response));
        }

        private void whole(HttpClientResponse response) {
            Map<String, String> headers = new HashMap<>();
            response.headers().forEach((name, value) -> headers.put(name.toLowerCase(Locale.ROOT), value));
            HttpAnswer answer =
                    new HttpAnswer(response.statusCode(), response.statusMessage(), headers, body.getBytes());
            if (result.complete(answer.judge(target.accepted(), clock.instant()))) {
                vertx.cancelTimer(timer);
            }
        }

        private void end(CallResult failure) {
            if (result.complete(failure)) {
                vertx.cancelTimer(timer);
                synchronized (this) {
                    if (open != null) {
                        open.reset();
                    }
                }
            }
        }

        private CallResult failed(Throwable cause) {
            return new CallResult.Failed(cause.getClass().getSimpleName() + ": " + cause.getMessage());
        }
    }

    private static byte[] bytes(Object body) {
        if (body == null) {
            return new byte[0];
        }
        return body instanceof byte[] bytes ? bytes : body.toString().getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        client.close();
    }
}
