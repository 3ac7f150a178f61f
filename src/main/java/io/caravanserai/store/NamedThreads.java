package io.caravanserai.store;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Creates daemon threads with descriptive names for thread dumps. */
final class NamedThreads implements ThreadFactory {
    private final AtomicInteger count = new AtomicInteger();
    private final String name;

    NamedThreads(String name) {
        this.name = name;
    }

    @Override
    public Thread newThread(Runnable work) {
        Thread thread = new Thread(work, name + "-" + count.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    }
}
