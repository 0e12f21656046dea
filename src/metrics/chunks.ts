import type { Family } from './family.ts'
import { grown } from './grown.ts'
import type { Series } from './series.ts'

/** An exemplar as it is sent. */
export interface SentExemplar {
  /** The index of its count in the values of the chunk. */
  readonly at: number
  readonly traceId: string
  readonly value: number
  readonly time: number
}

/** Series of one family of a process, in the form in which they are sent to another process. */
export interface SeriesChunk {
  readonly family: Family
  /** The number of the first series of this chunk, in the order in which the series were sent first. */
  readonly from: number
  /** The labels of the series of this chunk that were not sent before. They are the last ones of the chunk. */
  readonly labels: readonly string[]
  /** The numbers of the series of this chunk. A number that is not finite is sent as `null`. */
  readonly values: readonly (number | null)[]
  /** The exemplars of these series that are new since the previous snapshot. */
  readonly exemplars: readonly SentExemplar[]
}

/** The largest number of numbers in a chunk, and of characters in its labels. One series may have more. */
const maxValues = 1024
const maxCharacters = 16_384

/** The series of a family that were sent, in the order in which they were sent first. */
interface Sent {
  readonly slots: number[]
  /** 1 for each slot that was sent. */
  known: Uint8Array
}

/**
 * Cuts the series of a process into chunks of a limited size. The labels of a series are sent once; later chunks have
 * its values only. A series that is not rendered is not sent.
 */
export class ChunkWriter {
  readonly #sent = new Map<string, Sent>()
  /** The time of the previous snapshot, in seconds since the epoch. */
  #since = 0

  #sentOf(name: string): Sent {
    let sent = this.#sent.get(name)
    if (sent === undefined) this.#sent.set(name, (sent = { slots: [], known: new Uint8Array(8) }))
    return sent
  }

  #addNew(series: Series, sent: Sent): void {
    const count = series.labels.length
    sent.known = grown(sent.known, count)
    for (let slot = 0; slot < count; slot++) {
      if (sent.known[slot] === 1 || !series.isUsed(slot)) continue
      sent.known[slot] = 1
      sent.slots.push(slot)
    }
  }

  /** Returns the chunks of a snapshot. Each chunk has the values at the time at which it is taken. */
  *write(families: Iterable<Series>): Generator<SeriesChunk, void, void> {
    const since = this.#since
    this.#since = (performance.timeOrigin + performance.now()) / 1000
    for (const series of families) {
      const sent = this.#sentOf(series.family.name)
      const known = sent.slots.length
      this.#addNew(series, sent)
      for (let from = 0; from < sent.slots.length;) {
        const chunk = chunkOf(series, sent, { from, known, since })
        yield chunk
        from += chunk.values.length / series.width
      }
    }
  }
}

interface ChunkStart {
  readonly from: number
  /** The number of series whose labels were sent with an earlier snapshot. */
  readonly known: number
  /** The time from which exemplars are new, in seconds since the epoch. */
  readonly since: number
}

function chunkOf(series: Series, { slots }: Sent, { from, known, since }: ChunkStart): SeriesChunk {
  const { family, width } = series
  const labels: string[] = []
  const values: (number | null)[] = []
  const exemplars: SentExemplar[] = []
  let characters = 0
  for (let index = from; index < slots.length && values.length + width <= Math.max(width, maxValues); index++) {
    const slot = slots[index] as number
    if (index >= known) {
      const text = series.labels[slot] as string
      characters += text.length
      if (characters > maxCharacters && index > from) break
      labels.push(text)
    }
    for (let at = slot * width; at < (slot + 1) * width; at++) {
      const exemplar = series.exemplars?.[at]
      if (exemplar !== undefined && exemplar.time >= since) exemplars.push({ at: values.length, ...exemplar })
      const value = series.values[at] as number
      values.push(Number.isFinite(value) ? value : null)
    }
  }
  return { family, from, labels, values, exemplars }
}
