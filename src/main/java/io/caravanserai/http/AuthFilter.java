package io.caravanserai.http;

import io.caravanserai.http.ApiKeys.Caller;
import io.vertx.core.MultiMap;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Authenticates and authorizes requests. */
final class AuthFilter {
    static final String ANONYMOUS = "anonymous";
    private static final Set<String> SAFE = Set.of("GET", "HEAD", "OPTIONS");

    private final ApiKeys keys;

    AuthFilter(ApiKeys keys) {
        this.keys = keys;
    }

    /**
     * Returns the name of the caller.
     * @throws ProblemException 401 for a missing or unknown key where a key is required, 403 when the role of the key
     *     lacks the permission
     */
    String admit(Permission access, String method, MultiMap headers) {
        if (!keys.areSet()) {
            refuseForeignPages(method, headers);
            return ANONYMOUS;
        }
        if (access == Permission.OPEN) {
            return ANONYMOUS;
        }
        String key = key(headers).orElseThrow(() -> unauthorized("an API key is needed", ""));
        Caller caller =
                keys.find(key).orElseThrow(() -> unauthorized("the API key is not known", ", error=\"invalid_token\""));
        if (!access.allows(caller.role())) {
            throw Problem.of(
                            403,
                            "a key of the role " + caller.role().name().toLowerCase(Locale.ROOT) + " may not do this")
                    .asException();
        }
        return caller.name();
    }

    /** Returns the permission for a path outside the table, for example of a REST route in a flow. */
    static Permission accessOfOthers(String method) {
        return SAFE.contains(method) ? Permission.READ : Permission.OPERATE;
    }

    /**
     * Without keys, access from this machine is the only credential, and a browser lends this credential to every page.
     * So a page of another origin may not change anything, and a host name of another domain that resolves to this
     * machine is refused.
     */
    private static void refuseForeignPages(String method, MultiMap headers) {
        String host = headers.get("Host");
        if (host != null && !isOfThisMachine(host)) {
            throw Problem.of(403, "without API keys the hub answers to localhost and IP addresses only, not to " + host)
                    .asException();
        }
        String origin = headers.get("Origin");
        if (origin != null && !SAFE.contains(method) && !origin.equals("http://" + host)) {
            throw Problem.of(403, "without API keys pages of another origin may not change anything")
                    .asException();
        }
    }

    private static boolean isOfThisMachine(String authority) {
        String host;
        try {
            host = URI.create("http://" + authority).getHost();
        } catch (IllegalArgumentException e) {
            return false;
        }
        return host != null
                && (host.equalsIgnoreCase("localhost")
                        || host.toLowerCase(Locale.ROOT).endsWith(".localhost")
                        || host.startsWith("[")
                        || host.matches("[0-9.]+"));
    }

    private static Optional<String> key(MultiMap headers) {
        String authorization = headers.get("Authorization");
        if (authorization != null && authorization.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return Optional.of(authorization.substring(7).trim());
        }
        return Optional.ofNullable(headers.get("X-API-Key"));
    }

    private static ProblemException unauthorized(String detail, String error) {
        return new ProblemException(
                Problem.of(401, detail), "WWW-Authenticate", "Bearer realm=\"caravanserai\"" + error);
    }
}
