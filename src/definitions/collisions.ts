import { operationId } from '../http/openapi/operation-id.ts'
import { pathShape, routerKey, segmentsOf } from '../http/routing/path-template.ts'
import type { DefinitionFault } from './definitions-error.ts'
import type { Found } from './read-module.ts'

/**
 * Returns a fault for each aggregate that collides with an earlier one. Two aggregates collide in these cases:
 *
 * - They have the same name.
 * - Their names have the same operationId, for example `a-1` and `a1`.
 * - They have the same method, and the same requests match their URLs.
 * - The router cannot distinguish their URLs.
 */
export function collisions(found: readonly Found[]): DefinitionFault[] {
  return [
    ...twice(
      found,
      ({ aggregate }) => operationId(aggregate.name),
      (id, { aggregate: { name } }, other) =>
        name === other.aggregate.name
          ? `two aggregates have the name '${name}'`
          : `the aggregates '${other.aggregate.name}' and '${name}' have the operationId '${id}'`,
      'rename one of them',
    ),
    ...twice(
      found,
      ({ aggregate: { route } }) => `${route.method} ${pathShape(route.url)}`,
      (_, { aggregate: { route } }, { aggregate: { route: other } }) =>
        route.url === other.url
          ? `two aggregates answer ${route.method} ${route.url}`
          : `two aggregates match the same ${route.method} requests, ${route.url} and ${other.url}`,
      'change one of the urls',
    ),
    ...twice(
      onePerPath(found),
      ({ aggregate: { route } }) => routerKey(segmentsOf(route.url)),
      (_, { aggregate: { route } }, { aggregate: { route: other } }) =>
        `the router cannot distinguish two urls, ${route.url} and ${other.url}`,
      'change one of the urls',
    ),
  ]
}

/** Returns the first aggregate of each path. Several aggregates can have one path if their methods differ. */
function onePerPath(found: readonly Found[]): Found[] {
  const first = new Map<string, Found>()
  for (const each of found) {
    const shape = pathShape(each.aggregate.route.url)
    if (!first.has(shape)) first.set(shape, each)
  }
  return [...first.values()]
}

function twice(
  found: readonly Found[],
  keyOf: (each: Found) => string,
  say: (key: string, each: Found, other: Found) => string,
  fix: string,
): DefinitionFault[] {
  const first = new Map<string, Found>()
  const faults: DefinitionFault[] = []
  for (const each of found) {
    const key = keyOf(each)
    const other = first.get(key)
    if (other === undefined) first.set(key, each)
    else
      faults.push({
        file: each.file,
        reason:
          `${say(key, each, other)}, ` + `export '${each.key}' here and export '${other.key}' in ${other.file}: ${fix}`,
      })
  }
  return faults
}
