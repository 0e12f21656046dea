import type { Criticality } from '../../fanout/route.ts'

/** An aggregate, as far as the index needs it. */
export interface IndexedAggregate {
  readonly name: string
  readonly route: { readonly url: string; readonly method: string; readonly criticality: Criticality }
}

/** The aggregates at one path, as far as a refusal before routing needs them. */
export interface IndexedPath {
  /** The highest criticality of the aggregates. Undefined for a path that is never refused. */
  readonly criticality: Criticality | undefined
  /** The aggregate of each method. Empty if the path alone does not determine it. */
  readonly aggregates: ReadonlyMap<string, IndexedAggregate>
}

interface Prefix {
  readonly text: string
  readonly path: IndexedPath
}

const ranks: Readonly<Record<Criticality, number>> = { low: 0, normal: 1, high: 2 }
const none: ReadonlyMap<string, IndexedAggregate> = new Map()
const open: IndexedPath = { criticality: undefined, aggregates: none }
const unknown: IndexedPath = { criticality: 'normal', aggregates: none }

/** Paths that are never refused for load: the operator and readers of the document need them then. */
const openPaths = ['/', '/metrics', '/openapi.json', '/openapi.yaml', '/docs']
const openPrefixes = ['/health/', '/docs/']

/** Finds the criticality of a request by its path, without the router. */
export class PathIndex {
  readonly #exact = new Map<string, IndexedPath>(openPaths.map(path => [path, open]))
  /** The longest first. */
  #prefixes: readonly Prefix[] = openPrefixes.map(text => ({ text, path: open }))

  /** Adds the aggregates of the app. Call it once, when they are known to be valid. */
  fill(aggregates: readonly IndexedAggregate[]): void {
    const exact = Map.groupBy(aggregates, ({ route }) => route.url)
    for (const [url, group] of exact) if (!url.includes('{')) this.#exact.set(url, indexed(group))
    const templates = aggregates.filter(({ route }) => route.url.includes('{'))
    const groups = Map.groupBy(templates, ({ route }) => route.url.slice(0, route.url.indexOf('{')))
    this.#prefixes = [
      ...this.#prefixes,
      ...Array.from(groups, ([text, group]) => ({ text, path: indexed(group) })),
    ].sort((one, other) => other.text.length - one.text.length)
  }

  /**
   * Returns what is known about a request target. A path in another spelling, for example with an encoded letter, is
   * one that is not known, and counts as `normal`.
   */
  find(target: string): IndexedPath {
    const end = target.indexOf('?')
    const path = end === -1 ? target : target.slice(0, end)
    const exact = this.#exact.get(path)
    if (exact !== undefined) return exact
    for (const prefix of this.#prefixes) if (path.startsWith(prefix.text)) return prefix.path
    return unknown
  }
}

function indexed(group: readonly IndexedAggregate[]): IndexedPath {
  const [first] = group as readonly [IndexedAggregate, ...IndexedAggregate[]]
  const { criticality } = group
    .map(({ route }) => route)
    .reduce((highest, route) => (ranks[route.criticality] > ranks[highest.criticality] ? route : highest))
  const isOneUrl = group.every(({ route }) => route.url === first.route.url)
  return { criticality, aggregates: isOneUrl ? new Map(group.map(each => [each.route.method, each])) : none }
}
