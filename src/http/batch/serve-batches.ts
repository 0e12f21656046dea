import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { startBatch } from '../../batch/start-batch.ts'
import { endToEnd } from '../../core/end-to-end.ts'
import { Problem, type Fault } from '../../errors.ts'
import { discardBody } from '../connection/unread-body.ts'
import { CallerCredentials } from '../log/caller-credentials.ts'
import { setRun } from '../log/request-outcome.ts'
import { recordOf } from '../metrics/request-counter.ts'
import { replyRequestId } from '../reply/default-headers.ts'
import { requestSpans } from '../reply/request-spans.ts'
import { setSourcesLevel } from '../reply/shown-problem.ts'
import { deadlineOf } from '../request/input-checks.ts'
import { chooseType, withStreams } from '../request/media-types.ts'
import { traceOf } from '../request/trace-of.ts'
import { allowMethods } from '../routing/allowed-methods.ts'
import { batchRunFields } from './batch-log.ts'
import { batchRoutes, batchUrl } from './batch-route.ts'
import type { BatchService } from './batch-service.ts'
import { BatchStream } from './batch-stream.ts'
import { BatchTask } from './batch-task.ts'

/** Hides a route from collectors such as `@fastify/swagger`, which cannot describe QUERY. */
const hidden = { hide: true } as NonNullable<RouteOptions['schema']>

/** Adds the routes of batches, and replies for the other methods at their path. */
export async function serveBatches(app: FastifyInstance, service: BatchService): Promise<void> {
  const { routes, limits, countCalls } = service
  const prefix = app.prefix.endsWith('/') ? app.prefix.slice(0, -1) : app.prefix
  await app.register(async scope => {
    scope.addHook('onRoute', route => {
      route.schema = { ...route.schema, ...hidden }
    })
    // Tells callers that they may send QUERY, and with which content type (RFC 10008).
    scope.addHook('onRequest', (_request, reply, done) => {
      reply.header('accept-query', 'application/json')
      done()
    })
    // The calls are counted when the body is read, and before it is checked.
    if (countCalls !== undefined)
      scope.addHook('preHandler', request => countCalls(request, callsOf(request.body, limits.maxCalls)))
    for (const batchRoute of Object.values(batchRoutes)) {
      routes.requests.add(batchRoute, prefix, batchUrl)
      scope.route({
        method: batchRoute.route.method,
        url: batchUrl,
        bodyLimit: limits.bodyBytes,
        handler: (request, reply) => handleBatch(service, request, reply),
      })
    }
    allowMethods(scope, batchUrl, Object.keys(batchRoutes))
  })
}

/** Returns the number of calls that a body counts as. A body that is not a batch counts as one. */
function callsOf(body: unknown, maxCalls: number): number {
  const { calls } = (body ?? {}) as { readonly calls?: unknown }
  return Array.isArray(calls) ? Math.min(calls.length, maxCalls) : 1
}

/** Runs the calls of one request and writes the reply. Throws a `Problem` for a batch that is refused. */
function handleBatch(service: BatchService, request: FastifyRequest, reply: FastifyReply): void {
  try {
    startReply(service, request, reply)
  } catch (error) {
    setRun(request, { failedRunFields: () => batchRunFields })
    throw error
  }
}

function startReply(service: BatchService, request: FastifyRequest, reply: FastifyReply): void {
  const { routes, offer, limits } = service
  const { body, headers, raw } = request
  const isReadOnly = request.method === 'QUERY'
  setSourcesLevel(request, routes.sources)
  const batchRoute = batchRoutes[isReadOnly ? 'QUERY' : 'POST']
  const record = recordOf(reply.raw)
  if (record !== undefined) record.route = routes.requests.routeOf(batchRoute)
  const trace = traceOf(raw, routes.traceSampledPercent)
  if (body === undefined) discardBody(raw)
  const type = chooseType(headers.accept, withStreams)
  if (type === undefined) throw new Problem('NOT_ACCEPTABLE')
  const faults: Fault[] = []
  const deadline = deadlineOf(headers['x-request-timeout-ms'], faults) ?? Infinity
  // The id of this request replaces the id that the caller sent, as for an aggregate.
  const own = endToEnd(headers)
  const requestId = replyRequestId(request, reply)
  own['x-request-id'] = requestId
  const stream = type === 'json' ? undefined : new BatchStream(service, request, reply, type)
  const { keeper } = routes
  const run = startBatch(
    offer,
    body,
    {
      runtime: routes.runtime,
      deadline: Math.min(limits.deadline, deadline),
      headers: own,
      maxCalls: limits.maxCalls,
      maxReplyBytes: limits.maxReplyBytes,
      isReadOnly,
      level: routes.sources,
      shedOptional: routes.load?.shedOptional,
      route: batchRoute.route,
      trace,
      spans: described => requestSpans(described, request, reply, trace),
      onEvent: routes.onEvent,
      onResult: stream && (result => stream.resulted(result)),
      id: stream?.runId,
      timeline:
        keeper &&
        ((described, calls) =>
          keeper.startBatch(described, calls, {
            id: stream?.runId,
            requestId,
            traceId: trace.traceId,
            method: request.method,
            target: raw.url ?? '',
            stream: type === 'json' ? undefined : type,
            credentials: new CallerCredentials(request.headers),
          })),
    },
    faults,
  )
  // The caller may have closed the connection during a hook, before a listener was added.
  if (reply.raw.destroyed) reply.hijack()
  else if (stream !== undefined) stream.start(run)
  else new BatchTask(service, request, reply, run).start()
}
