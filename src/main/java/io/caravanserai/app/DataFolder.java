package io.caravanserai.app;

import io.caravanserai.support.PeriodicTask;
import io.caravanserai.support.PrivateFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the data folder from other users of the machine: modes 0700 and 0600, whatever the umask. The brokers in the
 * process make files of their own all the time, with the umask's mode; inside the folder nobody else reaches them, and
 * soon they have the mode of the others.
 */
final class DataFolder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DataFolder.class);
    private static final long PASS_SECONDS = 5;

    private final Path folder;
    private final Path routes;
    private volatile PeriodicTask passes;

    /** @param routes left alone where it lies inside: people of a group may edit flows together */
    DataFolder(Path folder, Path routes) {
        this.folder = folder;
        this.routes = routes;
    }

    /** Tightens what is there, with a line in the log when others had rights to it, and what comes from now on. */
    DataFolder watch() {
        // Brokers make files with rights for others, which a private folder keeps others from.
        boolean wasOpen = isOpen();
        int changed = tighten();
        if (wasOpen && changed > 0) {
            LOG.atWarn()
                    .addKeyValue("folder", folder.toAbsolutePath())
                    .addKeyValue("files", changed)
                    .log("other users could read files of the data folder; their rights were taken away");
        }
        passes = PeriodicTask.start("data-folder", Duration.ZERO, Duration.ofSeconds(PASS_SECONDS), this::tighten);
        return this;
    }

    private boolean isOpen() {
        try {
            return !PrivateFiles.isPrivate(folder);
        } catch (IOException e) {
            LOG.atDebug().setCause(e).log("rights of the data folder cannot be read");
            return true;
        }
    }

    private int tighten() {
        try {
            return PrivateFiles.tighten(folder, routes);
        } catch (IOException | RuntimeException e) {
            LOG.atDebug().setCause(e).log("rights of files cannot be changed");
            return 0;
        }
    }

    @Override
    public void close() {
        if (passes != null) {
            passes.close();
        }
    }
}
