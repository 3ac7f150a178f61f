package io.caravanserai.saga;

import java.time.Instant;

/**
 * A saga row of the log.
 *
 * @param endedAt null while the saga has not ended
 */
public record SagaRecord(
        String sagaId, SagaState state, Instant deadline, Instant createdAt, Instant updatedAt, Instant endedAt) {}
