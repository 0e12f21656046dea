import { grown } from '../metrics/grown.ts'
import type { Series } from '../metrics/series.ts'

/** Receives a number of one series. */
export type ReadNumber = (value: number) => void

/** Returns the receiver of the numbers of a series by the values of its labels; `undefined` leaves the series out. */
export type ReaderOf = (labels: readonly string[]) => ReadNumber | undefined

/** Reads the present values of the series of one family. The labels of a series are read once. */
export class SeriesValues {
  readonly #series: Series
  readonly #readerOf: ReaderOf
  readonly #readers: (ReadNumber | undefined)[] = []

  constructor(series: Series, readerOf: ReaderOf) {
    this.#series = series
    this.#readerOf = readerOf
  }

  read(): void {
    const { labels } = this.#series
    for (let slot = 0; slot < labels.length; slot++) {
      if (slot === this.#readers.length) this.#readers.push(this.#readerOf(labelValues(labels[slot] as string)))
      const value = this.#valueOf(slot)
      // A gauge of an upstream that has closed has no value.
      if (!Number.isNaN(value)) this.#readers[slot]?.(value)
    }
  }

  /** Returns the value of a counter or a gauge, or the number of observations of a histogram. */
  #valueOf(slot: number): number {
    const { values, width } = this.#series
    if (width === 1) return values[slot] as number
    let count = 0
    // The last number is the sum of the observations.
    for (let index = slot * width; index < (slot + 1) * width - 1; index++) count += values[index] as number
    return count
  }
}

/** Reads the growth of the series of one family since the reading before. A series that has not grown is left out. */
export class SeriesCounts {
  readonly #values: SeriesValues

  constructor(series: Series, readerOf: ReaderOf) {
    let before = new Float64Array(8)
    let slots = 0
    this.#values = new SeriesValues(series, labels => {
      const slot = slots++
      before = grown(before, slots)
      const read = readerOf(labels)
      return (
        read &&
        (count => {
          const growth = count - (before[slot] as number)
          before[slot] = count
          if (growth > 0) read(growth)
        })
      )
    })
  }

  read(): void {
    this.#values.read()
  }
}

/** Returns the values of a text of labels: `upstream="cats",code="OK"`. */
export function labelValues(text: string): string[] {
  const values: string[] = []
  let at = 0
  while (at < text.length) {
    at = text.indexOf('"', at) + 1
    let value = ''
    for (; text[at] !== '"'; at++) {
      if (text[at] !== '\\') value += text[at]
      else value += text[++at] === 'n' ? '\n' : text[at]
    }
    values.push(value)
    at++
  }
  return values
}
