package io.caravanserai.http;

import io.caravanserai.config.HubSettings.ApiKey;
import io.caravanserai.config.HubSettings.Role;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** The API keys of a hub, stored as hashes. Thread-safe. */
public final class ApiKeys {
    private final List<Entry> entries;

    public ApiKeys(List<ApiKey> keys) {
        this.entries = keys.stream()
                .map(key -> new Entry(
                        new Caller(key.name(), key.role()), HexFormat.of().parseHex(key.sha256())))
                .toList();
    }

    /** The owner of a key. */
    public record Caller(String name, Role role) {}

    private record Entry(Caller caller, byte[] sha256) {}

    /** Whether the hub requires keys. */
    public boolean areSet() {
        return !entries.isEmpty();
    }

    /** Returns the owner of the key; empty for an unknown key. Takes constant time. */
    public Optional<Caller> find(String key) {
        byte[] hash = sha256(key);
        Caller found = null;
        for (Entry entry : entries) {
            if (MessageDigest.isEqual(entry.sha256(), hash) && found == null) {
                found = entry.caller();
            }
        }
        return Optional.ofNullable(found);
    }

    private static byte[] sha256(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
