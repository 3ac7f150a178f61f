/**
 * Compares the records of the services with the outcome of each order and reports differences. Reads the tables of all
 * services and writes none. Packages that change the state of orders may not depend on this one.
 */
package io.caravanserai.ledger;
