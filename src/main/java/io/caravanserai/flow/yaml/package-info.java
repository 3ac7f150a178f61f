/** The YAML of flows: text and tree, inlining of Kamelets, endpoint names with versions. */
package io.caravanserai.flow.yaml;
