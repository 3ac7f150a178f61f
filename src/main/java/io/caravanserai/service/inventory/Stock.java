package io.caravanserai.service.inventory;

/**
 * The stock of an article.
 * @param onHand quantity free to be reserved
 * @param reserved quantity reserved for orders that are not shipped yet
 * @param shipped quantity shipped so far
 */
public record Stock(String sku, long onHand, long reserved, long shipped) {}
