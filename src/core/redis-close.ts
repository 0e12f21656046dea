/** The longest time for which a shared state that closes waits for its server, in ms. */
export const redisCloseMs = 2000
