package io.caravanserai.saga;

import java.time.Duration;

/**
 * One ended attempt to compensate a step of a saga.
 *
 * @param compensation URI of the called endpoint
 * @param number from 1; restarts at 1 when an operator retries a stuck saga
 * @param startId an id from the id source of the hub, created at the start of the attempt: records of the attempt have
 *     later ids
 * @param took time from the call of the endpoint to the end of the attempt
 */
public record CompensationAttempt(String compensation, int number, String startId, Duration took) {}
