import { randomBytes } from 'node:crypto'
import type { BulkStore } from '../object-store.ts'

/** The object with the name of the queue. */
const nameObject = 'queue'

/**
 * Returns the name of the queue of a store, which the first process creates. Services with other stores have other
 * queues, so several of them can use one server.
 */
export async function queueNameOf(store: BulkStore): Promise<string> {
  await store.create(nameObject, Buffer.from(`bulk-${randomBytes(8).toString('hex')}`))
  const name = await store.read(nameObject)
  if (name === undefined) throw new Error(`the store has no object '${nameObject}' after its creation`)
  return name.toString()
}
