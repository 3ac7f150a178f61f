/**
 * Durable state. All writes are units of work that share commits; reads have connections of their own. Knows nothing of
 * orders or sagas; uses only the JDK, JDBC, the migration library and {@code support}.
 */
package io.caravanserai.store;
