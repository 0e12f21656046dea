import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem, type Fault } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { endToEnd } from '../core/end-to-end.ts'
import { startRun } from '../fanout/fan-out.ts'
import type { RunKeeper, RunTimeline } from '../fanout/run-timeline.ts'
import type { RequestTrace } from '../trace/request-trace.ts'
import { recordOf } from './metrics/request-counter.ts'
import { discardBody } from './connection/unread-body.ts'
import { CallerCredentials } from './log/caller-credentials.ts'
import { setRun } from './log/request-outcome.ts'
import { rehearsalOf, withoutFaults } from './rehearsal-of.ts'
import { checkQuery, deadlineOf } from './request/input-checks.ts'
import { chooseType, jsonOnly, withStreams, type StreamType } from './request/media-types.ts'
import { traceOf } from './request/trace-of.ts'
import { replyRequestId } from './reply/default-headers.ts'
import { ReplyTask } from './reply/reply-task.ts'
import { requestSpans } from './reply/request-spans.ts'
import { setSourcesLevel } from './reply/shown-problem.ts'
import { resumedStream } from './stream/resumption.ts'
import { StreamTask, type StreamingServices } from './stream/stream-task.ts'

/** Runs an aggregate for one request and writes its reply. Throws a `Problem` for a request that cannot be run. */
export function handleRequest(
  aggregate: AnyAggregate,
  services: StreamingServices,
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
  services: StreamingServices,
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
  const type = chooseType(headers.accept, aggregate.route.stream ? withStreams : jsonOnly)
  if (type === undefined) throw new Problem('NOT_ACCEPTABLE')
  const task = type === 'json' ? undefined : streamTask(aggregate, services, request, reply, type)
  if (task === null) return void reply.code(204).header('cache-control', 'no-store').send()
  const faults: Fault[] = []
  checkQuery(url, faults)
  const deadline = deadlineOf(headers['x-request-timeout-ms'], faults)
  const rehearsal = services.rehearsal ? rehearsalOf(aggregate, headers, faults) : undefined
  // The id of this request replaces the id that the caller sent. It is set after the headers that the caller's
  // `connection` header names are removed, so that it is never removed.
  const own = endToEnd(rehearsal === undefined ? headers : withoutFaults(headers))
  own['x-request-id'] = replyRequestId(request, reply)
  const ownTrace = spans === undefined ? trace : spans.trace
  const run = startRun(
    aggregate,
    { params, query, body, headers: own },
    {
      runtime: services.runtime,
      deadline,
      shedOptional: services.load?.shedOptional,
      trace: ownTrace,
      spans,
      onEvent: services.onEvent,
      progress: task,
      id: task?.runId,
      rehearsal,
      timeline:
        services.keeper === undefined
          ? undefined
          : timelineOf(aggregate, services.keeper, request, { id: own['x-request-id'], trace: ownTrace, task }),
    },
    faults,
  )
  // The caller may have closed the connection during a hook, before a listener was added.
  if (reply.raw.destroyed) reply.hijack()
  else if (task !== undefined) task.start(run)
  else new ReplyTask(aggregate, services, request, reply, run).start()
}

/** Returns the timeline of a run. The run of a HEAD request for a stream is cancelled at once and not kept. */
function timelineOf(
  aggregate: AnyAggregate,
  keeper: RunKeeper,
  { method, headers, raw: { url = '' } }: FastifyRequest,
  { id, trace, task }: { readonly id: string; readonly trace: RequestTrace; readonly task: StreamTask | undefined },
): RunTimeline | undefined {
  if (task !== undefined && method === 'HEAD') return undefined
  const { traceId } = trace
  return keeper.start(aggregate, {
    id: task?.runId,
    requestId: id,
    traceId,
    method,
    target: url,
    stream: task?.type,
    credentials: new CallerCredentials(headers),
  })
}

/** Returns the task of a request for a stream, or null if its stream must not be repeated. */
function streamTask(
  aggregate: AnyAggregate,
  services: StreamingServices,
  request: FastifyRequest,
  reply: FastifyReply,
  type: StreamType,
): StreamTask | null {
  const run = randomUUID()
  const resumes = type === 'sse' && request.method === 'GET'
  const id = resumedStream(resumes ? request.headers['last-event-id'] : undefined, run)
  return id === undefined ? null : new StreamTask(aggregate, services, request, reply, type, run, id)
}
