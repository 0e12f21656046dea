import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem, type Fault } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { endToEnd } from '../core/end-to-end.ts'
import { startRun } from '../fanout/fan-out.ts'
import { recordOf } from './metrics/request-counter.ts'
import { discardBody } from './connection/unread-body.ts'
import { setRun } from './log/request-outcome.ts'
import { checkQuery, deadlineOf } from './request/input-checks.ts'
import { chooseType, jsonOnly } from './request/media-types.ts'
import { traceOf } from './request/trace-of.ts'
import { replyRequestId } from './reply/default-headers.ts'
import { ReplyTask } from './reply/reply-task.ts'
import { requestSpans } from './reply/request-spans.ts'
import type { RouteServices } from './reply/route-services.ts'
import { setSourcesLevel } from './reply/shown-problem.ts'

/** Runs an aggregate for one request and writes its reply. Throws a `Problem` for a request that cannot be run. */
export function handleRequest(
  aggregate: AnyAggregate,
  services: RouteServices,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  try {
    startReply(aggregate, services, request, reply)
  } catch (error) {
    setRun(request, { failedRunFields: () => ({ aggregate: aggregate.name, url: aggregate.route.url }) })
    throw error
  }
}

function startReply(
  aggregate: AnyAggregate,
  services: RouteServices,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const {
    params,
    query,
    body,
    headers,
    raw,
    raw: { url = '' },
  } = request
  setSourcesLevel(request, aggregate.route.sources ?? services.sources)
  const record = recordOf(reply.raw)
  if (record !== undefined) record.route = services.requests.routeOf(aggregate)
  const trace = traceOf(raw, services.traceSampledPercent)
  const spans = requestSpans(aggregate, request, reply, trace)
  // Fastify does not read the body of a GET.
  if (body === undefined) discardBody(raw)
  if (chooseType(headers.accept, jsonOnly) === undefined) throw new Problem('NOT_ACCEPTABLE')
  const faults: Fault[] = []
  checkQuery(url, faults)
  const deadline = deadlineOf(headers['x-request-timeout-ms'], faults)
  // The id of this request replaces the id that the caller sent. It is set after the headers that the caller's
  // `connection` header names are removed, so that it is never removed.
  const own = endToEnd(headers)
  own['x-request-id'] = replyRequestId(request, reply)
  const run = startRun(
    aggregate,
    { params, query, body, headers: own },
    {
      runtime: services.runtime,
      deadline,
      shedOptional: services.load?.shedOptional,
      trace: spans === undefined ? trace : spans.trace,
      spans,
      onEvent: services.onEvent,
    },
    faults,
  )
  // The caller may have closed the connection during a hook, before a listener was added.
  if (reply.raw.destroyed) reply.hijack()
  else new ReplyTask(aggregate, services, request, reply, run).start()
}
