/**
 * What has happened to an order, as others hear of it: event types, their data and versions, and their form as
 * CloudEvents. Uses only the vocabulary.
 */
package io.caravanserai.event;
