/**
 * The crash tests: the distribution as a process, customers that continue to post during a kill, and the promises of
 * the contract, checked over REST only. Other tests use the same classes.
 */
package io.caravanserai.crash;
