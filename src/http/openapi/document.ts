import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { z } from 'zod'
import { batchUrl } from '../batch/batch-route.ts'
import { bulkIds, bulkPaths, type BulkDescription } from './bulk-path.ts'
import { batchIds, batchPath, type BatchDescription } from './batch-path.ts'
import { batchSchemas } from './batch-schema.ts'
import { createComponents } from './components.ts'
import { DocumentError, type DocumentFault } from './document-error.ts'
import { healthPaths } from './health-paths.ts'
import { checkInfo, defaultTitle, type OpenapiInfo } from './info.ts'
import { operationId } from './operation-id.ts'
import { operationOf } from './operation.ts'
import { ContextOutcome } from './outcome-schema.ts'
import { OutcomeState } from './outcome-state.ts'
import { problemSchemas } from './problem-schema.ts'
import { streamSchemas } from './stream-schema.ts'
import { checkVersion, versionNumbers, type OpenapiVersion } from './version.ts'
import { parameterNames, pathShape } from '../routing/path-template.ts'

export interface OpenapiOptions {
  /** The `info` of the document. @default `title`, `version` and `description` of `OpenapiInfo` */
  readonly info?: OpenapiInfo
  /** The prefix of the path of every aggregate, as in `app.register(headwaters, { prefix })`. @default '' */
  readonly prefix?: string
  /**
   * True if the document has `/health/live` and `/health/ready`, which `buildApp` adds and the plugin does not.
   * @default true without a prefix
   */
  readonly health?: boolean
  /** True if aggregates require an API key, as with the `keys` of `buildApp`. @default false */
  readonly bearer?: boolean
  /** The part of the outcomes that callers see, as with the option `sources` of `buildApp`. @default 'full' */
  readonly sources?: SourcesLevel
  /**
   * The version of OpenAPI. 3.2 has a schema for the items of a stream, and the method QUERY of batches.
   * @default '3.1'
   */
  readonly version?: OpenapiVersion
  /** The operations and the aggregates that batches may call. @default no path for batches */
  readonly batch?: BatchDescription | undefined
  /** The aggregates of bulk runs. @default no paths for bulk runs */
  readonly bulk?: BulkDescription | undefined
  /** True if the requests of a client are limited, as with the `rateLimit` of `buildApp`. @default false */
  readonly rateLimited?: boolean
}

/** An OpenAPI document as plain JSON. */
export type OpenapiDocument = Readonly<Record<string, unknown>>

function about(sources: SourcesLevel): string {
  const how = sources === 'none' ? '' : ' and, in `sources`, how each step ended'
  return `Each operation calls several upstreams concurrently and replies within its deadline, completely or
partially.

A reply says whether it is \`complete\`${how}. A failure is an
\`application/problem+json\` with a \`code\`. Replies may gain fields: ignore unknown fields.`
}

/**
 * Returns the OpenAPI document of aggregates, from their schemas. Throws a `DocumentError` with a line per schema
 * that cannot be written, and a `TypeError` for an `info` that is not valid.
 */
export function openapiDocument(
  aggregates: readonly AnyAggregate[],
  {
    info = {},
    prefix = '',
    health = prefix === '',
    bearer = false,
    sources = 'full',
    rateLimited = false,
    version = '3.1',
    batch,
    bulk,
  }: OpenapiOptions = {},
): OpenapiDocument {
  checkInfo('openapi', info)
  checkVersion('openapi', version)
  const components = createComponents()
  for (const schema of [...ownSchemas(), ContextOutcome, OutcomeState, ...batchSchemas]) components.reserve(schema)
  const faults: DocumentFault[] = []
  const paths: Record<string, Record<string, object>> = {}
  const guards = [...(bearer ? [401 as const] : []), ...(rateLimited ? [429 as const] : [])]
  if (bearer)
    components.shared('securitySchemes', 'bearer', () => ({
      type: 'http',
      scheme: 'bearer',
      description: 'An API key of the service.',
    }))
  const ids = new Set<string>([
    ...(health ? ['healthLive', 'healthReady'] : []),
    ...(batch ? Object.values(batchIds) : []),
    ...(bulk ? bulkIds : []),
  ])
  /** The first template of each path. Paths that differ only in the names of their parameters are the same path. */
  const byShape = new Map<string, string>()

  function add(aggregate: AnyAggregate): void {
    const {
      name,
      route: { url, method },
    } = aggregate
    const shape = pathShape(url)
    const template = byShape.get(shape) ?? url
    byShape.set(shape, template)
    const path = (paths[prefix.replace(/\/$/, '') + template] ??= {})
    const id = operationId(name)
    if (ids.has(id))
      throw new TypeError(
        `aggregate '${name}': the operationId '${id}' belongs to another operation: rename the aggregate`,
      )
    if (path[method.toLowerCase()] !== undefined)
      throw new TypeError(
        `aggregate '${name}': another aggregate already serves ${method} ${url}: change the url of one`,
      )
    ids.add(id)
    path[method.toLowerCase()] = operationOf(aggregate, parameterNames(template), components, guards, sources, version)
  }

  function addBulk(described: BulkDescription): void {
    for (const [url, path] of Object.entries(bulkPaths(described, components, guards, sources)))
      paths[prefix.replace(/\/$/, '') + url] = path as Record<string, object>
  }

  /** Calls a function, and collects the fault that it throws. */
  function collect<T>(make: () => T, aggregate?: string): T | undefined {
    try {
      return make()
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      faults.push({ aggregate, reason: error.message })
      return undefined
    }
  }

  for (const aggregate of aggregates) collect(() => add(aggregate), aggregate.name)
  if (batch !== undefined) {
    const path = collect(() => batchPath(batch, components, guards, sources, version))
    if (path !== undefined) paths[prefix.replace(/\/$/, '') + batchUrl] = path
  }
  if (bulk !== undefined) collect(() => addBulk(bulk))
  const settled = collect(() =>
    components.finish({ ...paths, ...(health && healthPaths(components, bearer, sources)) }),
  )
  if (faults.length > 0) throw new DocumentError(faults)
  return {
    openapi: versionNumbers[version],
    info: infoOf(sources, info),
    servers: [{ url: '/' }],
    security: bearer ? [{ bearer: [] }] : [],
    tags: [
      { name: 'Aggregates', description: 'Operations that merge several upstream calls into one reply.' },
      ...(batch === undefined ? [] : [{ name: 'Batches', description: 'Requests with several calls.' }]),
      ...(bulk === undefined ? [] : [{ name: 'Bulk runs', description: 'Runs of one aggregate for many inputs.' }]),
      ...(health ? [{ name: 'Health', description: 'The state of the service.' }] : []),
    ],
    ...settled,
  }
}

/** Returns the schemas of the problems and of the events, whose ids belong to the service. */
function ownSchemas() {
  return [
    ...Object.values(problemSchemas).flatMap(({ own, declared }) => [own, declared]),
    ...Object.values(streamSchemas).flatMap(schemas => Object.values(schemas) as z.ZodType[]),
  ]
}

/** Returns the `info` with its defaults, in the order of the specification. */
function infoOf(
  sources: SourcesLevel,
  { title = defaultTitle, version = '0.0.0', summary, description = about(sources), ...others }: OpenapiInfo,
) {
  return { title, version, ...(summary !== undefined && { summary }), description, ...others }
}
