import type { Criticality } from '../../fanout/route.ts'
import { ranks } from './criticality-classes.ts'

/** An aggregate, or the route of batches, as far as the index needs it. */
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

/** The aggregates whose templates have the same text before their first parameter. */
interface Prefix {
  readonly text: string
  /** The result for a path whose rest is one segment, and for one with more. */
  readonly path: IndexedPath
  readonly deeperPath: IndexedPath
}

const none: ReadonlyMap<string, IndexedAggregate> = new Map()
const open: IndexedPath = { criticality: undefined, aggregates: none }
const unknown: IndexedPath = { criticality: 'normal', aggregates: none }

/** Paths that are never refused for load: the operator and readers of the document need them then. */
const openPaths = ['/', '/metrics', '/openapi.json', '/openapi.yaml', '/openapi-3.2.json', '/docs']
const openPrefixes = ['/health/', '/docs/']

/** Finds the criticality of a request by its path, without the router. */
export class PathIndex {
  readonly #exact = new Map<string, IndexedPath>(openPaths.map(path => [path, open]))
  /** The longest first. */
  #prefixes: readonly Prefix[] = openPrefixes.map(text => ({ text, path: open, deeperPath: open }))

  /** Adds the aggregates of the app and the route of batches. Call it once, when they are known to be valid. */
  fill(aggregates: readonly IndexedAggregate[]): void {
    const templates = aggregates.filter(({ route }) => route.url.includes('{'))
    const groups = Map.groupBy(templates, ({ route }) => prefixOf(route.url))
    const exact = Map.groupBy(
      aggregates.filter(({ route }) => !route.url.includes('{')),
      ({ route }) => route.url,
    )
    for (const [url, group] of exact) this.#exact.set(url, decided(url, group, templates))
    const prefixes = Array.from(groups, ([text, group]): Prefix => {
      // The router falls back to a template with a shorter prefix if none of this group matches.
      const possible = templates.filter(({ route }) => text.startsWith(prefixOf(route.url)))
      const deeperPath = { criticality: highestOf(possible), aggregates: none }
      const [{ route }] = group as [IndexedAggregate]
      const isDecided =
        group.every(({ route: { url } }) => url === route.url) && route.url.indexOf('}') === route.url.length - 1
      return { text, path: isDecided ? decided(text, group, templates) : deeperPath, deeperPath }
    })
    this.#prefixes = [...this.#prefixes, ...prefixes].sort((one, other) => other.text.length - one.text.length)
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
    for (const { text, path: own, deeperPath } of this.#prefixes)
      if (path.startsWith(text)) return path.includes('/', text.length) ? deeperPath : own
    return unknown
  }
}

/**
 * Returns what is known about a path that the router matches with a group. The router has a tree per method, so it can
 * match requests of other methods with templates.
 */
function decided(
  text: string,
  group: readonly IndexedAggregate[],
  templates: readonly IndexedAggregate[],
): IndexedPath {
  const aggregates = new Map(group.map(each => [each.route.method, each]))
  const others = templates.filter(
    ({ route: { url, method } }) => text.startsWith(prefixOf(url)) && !aggregates.has(method),
  )
  return { criticality: highestOf([...group, ...others]), aggregates }
}

/** Returns the text of a template before its first parameter. */
function prefixOf(url: string): string {
  return url.slice(0, url.indexOf('{'))
}

function highestOf(group: readonly IndexedAggregate[]): Criticality {
  return group
    .map(({ route: { criticality } }) => criticality)
    .reduce((highest, criticality) => (ranks[criticality] > ranks[highest] ? criticality : highest))
}
