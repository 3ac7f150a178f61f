/** Ships orders to the countries it serves. Owns the table shipments. */
package io.caravanserai.service.shipping;
