/**
 * Loads the packages of the queue.
 *
 * @param option The variable or the option that needs them, for the message of an error.
 * @throws `TypeError` if a package is missing. The message names the fix.
 */
export async function loadQueuePackages(option: string) {
  try {
    const [{ Redis }, { Queue, Worker, createRedisBackend }] = await Promise.all([import('ioredis'), import('bullmq')])
    return { Redis, Queue, Worker, createRedisBackend }
  } catch (error) {
    throw new TypeError(
      `${option}: the package bullmq or its client ioredis cannot be loaded: install them with ` +
        `npm install bullmq ioredis, or remove ${option}`,
      { cause: error },
    )
  }
}
