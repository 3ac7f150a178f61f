/** The command {@code bin/hub}: runs the hub, checks flows, prepares the class-data archive. */
package io.caravanserai.cli;
