/** Captures and refunds payments as a provider's test cards would. Owns the table payments. */
package io.caravanserai.service.payment;
