/**
 * Durable state. All writes are units of work that share commits; reads have separate connections. Knows nothing of
 * orders or sagas. Uses only the JDK, JDBC, the migration library and {@code support}.
 */
package io.caravanserai.store;
