/** Runs an order through a flow without effects and returns the trace of the order. */
package io.caravanserai.flow.dryrun;
