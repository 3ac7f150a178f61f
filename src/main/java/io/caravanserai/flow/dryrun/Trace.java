package io.caravanserai.flow.dryrun;

import java.util.List;

/**
 * The way an order took through a flow.
 *
 * @param status SHIPPED, CANCELLED, or OPEN when neither came of it
 * @param steps in their order: {@code reserve-items}, {@code process-payment: payment-declined} when it was refused,
 *     {@code to jms:queue:freight} for what would have left the hub
 */
public record Trace(String status, List<String> steps) {}
