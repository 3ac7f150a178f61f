/** Ships orders to the served countries. Owns the table shipments. */
package io.caravanserai.service.shipping;
