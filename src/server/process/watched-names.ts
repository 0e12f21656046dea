import type { Catalogue } from '../../definitions/catalogue.ts'
import type { Watched } from '../../overview/overview.ts'
import { operationsOf } from '../../upstream/declared-specs.ts'
import { originsText } from '../../upstream/override.ts'

/** The definitions that the dashboard shows. */
export type WatchedCatalogue = Pick<Catalogue, 'specs' | 'overrides' | 'aggregates'>

/** Returns the upstreams and aggregates that the dashboard shows. No origin contains credentials. */
export function watchedOf({ specs, overrides, aggregates }: WatchedCatalogue): Watched {
  return {
    upstreams: specs.map(spec => {
      const { name } = spec
      const override = Object.hasOwn(overrides, name) ? overrides[name] : undefined
      return {
        name,
        origin: originsText(spec, override ?? {}),
        operations: operationsOf(spec).map(operation => operation.name.slice(name.length + 1)),
        isOff: override?.off === true,
      }
    }),
    aggregates: aggregates.map(({ name, route: { method, url, bulk } }) => ({ name, method, url, isBulk: bulk })),
  }
}
