package io.caravanserai.intake;

import io.caravanserai.deadletter.DeadLetter;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Receives orders from one queue or topic. */
interface OrderSource extends AutoCloseable {

    /** Starts receiving; does not wait for a broker outside. */
    void start();

    /** Why no orders are received at present; empty while receiving works. */
    Optional<String> unavailableReason();

    /** Replays a dead letter of this source, as a {@link io.caravanserai.deadletter.Replayer} does. */
    CompletableFuture<Void> replay(DeadLetter letter);

    /** Receives nothing more. A message that was received and is not durable is delivered again. */
    @Override
    void close();
}
