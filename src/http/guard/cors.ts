import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** Headers of ours that a page of another origin may read. */
const exposedHeaders = [
  'etag',
  'headwaters-complete',
  'headwaters-sources',
  'retry-after',
  'server-timing',
  'x-request-id',
]

/** Lets pages of these origins ask, `*` for any. An `OPTIONS` that is no preflight is answered as without it. */
export function addCors(app: FastifyInstance, origins: readonly string[]): void {
  const options: FastifyCorsOptions = {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders,
    maxAge: 600,
  }
  const plain = { ...options, preflight: false }
  void app.register(fastifyCors, {
    delegator: ({ headers }, done) => {
      done(
        null,
        headers.origin !== undefined && headers['access-control-request-method'] !== undefined ? options : plain,
      )
    },
  })
}
