package io.caravanserai.api;

import java.util.Optional;
import java.util.function.Supplier;

/**
 * One thing the hub needs to do its work.
 *
 * @param unavailableReason why it cannot at present, for a person; empty when it can. Must not block
 */
public record HealthCheck(String name, Supplier<Optional<String>> unavailableReason) {}
