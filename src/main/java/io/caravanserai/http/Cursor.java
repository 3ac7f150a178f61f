package io.caravanserai.http;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The start of the next page of a list: the last item of the page before, encoded so that clients do not depend on the
 * content.
 */
public final class Cursor {

    private static final String SEPARATOR = ":";

    private Cursor() {}

    /**
     * Returns a page.
     * @param list name of the list; the cursor is valid only for this list
     * @param found up to one item more than the limit; the additional item shows that a next page exists
     * @param last returns the value of an item that the query of the next page needs
     */
    public static <T, D> Response.Page<D> page(
            String list, List<T> found, int limit, Function<T, String> last, Function<T, D> document) {
        boolean more = found.size() > limit;
        return page(list, more ? found.subList(0, limit) : found, more, last, document);
    }

    /** Like the method above, for items already cut to a page; not empty when more is true. */
    public static <T, D> Response.Page<D> page(
            String list, List<T> items, boolean more, Function<T, String> last, Function<T, D> document) {
        String next = more ? wrap(list, last.apply(items.get(items.size() - 1))) : null;
        return new Response.Page<>(items.stream().map(document).toList(), next);
    }

    /**
     * Returns the value in the parameter {@code cursor} of a request; empty on the first page.
     * @throws ProblemException 400, for a cursor that this list has not issued
     */
    public static Optional<String> of(String list, Request request) {
        return request.query("cursor").map(cursor -> unwrap(list, cursor));
    }

    /** Like {@link #of}, for a list with numbered items. */
    public static Optional<Long> numberOf(String list, Request request) {
        return of(list, request).map(text -> {
            if (!text.matches("\\d{1,18}")) {
                throw bad();
            }
            return Long.valueOf(text);
        });
    }

    private static String wrap(String list, String last) {
        String text = list + SEPARATOR + last;
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String unwrap(String list, String cursor) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(cursor);
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            if (text.startsWith(list + SEPARATOR)) {
                return text.substring(list.length() + SEPARATOR.length());
            }
            throw bad();
        } catch (IllegalArgumentException | CharacterCodingException e) {
            throw bad();
        }
    }

    private static ProblemException bad() {
        return Problem.badParameter("cursor", "must be the nextCursor of the page before")
                .asException();
    }
}
