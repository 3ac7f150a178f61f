/** JMS as the hub uses it: one way to receive, one way to send, the bus over a topic, and the queue of dead letters. */
package io.caravanserai.jms;
