package io.caravanserai.flow.deploy;

import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Kamelets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** The difference of two versions as a unified diff, with three lines of context. */
public final class FlowDiff {
    private static final int AROUND = 3;
    /**
     * Maximum number of table cells. Above the limit, all lines from the first to the last changed line count as
     * replaced.
     */
    private static final long LARGEST_TABLE = 4_000_000;

    private FlowDiff() {}

    /** A line of the diff: kept (' '), removed ('-') or added ('+'), with the number of earlier lines in each text. */
    private record Line(char mark, String text, int before, int after) {}

    /** Returns the diff of the texts, then of the Kamelets; empty when all texts are equal. */
    public static String between(FlowVersion older, FlowVersion newer) {
        StringBuilder out = new StringBuilder(between(older.file(), older, newer, FlowVersion::text));
        Set<String> kamelets = new TreeSet<>(older.kamelets().keySet());
        kamelets.addAll(newer.kamelets().keySet());
        for (String name : kamelets) {
            String file = "kamelets/" + Kamelets.fileOf(name);
            out.append(between(file, older, newer, version -> version.kamelets().getOrDefault(name, "")));
        }
        return out.toString();
    }

    private static String between(
            String file, FlowVersion older, FlowVersion newer, Function<FlowVersion, String> text) {
        List<Line> lines = lines(
                text.apply(older).lines().toList(), text.apply(newer).lines().toList());
        StringBuilder out = new StringBuilder();
        int at = 0;
        while (at < lines.size()) {
            int change = next(lines, at);
            if (change == lines.size()) {
                break;
            }
            int begin = Math.max(at, change - AROUND);
            int end = change;
            for (int each = change; each < lines.size() && each <= end + 2 * AROUND; each++) {
                end = lines.get(each).mark() == ' ' ? end : each;
            }
            end = Math.min(lines.size(), end + 1 + AROUND);
            hunk(lines.subList(begin, end), out);
            at = end;
        }
        return out.isEmpty()
                ? ""
                : "--- " + file + "\tversion " + older.version() + "\n+++ " + file + "\tversion " + newer.version()
                        + "\n" + out;
    }

    private static int next(List<Line> lines, int from) {
        int at = from;
        while (at < lines.size() && lines.get(at).mark() == ' ') {
            at++;
        }
        return at;
    }

    private static void hunk(List<Line> lines, StringBuilder out) {
        long removed = lines.stream().filter(line -> line.mark() != '+').count();
        long added = lines.stream().filter(line -> line.mark() != '-').count();
        Line first = lines.get(0);
        // An empty side counts from the line before.
        out.append("@@ -").append(removed == 0 ? first.before() : first.before() + 1);
        out.append(',').append(removed);
        out.append(" +").append(added == 0 ? first.after() : first.after() + 1);
        out.append(',').append(added).append(" @@\n");
        lines.forEach(line -> out.append(line.mark()).append(line.text()).append('\n'));
    }

    /** Uses the longest common subsequence between the common start and the common end of the texts. */
    private static List<Line> lines(List<String> before, List<String> after) {
        int shorter = Math.min(before.size(), after.size());
        int head = 0;
        while (head < shorter && before.get(head).equals(after.get(head))) {
            head++;
        }
        int tail = 0;
        while (tail < shorter - head
                && before.get(before.size() - 1 - tail).equals(after.get(after.size() - 1 - tail))) {
            tail++;
        }
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < head; i++) {
            lines.add(new Line(' ', before.get(i), i, i));
        }
        int beforeTail = before.size() - tail;
        int afterTail = after.size() - tail;
        lines.addAll(middle(before.subList(head, beforeTail), after.subList(head, afterTail), head));
        for (int i = 0; i < tail; i++) {
            lines.add(new Line(' ', before.get(beforeTail + i), beforeTail + i, afterTail + i));
        }
        return lines;
    }

    private static List<Line> middle(List<String> before, List<String> after, int head) {
        int[][] common = common(before, after);
        List<Line> lines = new ArrayList<>();
        int i = 0;
        int j = 0;
        while (i < before.size() || j < after.size()) {
            if (common.length > 0
                    && i < before.size()
                    && j < after.size()
                    && before.get(i).equals(after.get(j))) {
                lines.add(new Line(' ', before.get(i), head + i++, head + j++));
            } else if (j == after.size()
                    || i < before.size() && (common.length == 0 || common[i + 1][j] >= common[i][j + 1])) {
                lines.add(new Line('-', before.get(i), head + i++, head + j));
            } else {
                lines.add(new Line('+', after.get(j), head + i, head + j++));
            }
        }
        return lines;
    }

    /**
     * Returns the length of the longest common subsequence of the remaining lines, for each pair of lines; empty above
     * the maximum size.
     */
    private static int[][] common(List<String> before, List<String> after) {
        if ((long) before.size() * after.size() > LARGEST_TABLE) {
            return new int[0][];
        }
        int[][] common = new int[before.size() + 1][after.size() + 1];
        for (int i = before.size() - 1; i >= 0; i--) {
            for (int j = after.size() - 1; j >= 0; j--) {
                common[i][j] = before.get(i).equals(after.get(j))
                        ? common[i + 1][j + 1] + 1
                        : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        return common;
    }
}
