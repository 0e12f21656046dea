import type { FastifyInstance } from 'fastify'
import { ignoreRejection } from '../upstream/ignore-rejection.ts'
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

/** Calls the function, which may be an embedder's: readiness must not depend on it. A result that is not a whole number of 0 or more is left out. */
function lostOf (lostLogLines: () => unknown): { readonly lostLogLines?: number } {
  try {
    const lost = lostLogLines()
    ignoreRejection(lost)
    return Number.isSafeInteger(lost) && Number(lost) >= 0 ? { lostLogLines: Number(lost) } : {}
  } catch {
    return {}
  }
}

/** `/health/live`: the process answers. `/health/ready`: it also takes work, which it no longer does while it drains. */
export function health (app: FastifyInstance, { readiness, lostLogLines }: HealthOptions): void {
  app.get('/health/live', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' }))
  app.get('/health/ready', (_request, reply) => {
    reply.header('cache-control', 'no-store')
    const log = lostLogLines === undefined ? {} : lostOf(lostLogLines)
    return readiness.isDraining ? reply.code(503).header('retry-after', '1').send({ status: 'draining', ...log }) : reply.send({ status: 'ready', ...log })
  })
  for (const url of ['/health/live', '/health/ready']) otherMethods(app, url, ['GET'])
}
