/** Messages that have been handled, recorded in the unit of work that handles them: the second time nothing happens. */
package io.caravanserai.inbox;
