/**
 * Camel's saga service with durable state: the saga log, compensation runs, deadlines. This package knows sagas, steps
 * and endpoints, but not orders. A {@link io.caravanserai.saga.SagaListener} connects sagas with orders.
 */
package io.caravanserai.saga;
