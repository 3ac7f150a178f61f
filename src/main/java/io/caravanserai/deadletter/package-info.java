/**
 * Messages that could not be handled, from whatever door or bus, in one list: kept, looked at, replayed to where they
 * came from. Knows nothing of brokers; those who bring letters say how to replay them.
 */
package io.caravanserai.deadletter;
