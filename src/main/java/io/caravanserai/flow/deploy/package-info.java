/**
 * Versions of flows: the folder, the stored texts, the running versions and their swap.
 */
package io.caravanserai.flow.deploy;
