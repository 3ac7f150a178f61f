/**
 * What the services share: how an action or a compensation becomes an endpoint. Each service has a room of its own below,
 * with the tables it owns; none knows another, nor who calls it.
 */
package io.caravanserai.service;
