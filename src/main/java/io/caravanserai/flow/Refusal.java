package io.caravanserai.flow;

import java.time.Instant;
import java.util.List;

/** A text in the folder that was refused; what ran before goes on. */
public record Refusal(Instant at, List<Fault> errors) {}
