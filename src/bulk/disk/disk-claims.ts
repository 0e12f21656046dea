import { randomUUID } from 'node:crypto'
import type { ChunkClaims, Release } from '../chunk-claims.ts'
import { numbered } from '../names.ts'
import type { BulkStore } from '../object-store.ts'
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts'

/** The holder of a claim: a process, and the instance of the claims in it. */
interface Claimant extends ProcessIdentity {
  readonly claims: string
}

/**
 * Claims of the processes of one machine. A claim is an object with the identity of its process, and ends with the
 * process: the next claim has the next number. So two processes that see the same ended process never both hold the
 * chunk.
 */
export class DiskClaims implements ChunkClaims {
  readonly #store: BulkStore
  readonly #own: Claimant = { ...ownIdentity(), claims: randomUUID() }
  /** The folders of the claims that are held. A claim whose removal has failed is not. */
  readonly #held = new Set<string>()

  constructor(store: BulkStore) {
    this.#store = store
  }

  async claim(upload: string, chunk: string): Promise<Release | undefined> {
    const folder = `claims/${upload}/${chunk}`
    const last = (await this.#store.list(folder)).at(-1)
    if (last !== undefined) {
      const holder = await this.#store.read(`${folder}/${last}`)
      if (holder !== undefined && this.#isHeld(folder, JSON.parse(holder.toString()) as Claimant)) return undefined
    }
    const name = `${folder}/${numbered(Number(last ?? 0) + 1)}`
    if (!(await this.#store.create(name, Buffer.from(JSON.stringify(this.#own))))) return undefined
    this.#held.add(folder)
    return async () => {
      this.#held.delete(folder)
      await this.#store.remove(folder)
    }
  }

  #isHeld(folder: string, holder: Claimant): boolean {
    return holder.claims === this.#own.claims ? this.#held.has(folder) : isRunning(holder)
  }
}
