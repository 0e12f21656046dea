import type { FastifyInstance } from 'fastify'
import { otherMethods } from './other-methods.ts'

/** Whether the app still takes work. */
export interface Readiness {
  isDraining: boolean
}

/** `/health/live`: the process answers. `/health/ready`: it also takes work, which it no longer does while it drains. */
export function health (app: FastifyInstance, readiness: Readiness): void {
  app.get('/health/live', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' }))
  app.get('/health/ready', (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return readiness.isDraining ? reply.code(503).header('retry-after', '1').send({ status: 'draining' }) : reply.send({ status: 'ready' })
  })
  for (const url of ['/health/live', '/health/ready']) otherMethods(app, url, ['GET'])
}
