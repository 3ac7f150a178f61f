/** Small parts that any room may use and that know none of them: files that are private or survive a power cut, log lines. */
package io.caravanserai.support;
