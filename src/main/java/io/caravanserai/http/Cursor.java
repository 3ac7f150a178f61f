package io.caravanserai.http;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Where the next page of a list begins: the last thing of the page before, wrapped so that nobody builds upon it. */
public final class Cursor {

    private static final String SEPARATOR = ":";

    private Cursor() {}

    /**
     * The page of what was read.
     *
     * @param list the name of the list, to which alone the cursor belongs
     * @param found up to one more than the limit, which tells whether there is another page
     * @param last of an item, what the query of the next page needs to know
     */
    public static <T, D> Response.Page<D> page(
            String list, List<T> found, int limit, Function<T, String> last, Function<T, D> document) {
        boolean more = found.size() > limit;
        return page(list, more ? found.subList(0, limit) : found, more, last, document);
    }

    /** The same for a page that was cut where it ends; it is not empty when there are more. */
    public static <T, D> Response.Page<D> page(
            String list, List<T> items, boolean more, Function<T, String> last, Function<T, D> document) {
        String next = more ? wrap(list, last.apply(items.get(items.size() - 1))) : null;
        return new Response.Page<>(items.stream().map(document).toList(), next);
    }

    /**
     * What the request's {@code cursor} tells; empty on the first page.
     *
     * @throws ProblemException 400, when it is none that this list has given
     */
    public static Optional<String> of(String list, Request request) {
        return request.query("cursor").map(cursor -> unwrap(list, cursor));
    }

    /** The same for lists whose items are numbered. */
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
