/** The results of items, in numbers. */
export interface ResultCounts {
  /** Complete replies. */
  readonly succeeded: number
  /** Replies that are not complete. */
  readonly partial: number
  readonly failed: number
}

/** The results of one chunk, in numbers. */
export interface ChunkSummary extends ResultCounts {
  /** The size of the lines, in bytes. */
  readonly bytes: number
}

/** The size of the first line of the object of a chunk. It has the summary, so the lines need not be read for it. */
export const headerBytes = 64

/** Returns the object of the results of a chunk. */
export function encodeChunk(lines: readonly string[], { succeeded, partial, failed }: ResultCounts): Buffer {
  const body = Buffer.from(lines.join(''))
  const header = `${[body.length, succeeded, partial, failed].join(' ').padEnd(headerBytes - 1)}\n`
  return Buffer.concat([Buffer.from(header), body])
}

/** Returns the summary from the first bytes of the object of a chunk. */
export function summaryOf(object: Buffer): ChunkSummary {
  const [bytes, succeeded, partial, failed] = object.toString('latin1', 0, headerBytes).split(' ').map(Number) as [
    number,
    number,
    number,
    number,
  ]
  return { bytes, succeeded, partial, failed }
}
