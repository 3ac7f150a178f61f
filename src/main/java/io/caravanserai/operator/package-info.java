/** What operators see and do over HTTP: events, schemas, dead letters. Uses only the public types of other rooms. */
package io.caravanserai.operator;
