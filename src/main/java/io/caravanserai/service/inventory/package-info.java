/** Holds stock and reserves it for orders, all items or none. Owns the tables stock and reservations. */
package io.caravanserai.service.inventory;
