/**
 * Runs an order through a flow without effects and returns the way that the order took.
 */
package io.caravanserai.flow.dryrun;
