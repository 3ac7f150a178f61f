package io.caravanserai.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.caravanserai.app.FreePort;
import io.caravanserai.config.HubSettings;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JmsBrokerIT {
    @TempDir
    private Path folder;

    @Test
    void unansweredConnectionAttemptBlocksNoOtherConnection() throws Exception {
        int port = FreePort.take();
        ArtemisProcess process = ArtemisProcess.start(folder.resolve("broker"), port);
        try (TcpProxy proxy = new TcpProxy(port)) {
            JmsBroker broker = JmsBroker.start(
                    new HubSettings.Jms(Optional.of("tcp://127.0.0.1:" + proxy.port()), 0), folder, List.of());
            try {
                await().until(() -> broker.unavailableReason().isEmpty());

                proxy.isOpen = false;
                CompletableFuture.runAsync(() -> connected(broker::connectAside), proxy.threads);
                await().until(() -> proxy.turnedAway > 0);
                proxy.isOpen = true;

                assertThat(CompletableFuture.supplyAsync(() -> connected(broker::connect), proxy.threads))
                        .succeedsWithin(Duration.ofSeconds(20));
            } finally {
                broker.close();
            }
        } finally {
            process.close();
        }
    }

    private interface Connecting {
        Connection connect() throws JMSException;
    }

    private static boolean connected(Connecting connecting) {
        try (Connection connection = connecting.connect()) {
            connection.start();
            return true;
        } catch (JMSException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A proxy to a port of this machine. While closed, the proxy accepts connections and answers nothing. */
    private static final class TcpProxy implements AutoCloseable {
        private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final ExecutorService threads = Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "tcp-proxy");
            thread.setDaemon(true);
            return thread;
        });
        private final int target;
        private volatile boolean isOpen = true;
        private volatile int turnedAway;

        TcpProxy(int target) throws IOException {
            this.target = target;
            threads.execute(this::serve);
        }

        int port() {
            return server.getLocalPort();
        }

        private void serve() {
            while (!server.isClosed()) {
                try {
                    Socket near = server.accept();
                    if (isOpen) {
                        Socket far = new Socket(InetAddress.getLoopbackAddress(), target);
                        threads.execute(() -> forward(near, far));
                        threads.execute(() -> forward(far, near));
                    } else {
                        turnedAway++;
                    }
                } catch (IOException e) {
                    if (!server.isClosed()) {
                        throw new UncheckedIOException(e);
                    }
                }
            }
        }

        private static void forward(Socket from, Socket to) {
            try (from;
                    to) {
                from.getInputStream().transferTo(to.getOutputStream());
            } catch (IOException e) {
                // One side has closed, which ends both.
                return;
            }
        }

        @Override
        public void close() throws IOException {
            server.close();
            threads.shutdownNow();
        }
    }
}
