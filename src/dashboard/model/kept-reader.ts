import type { RunList, RunRow } from '../../waterfall/kept-run.ts'
import { countFilters, keptRunsPath, namedRunsPaths, type RunFilters } from './filters.ts'
import { count } from './format.ts'
import { mostShown } from './shown-runs.ts'

/** The largest number of lists that one search for older runs reads. */
const mostLists = 10

/** Reads lists of kept runs. A later request drops the answers of earlier ones. */
export class KeptReader {
  readonly #fetch: (path: string) => Promise<Response>
  readonly #onEnd: () => void
  #request = 0
  #note = ''
  #hasMore = true
  /** The position at which the list of the filters ended. */
  #found: string | undefined
  /** The position at which a search for older runs stopped, because it had read enough lists. */
  #searched: string | undefined

  /** @param onEnd - Called when a request has ended. */
  constructor(fetch: (path: string) => Promise<Response>, onEnd: () => void) {
    this.#fetch = fetch
    this.#onEnd = onEnd
  }

  /** Sentences about the last request; empty without one. */
  get note(): string {
    return this.#note
  }

  /** False if the last `find` has read all kept runs that can pass the filters. */
  get hasMore(): boolean {
    return this.#hasMore
  }

  /** Drops the answers of earlier requests. */
  drop(): void {
    this.#request++
    this.#note = ''
    this.#hasMore = true
    this.#found = this.#searched = undefined
  }

  /** Reads the newest runs that pass the filters, and those whose ids are the text of the filters. */
  find(filters: RunFilters, take: (runs: readonly RunRow[]) => void): void {
    this.drop()
    const paths = [keptRunsPath(filters, mostShown), ...namedRunsPaths(filters, mostShown)]
    void this.#read(async isWanted => {
      const lists = await Promise.all(paths.map(path => this.#readList(path)))
      if (!isWanted()) return ''
      for (const { runs } of lists) take(runs)
      const silent = silentWorkers(lists)
      const next = lists[0]?.next ?? undefined
      this.#found = next
      this.#hasMore = next !== undefined || silent !== ''
      return silent
    })
  }

  /**
   * Reads the runs before those that are shown. A search that has read its largest number of lists goes on there.
   *
   * @param shown - The shown runs, newest first.
   * @param take - Receives runs, and returns false if none of them passes the filters.
   */
  findOlder(filters: RunFilters, shown: readonly RunRow[], take: (runs: readonly RunRow[]) => boolean): void {
    // A full list has dropped runs that `find` has read. The oldest run of another one may be far older than the
    // others, because it was found by its id.
    const last = shown.at(-1)
    const start = this.#searched ?? (shown.length < mostShown ? (this.#found ?? last) : last)
    void this.#read(async isWanted => {
      const lists: RunList[] = []
      let read = 0
      for (let before: RunRow | string | undefined = start; lists.length < mostLists;) {
        const list = await this.#readList(keptRunsPath(filters, mostShown, before))
        if (!isWanted()) return ''
        lists.push(list)
        read += list.runs.length
        if (take(list.runs)) {
          this.#found = this.#searched = undefined
          return silentWorkers(lists)
        }
        if (list.next === null) {
          const end = countFilters(filters) > 0 ? 'No older run passes the filters.' : 'No older run is kept.'
          return sentences(end, silentWorkers(lists))
        }
        before = list.next
      }
      this.#searched = lists.at(-1)?.next ?? undefined
      return sentences(`The ${count(read)} older runs that were read do not pass.`, silentWorkers(lists))
    })
  }

  async #readList(path: string): Promise<RunList> {
    const response = await this.#fetch(path)
    if (!response.ok) throw new Error(`the service answered ${response.status}`)
    return (await response.json()) as RunList
  }

  /** Runs a request. It returns the sentences about itself. */
  async #read(request: (isWanted: () => boolean) => Promise<string>): Promise<void> {
    const number = ++this.#request
    this.#note = ''
    const isWanted = () => number === this.#request
    const note = await request(isWanted).catch((error: unknown) => `The kept runs cannot be read: ${reasonOf(error)}.`)
    if (!isWanted()) return
    this.#note = note
    this.#onEnd()
  }
}

function silentWorkers(lists: readonly RunList[]): string {
  const workers = [...new Set(lists.flatMap(({ incomplete }) => incomplete))].sort((a, b) => a - b)
  if (workers.length === 0) return ''
  return `${workers.length === 1 ? 'Worker' : 'Workers'} ${workers.join(', ')} did not answer.`
}

const sentences = (...parts: readonly string[]) => parts.filter(part => part !== '').join(' ')

function reasonOf(error: unknown): string {
  return error instanceof TypeError ? 'the service does not answer' : (error as Error).message
}
