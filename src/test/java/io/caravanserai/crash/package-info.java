/**
 * What kills hubs: the distribution as a process, customers that go on posting while it dies, and the promises of the
 * contract, checked by reading only REST. Tests of other doors and styles use the same.
 */
package io.caravanserai.crash;
