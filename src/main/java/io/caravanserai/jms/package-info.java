/** The hub's use of JMS: one receiver, one sender, the event bus over a topic, and the queue of dead letters. */
package io.caravanserai.jms;
