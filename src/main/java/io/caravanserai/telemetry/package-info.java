/** Meters and spans, fed by the listener interfaces that rooms expose. */
package io.caravanserai.telemetry;
