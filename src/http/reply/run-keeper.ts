import type { FastifyInstance } from 'fastify'
import type { RunKeeper } from '../../fanout/run-timeline.ts'

export type { RunKeeper } from '../../fanout/run-timeline.ts'

/** Keepers by the server of an app, which all its registrations share. */
const keepers = new WeakMap<object, RunKeeper>()

/** Lets a keeper follow the runs of an app. Call it before the app is ready. */
export function setRunKeeper({ server }: FastifyInstance, keeper: RunKeeper): void {
  keepers.set(server, keeper)
}

/** Returns the keeper of an app, or `undefined` if its runs are not followed. */
export function runKeeperOf({ server }: FastifyInstance): RunKeeper | undefined {
  return keepers.get(server)
}
