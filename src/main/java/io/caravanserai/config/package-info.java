/** The settings: keys, defaults, parsing and checks. Each room gets a part of the settings as a record. */
package io.caravanserai.config;
