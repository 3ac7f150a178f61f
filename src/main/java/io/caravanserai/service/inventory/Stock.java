package io.caravanserai.service.inventory;

/**
 * What there is of an article.
 *
 * @param onHand free to be reserved
 * @param reserved for orders not yet shipped
 * @param shipped so far
 */
public record Stock(String sku, long onHand, long reserved, long shipped) {}
