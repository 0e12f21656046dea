import type { Connection } from './connection.ts'
import { readServerInfo } from './server-info.ts'
import { replyCodeOf, StoreNotPrimary, StoreReplyInvalid } from './store-errors.ts'

/** The number of characters of the replication id that keys contain. */
const epochLength = 8

/** The epoch of a cluster, whose servers have an id each. */
const clusterEpoch = 'cluster'

/** The epoch of a server that does not permit INFO. */
export const unknownEpoch = 'none'

/**
 * Reads the epoch of a server: a name that is another one after each restart and each failover. The epoch is part of
 * the keys of the cache, so no entry from before is used. Such an entry can lack an invalidation that was acknowledged.
 *
 * Rejects if the server is a replica, and if it does not have the database of the client.
 */
export async function readEpoch(connection: Connection): Promise<string> {
  if (connection.isCluster) return clusterEpoch
  await connection.checkDatabase()
  let reply: unknown
  try {
    reply = await connection.send('', ['INFO', 'replication'])
  } catch (error) {
    if (replyCodeOf(error) === 'NOPERM') return unknownEpoch
    throw error
  }
  const info = readServerInfo(reply)
  if (info === undefined) throw new StoreReplyInvalid('INFO')
  if (!info.isPrimary) throw new StoreNotPrimary()
  return info.replicationId.slice(0, epochLength)
}

/** The time for which the mark of an epoch is kept, in ms. */
const markMs = 8 * 24 * 3_600_000

/**
 * Returns the time for which processes have used an epoch, in ms. The first one sets a mark with a lifetime. A process
 * that starts while the epoch is new must wait like those that were connected before it.
 */
export async function ageOfEpoch(connection: Connection, mark: string): Promise<number> {
  try {
    if ((await connection.send(mark, ['SET', mark, '', 'NX', 'PX', String(markMs)])) !== null) return 0
  } catch (error) {
    // A full server can be a new one.
    if (replyCodeOf(error) === 'OOM') return 0
    throw error
  }
  const left = await connection.send(mark, ['PTTL', mark])
  return typeof left === 'number' && left > 0 ? markMs - left : 0
}

/** Tests that a server accepts writes. Deletes a key that does not exist, which a full server accepts too. */
export async function testWrite(connection: Connection, probeKey: string): Promise<void> {
  const deleted = await connection.send(probeKey, ['DEL', probeKey])
  if (typeof deleted !== 'number') throw new StoreReplyInvalid('DEL')
}
