package io.caravanserai.flow.yaml;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import org.apache.commons.text.similarity.JaroWinklerSimilarity;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** Finds the known word nearest to an unknown word. */
public final class DidYouMean {
    private static final JaroWinklerSimilarity LIKENESS = new JaroWinklerSimilarity();

    private DidYouMean() {}

    /** Returns text to append to a message: {@code , did you mean 'x'?}; empty when no word is near. */
    public static String of(String word, Collection<String> known) {
        return nearest(word, known)
                .map(near -> ", did you mean '" + near + "'?")
                .orElse("");
    }

    static Optional<String> nearest(String word, Collection<String> known) {
        int reach = Math.max(2, word.length() / 3);
        LevenshteinDistance distance = new LevenshteinDistance(reach);
        Optional<String> sameLetters =
                known.stream().filter(word::equalsIgnoreCase).sorted().findFirst();
        if (sameLetters.isPresent()) {
            return sameLetters;
        }
        return known.stream()
                // Two changes turn any word of two letters into any other.
                .filter(each -> Math.max(each.length(), word.length()) > reach)
                .filter(each -> distance.apply(word, each) >= 0)
                .min(Comparator.<String>comparingInt(each -> distance.apply(word, each))
                        .thenComparing(each -> -LIKENESS.apply(word, each))
                        .thenComparing(Comparator.naturalOrder()));
    }
}
