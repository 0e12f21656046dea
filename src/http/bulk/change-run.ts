import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasEnded, type BulkRun } from '../../bulk/bulk-run.ts'
import { Problem } from '../../errors.ts'
import type { BulkService } from './bulk-service.ts'
import { runJson } from './run-json.ts'

/** Pauses or resumes a run. A run that is paused already stays paused. */
export async function setPaused(service: BulkService, request: FastifyRequest, isPaused: boolean): Promise<object> {
  const run = await service.runOf(request)
  const changed = await service.journal.setPaused(run, isPaused)
  if (changed === undefined || hasEnded(changed)) throw ended(isPaused ? 'paused' : 'resumed')
  if (!isPaused) service.executor.wake()
  return shown(service, changed)
}

/** Cancels a run. A run that is cancelled already stays cancelled. */
export async function cancel(service: BulkService, request: FastifyRequest): Promise<object> {
  const run = await service.runOf(request)
  const isFirst = await service.journal.end(run, 'cancelled')
  const now = await service.runOf(request)
  if (now.state !== 'cancelled') throw ended('cancelled')
  service.executor.interrupt(run.id)
  const { counts } = await service.resultsOf(now)
  if (isFirst) {
    service.metrics.runEnded('cancelled')
    request.log.info({ bulk: run.id, aggregate: run.aggregate, items: run.items, ...counts }, 'bulk run cancelled')
  }
  return runJson(now, counts)
}

/** Removes a run that has ended, with its inputs and its results. */
export async function remove(service: BulkService, request: FastifyRequest, reply: FastifyReply) {
  const run = await service.runOf(request)
  if (!hasEnded(run))
    throw new Problem('RUN_STATE_CONFLICT', { detail: 'The run has not ended: cancel it before you delete it.' })
  await service.journal.remove(run)
  service.forget(run)
  return reply.code(204).header('cache-control', 'no-store').send()
}

async function shown(service: BulkService, run: BulkRun): Promise<object> {
  return runJson(run, (await service.resultsOf(run)).counts)
}

function ended(change: string): Problem {
  return new Problem('RUN_STATE_CONFLICT', { detail: `The run has ended, so it cannot be ${change}.` })
}
