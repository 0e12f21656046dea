import type { FastifyInstance } from 'fastify'
import { allowMethods } from '../routing/allowed-methods.ts'
import { ignoreRejection } from '../../core/promises.ts'
import { logOutcome, probed } from '../log/request-outcome.ts'

/** The state that `/health/ready` shows. */
export interface Readiness {
  state: 'starting' | 'ready' | 'draining'
}

/** A reload that was refused. */
export interface RefusedReload {
  /** Its time in ISO 8601. */
  readonly at: string
  /** The number of faults. */
  readonly faults: number
}

/** The definitions that are served, as `/health/ready` shows them. It has no text of the definitions or of a fault. */
export interface LoadedDefinitions {
  /** The time at which they were loaded, in ISO 8601. */
  readonly loadedAt: string
  /** The last reload, if it was refused. */
  readonly refused?: RefusedReload
}

export interface HealthOptions {
  readonly readiness: Readiness
  /** Returns the definitions that are served. @default not shown */
  readonly definitions?: (() => LoadedDefinitions | undefined) | undefined
  /** Returns the number of lost log lines, which `/health/ready` shows. @default not shown */
  readonly lostLogLines?: (() => number) | undefined
}

/**
 * Adds `/health/live`, which replies 200 while the process runs, and `/health/ready`, which replies 503 while the app
 * starts or drains.
 */
export function addHealthRoutes(app: FastifyInstance, { readiness, lostLogLines, definitions }: HealthOptions): void {
  app.get('/health/live', (request, reply) => {
    logOutcome(request, probed)
    return reply.header('cache-control', 'no-store').send({ status: 'live' })
  })
  app.get('/health/ready', (request, reply) => {
    logOutcome(request, probed)
    reply.header('cache-control', 'no-store')
    const log = lostLogLines === undefined ? {} : readLostLogLines(lostLogLines)
    if (readiness.state !== 'ready') reply.code(503).header('retry-after', '1')
    return reply.send({ status: readiness.state, ...log, definitions: definitions?.() })
  })
  for (const url of ['/health/live', '/health/ready']) allowMethods(app, url, ['GET'])
}

/** Returns the number of lost log lines as a field, or nothing if the function fails or returns something else. */
function readLostLogLines(lostLogLines: () => number): { readonly lostLogLines?: number } {
  try {
    const lost: unknown = lostLogLines()
    if (Number.isSafeInteger(lost) && (lost as number) >= 0) return { lostLogLines: lost as number }
    ignoreRejection(lost)
  } catch {
    // A failure of this function does not make the service unready.
  }
  return {}
}
