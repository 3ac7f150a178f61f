/**
 * Builds one hub from its rooms, starts it and stops it. May use every room; only {@code cli} uses this one.
 */
package io.caravanserai.app;
