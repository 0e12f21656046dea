import type { RunWork } from './run-work.ts'

/**
 * The end of the work of this process on a chunk.
 *
 * - `stored`: the chunk has results.
 * - `interrupted`: the chunk has no results, and another process may run it now.
 * - `unwanted`: the run is paused, has ended or was removed.
 * - `refused`: this process does not offer the aggregate. Another process may offer it.
 */
export type ChunkEnd = 'stored' | 'interrupted' | 'unwanted' | 'refused'

/** A chunk that this process may run. */
export interface AssignedChunk {
  readonly owner: string
  /** The id of the run. */
  readonly run: string
  /** The upload of the run. A run that is created again with the same id has another one. */
  readonly upload: string
  /** The number of the chunk, from 1. */
  readonly number: number
  /** Ends the assignment. */
  end(how: ChunkEnd): Promise<void>
}

/**
 * Distributes the chunks of runs over processes. It avoids double work. It does not protect the results, because the
 * first results of a chunk stay, even if a second process has run the chunk too.
 */
export interface ChunkSource {
  /** Starts to use the connections of the source, if it has any. */
  open(): void
  /**
   * Returns the next chunk without results for this process; `undefined` if there is no such chunk now. A source may
   * return a chunk of another run, so that runs share the processes.
   */
  next(work: RunWork): Promise<AssignedChunk | undefined>
  /** Closes the connections. */
  close(): Promise<void>
}
