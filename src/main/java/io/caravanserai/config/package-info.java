/**
 * The settings: their keys and defaults, how they are read and checked. Each room gets the part it needs as a record.
 */
package io.caravanserai.config;
