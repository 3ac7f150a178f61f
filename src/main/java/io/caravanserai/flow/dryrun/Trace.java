package io.caravanserai.flow.dryrun;

import java.util.List;

/**
 * The path of an order through a flow.
 * @param status SHIPPED, CANCELLED, or OPEN otherwise
 * @param steps in order: {@code reserve-items}, {@code process-payment: payment-declined} for a refusal,
 *     {@code to jms:queue:freight} for a message to the outside
 */
public record Trace(String status, List<String> steps) {}
