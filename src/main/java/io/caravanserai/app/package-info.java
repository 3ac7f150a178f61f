/** Builds a hub from all rooms, starts and stops the hub. May use every room; only {@code cli} uses this room. */
package io.caravanserai.app;
