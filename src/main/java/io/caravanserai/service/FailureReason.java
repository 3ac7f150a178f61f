package io.caravanserai.service;

import com.fasterxml.jackson.core.JacksonException;
import io.caravanserai.order.Reason;
import io.caravanserai.store.StoreUnavailableException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.MalformedURLException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.apache.camel.ExchangeTimedOutException;
import org.apache.camel.http.base.HttpOperationFailedException;

/**
 * Distinguishes a refusal and an unavailable target from a bug of the flow. Every other failure counts as a bug: a
 * retry does not help.
 */
public final class FailureReason {
    /** Exception classes of libraries that a flow may use, by name: the hub does not depend on the libraries. */
    private static final Set<String> UNAVAILABLE = Set.of(
            "io.caravanserai.saga.SagaNotRunningException",
            "jakarta.jms.JMSException",
            "org.springframework.jms.JmsException",
            "org.apache.kafka.common.errors.RetriableException",
            "io.github.resilience4j.circuitbreaker.CallNotPermittedException",
            "io.github.resilience4j.bulkhead.BulkheadFullException",
            "java.sql.SQLTransientException",
            "java.sql.SQLRecoverableException");

    private static final Set<Integer> COME_AGAIN = Set.of(408, 425, 429);

    private FailureReason() {}

    /**
     * Returns the reason for the cancellation of an order after this failure of a step.
     * @param failure null when the flow ended without an exception
     */
    public static Reason of(Throwable failure) {
        int depth = 0;
        for (Throwable each = failure; each != null && depth < 20; each = each.getCause()) {
            if (each instanceof StepRefusedException refused) {
                return refused.reason();
            }
            if (isUnavailable(each)) {
                return Reason.SERVICE_UNAVAILABLE;
            }
            depth++;
        }
        return Reason.FLOW_ERROR;
    }

    private static boolean isUnavailable(Throwable failure) {
        if (failure instanceof HttpOperationFailedException answer) {
            return answer.getStatusCode() >= 500 || COME_AGAIN.contains(answer.getStatusCode());
        }
        return failure instanceof ServiceUnavailableException
                || failure instanceof OrderClosedException
                || failure instanceof StoreUnavailableException
                || failure instanceof ExchangeTimedOutException
                || failure instanceof TimeoutException
                || isOfNetwork(failure)
                || isOneOf(UNAVAILABLE, failure.getClass());
    }

    /**
     * Not every I/O exception is a network failure: libraries also throw I/O exceptions for input that cannot be
     * parsed, found or decoded.
     */
    private static boolean isOfNetwork(Throwable failure) {
        return failure instanceof IOException
                && !(failure instanceof JacksonException
                        || failure instanceof MalformedURLException
                        || failure instanceof CharacterCodingException
                        || failure instanceof FileSystemException
                        || failure instanceof FileNotFoundException);
    }

    private static boolean isOneOf(Set<String> names, Class<?> type) {
        for (Class<?> each = type; each != null; each = each.getSuperclass()) {
            if (names.contains(each.getName())) {
                return true;
            }
        }
        return false;
    }
}
