import { hash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { writeJson } from '../../core/json/write.ts'
import { notModified } from '../reply/not-modified.ts'
import { allowMethods } from '../routing/allowed-methods.ts'
import type { BatchDescription } from './batch-path.ts'
import type { OpenapiOptions } from './document.ts'
import type { OpenapiVersion } from './version.ts'

interface Written {
  readonly text: string
  readonly tag: string
}

interface DocumentRoutes extends Omit<OpenapiOptions, 'batch' | 'version'> {
  readonly aggregates: readonly AnyAggregate[]
  /** Returns what the document says of batches. It is called when the app is ready. */
  readonly batches: () => BatchDescription | undefined
}

/**
 * Serves the document as `/openapi.json` and `/openapi.yaml`, and in OpenAPI 3.2 as `/openapi-3.2.json`.
 * Aggregates that cannot be documented make `ready()` reject with a `DocumentError`. The texts are written at the first
 * request.
 */
export function addOpenapiRoutes(app: FastifyInstance, { aggregates, batches, ...options }: DocumentRoutes): void {
  const documentIn = async (version: OpenapiVersion) =>
    (await import('./document.ts')).openapiDocument(aggregates, { ...options, batch: batches(), version })
  const document = once(() => documentIn('3.1'))
  app.addHook('onReady', async () => {
    await document()
  })
  serve(app, '/openapi.json', 'application/json', async () => writeJson(await document()))
  serve(app, '/openapi-3.2.json', 'application/json', async () => writeJson(await documentIn('3.2')))
  serve(app, '/openapi.yaml', 'application/yaml', async () => (await import('./yaml.ts')).yamlOf(await document()))
}

function serve(app: FastifyInstance, url: string, type: string, write: () => Promise<string>): void {
  const written = once(async (): Promise<Written> => {
    const text = await write()
    return { text, tag: `"${hash('sha1', text, 'base64url')}"` }
  })
  app.get(url, async (request, reply) => {
    const { text, tag } = await written()
    reply.header('etag', tag).header('cache-control', 'no-cache')
    if (notModified(request, reply, tag)) return reply
    return reply.type(`${type}; charset=utf-8`).send(text)
  })
  allowMethods(app, url, ['GET'])
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
