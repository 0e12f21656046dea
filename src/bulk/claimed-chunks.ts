import type { ChunkClaims } from './chunk-claims.ts'
import type { AssignedChunk, ChunkSource } from './chunk-source.ts'
import { numbered } from './names.ts'
import type { RunWork } from './run-work.ts'

/** Distributes chunks by claims: each process claims the first chunk that no other process holds. */
export class ClaimedChunks implements ChunkSource {
  readonly #claims: ChunkClaims

  constructor(claims: ChunkClaims) {
    this.#claims = claims
  }

  open(): void {}

  async next(work: RunWork): Promise<AssignedChunk | undefined> {
    const { owner, id: run, upload } = work.run
    for (let number = await work.next(); number !== undefined; number = await work.next()) {
      const release = await this.#claims.claim(upload, numbered(number))
      if (release === undefined) continue
      const isStored = await work.isStored(number).catch(async (error: unknown) => {
        await release()
        throw error
      })
      if (!isStored) return { owner, run, upload, number, end: release }
      await release()
    }
    return undefined
  }

  async close(): Promise<void> {}
}
