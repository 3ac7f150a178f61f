package io.caravanserai.flow.deploy;

import io.caravanserai.flow.check.CheckContext;
import io.caravanserai.flow.yaml.FlowRefusedException;
import io.caravanserai.flow.yaml.FlowText;
import io.caravanserai.flow.yaml.FlowVersion;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts versions that ran before: the newest version of each file when the hub starts, and an earlier version when an
 * order of that version continues. A recorded version is not checked again. Thread-safe. Each start holds the lock of
 * {@link RunningFlows}.
 */
public final class FlowStartup {
    private static final Logger LOG = LoggerFactory.getLogger(FlowStartup.class);

    private final FlowDeployer deployer;
    private final RunningFlows running;
    private final SqlFlowVersions versions;
    private final FlowFolder folder;
    private final Refusals refusals;

    public FlowStartup(
            FlowDeployer deployer,
            RunningFlows running,
            SqlFlowVersions versions,
            FlowFolder folder,
            Refusals refusals) {
        this.deployer = deployer;
        this.running = running;
        this.versions = versions;
        this.folder = folder;
        this.refusals = refusals;
    }

    /**
     * Starts the flow of a file. An unchanged text runs again, even if the text would fail a check today. A changed text
     * becomes a new version. If the text cannot start, the newest recorded version that can start runs.
     */
    void startFile(String file) {
        synchronized (running) {
            try {
                String text = FlowText.decode(folder.read(file));
                Optional<FlowVersion> last = versions.newest(file).join();
                CheckContext around = running.around(file);
                FlowVersion candidate = FlowDeployer.candidate(file, text, around);
                if (last.isPresent() && last.get().folderHash().equals(candidate.hash())) {
                    running.promote(running.add(last.get()));
                    return;
                }
                deployer.deploy(candidate, candidate.hash(), around, FlowDeployer.BY_FOLDER, false);
            } catch (FlowRefusedException e) {
                refusals.refuse(file, e.faults());
                startNewestThatCan(file);
            } catch (Exception e) {
                refusals.refuse(file, "does not start: " + Refusal.reason(e));
                startNewestThatCan(file);
            }
        }
    }

    private void startNewestThatCan(String file) {
        for (FlowVersion version : versions.all(file).join()) {
            RunningVersion added = null;
            try {
                added = running.add(version);
                running.promote(added);
                return;
            } catch (Exception e) {
                if (added != null) {
                    running.removeFailed(added);
                }
                LOG.atWarn()
                        .addKeyValue("file", file)
                        .addKeyValue("version", version.version())
                        .addKeyValue("error", Refusal.reason(e))
                        .log("version of a flow cannot start; trying the one before it");
            }
        }
    }

    /** Starts each version that unfinished orders or sagas need. */
    public void startCarried(List<OrdersCarried.Carried> unfinished) {
        for (OrdersCarried.Carried each : unfinished) {
            if (each.orders() == 0 && !wasAccepted(each)) {
                continue;
            }
            try {
                start(each.flow(), each.version());
            } catch (UnknownFlowException e) {
                LOG.atError()
                        .addKeyValue("flow", each.flow())
                        .addKeyValue("version", each.version())
                        .addKeyValue("orders", each.orders())
                        .setCause(e)
                        .log("orders wait for a version that cannot run");
            }
        }
    }

    private boolean wasAccepted(OrdersCarried.Carried version) {
        return versions.one(FlowVersion.fileOf(version.flow()), version.version())
                .join()
                .isPresent();
    }

    /**
     * Starts a version without intake, unless the version runs already.
     *
     * @throws UnknownFlowException when the version does not exist or cannot start any more
     */
    public void start(String flow, int version) {
        synchronized (running) {
            if (running.isRunning(flow, version)) {
                return;
            }
            FlowVersion stored = versions.one(FlowVersion.fileOf(flow), version)
                    .join()
                    .orElseThrow(() -> new UnknownFlowException("the flow " + flow + " has no version " + version));
            try {
                running.add(stored);
            } catch (Exception e) {
                UnknownFlowException unknown = new UnknownFlowException(
                        "version " + version + " of the flow " + flow + " cannot start: " + Refusal.reason(e));
                unknown.initCause(e);
                throw unknown;
            }
        }
    }
}
