/**
 * The flows: YAML files with the routes of orders, checked, versioned and swapped at run time. Uses the store and
 * Camel. Does not know orders, only the number of unfinished orders in a version.
 */
package io.caravanserai.flow;
