import type { FastifyInstance } from 'fastify'
import { ignoreRejection } from '../../core/ignore-rejection.ts'
import { allowMethods } from '../routing/allowed-methods.ts'

/** Whether the app still takes work. */
export interface Readiness {
  isDraining: boolean
}

export interface HealthOptions {
  readonly readiness: Readiness
  /** Returns how many lines of the log were lost; shown by `/health/ready`. @default not shown */
  readonly lostLogLines?: (() => number) | undefined
}

/**
 * `/health/live`: the process answers. `/health/ready`: it also takes work, which it no longer does while it drains.
 */
export function addHealthRoutes(app: FastifyInstance, { readiness, lostLogLines }: HealthOptions): void {
  app.get('/health/live', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' }))
  app.get('/health/ready', (_request, reply) => {
    reply.header('cache-control', 'no-store')
    const log = lostLogLines === undefined ? {} : shown(lostLogLines)
    return readiness.isDraining
      ? reply
          .code(503)
          .header('retry-after', '1')
          .send({ status: 'draining', ...log })
      : reply.send({ status: 'ready', ...log })
  })
  for (const url of ['/health/live', '/health/ready']) allowMethods(app, url, ['GET'])
}

/** Returns the count of lost lines for the body; nothing where the function fails or gives no count. */
function shown(lostLogLines: () => number): { readonly lostLogLines?: number } {
  try {
    const lost: unknown = lostLogLines()
    if (Number.isSafeInteger(lost) && (lost as number) >= 0) return { lostLogLines: lost as number }
    ignoreRejection(lost)
  } catch {
    // Whether the service is ready does not depend on it.
  }
  return {}
}
