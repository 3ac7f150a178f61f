package io.caravanserai.flow.deploy;

import io.caravanserai.flow.yaml.Fault;
import java.time.Instant;
import java.util.List;

/** A text in the folder that was refused; what ran before goes on. */
public record Refusal(Instant at, List<Fault> errors) {}
