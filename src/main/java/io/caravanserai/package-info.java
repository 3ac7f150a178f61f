/** The hub's main class, its settings and how its rooms are put together. */
package io.caravanserai;
