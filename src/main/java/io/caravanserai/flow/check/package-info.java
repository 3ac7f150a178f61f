/** Decides whether a text can become a flow, and reports faults with line and column. */
package io.caravanserai.flow.check;
