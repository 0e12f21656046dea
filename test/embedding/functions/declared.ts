import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const src = join(import.meta.dirname, '../../../src')

/** The interfaces that embedders and authors fill in, or give functions to, by file. */
const taken: Readonly<Record<string, readonly string[]>> = {
  'app/app-options.ts': ['AppOptions'],
  'http/plugin.ts': ['HeadwatersOptions'],
  'http/reply/route-services.ts': ['LoadGauge'],
  'upstream/runtime-options.ts': ['RuntimeOptions'],
  'upstream/override.ts': ['Override'],
  'upstream/spec/operation-options.ts': ['OperationOptions', 'CacheOptions'],
  'upstream/spec/options.ts': [
    'RetryOptions',
    'HedgeOptions',
    'RetryBudgetOptions',
    'BreakerOptions',
    'UpstreamOptions',
  ],
  'upstream/spec/access-options.ts': ['OAuth2Options', 'TlsOptions', 'AccessOptions'],
  'upstream/spec/layers.ts': ['Layers'],
  'upstream/spec/layer-types.ts': ['LayerUpstream'],
  'upstream/policies/cache/store.ts': ['CacheStore'],
  'upstream/policies/cache/memory-store.ts': ['MemoryStoreOptions'],
  'threads/threads.ts': ['ThreadOptions'],
  'fanout/run.ts': ['RunOptions', 'RunStartOptions'],
  'fanout/fan-out.ts': ['FanOutOptions'],
  'fanout/route.ts': ['RouteOptions'],
  'fanout/aggregate-type.ts': ['Replied'],
  'fanout/step-options.ts': [
    'StepOptions',
    'OptionalOptions',
    'EachBounds',
    'EachTolerance',
    'FirstOfOptions',
    'PagesOptions',
  ],
  'fanout/builder.ts': ['Builder'],
  'fanout/initial-builder.ts': ['InitialBuilder'],
  'fanout/page-by-offset.ts': ['OffsetReaders'],
  'testing/run-aggregate.ts': ['RunAggregateOptions'],
}

/** Names of types that are functions. */
const functionTypes = /^(?:LookupFunction|CountRequest|NextPage<T, A>|readonly CustomLayer\[\]|\w+Function)$/

/** Exported for other rooms, and not public. */
const internal = new Set(['ThreadsOptions', 'ServiceOptions'])

const isOption = (name: string) => name.endsWith('Options') && !internal.has(name)

/** Lists each member of function type of these interfaces, as `Interface.member`. */
export function declaredFunctions(): string[] {
  return Object.entries(taken).flatMap(([file, names]) => {
    const text = readFileSync(join(src, file), 'utf8')
    return names.flatMap(name => functionsOf(name, text))
  })
}

/** Names the public interfaces of options that are exported from these files and not listed. */
export function unlistedInterfaces(): string[] {
  return Object.entries(taken).flatMap(([file, names]) => {
    const text = readFileSync(join(src, file), 'utf8')
    return Array.from(text.matchAll(/^export interface (\w+)/gm), ([, name = '']) => name).filter(
      name => isOption(name) && !names.includes(name),
    )
  })
}

function functionsOf(name: string, text: string): string[] {
  const start = text.search(new RegExp(`^(?:export )?interface ${name}\\b`, 'm'))
  if (start === -1) throw new Error(`there is no interface ${name}`)
  const body = text.slice(start, text.indexOf('\n}', start))
  const members = body.matchAll(/^ {2}(?:readonly )?(\w+)\??(?::\s+(.*)|\s?([<(].*))$/gm)
  return Array.from(members)
    .filter(
      ([, , type, method]) =>
        method !== undefined ||
        (type as string).includes('=>') ||
        functionTypes.test((type as string).replace(/ \| undefined$/, '')),
    )
    .map(([, member]) => `${name}.${member}`)
}
