/** Order events for consumers: event types, data, versions, and the CloudEvents format. Uses only the vocabulary. */
package io.caravanserai.event;
