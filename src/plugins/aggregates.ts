import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Fault } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { begin } from '../fanout/fan-out.ts'
import type { Runtime } from '../upstream/runtime.ts'

/** Why a run is cancelled whose caller has gone. */
const callerGone = new DOMException('the caller has gone', 'AbortError')

/** Gives each aggregate its route. */
export function aggregateRoutes (app: FastifyInstance, aggregates: readonly AnyAggregate[], runtime: Runtime): void {
  for (const aggregate of aggregates) {
    const { method, url } = aggregate.route
    app.route({
      method,
      url: url.replaceAll(/\{([^{}]*)\}/g, ':$1'),
      handler: (request, reply) => answer(aggregate, runtime, request, reply),
    })
  }
}

async function answer (aggregate: AnyAggregate, runtime: Runtime, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { params, query, body, headers } = request
  const faults: Fault[] = []
  const deadline = deadlineOf(headers['x-request-timeout-ms'], faults)
  const run = begin(aggregate, { params, query, body, headers }, { runtime, deadline }, faults)
  const { raw } = reply
  const gone = () => {
    if (!raw.writableFinished) run.cancel(callerGone)
  }
  raw.once('close', gone)
  try {
    const { data, complete, sources } = await run.start()
    reply.type('application/json; charset=utf-8').header('cache-control', 'no-store')
    return JSON.stringify({ data, complete, sources })
  } catch (error) {
    if (error !== callerGone) throw error
    // Nobody is there to be answered, and nothing has failed.
    return reply.hijack()
  }
}

/** The caller's own deadline, in ms; it can shorten the aggregate's and not extend it. */
function deadlineOf (value: string | string[] | undefined, faults: Fault[]): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && /^\d{1,9}$/.test(value) && Number(value) >= 1) return Number(value)
  faults.push({ pointer: '/headers/x-request-timeout-ms', reason: 'must be a whole number of milliseconds, 1 or more' })
  return undefined
}
