package io.caravanserai.flow.yaml;

import java.util.Comparator;
import java.util.Optional;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * A reason for the refusal of a flow file, with the position.
 * @param line counted from 1
 * @param column counted from 1
 * @param message the fault and, if known, the intended word
 */
public record Fault(String file, int line, int column, String message) {
    public static final Comparator<Fault> BY_PLACE =
            Comparator.comparing(Fault::file).thenComparingInt(Fault::line).thenComparingInt(Fault::column);

    public static Fault at(String file, Node node, String message) {
        return at(file, node.getStartMark(), message);
    }

    /** Creates a fault in the file, or in the Kamelet of the mark. */
    public static Fault at(String file, Optional<Mark> mark, String message) {
        return new Fault(
                mark.map(Mark::getName)
                        .filter(name -> name.endsWith(Kamelets.ENDING))
                        .orElse(file),
                mark.map(each -> each.getLine() + 1).orElse(1),
                mark.map(each -> each.getColumn() + 1).orElse(1),
                message);
    }

    public static Fault atStart(String file, String message) {
        return new Fault(file, 1, 1, message);
    }

    /** Returns the form that editors parse: {@code file:line:column: message}. */
    @Override
    public String toString() {
        return file + ":" + line + ":" + column + ": " + message;
    }
}
