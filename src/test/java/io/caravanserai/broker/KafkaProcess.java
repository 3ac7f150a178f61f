package io.caravanserai.broker;

import java.io.IOException;
import java.nio.file.Path;

/** A Kafka broker in a separate process, for tests that kill the broker. */
public final class KafkaProcess implements AutoCloseable {
    private static final String READY = "ready on port ";

    private final BrokerProcess process;
    private final int port;

    private KafkaProcess(BrokerProcess process, int port) {
        this.process = process;
        this.port = port;
    }

    /** Starts a broker and waits until clients can connect. */
    public static KafkaProcess start(Path directory, int port) throws IOException {
        BrokerProcess process = BrokerProcess.start(KafkaProcess.class, "-Xmx512m", directory, port, READY);
        return new KafkaProcess(process, Integer.parseInt(process.readyLine().substring(READY.length())));
    }

    public int port() {
        return port;
    }

    public String bootstrapServers() {
        return "127.0.0.1:" + port;
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill() {
        process.kill();
    }

    /** SIGSTOP: until {@link #thaw}, connections stay open without answers. */
    public void freeze() {
        process.freeze();
    }

    /** SIGCONT. */
    public void thaw() {
        process.thaw();
    }

    @Override
    public void close() {
        kill();
    }

    public static void main(String[] arguments) throws Exception {
        EmbeddedKafka broker = new EmbeddedKafka(Path.of(arguments[0]), Integer.parseInt(arguments[1]));
        broker.start();
        System.out.println(READY + broker.port());
        Thread.currentThread().join();
    }
}
