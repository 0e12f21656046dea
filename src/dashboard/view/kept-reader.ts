import type { RunList, RunRow } from '../../waterfall/kept-run.ts'
import { keptRunsPath, namedRunsPaths, type RunFilters } from '../model/filters.ts'
import { mostShown } from '../model/shown-runs.ts'
import type { Page } from './shell.ts'

/** The largest number of lists that one search for older runs reads. */
const mostLists = 10

/** Reads lists of kept runs. A later request drops the answers of earlier ones. */
export class KeptReader {
  readonly #page: Page
  readonly #onEnd: () => void
  #request = 0
  #note = ''

  /** @param onEnd - Called when a request has ended. */
  constructor(page: Page, onEnd: () => void) {
    this.#page = page
    this.#onEnd = onEnd
  }

  /** A sentence about the last request; empty without one. */
  get note(): string {
    return this.#note
  }

  /** Drops the answers of earlier requests. */
  drop(): void {
    this.#request++
    this.#note = ''
  }

  /** Reads the newest runs that pass the filters, and those whose ids are the text of the filters. */
  find(filters: RunFilters, take: (runs: readonly RunRow[]) => void): void {
    const paths = [keptRunsPath(filters, mostShown), ...namedRunsPaths(filters, mostShown)]
    void this.#read(async isWanted => {
      const lists = await Promise.all(paths.map(path => this.#readList(path)))
      if (isWanted()) for (const { runs } of lists) take(runs)
    })
  }

  /**
   * Reads the runs before a run.
   *
   * @param take - Receives runs, and returns false if none of them passes the filters.
   */
  findOlder(filters: RunFilters, than: RunRow | undefined, take: (runs: readonly RunRow[]) => boolean): void {
    void this.#read(async isWanted => {
      let before: RunRow | string | null | undefined = than
      for (let lists = 0; lists < mostLists && before !== null; lists++) {
        const { runs, next }: RunList = await this.#readList(keptRunsPath(filters, mostShown, before))
        if (!isWanted() || take(runs)) return
        before = next
      }
      this.#note = 'No older run is kept.'
    })
  }

  async #readList(path: string): Promise<RunList> {
    const response = await this.#page.read(path)
    if (!response.ok) throw new Error(`the service answered ${response.status}`)
    const list = (await response.json()) as RunList
    if (list.incomplete.length > 0) this.#note = `Worker ${list.incomplete.join(', ')} did not answer.`
    return list
  }

  async #read(take: (isWanted: () => boolean) => Promise<void>): Promise<void> {
    this.drop()
    const request = this.#request
    const isWanted = () => request === this.#request
    try {
      await take(isWanted)
    } catch (error) {
      if (isWanted()) this.#note = `The kept runs cannot be read: ${reasonOf(error)}.`
    }
    if (isWanted()) this.#onEnd()
  }
}

function reasonOf(error: unknown): string {
  return error instanceof TypeError ? 'the service does not answer' : (error as Error).message
}
