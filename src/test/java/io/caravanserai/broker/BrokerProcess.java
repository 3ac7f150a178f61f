package io.caravanserai.broker;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A broker in a separate process, for tests that kill the broker. The process prints a line when clients can connect.
 */
final class BrokerProcess {
    private final Process process;
    private final String readyLine;

    private BrokerProcess(Process process, String readyLine) {
        this.process = process;
        this.readyLine = readyLine;
    }

    /**
     * Starts a broker and waits until clients can connect.
     *
     * @param main the main class; arguments are the folder and the port
     * @param ready prefix of the line that the process prints when ready
     */
    static BrokerProcess start(Class<?> main, String heap, Path folder, int port, String ready) throws IOException {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        heap,
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        main.getName(),
                        folder.toString(),
                        String.valueOf(port)))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            if (line.startsWith(ready)) {
                drain(output);
                return new BrokerProcess(process, line);
            }
        }
        throw new IOException("the broker's process ended before it was ready");
    }

    /** The line that the process printed when ready. */
    String readyLine() {
        return readyLine;
    }

    /** SIGKILL; returns when the process is gone. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    /** SIGSTOP: until {@link #thaw}, connections stay open without answers. */
    void freeze() {
        signal("STOP");
    }

    /** SIGCONT. */
    void thaw() {
        signal("CONT");
    }

    private void signal(String name) {
        try {
            // Uses the built-in kill of the shell, so no package is needed.
            Process kill = new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + process.pid()).start();
            if (kill.waitFor() != 0) {
                throw new IllegalStateException("SIG" + name + " was not sent to " + process.pid());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static void drain(BufferedReader output) {
        Thread thread = new Thread(() -> output.lines().forEach(line -> {}), "broker-process-output");
        thread.setDaemon(true);
        thread.start();
    }
}
