/**
 * Camel's saga service, made durable: the saga log, compensation runs, deadlines. It knows sagas, steps and endpoints,
 * never what an order is; whoever does may guard and hear of its turns through {@link io.caravanserai.saga.SagaListener}.
 */
package io.caravanserai.saga;
