/**
 * Small utilities without knowledge of the domain: private files, file changes that survive a power cut, outage and
 * rate-limited logging, ids, digests, text formats. Every package may depend on this one.
 */
package io.caravanserai.support;
