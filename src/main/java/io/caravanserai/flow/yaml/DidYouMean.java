package io.caravanserai.flow.yaml;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import org.apache.commons.text.similarity.JaroWinklerSimilarity;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** Finds the known word nearest to one that is not known. */
public final class DidYouMean {
    private static final JaroWinklerSimilarity LIKENESS = new JaroWinklerSimilarity();

    private DidYouMean() {}

    /** Text to put behind a message: {@code , did you mean 'x'?}, or nothing when no word is near. */
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
                // Two changes in a word of two letters make any word of any other.
                .filter(each -> Math.max(each.length(), word.length()) > reach)
                .filter(each -> distance.apply(word, each) >= 0)
                .min(Comparator.<String>comparingInt(each -> distance.apply(word, each))
                        .thenComparing(each -> -LIKENESS.apply(word, each))
                        .thenComparing(Comparator.naturalOrder()));
    }
}
