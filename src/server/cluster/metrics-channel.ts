import { runPieces } from '../../core/pieces.ts'
import { ChunkWriter } from '../../metrics/chunks.ts'
import type { MetricsFormat } from '../../metrics/format.ts'
import type { Series } from '../../metrics/series.ts'
import { sharedSource, type MetricsSource } from '../../metrics/source.ts'
import type { FromWorker, ToWorker } from './messages.ts'

/** Returns the series of a process. */
export type Collect = () => Promise<readonly Series[]>

/** A text that the primary sends in parts. */
interface Rendering {
  readonly parts: string[]
  readonly resolve: (text: string) => void
  readonly reject: (error: Error) => void
}

/** The metrics of a worker: it sends its own series to the primary, and renders those of the whole service. */
export class MetricsChannel {
  /** The metrics of all processes. The primary renders them. */
  readonly source: MetricsSource
  /** Returns the series of this worker. Set it before the worker listens. */
  collect: Collect = async () => []
  readonly #send: (message: FromWorker) => Promise<void>
  readonly #writer = new ChunkWriter()
  readonly #renderings = new Map<number, Rendering>()
  #count = 0
  #isClosed = false
  #last: Promise<void> = Promise.resolve()

  /** @param send Sends a message; resolves when it is written, or cannot be written. */
  constructor(send: (message: FromWorker) => Promise<void>) {
    this.#send = send
    this.source = sharedSource(format => this.#render(format))
  }

  /** Handles a message of the primary. */
  handle(message: Extract<ToWorker, { readonly kind: 'collect' | 'rendered' | 'notRendered' }>): void {
    if (message.kind === 'collect') {
      void this.sendSeries().then(() => this.#send({ kind: 'collected', id: message.id }))
      return
    }
    const { id } = message
    const rendering = this.#renderings.get(id)
    if (rendering === undefined) return
    if (message.kind === 'rendered') {
      rendering.parts.push(message.text)
      if (!message.isLast) return
      rendering.resolve(rendering.parts.join(''))
    } else {
      rendering.reject(new Error('the primary process could not collect the metrics'))
    }
    this.#renderings.delete(id)
  }

  /** Sends the series of this worker. Resolves when the last chunk is written. */
  sendSeries(): Promise<void> {
    const { collect } = this
    // One snapshot after the other: the labels of a series are sent with the first of them.
    this.#last = this.#last.then(async () => this.#sendAll(await collect())).catch(() => {})
    return this.#last
  }

  /** Ends the renderings, when the channel to the primary has closed. */
  close(): void {
    this.#isClosed = true
    for (const { reject } of this.#renderings.values()) reject(closedError())
    this.#renderings.clear()
  }

  async #sendAll(families: readonly Series[]): Promise<void> {
    let written: Promise<void> | undefined
    const chunks = this.#writer.write(families)
    const send = (message: FromWorker) => {
      written = this.#send(message)
    }
    await runPieces(
      (function* () {
        for (const chunk of chunks) {
          send({ kind: 'series', chunk })
          yield
        }
      })(),
    )
    await written
  }

  #render(format: MetricsFormat): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closedError())
      const id = this.#count++
      this.#renderings.set(id, { parts: [], resolve, reject })
      void this.#send({ kind: 'render', id, format })
    })
  }
}

function closedError(): Error {
  return new Error('the primary process, which has the metrics of all workers, has exited')
}
