/**
 * The domain vocabulary: an order, and the states, steps and reasons around an order. Every package may depend on this
 * one. Uses only the JDK, and Jackson for the JSON form of an order.
 */
package io.caravanserai.order;
