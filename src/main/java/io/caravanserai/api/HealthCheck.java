package io.caravanserai.api;

import java.util.Optional;
import java.util.function.Supplier;

/**
 * A check of one part that the hub needs.
 * @param unavailableReason reason why the part cannot work at present, as text for operators; empty when the part
 *     works. Must not block
 */
public record HealthCheck(String name, Supplier<Optional<String>> unavailableReason) {}
