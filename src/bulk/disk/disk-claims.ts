import type { ChunkClaims, Release } from '../chunk-claims.ts'
import { numbered } from '../names.ts'
import type { BulkStore } from '../object-store.ts'
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts'

/**
 * Claims of the processes of one machine. A claim is an object with the identity of its process, and ends with the
 * process: the next claim has the next number. So two processes that see the same ended process never both hold the
 * chunk.
 */
export class DiskClaims implements ChunkClaims {
  readonly #store: BulkStore
  readonly #own = Buffer.from(JSON.stringify(ownIdentity()))

  constructor(store: BulkStore) {
    this.#store = store
  }

  async claim(run: string, chunk: string): Promise<Release | undefined> {
    const folder = `claims/${run}/${chunk}`
    const last = (await this.#store.list(folder)).at(-1)
    if (last !== undefined) {
      const holder = await this.#store.read(`${folder}/${last}`)
      if (holder !== undefined && isRunning(JSON.parse(holder.toString()) as ProcessIdentity)) return undefined
    }
    const name = `${folder}/${numbered(Number(last ?? 0) + 1)}`
    if (!(await this.#store.create(name, this.#own))) return undefined
    return () => this.#store.remove(folder)
  }
}
