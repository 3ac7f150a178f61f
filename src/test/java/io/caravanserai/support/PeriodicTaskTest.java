package io.caravanserai.support;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PeriodicTaskTest {

    @Test
    void errorsAndExceptionsEndNoTask() {
        AtomicInteger runs = new AtomicInteger();

        PeriodicTask task = PeriodicTask.start("failing", Duration.ZERO, Duration.ofMillis(1), () -> {
            int run = runs.incrementAndGet();
            if (run % 2 == 0) {
                throw new StackOverflowError("run " + run);
            }
            throw new Exception("run " + run);
        });

        await().until(() -> runs.get() > 10);
        task.close();
    }

    @Test
    void aClosedTaskIsInterruptedAndDoesNotRunAgain() {
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger interrupted = new AtomicInteger();

        PeriodicTask task = PeriodicTask.start("waiting", Duration.ZERO, Duration.ofMillis(1), () -> {
            begun.incrementAndGet();
            try {
                TimeUnit.HOURS.sleep(1);
            } catch (InterruptedException e) {
                interrupted.incrementAndGet();
                throw e;
            }
        });
        await().until(() -> begun.get() == 1);
        task.close();

        await().until(() -> interrupted.get() == 1);
        await().during(Duration.ofMillis(50)).until(() -> begun.get() == 1);
    }

    @Test
    void oneTimerRunsSeveralTasksThoughOneFails() {
        AtomicInteger others = new AtomicInteger();
        ScheduledExecutorService timer = PeriodicTask.timer("shared");
        try {
            timer.scheduleWithFixedDelay(
                    PeriodicTask.surviving("failing", () -> {
                        throw new AssertionError("never well");
                    }),
                    0,
                    1,
                    TimeUnit.MILLISECONDS);
            timer.scheduleWithFixedDelay(
                    PeriodicTask.surviving("other", others::incrementAndGet), 0, 1, TimeUnit.MILLISECONDS);

            await().until(() -> others.get() > 3);
        } finally {
            timer.shutdownNow();
        }
    }
}
