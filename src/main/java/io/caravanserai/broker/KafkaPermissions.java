package io.caravanserai.broker;

import io.caravanserai.config.HubSettings.ApiKey;
import io.caravanserai.config.HubSettings.Role;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.server.authorizer.AclCreateResult;
import org.apache.kafka.server.authorizer.AclDeleteResult;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.authorizer.AuthorizationResult;
import org.apache.kafka.server.authorizer.Authorizer;
import org.apache.kafka.server.authorizer.AuthorizerServerInfo;

/**
 * Permissions of each API key at the embedded Kafka broker. Everything else is refused. ACLs cannot be changed.
 * Thread-safe.
 *
 * <ul>
 *   <li>operator, and the hub: everything
 *   <li>sender: write {@code orders} and {@code signals}
 *   <li>viewer and sender: read {@code order-events}, in any group except the hub's and other keys' groups: a group
 *       belongs to a key if the group's name is the key's name, or starts with the key's name and a dot or a dash
 * </ul>
 *
 * <p>Public with a no-argument constructor, because Kafka creates the instance by class name.
 */
public final class KafkaPermissions implements Authorizer {
    /** Key in the broker's configuration: the id of the realm. */
    static final String REALM = "caravanserai.realm";

    private static final Set<String> WRITABLE = Set.of("orders", "signals");
    private static final String EVENTS = "order-events";
    /**
     * Prefix of the group that consumes orders, whatever the hub's name, and of all groups of a hub without a name.
     */
    private static final String GROUPS_OF_HUBS = "hub-";

    private KafkaLogins.Realm realm;

    @Override
    public void configure(Map<String, ?> configuration) {
        String id = String.valueOf(configuration.get(REALM));
        realm = KafkaLogins.realm(id)
                .orElseThrow(() -> new IllegalStateException("the embedded Kafka broker has no known realm of keys"));
    }

    @Override
    public Map<Endpoint, ? extends CompletionStage<Void>> start(AuthorizerServerInfo server) {
        return server.endpoints().stream()
                .collect(Collectors.toMap(endpoint -> endpoint, any -> CompletableFuture.completedFuture(null)));
    }

    @Override
    public List<AuthorizationResult> authorize(AuthorizableRequestContext context, List<Action> actions) {
        return actions.stream()
                .map(action -> result(mayDo(context, action.operation(), action.resourcePattern())))
                .toList();
    }

    /** For idempotent producers, which need permission to write at least one topic. */
    @Override
    public AuthorizationResult authorizeByResourceType(
            AuthorizableRequestContext context, AclOperation operation, ResourceType type) {
        boolean somewhere = type == ResourceType.TOPIC
                && (mayDo(context, operation, topic("orders")) || mayDo(context, operation, topic(EVENTS)));
        return result(somewhere || mayAll(context));
    }

    private boolean mayAll(AuthorizableRequestContext context) {
        String name = context.principal().getName();
        return KafkaLogins.HUB.equals(name)
                || realm.key(name).filter(key -> key.role() == Role.OPERATOR).isPresent();
    }

    private boolean mayDo(AuthorizableRequestContext context, AclOperation operation, ResourcePattern resource) {
        if (mayAll(context)) {
            return true;
        }
        Optional<ApiKey> key = realm.key(context.principal().getName());
        if (key.isEmpty() || resource.patternType() != PatternType.LITERAL) {
            return false;
        }
        boolean isSender = key.get().role() == Role.SENDER;
        return switch (resource.resourceType()) {
            case TOPIC ->
                isSender && WRITABLE.contains(resource.name()) && isOneOf(operation, AclOperation.WRITE)
                        || EVENTS.equals(resource.name()) && isOneOf(operation, AclOperation.READ);
            case GROUP ->
                isOneOf(operation, AclOperation.READ)
                        && !resource.name().startsWith(GROUPS_OF_HUBS)
                        && !resource.name().startsWith(realm.hubName() + '-')
                        && isFreeOrOwn(resource.name(), key.get());
            case CLUSTER -> isSender && operation == AclOperation.IDEMPOTENT_WRITE;
            case TRANSACTIONAL_ID ->
                isSender
                        && isOneOf(operation, AclOperation.WRITE)
                        && resource.name().startsWith(key.get().name() + '.');
            default -> false;
        };
    }

    /** A group member takes records from the other members and may move the group's offsets. */
    private boolean isFreeOrOwn(String group, ApiKey key) {
        return realm.keys().stream()
                .map(ApiKey::name)
                .filter(name -> isNamedAfter(group, name))
                .max(Comparator.comparingInt(String::length))
                .filter(owner -> !owner.equals(key.name()))
                .isEmpty();
    }

    private static boolean isNamedAfter(String group, String name) {
        return group.equals(name) || group.startsWith(name + '.') || group.startsWith(name + '-');
    }

    private static boolean isOneOf(AclOperation operation, AclOperation allowed) {
        // Permission to read or write includes permission to describe.
        return operation == allowed || operation == AclOperation.DESCRIBE;
    }

    private static ResourcePattern topic(String name) {
        return new ResourcePattern(ResourceType.TOPIC, name, PatternType.LITERAL);
    }

    private static AuthorizationResult result(boolean allowed) {
        return allowed ? AuthorizationResult.ALLOWED : AuthorizationResult.DENIED;
    }

    @Override
    public List<? extends CompletionStage<AclCreateResult>> createAcls(
            AuthorizableRequestContext context, List<AclBinding> bindings) {
        return bindings.stream()
                .map(any -> CompletableFuture.completedFuture(new AclCreateResult(unchangeable())))
                .toList();
    }

    @Override
    public List<? extends CompletionStage<AclDeleteResult>> deleteAcls(
            AuthorizableRequestContext context, List<AclBindingFilter> filters) {
        return filters.stream()
                .map(any -> CompletableFuture.completedFuture(new AclDeleteResult(unchangeable())))
                .toList();
    }

    private static InvalidRequestException unchangeable() {
        return new InvalidRequestException(
                "ACLs cannot be changed: set the roles of the hub's keys (hub.security.api-keys)");
    }

    @Override
    public Iterable<AclBinding> acls(AclBindingFilter filter) {
        return List.of();
    }

    @Override
    public void close() {
        // The realm belongs to the broker.
    }
}
