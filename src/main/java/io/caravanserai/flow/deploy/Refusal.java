package io.caravanserai.flow.deploy;

import io.caravanserai.flow.yaml.Fault;
import java.time.Instant;
import java.util.List;

/** A refused text in the folder; the running version continues. */
public record Refusal(Instant at, List<Fault> errors) {}
