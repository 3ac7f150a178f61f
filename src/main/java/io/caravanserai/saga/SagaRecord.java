package io.caravanserai.saga;

import java.time.Instant;

/**
 * A saga as the log has it.
 *
 * @param endedAt null while it has not ended
 */
public record SagaRecord(
        String sagaId, SagaState state, Instant deadline, Instant createdAt, Instant updatedAt, Instant endedAt) {}
