package io.caravanserai.flow.check;

import java.util.Map;
import java.util.Set;
import org.apache.camel.Component;
import org.apache.camel.saga.CamelSagaService;
import org.apache.camel.spi.BeanRepository;
import org.apache.camel.spi.Language;
import org.apache.camel.spi.Registry;

/**
 * Gives a scratch context access to the beans of the hub by name. Excludes components, languages and the saga service,
 * because a context manages the lifecycle of these and would stop the live instances when the scratch context stops.
 */
public final class LiveBeans implements BeanRepository {
    private final Registry live;
    private final CamelSagaService sagas;

    /** @param sagas replaces the saga service of the hub */
    public LiveBeans(Registry live, CamelSagaService sagas) {
        this.live = live;
        this.sagas = sagas;
    }

    @Override
    public Object lookupByName(String name) {
        return lent(live.lookupByName(name));
    }

    @Override
    public <T> T lookupByNameAndType(String name, Class<T> type) {
        Object bean = lent(live.lookupByName(name));
        return type.isInstance(bean) ? type.cast(bean) : null;
    }

    @Override
    public <T> Map<String, T> findByTypeWithName(Class<T> type) {
        return Map.of();
    }

    @Override
    public <T> Set<T> findByType(Class<T> type) {
        return type.equals(CamelSagaService.class) ? Set.of(type.cast(sagas)) : Set.of();
    }

    private Object lent(Object bean) {
        if (bean instanceof CamelSagaService) {
            return sagas;
        }
        return bean instanceof Component || bean instanceof Language ? null : bean;
    }
}
