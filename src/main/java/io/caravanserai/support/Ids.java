package io.caravanserai.support;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.impl.TimeBasedEpochGenerator;
import java.util.function.Supplier;

/**
 * Ids that ascend with time, also within a millisecond (RFC 9562, UUID version 7). New rows are neighbours in the
 * store, and events sort by id. Thread-safe.
 */
public final class Ids implements Supplier<String> {
    private final TimeBasedEpochGenerator generator = Generators.timeBasedEpochGenerator();

    @Override
    public String get() {
        return generator.generate().toString();
    }
}
