/**
 * Decides whether a text may become a flow, and says at which line and column it may not.
 */
package io.caravanserai.flow.check;
