package io.caravanserai.http;

import io.caravanserai.config.HubSettings.Role;
import java.util.EnumSet;
import java.util.Set;

/** Who may use an endpoint, once there are API keys. */
public enum Permission {
    /** Anyone, without a key. */
    OPEN(EnumSet.allOf(Role.class)),
    /** Reading what the hub knows. */
    READ(EnumSet.of(Role.VIEWER, Role.OPERATOR)),
    /** Reading orders. */
    READ_ORDERS(EnumSet.of(Role.VIEWER, Role.SENDER, Role.OPERATOR)),
    /** Sending and cancelling orders. */
    SEND_ORDERS(EnumSet.of(Role.SENDER, Role.OPERATOR)),
    /** Everything else. */
    OPERATE(EnumSet.of(Role.OPERATOR));

    private final Set<Role> roles;

    Permission(Set<Role> roles) {
        this.roles = roles;
    }

    public boolean allows(Role role) {
        return roles.contains(role);
    }
}
