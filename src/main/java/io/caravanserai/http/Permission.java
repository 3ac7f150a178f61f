package io.caravanserai.http;

import io.caravanserai.config.HubSettings.Role;
import java.util.EnumSet;
import java.util.Set;

/** The permission that an endpoint requires, when API keys are set. */
public enum Permission {
    /** No key is required. */
    OPEN(EnumSet.allOf(Role.class)),
    /** Read everything. */
    READ(EnumSet.of(Role.VIEWER, Role.OPERATOR)),
    /** Read orders. */
    READ_ORDERS(EnumSet.of(Role.VIEWER, Role.SENDER, Role.OPERATOR)),
    /** Submit and cancel orders. */
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
