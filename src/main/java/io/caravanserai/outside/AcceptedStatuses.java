package io.caravanserai.outside;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** HTTP status codes that count as an answer, for example {@code 200-299,402}. */
record AcceptedStatuses(List<Range> ranges) {
    private static final Pattern RANGE = Pattern.compile("([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?");

    record Range(int first, int last) {}

    /** @throws IllegalArgumentException when the text is no list of status codes; the message shows a valid list */
    static AcceptedStatuses of(String text) {
        List<Range> ranges = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            Matcher range = RANGE.matcher(part.strip());
            if (!range.matches()) {
                throw new IllegalArgumentException(
                        "accept: '" + text + "' is no list of status codes, such as 200-299,402");
            }
            int first = Integer.parseInt(range.group(1));
            ranges.add(new Range(first, range.group(2) == null ? first : Integer.parseInt(range.group(2))));
        }
        return new AcceptedStatuses(List.copyOf(ranges));
    }

    /** Whether the list names the status itself, not only within a range. */
    boolean names(int status) {
        return ranges.contains(new Range(status, status));
    }

    boolean contains(int status) {
        return ranges.stream().anyMatch(range -> range.first() <= status && status <= range.last());
    }
}
