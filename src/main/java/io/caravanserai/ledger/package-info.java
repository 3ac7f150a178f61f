/**
 * Compares what the services hold with what became of the orders, and tells where they disagree. Reads the tables of all
 * services and writes none; whoever turns orders may not enter.
 */
package io.caravanserai.ledger;
