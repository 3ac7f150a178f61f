/** Keeps stock and reserves stock for orders, all items or none. Owns the tables stock and reservations. */
package io.caravanserai.service.inventory;
