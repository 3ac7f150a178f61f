package io.caravanserai.app;

import io.caravanserai.service.inventory.StockRepository;
import io.caravanserai.store.Store;
import java.util.Map;

/** Adds a few articles to an empty stock, so that a first order succeeds. */
record DemoStock(StockRepository shelf) {
    private static final Map<String, Long> ARTICLES =
            Map.of("SADDLE-01", 1_000L, "LANTERN-02", 1_000L, "WATERSKIN-03", 1_000L, "CARPET-04", 10L);

    void sow(Store store) {
        store.write("seed-stock", "stock", tx -> {
                    if (shelf.isEmpty(tx)) {
                        for (Map.Entry<String, Long> each : ARTICLES.entrySet()) {
                            shelf.set(tx, each.getKey(), each.getValue());
                        }
                    }
                    return null;
                })
                .join();
    }
}
