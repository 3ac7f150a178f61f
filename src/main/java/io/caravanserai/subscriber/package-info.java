/** Those who listen to the events of every order without a part in them, and how a flow tells them without the bus. */
package io.caravanserai.subscriber;
