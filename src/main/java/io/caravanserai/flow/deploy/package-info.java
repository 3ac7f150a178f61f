/** Versions of flows: the folder, the stored texts, the running versions and the swap of versions. */
package io.caravanserai.flow.deploy;
