package io.caravanserai.app;

import io.caravanserai.support.PeriodicTask;
import io.caravanserai.support.PrivateFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restricts the data folder to the user of the hub: modes 0700 and 0600, independent of the umask. The embedded brokers
 * create files with the mode of the umask. Other users cannot reach these files inside the folder, and the next pass
 * corrects the modes.
 */
final class DataFolder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DataFolder.class);
    private static final long PASS_SECONDS = 5;

    private final Path folder;
    private final Path routes;
    private volatile PeriodicTask passes;

    /** @param routes excluded when inside the data folder: a group may edit flows together */
    DataFolder(Path folder, Path routes) {
        this.folder = folder;
        this.routes = routes;
    }

    /** Restricts existing files, with a log line when other users had access, and then new files periodically. */
    DataFolder watch() {
        // Files of brokers with open modes are no finding inside a private folder.
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
