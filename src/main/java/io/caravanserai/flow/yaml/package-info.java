/**
 * The YAML of flows: text and tree, Kamelets written into a flow, endpoint names with versions.
 */
package io.caravanserai.flow.yaml;
