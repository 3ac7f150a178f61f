package io.caravanserai.flow.deploy;

import io.caravanserai.flow.check.CheckContext;
import io.caravanserai.flow.yaml.FlowRefusedException;
import io.caravanserai.flow.yaml.FlowText;
import io.caravanserai.flow.yaml.FlowVersion;
import io.caravanserai.flow.yaml.Kamelets;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Keeps the running flows equal to the folder: deploys new and changed files, undeploys deleted files, and retries
 * refused files once other flows or Kamelets have changed. Not thread-safe: called by one thread.
 */
public final class FolderSync {
    private final FlowDeployer deployer;
    private final RunningFlows running;
    private final FlowFolder folder;
    private final FolderWatch watch;
    private final Refusals refusals;
    /** Files that depend on each other, are valid together, but did not start. Not tried again with the same texts. */
    private MutuallyDependentFlows failedTogether = MutuallyDependentFlows.NONE;

    private final FolderWatch.Handler handler = new FolderWatch.Handler() {
        @Override
        public boolean changed(String file, boolean hasRestedLong) {
            return isKamelet(file) ? kameletChanged(file, hasRestedLong) : FolderSync.this.changed(file, hasRestedLong);
        }

        @Override
        public void deleted(String file) {
            if (isKamelet(file)) {
                redeployUsersOf(file);
            } else {
                FolderSync.this.deleted(file);
            }
        }
    };

    public FolderSync(
            FlowDeployer deployer, RunningFlows running, FlowFolder folder, FolderWatch watch, Refusals refusals) {
        this.deployer = deployer;
        this.running = running;
        this.folder = folder;
        this.watch = watch;
        this.refusals = refusals;
    }

    /** Starts the flow of each file in the folder. {@link #look} then deploys later changes. */
    public void start(FlowStartup startup) {
        Map<String, FlowFolder.Stamp> files = folder.files();
        watch.remember(files);
        files.keySet().stream().filter(file -> !isKamelet(file)).forEach(startup::startFile);
        while (refusals.takeRetryRequest()) {
            retryRefused();
        }
    }

    /** Scans the folder once and deploys the changes. */
    public void look() {
        watch.look(handler);
        if (refusals.takeRetryRequest()) {
            retryRefused();
        }
    }

    private static boolean isKamelet(String file) {
        return file.endsWith(Kamelets.ENDING);
    }

    /** Files that depend on each other may be saved in any order. */
    private void retryRefused() {
        for (String file : new TreeSet<>(refusals.files())) {
            if (watch.isGone(file)) {
                deleted(file);
            } else if (!watch.changing().contains(file)) {
                changed(file, true);
            }
        }
        deployMutuallyDependent();
    }

    /** Deploys new files that call each other together, or none. */
    private void deployMutuallyDependent() {
        synchronized (running) {
            MutuallyDependentFlows together = MutuallyDependentFlows.of(newAndRefused(), running::around);
            if (together.equals(failedTogether)) {
                return;
            }
            try {
                for (Map.Entry<String, String> each : together.texts().entrySet()) {
                    String file = each.getKey();
                    CheckContext around = together.around(file, running.around(file));
                    FlowVersion candidate = FlowDeployer.candidate(file, each.getValue(), around);
                    deployer.deploy(candidate, candidate.hash(), around, FlowDeployer.BY_FOLDER, false);
                }
            } catch (FlowRefusedException | RuntimeException e) {
                failedTogether = together;
                together.texts().keySet().forEach(deployer::undeploy);
                together.texts().keySet().forEach(file -> {
                    if (e instanceof FlowRefusedException refused) {
                        refusals.refuse(file, refused.faults());
                    } else {
                        refusals.refuse(file, "does not start: " + Refusal.reason(e));
                    }
                });
            }
        }
    }

    private Map<String, String> newAndRefused() {
        Map<String, String> texts = new TreeMap<>();
        for (String file : refusals.files()) {
            try {
                if (FlowVersion.isFileName(file) && running.newestOf(file).isEmpty()) {
                    texts.put(file, FlowText.decode(folder.read(file)));
                }
            } catch (IOException e) {
                // The file stays refused for this reason.
            }
        }
        return texts.size() < 2 ? Map.of() : texts;
    }

    /** Reads under the lock, so that no text read before a rollback is deployed after the rollback. */
    private boolean changed(String file, boolean hasRestedLong) {
        synchronized (running) {
            try {
                String text = FlowText.decode(folder.read(file));
                // The flow may use the Kamelet that is being written.
                if (!hasRestedLong
                        && (looksHalfWritten(file, text)
                                || watch.changing().stream().anyMatch(FolderSync::isKamelet))) {
                    return false;
                }
                if (!FlowVersion.isFileName(file)) {
                    refusals.refuse(file, "a flow file's name is made of letters, digits, . _ and -");
                    return true;
                }
                deployer.deploy(file, text, FlowDeployer.BY_FOLDER, false);
            } catch (NoSuchFileException e) {
                return false;
            } catch (CharacterCodingException e) {
                refusals.refuse(file, "not UTF-8 text");
            } catch (FlowRefusedException e) {
                refusals.refuse(file, e.faults());
            } catch (IOException | RuntimeException e) {
                refusals.refuse(file, "cannot be read: " + Refusal.reason(e));
            }
            return true;
        }
    }

    private boolean looksHalfWritten(String file, String text) {
        boolean cut = running.newestOf(file)
                .filter(newest -> isCut(text, newest.text()))
                .isPresent();
        return cut || !text.endsWith("\n");
    }

    private static boolean isCut(String text, String before) {
        return before.length() > text.length() && before.startsWith(text);
    }

    private void deleted(String file) {
        synchronized (running) {
            refusals.clear(file);
            Map<String, String> needed = running.around(file).needed();
            if (needed.isEmpty()) {
                deployer.undeploy(file);
            } else {
                String name = new TreeSet<>(needed.keySet()).first();
                refusals.refuse(
                        file,
                        "the file is gone, but " + needed.get(name) + " calls '" + name + "': it goes on running");
            }
        }
    }

    private boolean kameletChanged(String file, boolean hasRestedLong) {
        try {
            String text = FlowText.decode(folder.read(file));
            String name = nameOf(file);
            boolean cut = running.newest().stream()
                    .anyMatch(flow -> isCut(text, flow.version().kamelets().getOrDefault(name, "")));
            if (!hasRestedLong && (cut || !text.endsWith("\n"))) {
                return false;
            }
        } catch (NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            // The check of each flow that uses the Kamelet reports the fault.
        }
        redeployUsersOf(file);
        return true;
    }

    /** Deploys the flows that use a changed Kamelet, because each is a new version now. */
    private void redeployUsersOf(String kameletFile) {
        String name = nameOf(kameletFile);
        running.newest().stream()
                .map(RunningVersion::version)
                .filter(flow -> flow.kamelets().containsKey(name))
                .filter(flow -> !watch.changing().contains(flow.file()))
                .forEach(flow -> changed(flow.file(), true));
        refusals.requestRetry();
    }

    private static String nameOf(String kameletFile) {
        return kameletFile.substring(0, kameletFile.length() - Kamelets.ENDING.length());
    }
}
