import { isTraceHeader } from '../core/headers.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'

/** Headers that carry credentials. A shared cache must not keep a reply that depends on one. */
export const credentialHeaders: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])

/**
 * The largest number of sets that one aggregate keeps. Without a limit they could fill the memory, because a layer may
 * read any number of names.
 */
const mostKept = 1000

/**
 * A set of request headers on which replies of one aggregate depend. Runs that read the same headers share one set, so
 * that the text of `vary` is created once for all of them. The set never has the headers of the trace context: with
 * them no cache could use a reply again.
 */
export class Vary {
  /** The value of the header `vary`. */
  readonly text: string
  /** The source of each credential of the set, for a log. */
  readonly credentials: ReadonlyMap<string, string>
  readonly #names: ReadonlySet<string>
  readonly #next = new Map<UpstreamSpec | string, Vary>()
  readonly #family: { kept: number }

  private constructor(names: ReadonlySet<string>, credentials: ReadonlyMap<string, string>, family: { kept: number }) {
    this.text = [...names].join(', ')
    this.credentials = credentials
    this.#names = names
    this.#family = family
  }

  /** Creates the set of an aggregate's own headers, by lower-case name. */
  static of(names: readonly string[]): Vary {
    return new Vary(new Set(names.filter(name => !isTraceHeader(name))), new Map(), { kept: 0 })
  }

  /** Returns the set with the headers that an upstream's calls forward. */
  forwarded(upstream: UpstreamSpec): Vary {
    return upstream.forwardHeaders.length === 0
      ? this
      : (this.#next.get(upstream) ??
          this.#with(upstream, upstream.forwardHeaders, `the upstream '${upstream.name}' forwards it`))
  }

  /** Returns the set with one more header. */
  read(name: string): Vary {
    return this.#names.has(name) || isTraceHeader(name)
      ? this
      : (this.#next.get(name) ?? this.#with(name, [name], 'a layer or the headers schema reads it'))
  }

  #with(key: UpstreamSpec | string, more: readonly string[], source: string): Vary {
    const credentials = new Map(this.credentials)
    for (const name of more) if (credentialHeaders.has(name) && !credentials.has(name)) credentials.set(name, source)
    const next = more.every(name => this.#names.has(name))
      ? this
      : new Vary(new Set([...this.#names, ...more]), credentials, this.#family)
    if (this.#family.kept < mostKept) {
      this.#family.kept++
      this.#next.set(key, next)
    }
    return next
  }
}
