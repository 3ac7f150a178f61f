package io.caravanserai.broker;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A Kafka broker in a process of its own, for tests that kill it. */
public final class KafkaProcess implements AutoCloseable {
    private static final String READY = "ready on port ";

    private final Process process;
    private final int port;

    private KafkaProcess(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /** Starts a broker and waits until it takes clients. */
    public static KafkaProcess start(Path directory, int port) throws IOException {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KafkaProcess.class.getName(),
                        directory.toString(),
                        String.valueOf(port)))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            if (line.startsWith(READY)) {
                drain(output);
                return new KafkaProcess(process, Integer.parseInt(line.substring(READY.length())));
            }
        }
        throw new IOException("the broker's process ended before it was ready");
    }

    public int port() {
        return port;
    }

    public String bootstrapServers() {
        return "127.0.0.1:" + port;
    }

    /** SIGKILL; answers when the process is gone. */
    public void kill() {
        process.destroyForcibly().onExit().join();
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

    private static void drain(BufferedReader output) {
        Thread thread = new Thread(() -> output.lines().forEach(line -> {}), "kafka-process-output");
        thread.setDaemon(true);
        thread.start();
    }
}
