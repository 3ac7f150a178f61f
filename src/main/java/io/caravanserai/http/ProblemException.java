package io.caravanserai.http;

/**
 * Ends the handling of a request with a problem. Has no stack trace, because the problem is an answer and no defect.
 */
public final class ProblemException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Response response;

    ProblemException(Problem problem) {
        super(problem.detail(), null, false, false);
        this.response = problem.response();
    }

    ProblemException(Problem problem, String header, String value) {
        super(problem.detail(), null, false, false);
        this.response = problem.response().with(header, value);
    }

    public Response response() {
        return response;
    }
}
