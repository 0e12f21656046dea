import type { Redis } from 'ioredis'

const field = 'maxmemory_policy:'

/**
 * Returns the fault of a server that cannot have a queue: it may evict jobs, or does not have the database.
 *
 * @throws an error of the client if the server cannot be asked
 */
export async function serverFault(client: Redis, db: number): Promise<string | undefined> {
  const policy = policyIn(await client.info('memory'))
  // A compatible server without this field has no policy.
  if (policy !== undefined && policy !== 'noeviction')
    return (
      `the maxmemory-policy of the server is ${policy}, so it can evict jobs and their locks: ` +
      'set maxmemory-policy to noeviction, or use another server'
    )
  try {
    // The client uses database 0 if the server does not have the database of its options.
    await client.select(db)
  } catch (error) {
    if (!(error as Error).message.includes('DB index')) throw error
    return `the server has no database ${db}: set another number in the URL`
  }
  return undefined
}

function policyIn(memoryInfo: string): string | undefined {
  const line = memoryInfo.split('\n').find(each => each.startsWith(field))
  return line?.slice(field.length).trim()
}
