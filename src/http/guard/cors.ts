import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** Headers of the service that a page of another origin may read. */
const exposedHeaders = [
  'etag',
  'headwaters-complete',
  'headwaters-sources',
  'retry-after',
  'server-timing',
  'x-request-id',
]

/** Allows pages of these origins, or of any with `*`. An `OPTIONS` that is not a preflight is served without CORS. */
export function addCors(app: FastifyInstance, origins: readonly string[]): void {
  const options: FastifyCorsOptions = {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'QUERY', 'POST', 'PUT', 'PATCH', 'DELETE'],
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

/** Does not allow pages of other origins to read the replies of this scope, whatever `addCors` allows. */
export function withoutCors(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.removeHeader('access-control-allow-origin')
    done()
  })
}
