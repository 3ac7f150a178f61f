package io.caravanserai.saga;

import java.time.Duration;

/**
 * One attempt to undo a step of a saga, once it has ended.
 *
 * @param compensation the uri of the endpoint that was called
 * @param number from 1; it begins again when an operator puts a stuck saga to work again
 * @param startId an id from the hub's source, made when the attempt began: what the attempt recorded has later ids
 * @param took from the call of the endpoint to its end
 */
public record CompensationAttempt(String compensation, int number, String startId, Duration took) {}
