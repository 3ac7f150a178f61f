package io.caravanserai.crash;

import io.caravanserai.store.StoreListener;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** Copies of the packaged distribution. */
public final class Distribution {
    private static final Path BUILT = Path.of("target", "hub").toAbsolutePath();

    private Distribution() {}

    /** The distribution in the build folder; for tests that change nothing there. */
    public static Path built() {
        if (!Files.isExecutable(BUILT.resolve("bin/hub"))) {
            throw new IllegalStateException(BUILT + " is missing: mvn package makes it");
        }
        return BUILT;
    }

    /** Copies the distribution to a new folder. */
    public static Path copyTo(Path home) throws IOException {
        try (Stream<Path> files = Files.walk(built())) {
            for (Path file : files.filter(each -> !isData(each)).toList()) {
                Path copy = home.resolve(BUILT.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        return home;
    }

    private static boolean isData(Path file) {
        return file.startsWith(BUILT.resolve("data"));
    }

    /** Like {@link #copyTo}, with {@link CrashPoint} added, and warmed up. */
    public static Path withCrashPoints(Path home) throws IOException, InterruptedException {
        copyTo(home);
        Process warmUp = new ProcessBuilder(home.resolve("bin/warm-up").toString())
                .redirectErrorStream(true)
                .redirectOutput(home.resolve("warm-up.log").toFile())
                .start();
        if (warmUp.waitFor() != 0) {
            throw new IllegalStateException(
                    "bin/warm-up failed: " + Files.readString(home.resolve("warm-up.log"), StandardCharsets.UTF_8));
        }
        // Last in the class path order, so that the class-data archive stays valid for the jars before.
        try (OutputStream file = Files.newOutputStream(home.resolve("lib/zz-crash-point.jar"));
                JarOutputStream jar = new JarOutputStream(file)) {
            String name = CrashPoint.class.getName().replace('.', '/') + ".class";
            jar.putNextEntry(new JarEntry(name));
            try (InputStream code = CrashPoint.class.getResourceAsStream("/" + name)) {
                code.transferTo(jar);
            }
            jar.putNextEntry(new JarEntry("META-INF/services/" + StoreListener.class.getName()));
            jar.write(CrashPoint.class.getName().getBytes(StandardCharsets.UTF_8));
            jar.closeEntry();
        }
        return home;
    }
}
