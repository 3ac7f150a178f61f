package io.caravanserai.deadletter;

import io.caravanserai.store.Store;
import io.caravanserai.support.Digests;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signs replayed messages, because any client can send a message that claims to be a replay. The secret is stored in
 * the database, so that all hubs on one store accept each other's seals. Thread-safe.
 */
public final class Seals {
    private static final String ALGORITHM = "HmacSHA256";
    private static final String NAME = "dead-letter-seal";
    private static final String MAKE = """
            INSERT INTO store_secrets (name, secret) VALUES (?, ?) ON CONFLICT (name) DO NOTHING
            """;
    private static final String READ = "SELECT secret FROM store_secrets WHERE name = ?";
    private static final int SECRET_BYTES = 32;

    private final Store store;
    private CompletableFuture<byte[]> secret;

    Seals(Store store) {
        this.store = store;
    }

    /** The seal of a replayed dead letter, computed from origin and body. */
    public CompletableFuture<String> of(DeadLetter letter) {
        return of(letter, letter.origin());
    }

    /** The seal of a text about a replayed dead letter, computed from the text and the letter's body. */
    public CompletableFuture<String> of(DeadLetter letter, String text) {
        byte[] body = letter.body() == null
                ? new byte[0]
                : letter.base64()
                        ? Base64.getDecoder().decode(letter.body())
                        : letter.body().getBytes(StandardCharsets.UTF_8);
        return of(text, body);
    }

    /**
     * Whether a hub on this store has sealed a message.
     *
     * @param seal the seal in the message; null when the message has no seal
     * @param body null when the message has no body
     */
    public CompletableFuture<Boolean> isGenuine(String origin, String seal, byte[] body) {
        if (seal == null) {
            return CompletableFuture.completedFuture(false);
        }
        return of(origin, body == null ? new byte[0] : body)
                .thenApply(genuine -> MessageDigest.isEqual(
                        genuine.getBytes(StandardCharsets.UTF_8), seal.getBytes(StandardCharsets.UTF_8)));
    }

    private CompletableFuture<String> of(String origin, byte[] body) {
        return secret().thenApply(key -> {
            try {
                Mac mac = Mac.getInstance(ALGORITHM);
                mac.init(new SecretKeySpec(key, ALGORITHM));
                String sealed = Digests.sha256(body) + origin;
                return HexFormat.of().formatHex(mac.doFinal(sealed.getBytes(StandardCharsets.UTF_8)));
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every Java has " + ALGORITHM, e);
            }
        });
    }

    private synchronized CompletableFuture<byte[]> secret() {
        if (secret == null || secret.isCompletedExceptionally()) {
            byte[] made = new byte[SECRET_BYTES];
            new SecureRandom().nextBytes(made);
            secret = store.write("store-secret", NAME, tx -> {
                tx.update(MAKE, NAME, HexFormat.of().formatHex(made));
                return HexFormat.of()
                        .parseHex(tx.first(READ, row -> row.getString(1), NAME).orElseThrow());
            });
        }
        return secret;
    }
}
