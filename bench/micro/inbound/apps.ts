import { openSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import fastify, { type FastifyHttpOptions, type FastifyInstance } from 'fastify'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../../src/app.ts'
import { aggregate, times } from '../../../src/fanout/aggregate.ts'
import { createPressureGauge, defaultPressureLimits } from '../../../src/http/guard/pressure.ts'
import { checkHostHeader } from '../../../src/http/guard/host-header.ts'
import { PathIndex } from '../../../src/http/guard/path-index.ts'
import { guardRequests } from '../../../src/http/guard/request-guard.ts'
import { defaultLimits, serverOptions } from '../../../src/http/guard/server-limits.ts'
import { OpenStreams } from '../../../src/http/connection/open-streams.ts'
import { drainOnClose, refuseWhileDraining } from '../../../src/http/lifecycle/drain.ts'
import { loggerOptions } from '../../../src/http/log/logger-options.ts'
import { headwaters } from '../../../src/http/plugin.ts'
import { countRequests, RequestCounter } from '../../../src/http/metrics/request-counter.ts'
import { addDefaultHeaders, addRequestId } from '../../../src/http/reply/default-headers.ts'
import { requestIdOf } from '../../../src/http/request/request-id.ts'
import { traceOf } from '../../../src/http/request/trace-of.ts'
import { Destination } from '../../../src/log/destination.ts'
import { Redaction } from '../../../src/log/redaction.ts'
import { Metrics } from '../../../src/metrics/metrics.ts'
import { RequestMetrics } from '../../../src/metrics/request-metrics.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'

/** An app to measure. */
export interface Row {
  readonly name: string
  /** The row that has everything but the piece that this row measures. @default none */
  readonly beside?: string
  readonly start: () => Promise<Server>
}

/** The request of every row. It has an input, and headers that a service may forward. */
export const request = Buffer.from(
  'GET /v1/facts/siamese?n=0&lang=en HTTP/1.1\r\nhost: 127.0.0.1:3000\r\naccept-language: de-AT, de;q=0.8\r\n' +
    'x-tenant: acme-42\r\n\r\n',
)

const text = '{"facts":[]}'
const upstream = defineUpstream(
  'facts',
  { origin: 'http://127.0.0.1:9' },
  { fact: operation({ path: '/', output: z.unknown() }) },
)

/** An aggregate that makes no call, so that only its request, its run and its reply are measured. */
const facts = (envelope: boolean) =>
  aggregate('facts', {
    url: '/v1/facts/{topic}',
    params: z.object({ topic: z.string() }),
    query: z.object({ n: z.string(), lang: z.string().optional() }),
    envelope,
  })
    .each('facts', () => times(0, () => upstream.fact()))
    .reply(z.object({ facts: z.array(z.unknown()) }), ({ facts: all }) => ({ facts: all }))

async function ready(app: FastifyInstance): Promise<Server> {
  await app.ready()
  return app.server
}

/** Returns a row for an app of Fastify with one route and one piece of the service. */
function piece(name: string, add: (app: FastifyInstance) => unknown, options: FastifyHttpOptions<Server> = {}): Row {
  const start = async () => {
    const app = fastify(options)
    await add(app)
    app.get('/v1/facts/:topic', (_request, reply) => {
      reply.header('content-type', 'application/json; charset=utf-8')
      void reply.send(text)
    })
    return ready(app)
  }
  return { name, start, ...(name !== 'Fastify' && { beside: 'Fastify' }) }
}

/** Returns a row for the whole service. */
function service(name: string, beside: string, options: AppOptions, envelope = false): Row {
  return { name, beside, start: () => ready(buildApp([facts(envelope)], options)) }
}

function logger(level: string): AppOptions['logger'] {
  const redaction = new Redaction(['an-api-key-of-a-caller', 'a-secret-of-an-upstream'])
  const stream = new Destination({ fd: openSync('/dev/null', 'w') })
  return { ...(loggerOptions({ level, redaction }) as object), stream }
}

/** Counts the connections of requests, bounds unread bodies and checks the headers of the connection. */
function connections(app: FastifyInstance): void {
  const runtime = createRuntime()
  const readiness = { state: 'ready' } as const
  refuseWhileDraining(app, { readiness, connectionLimit: { isFull: false } })
  const work = new Set([{ runtime, openStreams: new OpenStreams(1000, () => false) }])
  drainOnClose(app, { readiness: { ...readiness }, connections: new Set(), work, timeout: 1000 })
  checkHostHeader(app)
}

/** Reads the trace context of each request, and starts a trace if it has none. */
function traces(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    traceOf(raw, 0)
    done()
  })
}

export const rows: readonly Row[] = [
  {
    name: 'node:http',
    start: async () =>
      createServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
        response.end(text)
      }),
  },
  piece('Fastify', () => {}),
  piece('request id', addRequestId, { genReqId: requestIdOf }),
  piece('trace context', traces),
  piece('headers of every reply', addDefaultHeaders),
  piece('metrics', app => countRequests(app, new RequestCounter(new RequestMetrics(new Metrics())))),
  piece('connections and limits', connections, { http: serverOptions(defaultLimits) }),
  piece('overload guard', app =>
    guardRequests(app, {
      gauge: createPressureGauge(defaultPressureLimits),
      paths: new PathIndex(),
      rateLimit: 0,
      keys: [],
    }),
  ),
  {
    name: 'plugin: input, run and reply',
    beside: 'Fastify',
    start: async () => {
      const app = fastify()
      await app.register(headwaters, { aggregates: [facts(false)] })
      return ready(app)
    },
  },
  service('service without a log', 'Fastify', {}),
  service('sources in the body', 'service without a log', {}, true),
  service('logger, level warn', 'service without a log', { logger: logger('warn') }),
  service('log line, level info', 'logger, level warn', { logger: logger('info') }),
]
