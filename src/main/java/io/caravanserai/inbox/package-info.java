/** Records handled messages in the transaction that handles them, so that a second delivery has no effect. */
package io.caravanserai.inbox;
