/**
 * Shared parts of the services: turn an action or a compensation into an endpoint, and record attempts. Each service
 * has a package below this one, with tables of its own; no service knows another service or the caller.
 */
package io.caravanserai.service;
