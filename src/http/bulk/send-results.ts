import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasEnded } from '../../bulk/bulk-run.ts'
import { Problem } from '../../errors.ts'
import { lines } from './bulk-route.ts'
import type { BulkService } from './bulk-service.ts'
import { readRange } from './byte-range.ts'

/**
 * Sends the results that can be read, or a range of their bytes. While the run has not ended, their size is not known:
 * `content-range` has `*` in its place.
 */
export async function sendResults(service: BulkService, request: FastifyRequest, reply: FastifyReply) {
  const run = await service.runOf(request)
  const results = await service.resultsOf(run)
  const { bytes } = results
  const size = hasEnded(run) ? String(bytes) : '*'
  // A condition on the range needs a validator, and the results have none.
  const header = request.headers['if-range'] === undefined ? request.headers.range : undefined
  const range = readRange(header, bytes)
  if (range === undefined)
    throw new Problem('RANGE_NOT_SATISFIABLE', {
      detail: `The results have ${bytes} bytes ${hasEnded(run) ? 'in all' : 'so far'}.`,
      headers: { 'content-range': `bytes */${bytes}` },
    })
  const { start, end } = range === 'whole' ? { start: 0, end: bytes } : range
  if (range !== 'whole') reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${size}`)
  // Fastify reads the whole body of a reply to HEAD.
  const pieces = request.method === 'HEAD' ? [] : results.read({ start, end })
  return reply
    .type(lines)
    .header('cache-control', 'no-store')
    .header('accept-ranges', 'bytes')
    .header('content-length', String(end - start))
    .send(Readable.from(pieces, { objectMode: false }))
}
