package io.caravanserai.broker;

import io.caravanserai.config.HubSettings.ApiKey;
import io.caravanserai.config.HubSettings.Role;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.apache.activemq.artemis.core.security.CheckType;

/**
 * Permissions of each API key at the embedded broker, per queue. Everything else is refused. Thread-safe.
 *
 * <ul>
 *   <li>operator: everything
 *   <li>sender: send to {@code orders} and {@code signals}; receive from temporary queues of the same connection and
 *       from queues named {@code replies.NAME.…}
 *   <li>viewer and sender: subscribe to {@code order-events}, durably under {@code NAME.…}
 * </ul>
 */
final class BrokerPermissions {
    private static final Set<String> SENDABLE = Set.of("orders", "signals");
    private static final String EVENTS = "order-events";
    private static final String REPLIES = "replies.";
    private static final String QUALIFIER = "::";

    /** JMS clients name temporary queues and non-durable subscriptions by UUIDs. */
    private static final Pattern TEMPORARY =
            Pattern.compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");

    private final List<String> keyNames;
    private final HubAddresses hubAddresses;
    private final Predicate<String> exists;
    private final Map<String, Owner> owners = new ConcurrentHashMap<>();

    /** The owner of a temporary queue: a key on one connection. */
    private record Owner(String key, Object connectionId) {}

    /**
     * @param hubAddresses addresses reserved for the hub
     * @param exists whether the broker has a queue or an address of the given name
     */
    BrokerPermissions(List<ApiKey> keys, HubAddresses hubAddresses, Predicate<String> exists) {
        this.keyNames = keys.stream().map(ApiKey::name).toList();
        this.hubAddresses = hubAddresses;
        this.exists = exists;
    }

    /**
     * Whether a login may perform an operation.
     *
     * @param place an address, or a queue of an address: {@code order-events::NAME.mine}
     */
    boolean allows(ApiKey key, Object connectionId, CheckType type, String place) {
        if (key.role() == Role.OPERATOR) {
            return true;
        }
        int qualifier = place.indexOf(QUALIFIER);
        String address = qualifier < 0 ? place : place.substring(0, qualifier);
        String queue = qualifier < 0 ? address : place.substring(qualifier + QUALIFIER.length());
        if (isWildcard(address) || isWildcard(queue)) {
            return false;
        }
        Owner owner = new Owner(key.name(), connectionId);
        return switch (type) {
            case SEND -> key.role() == Role.SENDER && SENDABLE.contains(address) && queue.equals(address);
            case CREATE_NON_DURABLE_QUEUE ->
                isOwnSubscription(key, address, queue)
                        || isPlaceOfTemporary(key, address, queue) && claims(queue, owner);
            case CREATE_ADDRESS ->
                isOwnReplyQueue(key, address, queue)
                        || key.role() == Role.SENDER
                                && address.equals(queue)
                                && isTemporary(queue)
                                && claims(queue, owner);
            case CREATE_DURABLE_QUEUE, DELETE_DURABLE_QUEUE ->
                isOwnReplyQueue(key, address, queue) || isOwnSubscription(key, address, queue);
            case CONSUME, BROWSE, DELETE_NON_DURABLE_QUEUE ->
                isOwnReplyQueue(key, address, queue)
                        || isOwnSubscription(key, address, queue)
                        || isPlaceOfTemporary(key, address, queue) && owner.equals(owners.get(queue));
            case DELETE_ADDRESS -> isOwnReplyQueue(key, address, queue) || owner.equals(owners.get(address));
            default -> false;
        };
    }

    /** Whether a login may receive at an address, over any connection of that login. */
    boolean mayReceive(ApiKey key, String address) {
        Owner owner = owners.get(address);
        return isOwnReplyQueue(key, address, address)
                || key.role() == Role.SENDER && owner != null && owner.key().equals(key.name());
    }

    /** Whether a login may use a client id: the name of another key is refused. */
    boolean mayBeClient(String user, String clientId) {
        return BrokerLogins.HUB.equals(user) || clientId.equals(user) || !keyNames.contains(clientId);
    }

    /** Call when a connection has ended: the temporary queues of that connection have ended, too. */
    void connectionEnded(Object connectionId) {
        owners.values().removeIf(owner -> Objects.equals(owner.connectionId(), connectionId));
    }

    private boolean claims(String queue, Owner owner) {
        Owner before = owners.get(queue);
        if (before != null) {
            return before.equals(owner);
        }
        // An existing queue without an owner belongs to the hub or to an operator.
        return !exists.test(queue)
                && owners.computeIfAbsent(queue, none -> owner).equals(owner);
    }

    private static boolean isPlaceOfTemporary(ApiKey key, String address, String queue) {
        return isTemporary(queue) && (address.equals(EVENTS) || key.role() == Role.SENDER && address.equals(queue));
    }

    private boolean isOwnReplyQueue(ApiKey key, String address, String queue) {
        return key.role() == Role.SENDER
                && address.equals(queue)
                && address.startsWith(REPLIES)
                && isUnder(key, address.substring(REPLIES.length()));
    }

    /**
     * Queue names are unique across all addresses, so the name must belong to no other key, nor to the hub or a flow.
     */
    private boolean isOwnSubscription(ApiKey key, String address, String queue) {
        if (!address.equals(EVENTS) || hubAddresses.isSubscription(queue) || HubAddresses.isFlowQueue(queue)) {
            return false;
        }
        // JMS clients build names such as "NAME.x" and "nonDurable.NAME.x", with dots inside a part escaped.
        String plain = queue.replace("\\", "");
        for (String kind : List.of("nonDurable.", "Durable.")) {
            if (plain.startsWith(kind)) {
                return isUnder(key, plain.substring(kind.length()));
            }
        }
        return isUnder(key, plain);
    }

    /** The longest key name wins: of the keys "a" and "a.b", key "a.b" owns names that start with "a.b.". */
    private boolean isUnder(ApiKey key, String name) {
        String prefix = key.name() + '.';
        return name.startsWith(prefix)
                && name.length() > prefix.length()
                && keyNames.stream()
                        .noneMatch(other -> other.length() > key.name().length() && name.startsWith(other + '.'));
    }

    private static boolean isTemporary(String queue) {
        return TEMPORARY.matcher(queue).matches();
    }

    private static boolean isWildcard(String name) {
        return name.indexOf('*') >= 0 || name.indexOf('#') >= 0;
    }
}
