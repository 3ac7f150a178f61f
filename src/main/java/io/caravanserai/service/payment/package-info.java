/** Captures and refunds payments in the manner of the test cards of a provider. Owns the table payments. */
package io.caravanserai.service.payment;
