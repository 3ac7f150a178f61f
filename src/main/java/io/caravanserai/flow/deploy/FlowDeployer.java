package io.caravanserai.flow.deploy;

import io.caravanserai.flow.check.CheckContext;
import io.caravanserai.flow.check.ErrorLocator;
import io.caravanserai.flow.check.FlowCheck;
import io.caravanserai.flow.yaml.Fault;
import io.caravanserai.flow.yaml.FlowRefusedException;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Kamelets;
import io.caravanserai.flow.yaml.Nodes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deploys a text as the next version of a flow: checks the text, records the version, starts the routes, writes the
 * file, and makes the version the newest. A failure of one step undoes the earlier steps. Thread-safe. Each change holds
 * the lock of {@link RunningFlows}.
 */
public final class FlowDeployer {
    /** Recorded as the author of a version that came from the folder. */
    static final String BY_FOLDER = "folder";

    private static final Logger LOG = LoggerFactory.getLogger(FlowDeployer.class);

    private final RunningFlows running;
    private final SqlFlowVersions versions;
    private final FlowFolder folder;
    private final FolderWatch watch;
    private final Refusals refusals;

    public FlowDeployer(
            RunningFlows running, SqlFlowVersions versions, FlowFolder folder, FolderWatch watch, Refusals refusals) {
        this.running = running;
        this.versions = versions;
        this.folder = folder;
        this.watch = watch;
        this.refusals = refusals;
    }

    /** Returns the version of a text, not recorded yet, with the Kamelets that the text uses at present. */
    public static FlowVersion candidate(String file, String text, CheckContext around) {
        return FlowVersion.candidate(file, text, around.kamelets().neededBy(file, text));
    }

    /**
     * Makes a text the newest version of the flow, unless the newest version has the same text.
     *
     * @param who the caller, for the record
     * @param write whether to write the file too; false for a text that was read from the file
     * @return the version that now runs
     * @throws FlowRefusedException when the text has faults; nothing has changed then
     * @throws UncheckedIOException when the file cannot be written; nothing has changed then
     */
    public FlowVersion deploy(String file, String text, String who, boolean write) throws FlowRefusedException {
        synchronized (running) {
            CheckContext around = running.around(file);
            FlowVersion candidate = candidate(file, text, around);
            Optional<FlowVersion> same =
                    running.newestOf(file).filter(each -> each.folderHash().equals(candidate.hash()));
            if (same.isPresent()) {
                if (write) {
                    write(file, text);
                }
                refusals.clear(file);
                return same.get();
            }
            return deploy(candidate, candidate.hash(), around, who, write);
        }
    }

    /**
     * Makes the text of an earlier version, including the Kamelets of the version, the newest again. The files of
     * Kamelets stay unchanged, because other flows may use the Kamelets.
     *
     * @param version null for the version before the newest
     * @throws UnknownFlowException when the version does not exist
     * @throws FlowRefusedException when the text has faults now
     */
    public FlowVersion rollback(String file, Integer version, String who) throws FlowRefusedException {
        int number = version == null ? versionBeforeNewest(file) : version;
        FlowVersion earlier = versions.one(file, number)
                .join()
                .orElseThrow(() -> new UnknownFlowException(file + " has no version " + number));
        synchronized (running) {
            CheckContext around = running.around(file);
            String folderHash = candidate(file, earlier.text(), around).hash();
            CheckContext then = around.with(Kamelets.of(running.context(), earlier.kamelets()));
            FlowVersion candidate = candidate(file, earlier.text(), then);
            Optional<FlowVersion> same =
                    running.newestOf(file).filter(each -> each.hash().equals(candidate.hash()));
            if (same.isPresent()) {
                write(file, earlier.text());
                refusals.clear(file);
                return same.get();
            }
            return deploy(candidate, folderHash, then, who, true);
        }
    }

    private int versionBeforeNewest(String file) {
        List<FlowVersion> all = versions.all(file).join();
        if (all.size() < 2) {
            throw new UnknownFlowException(file + " has no version before its newest");
        }
        return all.get(1).version();
    }

    /**
     * Deploys a candidate; the caller holds the lock of {@link RunningFlows}.
     *
     * @param folderHash the hash of the texts in the folders
     */
    FlowVersion deploy(FlowVersion candidate, String folderHash, CheckContext around, String who, boolean write)
            throws FlowRefusedException {
        String file = candidate.file();
        String text = candidate.text();
        List<Fault> faults =
                isShipped(file, text) ? FlowCheck.checkAround(file, text, around) : FlowCheck.check(file, text, around);
        if (!faults.isEmpty()) {
            throw new FlowRefusedException(faults);
        }
        SqlFlowVersions.Accepted recorded =
                versions.accept(candidate, folderHash, who).join();
        FlowVersion accepted = recorded.version();
        boolean ran = running.isRunning(accepted.flow(), accepted.version());
        RunningVersion added = null;
        Optional<FlowFolder.Kept> written = Optional.empty();
        try {
            added = running.add(accepted);
            if (write) {
                written = Optional.of(write(file, text));
            }
            running.promote(added);
        } catch (Exception e) {
            written.ifPresent(FlowFolder.Kept::restore);
            if (added != null && !ran) {
                running.removeFailed(added);
            }
            if (recorded.isNew()) {
                versions.withdraw(accepted).join();
            }
            if (e instanceof UncheckedIOException unwritten) {
                throw unwritten;
            }
            throw new FlowRefusedException(
                    List.of(ErrorLocator.of(file, Nodes.parse(file, text).orElseThrow(), e, running.context())));
        }
        refusals.clear(file);
        refusals.requestRetry();
        LOG.atInfo()
                .addKeyValue("file", file)
                .addKeyValue("version", accepted.version())
                .addKeyValue("who", who)
                .log("flow runs");
        return accepted;
    }

    /**
     * Whether the text is part of the hub, and so was tested in the build. Skipping the full check shortens the first
     * start.
     */
    private static boolean isShipped(String file, String text) {
        if (!FlowVersion.isFileName(file)) {
            return false;
        }
        try (InputStream in = FlowDeployer.class.getResourceAsStream("/routes/" + file)) {
            return in != null && text.equals(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            return false;
        }
    }

    private FlowFolder.Kept write(String file, String text) {
        try {
            FlowFolder.Kept before = folder.keep(file);
            folder.write(file, text);
            watch.expect(file);
            return before;
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    private static UncheckedIOException unwritable(IOException e) {
        return new UncheckedIOException("the folder of flows (hub.routes.dir) cannot be written: " + e, e);
    }

    /**
     * Deletes a file and undeploys the flow.
     *
     * @param expected tests the running version, if any, once this call has the lock
     * @return false when the test fails; nothing has changed then
     * @throws UnknownFlowException when neither the file nor the flow exists
     * @throws FlowRefusedException while another flow calls this flow; nothing has changed then
     * @throws UncheckedIOException when the file cannot be deleted; nothing has changed then
     */
    public boolean delete(Predicate<Optional<FlowVersion>> expected, String file, String who)
            throws FlowRefusedException {
        synchronized (running) {
            Optional<FlowVersion> newest = running.newestOf(file);
            if (newest.isEmpty() && !folder.exists(file)) {
                throw new UnknownFlowException("there is no flow " + file);
            }
            if (!expected.test(newest)) {
                return false;
            }
            List<Fault> needed = running.around(file).needed().entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .map(need -> Fault.atStart(
                            file,
                            need.getValue() + " calls '" + need.getKey()
                                    + "' of this flow: delete or change that first"))
                    .toList();
            if (!needed.isEmpty()) {
                throw new FlowRefusedException(needed);
            }
            try {
                folder.delete(file);
            } catch (IOException e) {
                throw unwritable(e);
            }
            LOG.atInfo().addKeyValue("file", file).addKeyValue("who", who).log("flow deleted");
            refusals.clear(file);
            undeploy(file);
            return true;
        }
    }

    /** Stops the intake of a flow. The orders in the flow end in their versions. The caller holds the lock. */
    void undeploy(String file) {
        if (running.newestOf(file).isEmpty()) {
            return;
        }
        try {
            running.retire(FlowVersion.flowOf(file));
            refusals.requestRetry();
            LOG.atInfo().addKeyValue("file", file).log("flow ends; orders in it end under it");
        } catch (Exception e) {
            LOG.atWarn().addKeyValue("file", file).setCause(e).log("flow ends, but a route did not stop");
        }
    }
}
