import { UpstreamError } from '../errors.ts'
import { ignoreRejection } from '../core/promises.ts'
import { bodyKey } from '../upstream/call/body-key.ts'
import { Call } from '../upstream/call/call.ts'
import { StreamBody } from '../upstream/call/write-body/stream-body.ts'
import type { CallList } from './page-types.ts'
import { labelOf, type Step } from './step.ts'

/** The calls of `pages` in the order of the pages: at most `maxPages`, each one once. */
export class PageCalls {
  readonly #step: Step
  readonly #calls: Call<unknown>[] = []
  /** The index of the page of each call. */
  readonly #indexes = new Map<unknown, number>()
  /** The number of calls that `overflow` has omitted; `null` if further pages exist and their number is not known. */
  omitted: number | null = 0

  constructor(step: Step) {
    this.#step = step
  }

  get length(): number {
    return this.#calls.length
  }

  at(index: number): Call<unknown> {
    return this.#calls[index] as Call<unknown>
  }

  /**
   * Adds the call that the function of the step returned.
   *
   * @throws TypeError for any other value
   */
  addFirst(returned: unknown): void {
    if (returned instanceof Call) return this.#add(returned)
    if (Array.isArray(returned)) returned.forEach(ignoreRejection)
    throw new TypeError(
      `${labelOf(this.#step)} must return the call of its first page, got ${nameOf(returned)}: ` +
        'return one call, and further calls from next',
    )
  }

  /**
   * Adds the calls that `next` returned. If it throws, the calls before the fault have been added.
   *
   * @throws TypeError for a value that is neither a call, a list of calls nor nothing
   * @throws UpstreamError `UPSTREAM_PAGE_LOOP`, `UPSTREAM_TOO_MANY_ITEMS`, or the error of a list that makes its calls
   *   on demand
   */
  addNext(returned: unknown): void {
    if (returned === undefined || returned === null) return
    const list = returned instanceof Call ? [returned] : listOf(returned)
    if (list === undefined) this.#refuse(returned)
    const before = this.length
    for (let at = 0; at < list.length; at++) {
      const call = list.at(at)
      if (!(call instanceof Call)) {
        ignoreRejection(call)
        this.#refuse(returned)
      }
      // A repeated call is the clearer error, also at the limit.
      if (this.length === this.#step.maxItems && !this.#indexes.has(keyOf(call)))
        return this.#overflow(returned instanceof Call ? undefined : before + list.length)
      this.#add(call)
    }
  }

  #add(call: Call<unknown>): void {
    const key = keyOf(call)
    const index = this.length
    const earlier = this.#indexes.get(key)
    if (earlier !== undefined)
      throw new UpstreamError('UPSTREAM_PAGE_LOOP', call.spec.name, {
        detail: `page ${index} has the same call as page ${earlier}, counted from 0`,
      })
    this.#indexes.set(key, index)
    this.#calls.push(call)
  }

  /** Refuses or omits further calls. `known` is the number of all pages, if it is known. */
  #overflow(known: number | undefined): void {
    const { name, maxItems, overflow } = this.#step
    if (overflow === 'truncate') this.omitted = known === undefined ? null : known - maxItems
    else
      throw new UpstreamError('UPSTREAM_TOO_MANY_ITEMS', name, {
        detail:
          known === undefined
            ? `more than maxPages, which is ${maxItems}`
            : `${known} pages, and maxPages is ${maxItems}`,
      })
  }

  #refuse(returned: unknown): never {
    // An unhandled rejection of a promise in the list would end the process.
    if (Array.isArray(returned)) returned.forEach(ignoreRejection)
    throw new TypeError(
      `${labelOf(this.#step)}: next must return a call, a list of calls or nothing, got ${nameOf(returned)}: ` +
        'return undefined after the last page',
    )
  }
}

function listOf(value: unknown): CallList<unknown> | undefined {
  return typeof value === 'object' && typeof (value as CallList<unknown>).at === 'function'
    ? (value as CallList<unknown>)
    : undefined
}

/** Calls with equal keys have the same answer. The bytes of a stream are not known, so it is equal to itself only. */
function keyOf({ spec, path, body, headers }: Call<unknown>): unknown {
  return body instanceof StreamBody ? body : JSON.stringify([spec.name, path, bodyKey(body), headers])
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return value === null || value === undefined ? String(value) : typeof value === 'object' ? 'an object' : typeof value
}
