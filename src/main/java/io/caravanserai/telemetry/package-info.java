/** Meters, fed through the listener interfaces of other packages. */
package io.caravanserai.telemetry;
