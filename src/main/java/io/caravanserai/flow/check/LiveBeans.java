package io.caravanserai.flow.check;

import java.util.Map;
import java.util.Set;
import org.apache.camel.Component;
import org.apache.camel.saga.CamelSagaService;
import org.apache.camel.spi.BeanRepository;
import org.apache.camel.spi.Language;
import org.apache.camel.spi.Registry;

/**
 * The hub's beans, lent by name to a scratch context. Components, languages and the saga service are not lent: a context makes them
 * its own, and would stop them when it is thrown away.
 */
public final class LiveBeans implements BeanRepository {
    private final Registry live;
    private final CamelSagaService sagas;

    /** @param sagas what is lent in place of the hub's own saga service */
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
