/**
 * The flows: YAML files that say how orders travel, checked, versioned and swapped while the hub runs. Uses the store
 * and Camel; knows nothing of what an order is, only that some versions still carry some.
 */
package io.caravanserai.flow;
