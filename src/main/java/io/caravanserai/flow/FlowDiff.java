package io.caravanserai.flow;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** The difference of two versions as a unified diff, with three lines around each change. */
public final class FlowDiff {
    private static final int AROUND = 3;

    private FlowDiff() {}

    /** A line of the diff: kept (' '), gone ('-') or new ('+'), with how many lines of each text come before it. */
    private record Line(char mark, String text, int before, int after) {}

    /** Of the texts, then of the Kamelets; empty when all are the same. */
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
        // An empty side counts from the line before it.
        out.append("@@ -").append(removed == 0 ? first.before() : first.before() + 1);
        out.append(',').append(removed);
        out.append(" +").append(added == 0 ? first.after() : first.after() + 1);
        out.append(',').append(added).append(" @@\n");
        lines.forEach(line -> out.append(line.mark()).append(line.text()).append('\n'));
    }

    /** Along the longest common subsequence; flow files are short, so the plain table will do. */
    private static List<Line> lines(List<String> before, List<String> after) {
        int[][] common = new int[before.size() + 1][after.size() + 1];
        for (int i = before.size() - 1; i >= 0; i--) {
            for (int j = after.size() - 1; j >= 0; j--) {
                common[i][j] = before.get(i).equals(after.get(j))
                        ? common[i + 1][j + 1] + 1
                        : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        List<Line> lines = new ArrayList<>();
        int i = 0;
        int j = 0;
        while (i < before.size() || j < after.size()) {
            if (i < before.size() && j < after.size() && before.get(i).equals(after.get(j))) {
                lines.add(new Line(' ', before.get(i), i++, j++));
            } else if (j == after.size() || i < before.size() && common[i + 1][j] >= common[i][j + 1]) {
                lines.add(new Line('-', before.get(i), i++, j));
            } else {
                lines.add(new Line('+', after.get(j), i, j++));
            }
        }
        return lines;
    }
}
