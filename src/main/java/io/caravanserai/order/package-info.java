/**
 * The vocabulary: what an order is and the words for what happens to it. Everyone may enter; it uses only the JDK and,
 * for the JSON form of an order, Jackson.
 */
package io.caravanserai.order;
