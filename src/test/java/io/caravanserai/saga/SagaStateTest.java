package io.caravanserai.saga;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SagaStateTest {
    private final Cause cause = new Cause(Cause.Kind.TIMED_OUT, "late");

    @Test
    void sagaKeepsCauseOfCompensation() {
        SagaState.Compensating compensating = new SagaState.Running().compensate(cause);

        assertThat(compensating.finish().why()).contains(cause);
        assertThat(compensating.giveUp().retry().finish().why()).contains(cause);
        assertThat(compensating.giveUp().resolve().status()).isEqualTo(SagaStatus.COMPENSATED);
    }

    @Test
    void onlyCompletedAndCompensatedAreEnds() {
        assertThat(SagaStatus.values())
                .filteredOn(SagaStatus::isEnd)
                .containsExactly(SagaStatus.COMPLETED, SagaStatus.COMPENSATED);
    }

    @Test
    void aLongDetailIsCut() {
        assertThat(new Cause(Cause.Kind.FAILED, "x".repeat(5_000)).detail()).hasSize(500);
    }
}
