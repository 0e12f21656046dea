import * as families from './families.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesTable } from './series-table.ts'

/** The forms of a stream: lines of JSON or server-sent events. */
export const streamFormats = ['ndjson', 'sse'] as const

/** The ends of a stream: its last event, a reader that is too slow, or a caller that leaves. */
export const streamEnds = ['reply', 'problem', 'cut', 'left'] as const

/** The results of a snapshot. */
export const snapshotResults = ['sent', 'dropped'] as const

export type StreamFormatLabel = (typeof streamFormats)[number]
export type StreamEnd = (typeof streamEnds)[number]
export type SnapshotResult = (typeof snapshotResults)[number]

/** Counts the streams of one service. */
export class StreamMetrics {
  readonly #open: SeriesTable
  readonly #openSlot: number
  readonly #ended: SeriesTable
  readonly #snapshots: SeriesTable

  constructor(metrics: Metrics) {
    this.#open = metrics.table(families.openStreams)
    this.#openSlot = this.#open.slot()
    this.#ended = metrics.table(families.streams)
    this.#snapshots = metrics.table(families.snapshots)
  }

  /** Counts a stream whose plan is sent. */
  opened(): void {
    this.#open.add(this.#openSlot, 1)
  }

  /** Counts the end of a stream that `opened` has counted. */
  ended(format: StreamFormatLabel, end: StreamEnd): void {
    this.#open.add(this.#openSlot, -1)
    this.#ended.add(this.#ended.slot(format, end), 1)
  }

  /** Counts a snapshot that was made. It is sent, or dropped because it is not valid. */
  snapshot(result: SnapshotResult): void {
    this.#snapshots.add(this.#snapshots.slot(result), 1)
  }
}
