import type { FastifyInstance } from 'fastify'
import { otherMethods } from './other-methods.ts'

/** Whether the app still takes work. */
export interface Readiness {
  isDraining: boolean
}

export interface HealthOptions {
  readonly readiness: Readiness
  /** Returns how many lines of the log were lost; shown by `/health/ready`. @default not shown */
  readonly lostLogLines?: (() => number) | undefined
}

/** `/health/live`: the process answers. `/health/ready`: it also takes work, which it no longer does while it drains. */
export function health (app: FastifyInstance, { readiness, lostLogLines }: HealthOptions): void {
  app.get('/health/live', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' }))
  app.get('/health/ready', (_request, reply) => {
    reply.header('cache-control', 'no-store')
    const log = lostLogLines === undefined ? {} : { lostLogLines: lostLogLines() }
    return readiness.isDraining ? reply.code(503).header('retry-after', '1').send({ status: 'draining', ...log }) : reply.send({ status: 'ready', ...log })
  })
  for (const url of ['/health/live', '/health/ready']) otherMethods(app, url, ['GET'])
}
